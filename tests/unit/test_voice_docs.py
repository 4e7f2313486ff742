"""Unit: docs/voice.md says what is so."""

import re
from pathlib import Path

from opendeep_app.voice.phases import MOVES, Phase

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "voice.md").read_text()


def test_the_drawing_is_the_table_of_phases() -> None:
    section = DOC.partition("## The phases of a call")[2].partition("\n## ")[0]
    drawn = set(re.findall(r"^    ([A-Z_]+) --> ([A-Z_]+)$", section, re.MULTILINE))
    assert drawn == {(one.name, other.name) for one, others in MOVES.items() for other in others}
    assert set(MOVES) == set(Phase)


def test_every_test_it_names_exists() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py")]
    sources = "".join(path.read_text() for path in files)
    for name in re.findall(r"`(test_\w+)(\.py)?`", DOC):
        assert f"def {name[0]}(" in sources or any(path.stem == name[0] for path in files), name
