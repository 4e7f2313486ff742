"""Queries on questions."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import InfoRequest, InfoRequestStatus, Task
from opendeep_app.models.info_requests import ANSWERED, WAITING

# Made once: who is asked waits for these, and all of their tabs read them at every change.
_ONE: Any = select(InfoRequest).where(
    col(InfoRequest.id) == bindparam("question"), col(InfoRequest.user_id) == bindparam("user")
)
_LOCK: Any = (
    _ONE.add_columns(Task)
    .join(Task, col(Task.id) == col(InfoRequest.task_id))
    .with_for_update(of=Task)
    .execution_options(populate_existing=True)
)
_PENDING: Any = (
    select(InfoRequest)
    .where(col(InfoRequest.user_id) == bindparam("user"), col(InfoRequest.status).in_(WAITING))
    .order_by(col(InfoRequest.status) == InfoRequestStatus.EXPIRED, col(InfoRequest.deadline_at))
    .limit(bindparam("most"))
)
_TASKS: Any = select(Task).where(col(Task.id).in_(bindparam("ids", expanding=True)))


async def get(session: AsyncSession, user_id: str, info_request_id: str) -> InfoRequest | None:
    """The question, if it is this user's."""
    values = {"question": info_request_id, "user": user_id}
    found: InfoRequest | None = await session.scalar(_ONE, values)
    return found


async def lock(
    session: AsyncSession, user_id: str, info_request_id: str
) -> tuple[InfoRequest, Task] | None:
    """The question with its task, if it is this user's; the task is locked.

    Whoever had the lock before may have changed the question after it was read.
    """
    rows = await session.execute(_LOCK, {"question": info_request_id, "user": user_id})
    return next(((request, task) for request, task in rows), None)


async def with_tasks(
    session: AsyncSession, requests: Collection[InfoRequest]
) -> list[tuple[InfoRequest, Task]]:
    """Each question with the task it belongs to."""
    ids = list({request.task_id for request in requests})
    tasks = {task.id: task for task in await session.scalars(_TASKS, {"ids": ids})} if ids else {}
    return [(request, tasks[request.task_id]) for request in requests]


async def for_call(session: AsyncSession, call_id: str) -> list[InfoRequest]:
    """Every question of a call, oldest first, as the database has it now."""
    rows = await session.scalars(
        select(InfoRequest)
        .where(col(InfoRequest.call_id) == call_id)
        .order_by(col(InfoRequest.id))
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def for_task(session: AsyncSession, task_id: str) -> list[InfoRequest]:
    """Every question of a task, oldest first."""
    rows = await session.scalars(
        select(InfoRequest).where(col(InfoRequest.task_id) == task_id).order_by(col(InfoRequest.id))
    )
    return list(rows)


async def waiting(session: AsyncSession, task_id: str) -> list[InfoRequest]:
    """The task's questions that still want an answer, in time or late."""
    rows = await session.scalars(
        select(InfoRequest).where(
            col(InfoRequest.task_id) == task_id, col(InfoRequest.status).in_(WAITING)
        )
    )
    return list(rows)


async def owed(session: AsyncSession, task_id: str) -> bool:
    """Whether the creator still owes this task an answer."""
    return bool(await waiting(session, task_id))


async def answered(session: AsyncSession, task_id: str) -> list[InfoRequest]:
    """What the creator has answered for this task, oldest first."""
    rows = await session.scalars(
        select(InfoRequest)
        .where(col(InfoRequest.task_id) == task_id, col(InfoRequest.status).in_(ANSWERED))
        .order_by(col(InfoRequest.answered_at))
    )
    return list(rows)


async def unheard(session: AsyncSession, task_id: str, since: datetime) -> list[InfoRequest]:
    """The task's questions without an answer before the given time, oldest first."""
    rows = await session.scalars(
        select(InfoRequest)
        .where(
            col(InfoRequest.task_id) == task_id,
            col(InfoRequest.status).in_(WAITING)
            | (col(InfoRequest.status).in_(ANSWERED) & (col(InfoRequest.answered_at) > since)),
        )
        .order_by(col(InfoRequest.id))
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def pending(session: AsyncSession, user_id: str, limit: int = 100) -> list[InfoRequest]:
    """The user's questions that want an answer: live ones first, then by deadline."""
    return list(await session.scalars(_PENDING, {"user": user_id, "most": limit}))


async def recent(
    session: AsyncSession,
    user_id: str,
    limit: int = 100,
    statuses: Collection[InfoRequestStatus] = tuple(InfoRequestStatus),
    before: str = "",
) -> list[InfoRequest]:
    """The user's questions, newest first; `before` is the id of the last one seen."""
    wanted = select(InfoRequest).where(
        col(InfoRequest.user_id) == user_id, col(InfoRequest.status).in_(statuses)
    )
    if before:
        wanted = wanted.where(col(InfoRequest.id) < before)
    rows = await session.scalars(wanted.order_by(col(InfoRequest.id).desc()).limit(limit))
    return list(rows)


async def overdue(session: AsyncSession, before: datetime, limit: int = 100) -> list[str]:
    """Ids of open questions whose deadline lies before the given time."""
    rows = await session.scalars(
        select(col(InfoRequest.id))
        .where(
            col(InfoRequest.status) == InfoRequestStatus.OPEN,
            col(InfoRequest.deadline_at) < before,
        )
        .limit(limit)
    )
    return list(rows)
