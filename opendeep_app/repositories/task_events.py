"""Queries on the history of a task."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import TaskEvent, TaskEventType


@dataclass(frozen=True)
class History:
    """The newest events of those asked for, oldest first, and how many there are in all."""

    events: list[TaskEvent]
    total: int


async def history(
    session: AsyncSession,
    task_id: str,
    limit: int,
    *,
    call_id: str | None = None,
    types: Collection[TaskEventType] = (),
) -> History:
    """The newest events of a task, of one call or of some types only if so wished."""
    wanted = [col(TaskEvent.task_id) == task_id]
    if call_id:
        wanted.append(col(TaskEvent.call_id) == call_id)
    if types:
        wanted.append(col(TaskEvent.type).in_(types))
    total = await session.scalar(select(func.count()).select_from(TaskEvent).where(*wanted)) or 0
    rows = await session.scalars(
        select(TaskEvent).where(*wanted).order_by(col(TaskEvent.sequence).desc()).limit(limit)
    )
    return History(list(rows)[::-1], total)


async def of_call(
    session: AsyncSession, call_id: str, types: Collection[TaskEventType]
) -> list[TaskEvent]:
    """What of these types happened on a call, in order."""
    rows = await session.scalars(
        select(TaskEvent)
        .where(col(TaskEvent.call_id) == call_id, col(TaskEvent.type).in_(types))
        .order_by(col(TaskEvent.sequence))
    )
    return list(rows)


async def get(session: AsyncSession, task_id: str, sequence: int) -> TaskEvent | None:
    """One event by its number within its task."""
    return await session.scalar(
        select(TaskEvent).where(
            col(TaskEvent.task_id) == task_id, col(TaskEvent.sequence) == sequence
        )
    )
