"""What tasks are found by: the words of each, folded the same way for every database.

The databases' own ways of cutting text into words differ, so the words are cut here, and both
databases index them as they are. Every word bears its owner's mark: a search reads only the
entries of one user's, however many tasks others have.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable

from sqlmodel import Field, SQLModel

from opendeep_app.models.base import reference

LONGEST_WORD = 40
MOST_WORDS = 4000
#: Numbers are found by any part of at least this many digits.
FEWEST_DIGITS = 3
MOST_TERMS = 8
#: Stands before the digits of a phone number, so that they are no word of the text.
NUMBER = "tel"


class TaskWords(SQLModel, table=True):
    """The words of one task: ` mark+word mark+word …`, each once, every one after a space.

    A trigger (SQLite) or an index on the column (PostgreSQL) makes them searchable.
    """

    __tablename__ = "task_words"

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = reference("tasks", unique=True)
    words: str


def fold(text: str) -> list[str]:
    """The words of a text, without letter case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return [word[:LONGEST_WORD] for word in re.findall(r"[^\W_]+", bare)]


def mark(user_id: str) -> str:
    """Eight letters that stand before each of this user's words."""
    return (
        base64.b32encode(hashlib.blake2s(user_id.encode(), digest_size=5).digest()).decode().lower()
    )


def words_of(user_id: str, phone_number: str, texts: Iterable[str]) -> str:
    """The searchable words of a task of this user's."""
    digits = re.sub(r"\D", "", phone_number)
    parts = [NUMBER + digits[start:] for start in range(len(digits) - FEWEST_DIGITS + 1)]
    found = dict.fromkeys(parts)
    for text in texts:
        found.update(dict.fromkeys(fold(text)))
    owner = mark(user_id)
    return "".join(f" {owner}{word}" for word in list(found)[:MOST_WORDS])


def terms(user_id: str, text: str) -> list[list[str]]:
    """What to look for: any of these lists, of which every term must begin some word.

    A phone number is recognised in whatever notation: `(0)` and leading zeros are dropped, which
    stand for the way to dial it and are no part of it. Empty when there is nothing to look for.
    """
    owner = mark(user_id)
    found = [[owner + word for word in fold(text)[:MOST_TERMS]]]
    digits = re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")
    if len(digits) >= FEWEST_DIGITS and digits.isascii() and not any(c.isalpha() for c in text):
        found.append([f"{owner}{NUMBER}{digits[:15]}"])
    return [group for group in found if group]
