"""Everything that is kept of a task: given out in one piece, and erased without a trace.

Erasing deletes the task's row, and with it, by their foreign keys, its calls, transcripts,
history, questions, findings and messages. The history's trigger refuses changes, not the end of
the whole. What a user's days and campaigns have cost stays: amounts without names.
"""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, NotFound
from opendeep_app.models import Call, IdempotencyKey, Task, TranscriptLine
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows

FORMAT = "opendeep-task-1"
#: What the search is made of; no information of its own.
DERIVED = {"task_words"}


async def export(session: AsyncSession, user_id: str, task_id: str) -> dict[str, Any]:
    """The task's row and every row that belongs to it, by table; raises `NotFound`."""
    task = await task_rows.get(session, user_id, task_id)
    if task is None:
        raise NotFound("There is no such task.")
    found: dict[str, Any] = {"format": FORMAT, "task": task.model_dump(mode="json")}
    for kind in sorted(_belonging(), key=lambda kind: str(kind.__tablename__)):
        rows = await session.scalars(select(kind).where(kind.task_id == task_id))  # type: ignore[attr-defined]
        found[str(kind.__tablename__)] = [row.model_dump(mode="json") for row in rows]
    lines = await session.scalars(
        select(TranscriptLine)
        .join(Call, col(Call.id) == col(TranscriptLine.call_id))
        .where(col(Call.task_id) == task_id)
        .order_by(col(Call.attempt_number), col(TranscriptLine.sequence))
    )
    found["transcript_lines"] = [line.model_dump(mode="json") for line in lines]
    return found


async def erase(uow: UnitOfWork, user_id: str, task_id: str) -> None:
    """Deletes the task and all that belongs to it; its recordings' files go right after.

    Raises `NotFound`, and `Conflict` while a call of it is going on.
    """
    if await task_rows.get(uow.session, user_id, task_id) is None:
        raise NotFound("There is no such task.")
    await task_rows.lock(uow.session, task_id)
    if await call_rows.live_for_task(uow.session, task_id) is not None:
        raise Conflict("A call is going on. Cancel the task, and erase it once the call is over.")
    calls = await call_rows.for_task(uow.session, task_id)
    recordings = [call.recording_file for call in calls if call.recording_file]
    # Answers to requests that may come again are kept for a day, and tell of the task.
    await uow.session.execute(
        delete(IdempotencyKey).where(
            col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.answer).contains(task_id)
        )
    )
    await uow.session.execute(delete(Task).where(col(Task.id) == task_id))
    uow.session.expunge_all()
    uow.notify(user_id, Topic.TASK, task_id=task_id)
    for name in recordings:
        uow.enqueue("delete_recording", name)


def _belonging() -> list[type[SQLModel]]:
    """Every model whose rows name the task that they belong to."""
    return [
        mapper.class_
        for mapper in SQLModel._sa_registry.mappers
        if "task_id" in mapper.columns and mapper.class_.__tablename__ not in DERIVED
    ]
