"""What to compare to know whether tasks have changed: far less than the tasks themselves."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Call, Task, TranscriptLine

#: A call's columns that change without an event, or stand for many others.
_OF_CALLS = [
    column
    for column in Call.__table__.columns  # type: ignore[attr-defined]
    if column.name not in ("brief", "session_seen_at")
]


async def of_task(session: AsyncSession, user_id: str, task_id: str) -> tuple[object, ...] | None:
    """The version of one task with all that belongs to it; None when it is not this user's."""
    task = await session.scalar(
        select(Task).where(col(Task.id) == task_id, col(Task.user_id) == user_id)
    )
    return await of_tasks(session, [task]) if task else None


async def of_tasks(session: AsyncSession, tasks: Sequence[Task]) -> tuple[object, ...]:
    """The version of these tasks with all that belongs to them.

    Events and questions change with `event_count`. Calls also hold what the voice session notes,
    and their transcripts grow; of those only lengths are compared.
    """
    calls = await session.execute(
        select(*_OF_CALLS)
        .where(col(Call.task_id).in_([task.id for task in tasks]))
        .order_by(col(Call.id))
    )
    lines = await session.execute(
        select(
            col(TranscriptLine.call_id),
            func.count(),
            func.count(col(TranscriptLine.heard_ms)),
            func.sum(col(TranscriptLine.heard_ms)),
            func.sum(func.length(col(TranscriptLine.text))),
        )
        .join(Call, col(Call.id) == col(TranscriptLine.call_id))
        .where(col(Call.task_id).in_([task.id for task in tasks]))
        .group_by(col(TranscriptLine.call_id))
        .order_by(col(TranscriptLine.call_id))
    )
    return (
        [(task.id, task.event_count, task.updated_at) for task in tasks],
        [tuple(row) for row in calls],
        [tuple(row) for row in lines],
    )
