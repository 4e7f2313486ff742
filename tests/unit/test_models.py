"""What the models promise: ids that sort, times with zones, payloads that fit their event."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError
from sqlalchemy import Dialect, make_url

from opendeep_app.models import (
    Actor,
    CallOutcome,
    CallStatus,
    EndedBy,
    TaskEventType,
    TaskStatus,
)
from opendeep_app.models.base import UtcDateTime, new_id
from opendeep_app.models.calls import LIVE
from opendeep_app.models.task_events import (
    PAYLOADS,
    Claimed,
    Ended,
    Payload,
    Reason,
    Scheduled,
    TaskEventCreate,
)
from opendeep_app.models.tasks import CALLABLE, OPEN

NOON = datetime(2026, 6, 16, 12, tzinfo=UTC)
DIALECTS = [make_url(name).get_dialect()() for name in ("sqlite://", "postgresql+psycopg://")]


def test_ids_sort_by_creation() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert all(len(one) == 36 and one[14] == "7" for one in ids)


def test_every_event_has_a_payload() -> None:
    assert set(PAYLOADS) == set(TaskEventType)


@pytest.mark.parametrize("kind", TaskEventType)
def test_an_event_refuses_any_payload_but_its_own(kind: TaskEventType) -> None:
    kinds: set[type[Payload]] = {Payload, *PAYLOADS.values()}
    for other in kinds - {PAYLOADS[kind]}:
        with pytest.raises(TypeError, match=f"carries {PAYLOADS[kind].__name__}"):
            TaskEventCreate(type=kind, actor=Actor.SYSTEM, payload=other.model_construct())


def test_the_right_payload_survives_as_it_is() -> None:
    payload = Ended(outcome=CallOutcome.FAILED_BUSY, ended_by=EndedBy.CARRIER, reason="Busy.")
    event = TaskEventCreate(type=TaskEventType.CALL_ENDED, actor=Actor.CARRIER, payload=payload)
    assert event.payload is payload
    assert payload.model_dump(mode="json") == {
        "reason": "Busy.",
        "outcome": "FAILED_BUSY",
        "ended_by": "CARRIER",
        "duration_seconds": None,
        "carrier_error": None,
    }


def test_payloads_are_strict_and_frozen() -> None:
    with pytest.raises(ValidationError):
        Claimed.model_validate({"attempt_number": 1, "retry": False, "colour": "blue"})
    with pytest.raises(ValidationError):
        Claimed.model_validate({"attempt_number": "one", "retry": False})
    payload = Reason(reason="Because.")
    with pytest.raises(ValidationError):
        payload.reason = "Otherwise."  # type: ignore[misc]


def test_a_payload_comes_back_from_json() -> None:
    payload = Scheduled(next_action_at=NOON, reason="Soon.", rules=["Soon."])
    assert Scheduled.model_validate(payload.model_dump(mode="json")) == payload


def test_times_must_know_their_zone() -> None:
    for dialect in DIALECTS:
        with pytest.raises(ValueError, match="must be aware"):
            UtcDateTime().process_bind_param(datetime(2026, 6, 16), dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_times_come_back_as_utc(dialect: Dialect) -> None:
    kind = UtcDateTime()
    local = NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))
    stored = kind.process_bind_param(local, dialect)
    back = kind.process_result_value(stored, dialect)
    assert back == NOON
    assert back is not None
    assert back.tzinfo is UTC
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) is None


def test_the_groups_of_statuses_agree() -> None:
    assert set(OPEN) == {status for status in TaskStatus if not status.terminal}
    assert set(CALLABLE) == {status for status in TaskStatus if status.callable}
    assert set(LIVE) == {status for status in CallStatus if status.live}
    assert set(CALLABLE) < set(OPEN)
