"""The table of moves: every pair of status and event, and what a history may look like."""

from datetime import UTC, datetime
from itertools import pairwise, product

import pytest

from opendeep_app.models import Actor, TaskEvent, TaskStatus
from opendeep_app.models import TaskEventType as Event
from opendeep_app.models.tasks import CALLABLE, OPEN
from opendeep_app.services.transitions import MOVES, allowed, replay

Status = TaskStatus

TABLE: dict[tuple[Status, Event], Status] = {
    (Status.PENDING, Event.CALL_CLAIMED): Status.IN_PROGRESS,
    (Status.RETRY_SCHEDULED, Event.CALL_CLAIMED): Status.IN_PROGRESS,
    (Status.PENDING, Event.CALL_RECEIVED): Status.IN_PROGRESS,
    (Status.RETRY_SCHEDULED, Event.CALL_RECEIVED): Status.IN_PROGRESS,
    (Status.PENDING_USER_INFO, Event.CALL_RECEIVED): Status.IN_PROGRESS,
    (Status.PENDING_ANALYSIS, Event.CALL_RECEIVED): Status.IN_PROGRESS,
    (Status.IN_PROGRESS, Event.CALL_WITHDRAWN): Status.PENDING,
    (Status.IN_PROGRESS, Event.TASK_RECOVERED): Status.PENDING_ANALYSIS,
    (Status.IN_PROGRESS, Event.CALL_ENDED): Status.PENDING_ANALYSIS,
    (Status.IN_PROGRESS, Event.INFO_AWAITED): Status.PENDING_USER_INFO,
    (Status.IN_PROGRESS, Event.INFO_CALLBACK_SCHEDULED): Status.PENDING,
    (Status.PENDING_USER_INFO, Event.INFO_CALLBACK_SCHEDULED): Status.PENDING,
    (Status.PENDING_ANALYSIS, Event.GOAL_MET): Status.COMPLETED,
    (Status.ON_HOLD, Event.GOAL_MET): Status.COMPLETED,
    (Status.PENDING_ANALYSIS, Event.RETRY_SCHEDULED): Status.RETRY_SCHEDULED,
    (Status.PENDING_ANALYSIS, Event.GAVE_UP): Status.FAILED,
    (Status.ON_HOLD, Event.GAVE_UP): Status.FAILED,
    (Status.ON_HOLD, Event.TASK_RESUMED): Status.PENDING,
    **{(status, Event.TASK_HELD): Status.ON_HOLD for status in OPEN if status != Status.ON_HOLD},
    (Status.CANCELLED, Event.TASK_REOPENED): Status.PENDING,
    **{(status, Event.TASK_CANCELLED): Status.CANCELLED for status in OPEN},
    **{(status, Event.DO_NOT_CALL_REQUESTED): Status.CANCELLED for status in OPEN},
}
"""Written down a second time, on purpose: a slip in the table must not move the test along."""

MOVING = [
    Event.CALL_CLAIMED,
    Event.CALL_ENDED,
    Event.RETRY_SCHEDULED,
    Event.CALL_CLAIMED,
    Event.INFO_AWAITED,
    Event.INFO_CALLBACK_SCHEDULED,
    Event.CALL_CLAIMED,
    Event.CALL_ENDED,
    Event.GOAL_MET,
]


def history(*moves: Event) -> list[TaskEvent]:
    """Events as they would be stored, with a quiet one after each move."""
    status = Status.PENDING
    events = [_event(1, Event.TASK_CREATED)]
    for move in moves:
        target = MOVES[move].target
        events.append(_event(len(events) + 1, move, status, target))
        events.append(_event(len(events) + 1, Event.FUNCTION_CALLED))
        status = target
    return events


def _event(
    sequence: int, kind: Event, source: Status | None = None, target: Status | None = None
) -> TaskEvent:
    return TaskEvent(
        type=kind,
        actor=Actor.SYSTEM,
        task_id="task",
        sequence=sequence,
        from_status=source,
        to_status=target,
        created_at=datetime(2026, 6, 16, tzinfo=UTC),
    )


@pytest.mark.parametrize(("status", "event"), [*product(Status, Event)])
def test_every_status_meets_every_event(status: Status, event: Event) -> None:
    expected = TABLE.get((status, event))
    assert allowed(status, event) is (expected is not None)
    if expected is not None:
        assert MOVES[event].target is expected


def test_what_is_over_stays_over_unless_its_creator_takes_the_cancellation_back() -> None:
    for status in Status:
        ways_out = [event for event in Event if allowed(status, event)]
        if status.terminal:
            assert ways_out == [Event.TASK_REOPENED] * (status is Status.CANCELLED)
        else:
            assert ways_out


def test_every_status_can_be_reached_and_left_for_good() -> None:
    reached = {Status.PENDING}
    for _ in Status:
        reached |= {
            move.target
            for move in MOVES.values()
            if any(source in reached for source in move.sources)
        }
    assert reached == set(Status)
    ending = {status for status in Status if status.terminal}
    for _ in Status:
        ending |= {
            source for move in MOVES.values() if move.target in ending for source in move.sources
        }
    assert ending == set(Status)


def test_a_claim_from_waiting_and_a_call_received_lead_into_a_call() -> None:
    into = [event for event, move in MOVES.items() if move.target is Status.IN_PROGRESS]
    assert into == [Event.CALL_CLAIMED, Event.CALL_RECEIVED]
    assert MOVES[Event.CALL_CLAIMED].sources == CALLABLE


def test_a_whole_life_replays() -> None:
    assert replay(history(*MOVING)) is Status.COMPLETED


def test_every_prefix_of_a_life_replays() -> None:
    events = history(*MOVING)
    seen = [replay(events[:length]) for length in range(1, len(events) + 1)]
    changes = [after for before, after in pairwise([Status.PENDING, *seen]) if after is not before]
    assert changes == [MOVES[event].target for event in MOVING]


@pytest.mark.parametrize("missing", range(len(history(*MOVING)) - 1))
def test_a_history_with_a_gap_is_refused(missing: int) -> None:
    events = history(*MOVING)
    del events[missing]
    with pytest.raises(ValueError, match="is missing"):
        replay(events)


def test_an_illegal_move_is_refused() -> None:
    events = [
        *history(Event.TASK_CANCELLED),
        _event(4, Event.CALL_CLAIMED, Status.CANCELLED, Status.IN_PROGRESS),
    ]
    with pytest.raises(ValueError, match="may not happen in CANCELLED"):
        replay(events)


def test_a_move_that_claims_another_origin_is_refused() -> None:
    events = [
        _event(1, Event.TASK_CREATED),
        _event(2, Event.CALL_CLAIMED, Status.RETRY_SCHEDULED, Status.IN_PROGRESS),
    ]
    with pytest.raises(ValueError, match="may not happen in PENDING"):
        replay(events)


def test_a_move_to_the_wrong_place_is_refused() -> None:
    events = [
        _event(1, Event.TASK_CREATED),
        _event(2, Event.CALL_CLAIMED, Status.PENDING, Status.COMPLETED),
    ]
    with pytest.raises(ValueError, match="does not lead to COMPLETED"):
        replay(events)


def test_a_history_begins_once() -> None:
    with pytest.raises(ValueError, match="begins with task_created"):
        replay([_event(1, Event.FUNCTION_CALLED)])
    with pytest.raises(ValueError, match="begins with task_created"):
        replay([_event(1, Event.TASK_CREATED), _event(2, Event.TASK_CREATED)])
