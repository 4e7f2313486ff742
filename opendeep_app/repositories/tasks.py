"""Queries on tasks: the scheduler's and the dashboard's."""

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.errors import InvalidInput
from opendeep_app.models import (
    Call,
    CallOutcome,
    InfoRequest,
    Task,
    TaskEvent,
    TaskStatus,
    TranscriptLine,
)
from opendeep_app.models.info_requests import WAITING
from opendeep_app.models.tasks import CALLABLE, OPEN
from opendeep_app.repositories import search
from opendeep_app.repositories.calls import LIVE_NOW

MAX_LIMIT = 200
#: Where a task stands in an order: its value and its id.
Place = tuple[datetime | int, str]
HIGHEST_PRIORITY = 100

#: The partial index on what is due is used only where its condition stands in the query itself.
CALLABLE_NOW = col(Task.status).in_([literal_column(f"'{status}'") for status in CALLABLE])


class Sort(StrEnum):
    """Orders of the list; a minus means descending."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    RECENTLY_CHANGED = "-updated_at"
    HIGHEST_PRIORITY = "-priority"


@dataclass(frozen=True)
class TaskQuery:
    """What the dashboard asks for; `cursor` continues an earlier page of the same query.

    `needs_me`: only tasks with a question that waits for its creator. `outcomes`: what came of
    the newest call.
    """

    statuses: tuple[TaskStatus, ...] = ()
    text: str = ""
    campaign_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    outcomes: tuple[CallOutcome, ...] = ()
    needs_me: bool = False
    sort: Sort = Sort.NEWEST
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class CallDetail:
    """A call and what was said on it."""

    call: Call
    lines: list[TranscriptLine] = field(default_factory=list)


@dataclass(frozen=True)
class TaskDetail:
    """A task with everything that belongs to it, each list oldest first."""

    task: Task
    events: list[TaskEvent] = field(default_factory=list)
    calls: list[CallDetail] = field(default_factory=list)
    info_requests: list[InfoRequest] = field(default_factory=list)


@dataclass(frozen=True)
class TaskPage:
    """One page; `next_cursor` is None on the last one."""

    items: list[TaskDetail]
    next_cursor: str | None


async def lock(session: AsyncSession, task_id: str) -> Task:
    """The task as the database has it now, locked until the transaction ends."""
    return await session.get_one(Task, task_id, with_for_update=True, populate_existing=True)


async def get(session: AsyncSession, user_id: str, task_id: str) -> Task | None:
    """The task, if it is this user's."""
    return await session.scalar(
        select(Task).where(col(Task.id) == task_id, col(Task.user_id) == user_id)
    )


async def by_idempotency_key(session: AsyncSession, user_id: str, key: str) -> Task | None:
    """The task that an earlier request with this key created."""
    return await session.scalar(
        select(Task).where(col(Task.user_id) == user_id, col(Task.idempotency_key) == key)
    )


async def open_for_number(session: AsyncSession, user_id: str, phone_number: str) -> list[Task]:
    """The user's tasks to this number that are not over."""
    rows = await session.scalars(
        select(Task)
        .where(
            col(Task.user_id) == user_id,
            col(Task.phone_number) == phone_number,
            col(Task.status).in_(OPEN),
        )
        .with_for_update()
    )
    return list(rows)


def _due() -> Select[Any]:
    busy = select(col(Call.id)).where(col(Call.phone_number) == col(Task.phone_number), LIVE_NOW)
    turn = func.row_number().over(
        partition_by=(col(Task.priority), col(Task.user_id)),
        order_by=(col(Task.next_action_at), col(Task.id)),
    )
    waiting = (
        select(col(Task.id), col(Task.priority), turn.label("turn"), col(Task.next_action_at))
        .where(
            CALLABLE_NOW,
            col(Task.next_action_at) <= bindparam("now"),
            col(Task.user_id).not_in(bindparam("without_users", expanding=True)),
            ~busy.exists(),
        )
        .subquery()
    )
    order = (waiting.c.priority.desc(), waiting.c.turn, waiting.c.next_action_at, waiting.c.id)
    # Chosen by a few columns first: rows are wide, and thousands may be due.
    chosen = select(waiting).order_by(*order).limit(bindparam("limit", type_=Integer)).subquery()
    return (
        select(Task)
        .join(chosen, chosen.c.id == col(Task.id))
        .order_by(chosen.c.priority.desc(), chosen.c.turn, chosen.c.next_action_at, chosen.c.id)
        .with_for_update(of=Task, skip_locked=True)
    )


# What workers ask all the time is built only once.
_DUE = _due()


async def any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether any task's next call is due, at a glance and without locking."""
    return bool(
        await session.scalar(
            select(col(Task.id)).where(CALLABLE_NOW, col(Task.next_action_at) <= now).limit(1)
        )
    )


async def due(
    session: AsyncSession, now: datetime, limit: int, without_users: Sequence[str] = ()
) -> list[Task]:
    """Tasks whose next call is due and whose number is free; locked.

    They come by priority, then in turns of the users, each user's oldest first, so that a
    campaign of thousands cannot starve another person's single task; those of `without_users`
    stay out. Rows that another worker is claiming at this moment are passed over.
    """
    values = {"now": now, "limit": limit, "without_users": list(without_users)}
    return list(await session.scalars(_DUE, values))


async def stuck(session: AsyncSession, before: datetime, limit: int = 100) -> list[str]:
    """Ids of tasks that wait for a call or an analysis of which there is nothing (any more)."""
    live = select(col(Call.id)).where(col(Call.task_id) == col(Task.id), LIVE_NOW)
    unread = select(col(Call.id)).where(
        col(Call.task_id) == col(Task.id),
        col(Call.status) == "ENDED",
        col(Call.analysed_at).is_(None),
    )
    rows = await session.scalars(
        select(col(Task.id))
        .where(
            col(Task.updated_at) < before,
            ((col(Task.status) == TaskStatus.IN_PROGRESS) & ~live.exists())
            | ((col(Task.status) == TaskStatus.PENDING_ANALYSIS) & ~unread.exists()),
        )
        .limit(limit)
    )
    return list(rows)


async def forgotten(session: AsyncSession, limit: int = 100) -> list[str]:
    """Ids of tasks that wait for an answer although every question has one."""
    owed = select(col(InfoRequest.id)).where(
        col(InfoRequest.task_id) == col(Task.id), col(InfoRequest.status) == "EXPIRED"
    )
    rows = await session.scalars(
        select(col(Task.id))
        .where(col(Task.status) == TaskStatus.PENDING_USER_INFO, ~owed.exists())
        .limit(limit)
    )
    return list(rows)


async def status_counts(session: AsyncSession, user_id: str) -> dict[TaskStatus, int]:
    """How many of the user's tasks are in each status."""
    rows = await session.execute(
        select(col(Task.status), func.count())
        .where(col(Task.user_id) == user_id)
        .group_by(col(Task.status))
    )
    return dict(rows.all())


async def get_detail(session: AsyncSession, user_id: str, task_id: str) -> TaskDetail | None:
    """One task with everything that belongs to it, if it is this user's."""
    task = await get(session, user_id, task_id)
    return (await with_relations(session, [task]))[0] if task else None


async def details(session: AsyncSession, user_id: str, query: TaskQuery) -> TaskPage:
    """A page of the user's tasks with everything that belongs to them, in five queries at most."""
    tasks, cursor = await page(session, user_id, query)
    return TaskPage(await with_relations(session, tasks), cursor)


async def page(
    session: AsyncSession, user_id: str, query: TaskQuery
) -> tuple[list[Task], str | None]:
    """A page of the user's tasks alone, and the cursor of the next, None on the last one."""
    if not 1 <= query.limit <= MAX_LIMIT:
        raise InvalidInput("limit", f"Ask for 1 to {MAX_LIMIT} tasks at a time.")
    matching = select(Task).where(*await conditions(session, user_id, query))
    column = order_column(query.sort)
    statement = in_order(matching, query.sort)
    if query.cursor:
        after = _decode(query.cursor, is_time=column.key != "priority")
        statement = statement.where(beyond(query.sort, after))
    rows = list(await session.scalars(statement.limit(query.limit + 1)))
    found, more = rows[: query.limit], len(rows) > query.limit
    return found, _encode(getattr(found[-1], column.key), found[-1].id) if more else None


async def count(
    session: AsyncSession, user_id: str, query: TaskQuery, at_most: int | None = None
) -> int:
    """How many of the user's tasks match, on all pages; counting stops at `at_most`."""
    found = await conditions(session, user_id, query, counting=True)
    matching = select(col(Task.id)).where(*found)
    counted = matching.limit(at_most).subquery()
    return await session.scalar(select(func.count()).select_from(counted)) or 0


def order_column(sort: Sort) -> Any:
    """The column that the order begins with; the id breaks ties."""
    return getattr(Task, sort.removeprefix("-"))


def in_order(statement: Select[Any], sort: Sort, *, backwards: bool = False) -> Select[Any]:
    """The statement's tasks in this order, or in the opposite one."""
    keys = (order_column(sort), col(Task.id))
    descending = sort.startswith("-") is not backwards
    return statement.order_by(*(key.desc() if descending else key.asc() for key in keys))


def beyond(
    sort: Sort, place: Place, *, backwards: bool = False, including: bool = False
) -> ColumnElement[bool]:
    """The condition that a task comes after this place in the order, or before it; or is there."""
    keys, there = tuple_(order_column(sort), col(Task.id)), tuple_(*place)
    if sort.startswith("-") is not backwards:
        return keys <= there if including else keys < there
    return keys >= there if including else keys > there


async def conditions(
    session: AsyncSession, user_id: str, query: TaskQuery, *, counting: bool = False
) -> list[ColumnElement[bool]]:
    """What the user's matching tasks have in common; `counting` says that all will be read."""
    found = [col(Task.user_id) == user_id]
    if query.statuses:
        found.append(col(Task.status).in_(query.statuses))
    if query.campaign_id:
        found.append(col(Task.campaign_id) == query.campaign_id)
    if query.created_after:
        found.append(col(Task.created_at) >= query.created_after)
    if query.created_before:
        found.append(col(Task.created_at) < query.created_before)
    if query.outcomes:
        found.append(col(Task.last_outcome).in_(query.outcomes))
    if query.needs_me:
        # Few wait at a time; told their ids, the database does not walk through all tasks.
        asked = await session.scalars(
            select(col(InfoRequest.task_id))
            .where(col(InfoRequest.user_id) == user_id, col(InfoRequest.status).in_(WAITING))
            .distinct()
        )
        found.append(col(Task.id).in_(list(asked)))
    if query.text.strip():
        found.append(await search.matching(session, user_id, query.text, counting=counting))
    return found


async def with_relations(session: AsyncSession, tasks: Sequence[Task]) -> list[TaskDetail]:
    """The tasks with everything that belongs to them, in four queries."""
    if not tasks:
        return []
    ids = [task.id for task in tasks]
    events: dict[str, list[TaskEvent]] = defaultdict(list)
    calls: dict[str, list[CallDetail]] = defaultdict(list)
    questions: dict[str, list[InfoRequest]] = defaultdict(list)
    by_call: dict[str, CallDetail] = {}
    for event in await session.scalars(
        select(TaskEvent)
        .where(col(TaskEvent.task_id).in_(ids))
        .order_by(col(TaskEvent.task_id), col(TaskEvent.sequence))
    ):
        events[event.task_id].append(event)
    for call in await session.scalars(
        select(Call).where(col(Call.task_id).in_(ids)).order_by(col(Call.attempt_number))
    ):
        by_call[call.id] = CallDetail(call)
        calls[call.task_id].append(by_call[call.id])
    for line in await session.scalars(
        select(TranscriptLine)
        .where(col(TranscriptLine.call_id).in_(by_call))
        .order_by(col(TranscriptLine.call_id), col(TranscriptLine.sequence))
    ):
        by_call[line.call_id].lines.append(line)
    for question in await session.scalars(
        select(InfoRequest).where(col(InfoRequest.task_id).in_(ids)).order_by(col(InfoRequest.id))
    ):
        questions[question.task_id].append(question)
    return [TaskDetail(task, events[task.id], calls[task.id], questions[task.id]) for task in tasks]


def _encode(value: datetime | int, task_id: str) -> str:
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([text, task_id]).encode()).decode()


def _decode(cursor: str, *, is_time: bool) -> Place:
    # Clients can make cursors up; the database sees only what it could have given out.
    try:
        value, task_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        last = datetime.fromisoformat(value).astimezone(UTC) if is_time else int(value)
        if isinstance(last, int) and abs(last) > HIGHEST_PRIORITY:
            raise ValueError(last)
        return last, str(UUID(task_id))
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidInput("cursor", "This cursor does not belong to this query.") from None
