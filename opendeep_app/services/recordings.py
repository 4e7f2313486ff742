"""Recordings of calls: the carrier makes them, a worker fetches them, their creator may hear them."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.bus import Topic
from opendeep_app.config import Settings
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import NotFound
from opendeep_app.models import Call, Task

GIVEN_UP_AFTER = timedelta(days=1)
"""How long a recording that the carrier does not hand over is asked for."""


def directory(settings: Settings) -> Path:
    """Where recordings lie, readable by their owner only."""
    path = settings.data_dir / "recordings"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


async def ready(uow: UnitOfWork, call_id: str, sid: str, seconds: int) -> None:
    """The carrier has a recording of the call; raises `NotFound` for an unknown call."""
    call = await uow.session.get(Call, call_id)
    if call is None:
        raise NotFound("There is no such call.")
    if call.recording_file is None:
        call.recording_sid, call.recording_seconds = sid, seconds
        uow.enqueue("fetch_recording", call_id, job_id=f"recording:{call_id}")


async def stored(uow: UnitOfWork, call_id: str, name: str) -> None:
    """The recording lies in the directory, under this name."""
    call = await uow.session.get_one(Call, call_id)
    task = await uow.session.get_one(Task, call.task_id)
    call.recording_file = name
    uow.notify(task.user_id, Topic.TASK, task_id=task.id, call_id=call_id)


async def unfetched(session: AsyncSession, now: datetime) -> list[str]:
    """Ids of calls whose recording is still at the carrier."""
    rows = await session.scalars(
        select(col(Call.id)).where(
            col(Call.recording_sid).is_not(None),
            # Taken away with the file when its time is up.
            col(Call.recording_seconds).is_not(None),
            col(Call.recording_file).is_(None),
            col(Call.ended_at) > now - GIVEN_UP_AFTER,
        )
    )
    return list(rows)


async def file_of(session: AsyncSession, user_id: str, call_id: str) -> str | None:
    """The name of a recording that this user may hear."""
    return await session.scalar(
        select(col(Call.recording_file))
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(col(Call.id) == call_id, col(Task.user_id) == user_id)
    )
