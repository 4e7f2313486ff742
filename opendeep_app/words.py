"""What people read on the pages, in the installation's language.

English stands in the code, where it is read: `_("Save")`, and `ngettext` where a number decides.
Other languages are gettext catalogues, `locale/<language>/LC_MESSAGES/opendeep.mo`. `qps`
is nobody's language: it puts every text that a catalogue would be asked for into brackets, so
that what stands outside has been forgotten.

The language is looked up rather than given, because pages are made while their modules are
imported.
"""

import gettext
import json
from functools import cache
from string import Formatter
from typing import Any

from opendeep_app.config import CATALOGUE, LOCALES, QPS, Settings


class _Marked(gettext.NullTranslations):
    """Every text in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


@cache
def language() -> str:
    """The installation's; `Settings` refuses one that has no catalogue."""
    return Settings.load().language


@cache
def _chosen() -> gettext.NullTranslations:
    if language() == QPS:
        return _Marked()
    # English needs no catalogue.
    return gettext.translation(CATALOGUE, LOCALES, [language()], fallback=True)


def _(message: str) -> str:
    """The text in the installation's language."""
    return _chosen().gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The text that fits the number."""
    return _chosen().ngettext(one, many, count)


def script() -> str:
    """What makes the page's own scripts read the same catalogue; nothing for English."""
    if language() == QPS:
        return "globalThis.words = new Proxy({}, {get: (_, text) => `⟦${text}⟧`});"
    catalogue = getattr(_chosen(), "_catalog", {})
    texts = {key: text for key, text in catalogue.items() if key and isinstance(key, str)}
    return f"globalThis.words = {json.dumps(texts)};" if texts else ""


def pieces(sentence: str, **parts: Any) -> list[Any]:
    """A sentence around what stands in it: `{name}` becomes the part of that name."""
    return [
        piece
        for text, name, _spec, _conversion in Formatter().parse(sentence)
        for piece in ((text,) if text else ()) + ((parts[name],) if name else ())
    ]
