"""One action on many tasks: what it would do, and doing it a few tasks at a time."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from opendeep_app.db import Database, UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.models import Task, TaskEventType, TaskStatus
from opendeep_app.models.tasks import CALLABLE
from opendeep_app.repositories import task_list
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.services import moving, tasks
from opendeep_app.services.transitions import MOVES

#: So many tasks in one transaction, so that nobody else waits long for their turn to write.
CHUNK = 20


class Action(StrEnum):
    """What can be done with many tasks."""

    HOLD = "hold"
    RESUME = "resume"
    CALL_NOW = "call-now"
    HOURS = "hours"
    CANCEL = "cancel"


Service = Callable[[UnitOfWork, str, str], Awaitable[Task]]
Wish = dict[str, Any]


@dataclass(frozen=True)
class Before:
    """What an action found: when the task was due, and the hours it had of its own."""

    due_at: datetime | None
    hours: Wish | None


_SERVICES: dict[Action, Service] = {
    Action.HOLD: tasks.hold,
    Action.RESUME: tasks.resume,
    Action.CALL_NOW: moving.call_now,
    Action.CANCEL: tasks.cancel,
}
#: What takes an action back; a call cannot be called back.
_UNDO: dict[Action, Callable[[UnitOfWork, str, str, Before], Awaitable[Task]]] = {
    Action.HOLD: lambda uow, user_id, id_, was: tasks.resume(uow, user_id, id_, was.due_at),
    Action.RESUME: lambda uow, user_id, id_, _: tasks.hold(uow, user_id, id_),
    Action.CANCEL: lambda uow, user_id, id_, was: tasks.reopen(uow, user_id, id_, was.due_at),
    Action.HOURS: lambda uow, user_id, id_, was: moving.change_hours(uow, user_id, id_, was.hours),
}
#: The statuses of tasks that the action does something with.
SOURCES: dict[Action, tuple[TaskStatus, ...]] = {
    Action.HOLD: MOVES[TaskEventType.TASK_HELD].sources,
    Action.RESUME: MOVES[TaskEventType.TASK_RESUMED].sources,
    Action.CALL_NOW: (*CALLABLE, TaskStatus.ON_HOLD),
    Action.HOURS: (*CALLABLE, TaskStatus.ON_HOLD),
    Action.CANCEL: MOVES[TaskEventType.TASK_CANCELLED].sources,
}


@dataclass(frozen=True)
class Preview:
    """How many tasks of each status the action changes and how many it leaves alone."""

    changed: dict[TaskStatus, int]
    skipped: dict[TaskStatus, int]

    @property
    def total(self) -> int:
        """How many tasks change."""
        return sum(self.changed.values())


@dataclass
class Done:
    """What an action has done: which tasks changed, how they were before, why others did not."""

    changed: dict[str, Before] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def preview(action: Action, counts: Mapping[TaskStatus, int]) -> Preview:
    """What the action would do with so many tasks of each status."""
    sources = SOURCES[action]
    return Preview(
        {status: n for status, n in counts.items() if n and status in sources},
        {status: n for status, n in counts.items() if n and status not in sources},
    )


def undoable(action: Action) -> bool:
    """Whether the action can be taken back."""
    return action in _UNDO


async def carry_out(
    db: Database,
    user_id: str,
    action: Action,
    query: TaskQuery,
    among: Collection[str] | None = None,
    hours: Wish | None = None,
) -> AsyncIterator[Done]:
    """Acts on all tasks that match, of these if given; yields what is done after a few each time.

    Tasks that cannot (any more) stay as they are. `hours` are the new ones if these are what
    changes.
    """
    changing: Service = partial(moving.change_hours, hours=hours)
    service = changing if action is Action.HOURS else _SERVICES[action]
    sources = SOURCES[action]
    statuses = tuple(s for s in sources if s in query.statuses) if query.statuses else sources
    # In an order that the action itself does not change.
    query = replace(query, statuses=statuses, sort=Sort.NEWEST, limit=CHUNK)
    done, after = Done(), None
    while statuses:
        async with db.reading() as session:
            found = await task_list.matching(session, user_id, query, after, among)
        if not found:
            return
        after = found[-1]
        async with db.unit_of_work() as uow:
            for _, task_id in found:
                await _apply(uow, user_id, task_id, service, done)
        yield done


async def _apply(uow: UnitOfWork, user_id: str, task_id: str, service: Service, done: Done) -> None:
    task = await task_rows.get(uow.session, user_id, task_id)
    before = Before(task.next_action_at, task.hours) if task else None
    try:
        await service(uow, user_id, task_id)
    except OpenDeepError as error:
        done.refused.append(error.message)
    else:
        assert before is not None
        done.changed[task_id] = before


async def undo(uow: UnitOfWork, user_id: str, action: Action, changed: Mapping[str, Before]) -> int:
    """Takes the action back for tasks that are still as it left them; calls are due as before."""
    count = 0
    for task_id, before in changed.items():
        with contextlib.suppress(OpenDeepError):
            await _UNDO[action](uow, user_id, task_id, before)
            count += 1
    return count
