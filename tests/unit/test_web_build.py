"""When the page is built again: its key follows everything that goes into it."""

from pathlib import Path

import pytest

from opendeep_app import web


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in (
        "assets",
        *(f"opendeep_app/{name}" for name in ("pages", "components", "state")),
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "rxconfig.py").write_text("")
    for file in ("opendeep_app.py", "theme.py", "words.py"):
        (tmp_path / "opendeep_app" / file).write_text("")
    (tmp_path / "opendeep_app/pages/tasks.py").write_text("one")
    monkeypatch.setattr(web, "ROOT", tmp_path)
    return tmp_path


def test_the_same_sources_have_the_same_key(root: Path) -> None:
    key = web.build_key("en")
    (root / "opendeep_app/pages/__pycache__").mkdir()
    (root / "opendeep_app/pages/__pycache__/tasks.cpython-311.pyc").write_bytes(b"x")
    assert web.build_key("en") == key


@pytest.mark.parametrize(
    "file", ["opendeep_app/pages/tasks.py", "assets/ui.jsx", "rxconfig.py", "opendeep_app/theme.py"]
)
def test_a_changed_source_has_another_key(root: Path, file: str) -> None:
    key = web.build_key("en")
    (root / file).write_text("two")
    assert web.build_key("en") != key


def test_each_language_has_a_page_of_its_own(root: Path) -> None:
    assert web.build_key("en") != web.build_key("qps")


def test_the_key_follows_the_version_of_reflex(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = web.build_key("en")
    monkeypatch.setattr(web, "version", lambda name: "999")
    assert web.build_key("en") != key
