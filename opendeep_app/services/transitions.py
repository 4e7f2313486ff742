"""The state machine of a task: one table that code, tests and the docs' diagram all read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict
from opendeep_app.models.task_events import (
    Actor,
    Analysed,
    Ended,
    Payload,
    Scheduled,
    TaskEvent,
    TaskEventCreate,
)
from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.models.tasks import OPEN, Task
from opendeep_app.models.tasks import TaskStatus as Status
from opendeep_app.repositories import search
from opendeep_app.services import webhooks


@dataclass(frozen=True)
class Move:
    """An event that takes a task from any of `sources` to `target`."""

    sources: tuple[Status, ...]
    target: Status


MOVES: dict[Event, Move] = {
    Event.CALL_CLAIMED: Move((Status.PENDING, Status.RETRY_SCHEDULED), Status.IN_PROGRESS),
    Event.CALL_RECEIVED: Move(
        (
            Status.PENDING,
            Status.RETRY_SCHEDULED,
            Status.PENDING_USER_INFO,
            Status.PENDING_ANALYSIS,
        ),
        Status.IN_PROGRESS,
    ),
    Event.CALL_WITHDRAWN: Move((Status.IN_PROGRESS,), Status.PENDING),
    Event.CALL_ENDED: Move((Status.IN_PROGRESS,), Status.PENDING_ANALYSIS),
    Event.TASK_RECOVERED: Move((Status.IN_PROGRESS,), Status.PENDING_ANALYSIS),
    Event.INFO_AWAITED: Move((Status.IN_PROGRESS,), Status.PENDING_USER_INFO),
    Event.INFO_CALLBACK_SCHEDULED: Move(
        (Status.IN_PROGRESS, Status.PENDING_USER_INFO), Status.PENDING
    ),
    Event.GOAL_MET: Move((Status.PENDING_ANALYSIS, Status.ON_HOLD), Status.COMPLETED),
    Event.RETRY_SCHEDULED: Move((Status.PENDING_ANALYSIS,), Status.RETRY_SCHEDULED),
    Event.GAVE_UP: Move((Status.PENDING_ANALYSIS, Status.ON_HOLD), Status.FAILED),
    Event.TASK_HELD: Move(tuple(s for s in OPEN if s is not Status.ON_HOLD), Status.ON_HOLD),
    Event.TASK_RESUMED: Move((Status.ON_HOLD,), Status.PENDING),
    Event.TASK_CANCELLED: Move(OPEN, Status.CANCELLED),
    Event.TASK_REOPENED: Move((Status.CANCELLED,), Status.PENDING),
    Event.DO_NOT_CALL_REQUESTED: Move(OPEN, Status.CANCELLED),
}


#: Events that come with words by which the task is found from then on: the transcript of the
#: call before, a result.
TELLING = frozenset({Event.CALL_ENDED, Event.CALL_ANALYSED, Event.GOAL_MET, Event.GAVE_UP})


def allowed(status: Status, event: Event) -> bool:
    """Whether the event may happen to a task of this status."""
    return event in MOVES and status in MOVES[event].sources


async def start(uow: UnitOfWork, tasks: Sequence[tuple[Task, Scheduled]]) -> None:
    """Stores new tasks with the first event of their histories, in three statements in all."""
    for task, _ in tasks:
        task.event_count = 1
        uow.notify(task.user_id, Topic.TASK, task_id=task.id)
    uow.session.add_all(task for task, _ in tasks)
    await uow.session.flush()
    await search.add(uow.session, [task for task, _ in tasks])
    uow.session.add_all(
        _event(uow, task, 1, Event.TASK_CREATED, payload, Actor.CREATOR) for task, payload in tasks
    )
    await uow.session.flush()


async def move(
    uow: UnitOfWork,
    task: Task,
    event: Event,
    payload: Payload,
    *,
    actor: Actor = Actor.SYSTEM,
    call_id: str | None = None,
    **changes: Any,
) -> None:
    """Moves the task by compare-and-set and writes the event in the same transaction.

    `changes` are further columns of the task. `next_action_at` is cleared unless given,
    because only tasks that wait for a call have one. Raises `Conflict` when the task is not
    (or no longer) in a status that the event may happen in.
    """
    source, step = task.status, MOVES[event]
    if source not in step.sources:
        raise Conflict(f"This task is {_words(source)}, so this is not possible any more.")
    values = {
        "next_action_at": None,
        "next_action_reason": "",
        "waits_for_budget": False,
        **changes,
        "status": step.target,
    }
    if not await _append(uow, task, event, payload, actor, call_id, values, moves_from=source):
        raise Conflict("The task has changed in the meantime. Look again and decide anew.")


async def record(
    uow: UnitOfWork,
    task: Task,
    event: Event,
    payload: Payload,
    *,
    actor: Actor = Actor.SYSTEM,
    call_id: str | None = None,
    **changes: Any,
) -> None:
    """Writes an event that leaves the task's status as it is; `changes` are further columns."""
    await _append(uow, task, event, payload, actor, call_id, changes, moves_from=None)


async def _append(
    uow: UnitOfWork,
    task: Task,
    event: Event,
    payload: Payload,
    actor: Actor,
    call_id: str | None,
    values: dict[str, Any],
    moves_from: Status | None,
) -> bool:
    statement = update(Task).where(col(Task.id) == task.id)
    if moves_from is not None:
        statement = statement.where(col(Task.status) == moves_from)
    values = values | {"updated_at": uow.now, "event_count": col(Task.event_count) + 1}
    if isinstance(payload, Ended | Analysed):
        values["last_outcome"] = payload.outcome
    # The row as it is now comes with the same statement.
    changed = await uow.session.scalar(
        statement.values(**values)
        .returning(Task)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if changed is None:
        return False
    entry = _event(uow, task, changed.event_count, event, payload, actor, call_id, moves_from)
    uow.session.add(entry)
    await uow.session.flush()
    if event in TELLING:
        await search.rewrite(uow.session, task)
    await webhooks.announce(uow, task, entry)
    uow.notify(task.user_id, Topic.TASK, task_id=task.id)
    return True


def _event(
    uow: UnitOfWork,
    task: Task,
    sequence: int,
    event: Event,
    payload: Payload,
    actor: Actor,
    call_id: str | None = None,
    moves_from: Status | None = None,
) -> TaskEvent:
    entry = TaskEventCreate(
        type=event,
        actor=actor,
        call_id=call_id,
        from_status=moves_from,
        to_status=MOVES[event].target if moves_from else None,
        payload=payload,
    )
    return TaskEvent(
        **entry.model_dump(exclude={"payload"}),
        payload=payload.model_dump(mode="json"),
        task_id=task.id,
        sequence=sequence,
        created_at=uow.now,
    )


def replay(events: list[TaskEvent]) -> Status:
    """The status that a task's events lead to, in order; raises `ValueError` at an illegal one.

    Proves that a history is consistent: the result equals the row's status.
    """
    status = Status.PENDING
    for expected, event in enumerate(events, start=1):
        if event.sequence != expected:
            raise ValueError(f"event {expected} is missing")
        if (event.type is Event.TASK_CREATED) != (expected == 1):
            raise ValueError("a history begins with task_created, once")
        if event.to_status is None:
            continue
        if event.from_status is not status or not allowed(status, event.type):
            raise ValueError(f"{event.type} may not happen in {status}")
        if event.to_status is not MOVES[event.type].target:
            raise ValueError(f"{event.type} does not lead to {event.to_status}")
        status = event.to_status
    return status


def _words(status: Status) -> str:
    return status.value.lower().replace("_", " ")
