"""Queries for the stream of what happens to all of a user's tasks."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Task, TaskEvent


async def get(session: AsyncSession, user_id: str, event_id: str) -> TaskEvent | None:
    """The event, if it is of this user's."""
    return await session.scalar(
        select(TaskEvent)
        .join(Task, col(Task.id) == col(TaskEvent.task_id))
        .where(col(TaskEvent.id) == event_id, col(Task.user_id) == user_id)
    )


async def after(
    session: AsyncSession, user_id: str, event: TaskEvent, limit: int
) -> list[TaskEvent]:
    """What has happened since the event, in order; through the tasks that have changed since."""
    rows = await session.scalars(
        select(TaskEvent)
        .join(Task, col(Task.id) == col(TaskEvent.task_id))
        .where(
            col(Task.user_id) == user_id,
            col(Task.updated_at) >= event.created_at,
            tuple_(col(TaskEvent.created_at), col(TaskEvent.id))
            > tuple_(event.created_at, event.id),
        )
        .order_by(col(TaskEvent.created_at), col(TaskEvent.id))
        .limit(limit)
    )
    return list(rows)


async def of_tasks(
    session: AsyncSession, user_id: str, task_ids: Collection[str], since: datetime
) -> list[TaskEvent]:
    """What has happened to these tasks since the given time, in order."""
    rows = await session.scalars(
        select(TaskEvent)
        .join(Task, col(Task.id) == col(TaskEvent.task_id))
        .where(
            col(Task.user_id) == user_id,
            col(TaskEvent.task_id).in_(task_ids),
            col(TaskEvent.created_at) >= since,
        )
        .order_by(col(TaskEvent.created_at), col(TaskEvent.id))
    )
    return list(rows)


async def counts(session: AsyncSession, user_id: str, since: datetime) -> dict[str, int]:
    """How many events each of the user's tasks has that have changed since the given time."""
    rows = await session.execute(
        select(col(Task.id), col(Task.event_count)).where(
            col(Task.user_id) == user_id, col(Task.updated_at) >= since
        )
    )
    return dict(rows.all())
