"""How long things are kept: transcripts and recordings go when their time is up.

A user's own number of days counts before the installation's; without either nothing goes. The
result of a task and what was found out stay, until the task is erased.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput
from opendeep_app.models import Call, Finding, Task, TaskEventType, TranscriptLine, User
from opendeep_app.models.task_events import Reason
from opendeep_app.repositories import search
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services.transitions import record

BATCH = 200
MOST_DAYS = 36_500


async def expired(
    session: AsyncSession, now: datetime, transcripts_days: int, recordings_days: int
) -> tuple[list[str], list[str]]:
    """Ids of calls whose transcript, and of those whose recording, has been kept long enough.

    The days are the installation's, 0 for ever; at most `BATCH` of each.
    """
    transcripts = await _ended_before(
        session,
        now,
        func.coalesce(col(User.keep_transcripts_days), transcripts_days),
        col(Call.transcript_deleted_at).is_(None),
    )
    recordings = await _ended_before(
        session,
        now,
        func.coalesce(col(User.keep_recordings_days), recordings_days),
        col(Call.recording_file).is_not(None),
    )
    return transcripts, recordings


async def forget_transcript(uow: UnitOfWork, call_id: str) -> None:
    """Deletes what was said on an ended call, and what quotes it."""
    task = await _lock(uow, call_id)
    lines = delete(TranscriptLine).where(col(TranscriptLine.call_id) == call_id)
    if not (await uow.session.execute(lines)).rowcount:  # type: ignore[attr-defined]
        # Nobody spoke; nothing to tell.
        await _change(uow, call_id, brief="", transcript_deleted_at=uow.now)
        return
    quotes = update(Finding).where(col(Finding.call_id) == call_id)
    await uow.session.execute(quotes.values(quote="", line=None))
    await _change(uow, call_id, brief="", analysis=None, transcript_deleted_at=uow.now)
    await search.rewrite(uow.session, task)
    reason = "The transcript was kept as long as your settings say."
    deleted = TaskEventType.DATA_DELETED
    await record(uow, task, deleted, Reason(reason=reason), call_id=call_id)


async def forget_recording(uow: UnitOfWork, call_id: str) -> None:
    """Takes the recording from a call; its file goes right after."""
    task = await _lock(uow, call_id)
    name = (await uow.session.get_one(Call, call_id)).recording_file
    if name is None:
        return
    # Without its SID it is not fetched again.
    gone = {"recording_file": None, "recording_seconds": None, "recording_sid": None}
    await _change(uow, call_id, **gone)
    uow.enqueue("delete_recording", name)
    reason = "The recording was kept as long as your settings say."
    deleted = TaskEventType.DATA_DELETED
    await record(uow, task, deleted, Reason(reason=reason), call_id=call_id)


def parse_days(text: str, field: str) -> int | None:
    """A number of days as typed; None for as long as the installation says."""
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DAYS:
        raise InvalidInput(field, "Type a number of days from 1, or leave the field empty.")
    return int(text)


async def choose(
    uow: UnitOfWork,
    user_id: str,
    *,
    keep_transcripts_days: int | None,
    keep_recordings_days: int | None,
) -> User:
    """Keeps a user's own wishes."""
    user = await uow.session.get_one(User, user_id)
    user.keep_transcripts_days = keep_transcripts_days
    user.keep_recordings_days = keep_recordings_days
    return user


async def recordings(session: AsyncSession) -> set[str]:
    """The names of all files that belong to a call."""
    rows = await session.scalars(
        select(col(Call.recording_file)).where(col(Call.recording_file).is_not(None))
    )
    return {name for name in rows if name}


async def _ended_before(
    session: AsyncSession, now: datetime, days: ColumnElement[int], has: ColumnElement[bool]
) -> list[str]:
    owners = await session.execute(select(col(User.id), days).where(days > 0))
    found: list[str] = []
    for user_id, kept in owners.all():
        rows = await session.scalars(
            select(col(Call.id))
            .join(Task, col(Task.id) == col(Call.task_id))
            .where(
                col(Task.user_id) == user_id,
                col(Call.ended_at) < now - timedelta(days=kept),
                col(Call.status) == "ENDED",
                col(Call.analysed_at).is_not(None),
                has,
            )
            .limit(BATCH - len(found))
        )
        found += rows
    return found


async def _lock(uow: UnitOfWork, call_id: str) -> Task:
    call = await uow.session.get_one(Call, call_id)
    return await task_rows.lock(uow.session, call.task_id)


async def _change(uow: UnitOfWork, call_id: str, **values: object) -> None:
    await uow.session.execute(update(Call).where(col(Call.id) == call_id).values(**values))
