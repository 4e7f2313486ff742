"""The documents say what the code does."""

import re
from pathlib import Path

from opendeep_app.models import TaskEventType as Event
from opendeep_app.services.transitions import MOVES

ROOT = Path(__file__).parents[2]

#: Possible from (almost) everywhere; drawn, they would hide the rest.
EVERYWHERE = {Event.TASK_HELD, Event.TASK_CANCELLED, Event.DO_NOT_CALL_REQUESTED}


def test_the_diagram_shows_every_move_and_no_other() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    drawn = set(re.findall(r"^ +(\w+) --> (\w+): (\w+)$", text, re.MULTILINE))
    table = {
        (source.value, move.target.value, event.value)
        for event, move in MOVES.items()
        if event not in EVERYWHERE
        for source in move.sources
    }
    assert drawn == table


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
