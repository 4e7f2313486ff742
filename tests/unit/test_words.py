"""The words of the pages: what a catalogue holds is read, what it lacks stays English."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from opendeep_app import config, words
from opendeep_app.config import Settings
from opendeep_app.errors import SetupError

PACKAGE = Path(words.__file__).parent
FOLDERS = ("pages", "components", "state")
READ = [PACKAGE / "theme.py", *(path for name in FOLDERS for path in (PACKAGE / name).glob("*.py"))]


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation whose catalogue has two texts."""
    catalogue = Catalog(locale="de")
    catalogue.add("Save", "Speichern")
    catalogue.add(("{count} day", "{count} days"), ("{count} Tag", "{count} Tage"))
    file = tmp_path / "de" / "LC_MESSAGES" / "opendeep.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        write_mo(stream, catalogue)
    for module in (config, words):
        monkeypatch.setattr(module, "LOCALES", tmp_path)
    monkeypatch.setenv("OPENDEEP_LANGUAGE", "de")
    for found in (words.language, words._chosen):
        found.cache_clear()
    yield
    for found in (words.language, words._chosen):
        found.cache_clear()


@pytest.mark.usefixtures("german")
def test_a_catalogue_is_read_and_what_it_lacks_stays_english() -> None:
    assert words._("Save") == "Speichern"
    assert words._("Cancel") == "Cancel"
    said = [words.ngettext("{count} day", "{count} days", n).format(count=n) for n in (1, 2)]
    assert said == ["1 Tag", "2 Tage"]
    assert '"Save": "Speichern"' in words.script()
    assert words.language() == "de"
    assert config.languages() == ["de", "en", "qps"]


def test_english_gives_the_browser_nothing_to_load() -> None:
    assert words.script() == ""


def test_a_language_without_a_catalogue_is_refused() -> None:
    with pytest.raises(SetupError, match=r"OPENDEEP_LANGUAGE: There is no .*'xx'.* one of en, qps"):
        Settings.load(_env_file=None, language="xx")


def test_a_sentence_keeps_its_order_around_what_stands_in_it() -> None:
    assert words.pieces("Attempt {n} is made {when}.", n=3, when="soon") == [
        "Attempt ", 3, " is made ", "soon", ".",
    ]  # fmt: skip
    assert words.pieces("{when} ist Versuch {n}", n=3, when="Bald") == [
        "Bald", " ist Versuch ", 3,
    ]  # fmt: skip


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_texts_can_be_found_by_who_translates(path: Path) -> None:
    """What goes into a catalogue is a plain text: one that is put together cannot be extracted."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext"):
            texts = call.args[: 1 if call.func.id == "_" else 2]
            assert all(isinstance(text, ast.Constant) for text in texts), f"line {call.lineno}"
