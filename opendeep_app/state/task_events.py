"""The timeline: which events it shows, and what stands behind each of them."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opendeep_app.models import TaskEvent, TaskEventType
from opendeep_app.models.task_events import Actor
from opendeep_app.state.calls import FactRow
from opendeep_app.state.rows import text_of
from opendeep_app.words import _

#: The chips above the timeline, in their order.
KINDS = {
    "calls": _("Calls"),
    "talk": _("Conversation"),
    "questions": _("Questions"),
    "plan": _("Plan and result"),
}
ACTORS = {
    Actor.CREATOR: _("You"),
    Actor.AGENT: _("The agent"),
    Actor.RECIPIENT: _("The recipient"),
    Actor.CARRIER: _("The phone network"),
    Actor.SYSTEM: "OpenDeep",
}
_TALK = {"function_called", "reschedule_requested", "note_given"}
_PLAN = {"call_analysed", "call_moved", "call_skipped"}


@dataclass
class EventView:
    """The event that is looked into: its payload in words, and as it is stored."""

    sequence: int = 0
    facts: list[FactRow] = field(default_factory=list)
    raw: str = ""


def kind_of(event: TaskEventType) -> str:
    """The chip that an event belongs to."""
    name = event.value
    if name in _TALK:
        return "talk"
    if name.startswith("info_"):
        return "questions"
    return "calls" if name.startswith("call_") and name not in _PLAN else "plan"


def types_of(kind: str) -> list[TaskEventType]:
    """The events of a chip; none means all."""
    return [event for event in TaskEventType if kind_of(event) == kind]


def event_view(event: TaskEvent) -> EventView:
    """What stands behind an event."""
    facts = [FactRow(_("By"), ACTORS[event.actor])]
    if event.from_status and event.to_status:
        facts.append(
            FactRow(_("Status"), f"{_words(event.from_status)} → {_words(event.to_status)}")
        )
    for name, value in event.payload.items():
        facts += _facts(name, value)
    raw = {
        "sequence": event.sequence,
        "type": event.type.value,
        "actor": event.actor.value,
        "created_at": text_of(event.created_at),
        "call_id": event.call_id,
        "payload": event.payload,
    }
    return EventView(event.sequence, facts, json.dumps(raw, indent=2, ensure_ascii=False))


def _facts(name: str, value: Any) -> list[FactRow]:
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, dict):
        return [fact for key, inner in value.items() for fact in _facts(key, inner)]
    if isinstance(value, list):
        return [FactRow(f"{_words(name)} {n}", str(each)) for n, each in enumerate(value, 1)]
    if name.endswith("_at") and _is_time(value):
        return [FactRow(_words(name.removesuffix("_at")), time=str(value))]
    if isinstance(value, bool):
        return [FactRow(_words(name), _("Yes") if value else _("No"))]
    return [FactRow(_words(name), str(value))]


def _is_time(value: Any) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
