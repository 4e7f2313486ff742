"""Finding tasks by their words.

A search for something rare reads the index of words and then those tasks. A search for
something common has its first page soon when the tasks are walked in the list's own order and
each is asked for its words; to count them all, the index is quicker again. All give the same answer.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, column, false, or_, select, text, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Call, Task, TaskWords, TranscriptLine
from opendeep_app.models.task_words import terms, words_of

#: Up to this many found tasks are read one by one.
FEW = 1000

_INDEX = {
    "sqlite": text(
        "SELECT w.task_id FROM task_words_index JOIN task_words w ON w.id = task_words_index.rowid "
        "WHERE task_words_index MATCH :words"
    ),
    "postgresql": text(
        "SELECT task_id FROM task_words WHERE array_to_tsvector(string_to_array(ltrim(words), ' ')) "
        "@@ CAST(:words AS tsquery)"
    ),
}


async def matching(
    session: AsyncSession, user_id: str, sought: str, *, counting: bool = False
) -> ColumnElement[bool]:
    """The condition that a task has words that begin like those of the text, in any order.

    A text without words, which people get while typing, matches everything. `counting` says that
    all that match will be read, not only the first.
    """
    groups = terms(user_id, sought)
    if not groups:
        return true()
    dialect = session.get_bind().dialect.name
    index = _INDEX[dialect].bindparams(words=_query(dialect, groups)).columns(column("task_id"))
    indexed = select(index.subquery())
    if counting or dialect == "postgresql":
        # PostgreSQL knows how common words are, and chooses between index and walk by itself.
        return col(Task.id).in_(indexed)
    found = list(await session.scalars(indexed.limit(FEW + 1)))
    if not found:
        return false()
    if len(found) <= FEW:
        return col(Task.id).in_(found)
    words = col(TaskWords.words)
    asked = select(col(TaskWords.id)).where(
        col(TaskWords.task_id) == col(Task.id),
        or_(*(and_(*(words.contains(f" {term}") for term in group)) for group in groups)),
    )
    return asked.exists()


def _query(dialect: str, groups: list[list[str]]) -> str:
    # Terms are letters and digits only, so nothing in them can mean anything to the index.
    if dialect == "sqlite":
        return " OR ".join("(" + " AND ".join(f'"{t}" *' for t in group) + ")" for group in groups)
    return " | ".join("(" + " & ".join(f"'{t}':*" for t in group) + ")" for group in groups)


async def add(session: AsyncSession, tasks: Sequence[Task]) -> None:
    """Makes new tasks findable, all in one statement."""
    session.add_all(TaskWords(task_id=task.id, words=_words(task, [])) for task in tasks)
    await session.flush()


async def rewrite(session: AsyncSession, task: Task) -> None:
    """Makes the task findable by what it and its calls' transcripts say now."""
    lines = await session.scalars(
        select(col(TranscriptLine.text))
        .join(Call, col(Call.id) == col(TranscriptLine.call_id))
        .where(col(Call.task_id) == task.id)
        .order_by(col(TranscriptLine.id))
    )
    words = _words(task, lines)
    insert = (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert
    await session.execute(
        insert(TaskWords)
        .values(task_id=task.id, words=words)
        .on_conflict_do_update(index_elements=["task_id"], set_={"words": words})
    )


def _words(task: Task, lines: Iterable[str]) -> str:
    texts = [task.contact_name, task.goal, task.context, task.result_summary, *lines]
    return words_of(task.user_id, task.phone_number, texts)
