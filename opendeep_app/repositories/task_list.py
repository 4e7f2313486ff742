"""The dashboard's list: what a card or a row of the table shows, page by page in both directions."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlmodel import SQLModel, col

from opendeep_app.errors import InvalidInput
from opendeep_app.models import Call, InfoRequest, Task, TaskEvent, TaskStatus, TranscriptLine
from opendeep_app.models.info_requests import WAITING
from opendeep_app.repositories.tasks import (
    MAX_LIMIT,
    Place,
    TaskQuery,
    beyond,
    conditions,
    get,
    in_order,
    order_column,
)


@dataclass(frozen=True)
class Glance:
    """A task, its newest call and its first question that waits; of each only what lists show."""

    task: Task
    call: Call | None = None
    question: InfoRequest | None = None

    def place(self, query: TaskQuery) -> Place:
        """Where it stands in the query's order."""
        return getattr(self.task, order_column(query.sort).key), self.task.id


@dataclass(frozen=True)
class Stretch:
    """Neighbours in a list; `more` says whether it goes on in the direction that was read."""

    items: list[Glance]
    more: bool


async def stretch(
    session: AsyncSession,
    user_id: str,
    query: TaskQuery,
    place: Place | None = None,
    *,
    backwards: bool = False,
    including: bool = False,
) -> Stretch:
    """The tasks after (or before) a place in the list, in the list's order, in one query.

    A search asks the index of words first, and `needs_me` the open questions. `place` None is the list's end
    where the reading begins; `including` reads what stands at the place itself too.
    """
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidInput("limit", f"Ask for 1 to {MAX_LIMIT} tasks at a time.")
    statement = select(col(Task.id)).where(*await conditions(session, user_id, query))
    if place is not None:
        statement = statement.where(
            beyond(query.sort, place, backwards=backwards, including=including)
        )
    page = in_order(statement, query.sort, backwards=backwards).limit(query.limit + 1)
    # The page is cut before anything is joined to it.
    items = await _read(session, in_order(_glances(page), query.sort, backwards=backwards))
    kept = items[: query.limit]
    return Stretch(kept[::-1] if backwards else kept, len(items) > query.limit)


async def those(
    session: AsyncSession, user_id: str, query: TaskQuery, ids: Collection[str]
) -> list[Glance]:
    """Which of these tasks match the query, read anew."""
    found = await conditions(session, user_id, query)
    return await _read(session, in_order(_THOSE.where(*found), query.sort), {"ids": list(ids)})


async def matching(
    session: AsyncSession,
    user_id: str,
    query: TaskQuery,
    after: Place | None,
    among: Collection[str] | None,
) -> list[Place]:
    """The next tasks that match, of these if given, in the query's order."""
    found = await conditions(session, user_id, query)
    if among is not None:
        found.append(col(Task.id).in_(among))
    if after is not None:
        found.append(beyond(query.sort, after))
    statement = select(order_column(query.sort), col(Task.id)).where(*found)
    rows = await session.execute(in_order(statement, query.sort).limit(query.limit))
    return [(value, task_id) for value, task_id in rows]


async def counts(
    session: AsyncSession, user_id: str, query: TaskQuery, ids: Collection[str] | None = None
) -> dict[TaskStatus, int]:
    """How many matching tasks, of these if given, are in each status."""
    found = await conditions(session, user_id, query, counting=True)
    if ids is not None:
        found.append(col(Task.id).in_(ids))
    rows = await session.execute(
        select(col(Task.status), func.count()).where(*found).group_by(col(Task.status))
    )
    return dict(rows.all())


_OF_TASK = (
    "status", "phone_number", "contact_name", "goal", "time_zone", "priority", "max_attempts",
    "current_attempt_count", "next_action_at", "next_action_reason", "result_summary",
    "result_reason", "spent_micros", "last_outcome", "created_at", "updated_at",
)  # fmt: skip
_OF_CALL = (
    "status", "outcome", "attempt_number", "end_reason", "created_at", "answered_at",
    "duration_seconds",
)  # fmt: skip
_OF_QUESTION = ("status", "question", "asked_at", "deadline_at")
# Made once: an alias copies every column of its table, which takes longer than the query.
_NEWEST = SQLModel.metadata.tables["calls"].alias("newest")
_ASKED = SQLModel.metadata.tables["info_requests"].alias("asked")
_GLANCE = select(Task, Call, InfoRequest).options(
    load_only(*(getattr(Task, name) for name in _OF_TASK), raiseload=True),
    load_only(*(getattr(Call, name) for name in _OF_CALL), raiseload=True),
    load_only(*(getattr(InfoRequest, name) for name in _OF_QUESTION), raiseload=True),
)


def _glances(ids: Select[Any]) -> Any:
    page = ids.subquery("page")
    number = (
        select(func.max(_NEWEST.c.attempt_number))
        .where(_NEWEST.c.task_id == page.c.id)
        .scalar_subquery()
    )
    question = (
        select(func.min(_ASKED.c.id))
        .where(_ASKED.c.task_id == page.c.id, _ASKED.c.status.in_(WAITING))
        .scalar_subquery()
    )
    return (
        _GLANCE.join(page, page.c.id == col(Task.id))
        .outerjoin(Call, (col(Call.task_id) == col(Task.id)) & (col(Call.attempt_number) == number))
        .outerjoin(InfoRequest, col(InfoRequest.id) == question)
    )


#: Every tab reads those that have changed.
_THOSE = _glances(select(col(Task.id)).where(col(Task.id).in_(bindparam("ids", expanding=True))))


async def _read(
    session: AsyncSession, statement: Any, values: dict[str, Any] | None = None
) -> list[Glance]:
    rows = await session.execute(statement.execution_options(populate_existing=True), values)
    return [Glance(task, call, question) for task, call, question in rows]


async def opened(
    session: AsyncSession, user_id: str, task_id: str, most_events: int, most_lines: int
) -> tuple[Task | None, list[TaskEvent], list[TranscriptLine]]:
    """The user's task with its newest events and the newest words of its newest call, oldest first."""
    task = await get(session, user_id, task_id)
    if task is None:
        return None, [], []
    events = await session.scalars(
        select(TaskEvent)
        .where(col(TaskEvent.task_id) == task_id)
        .order_by(col(TaskEvent.sequence).desc())
        .limit(most_events)
    )
    newest = (
        select(col(Call.id))
        .where(col(Call.task_id) == task_id)
        .order_by(col(Call.attempt_number).desc())
        .limit(1)
    )
    lines = await session.scalars(
        select(TranscriptLine)
        .where(col(TranscriptLine.call_id) == newest.scalar_subquery())
        .order_by(col(TranscriptLine.sequence).desc())
        .limit(most_lines)
    )
    return task, list(events)[::-1], list(lines)[::-1]
