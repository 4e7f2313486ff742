"""What to compare to know whether tasks have changed: far less than the tasks themselves."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Call, Task, TranscriptLine
from opendeep_app.repositories.tasks import CallDetail, TaskDetail

#: A call's columns that change without an event, or stand for many others.
_OF_CALLS = [
    column
    for column in Call.__table__.columns  # type: ignore[attr-defined]
    if column.name not in ("brief", "session_seen_at")
]


async def of_tasks(session: AsyncSession, tasks: Sequence[Task]) -> tuple[object, ...]:
    """The version of these tasks with all that belongs to them, in two queries.

    Events and questions change with `event_count`. Calls also hold what the voice session notes,
    and their transcripts grow; of those only lengths are compared.
    """
    if not tasks:
        return ([], [], [])
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
        [_of(task) for task in tasks],
        [tuple(row) for row in calls],
        [tuple(row) for row in lines],
    )


def of_details(details: Sequence[TaskDetail]) -> tuple[object, ...]:
    """The same of tasks that have been read with all that belongs to them."""
    calls = sorted(
        (call for detail in details for call in detail.calls), key=lambda each: each.call.id
    )
    return (
        [_of(detail.task) for detail in details],
        [tuple(getattr(each.call, column.name) for column in _OF_CALLS) for each in calls],
        [_of_lines(each) for each in calls if each.lines],
    )


def _of(task: Task) -> tuple[object, ...]:
    return task.id, task.event_count, task.updated_at


def _of_lines(call: CallDetail) -> tuple[object, ...]:
    heard = [line.heard_ms for line in call.lines if line.heard_ms is not None]
    letters = sum(len(line.text) for line in call.lines)
    return call.call.id, len(call.lines), len(heard), sum(heard) if heard else None, letters
