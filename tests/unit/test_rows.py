"""What pages show: every status and every event has its words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from opendeep_app.models import (
    Actor,
    Call,
    CallStatus,
    InfoRequest,
    InfoRequestStatus,
    Task,
    TaskEvent,
    TaskEventType,
    TaskStatus,
)
from opendeep_app.models.task_events import PAYLOADS
from opendeep_app.repositories.tasks import CallDetail, TaskDetail
from opendeep_app.state.rows import duration, event_row, question_row, task_row
from opendeep_app.theme import EVENT, STATUS

NOON = datetime(2026, 6, 16, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "next_action_at": NOON,
    "callback_at": NOON,
    "deadline_at": NOON,
    "attempt_number": 2,
    "hours": "Mon 09:00–12:00",
    "retry": True,
    "carrier_sid": "CA1",
    "outcome": "FAILED_BUSY",
    "ended_by": "CARRIER",
    "name": "send_dtmf",
    "arguments": {"digits": "1"},
    "ok": True,
    "info_request_id": "q1",
    "question": "Which day?",
    "answer": "Monday",
    "via": "web",
    "late": True,
    "text": "Mornings only",
    "state": "VOICEMAIL",
    "goal_met": False,
    "summary": "No luck.",
}


def task(**values: Any) -> Task:
    given = {
        "user_id": "u",
        "phone_number": "+12025550140",
        "goal": "Book a table",
        "time_zone": "America/New_York",
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Task(**{**given, **values})


def question(status: InfoRequestStatus) -> InfoRequest:
    return InfoRequest(
        user_id="u",
        task_id="t",
        call_id="c",
        function_call_id="f",
        question="Which day?",
        status=status,
        timeout_seconds=30,
        asked_at=NOON,
        deadline_at=NOON,
    )


def test_every_status_and_event_has_a_look() -> None:
    assert set(STATUS) == set(TaskStatus)
    assert set(EVENT) == set(TaskEventType)


@pytest.mark.parametrize("kind", TaskEventType)
def test_every_event_has_words(kind: TaskEventType) -> None:
    model = PAYLOADS[kind]
    payload = model(**{name: VALUES[name] for name in model.model_fields if name in VALUES})
    event = TaskEvent(
        task_id="t",
        type=kind,
        actor=Actor.SYSTEM,
        sequence=1,
        payload=payload.model_dump(mode="json"),
        created_at=NOON,
    )
    row = event_row(event)
    assert row.title
    assert "{" not in row.title + row.detail


@pytest.mark.parametrize("status", TaskStatus)
def test_every_status_has_a_card(status: TaskStatus) -> None:
    row = task_row(TaskDetail(task(status=status, next_action_at=NOON)))
    assert (row.title, row.number) == ("+1 202-555-0140", "")
    assert row.label == STATUS[status].label


def test_a_live_call_says_how_far_it_is() -> None:
    call = Call(
        task_id="t",
        attempt_number=1,
        phone_number="+12025550140",
        status=CallStatus.RINGING,
        created_at=NOON,
    )
    detail = TaskDetail(
        task(status=TaskStatus.IN_PROGRESS, contact_name="Luna"), calls=[CallDetail(call)]
    )
    assert (task_row(detail).title, task_row(detail).label) == ("Luna", "Ringing")


def test_an_open_question_comes_before_everything_else_on_a_card() -> None:
    detail = TaskDetail(
        task(status=TaskStatus.IN_PROGRESS), info_requests=[question(InfoRequestStatus.OPEN)]
    )
    row = task_row(detail)
    assert (row.label, row.tone, row.note) == ("Asks you", "need", "Asks: Which day?")


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        (InfoRequestStatus.OPEN, "open"),
        (InfoRequestStatus.EXPIRED, "expired"),
        (InfoRequestStatus.ANSWERED, "answered"),
        (InfoRequestStatus.ANSWERED_LATE, "answered"),
        (InfoRequestStatus.CANCELLED, "cancelled"),
    ],
)
def test_the_phase_of_a_question(status: InfoRequestStatus, phase: str) -> None:
    assert question_row(question(status), task()).phase == phase


def test_durations() -> None:
    assert [duration(s) for s in (None, 0, 61, 3600)] == ["", "0:00", "1:01", "60:00"]
