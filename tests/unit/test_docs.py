"""The documents say what the code does."""

import base64
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from opendeep_app.clock import utc_now
from opendeep_app.models import TaskEventType as Event
from opendeep_app.services import webhooks
from opendeep_app.services.transitions import MOVES

ROOT = Path(__file__).parents[2]

#: Possible from (almost) everywhere; drawn, they would hide the rest.
EVERYWHERE = {Event.TASK_HELD, Event.TASK_CANCELLED, Event.DO_NOT_CALL_REQUESTED}


def test_the_diagram_shows_every_move_and_no_other() -> None:
    text = (ROOT / "docs" / "lifecycle.md").read_text()
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


def test_the_verification_that_programs_copy_works() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    (sample,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(sample, scope)
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = webhooks.signed(secret, "m1", utc_now(), b"{}")
    assert scope["is_genuine"](secret, headers, b"{}")
    assert not scope["is_genuine"](secret, headers, b"{ }")
    assert not scope["is_genuine"](secret.replace("a", "b"), headers, b"{}")
    old = webhooks.signed(secret, "m1", utc_now() - timedelta(minutes=6), b"{}")
    assert not scope["is_genuine"](secret, old, b"{}")
