"""Numbers that must not be rung again: checked when a task is created and in the dialling transaction."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import NotFound
from opendeep_app.models import Actor, DoNotCall, TaskEventType
from opendeep_app.models.task_events import Reason
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import ending, info_requests
from opendeep_app.services.transitions import move

LISTED = "This number is on your do-not-call list."


async def find(session: AsyncSession, user_id: str, phone_number: str) -> DoNotCall | None:
    """The entry that forbids this user this number (E.164), if there is one."""
    return await session.scalar(
        select(DoNotCall).where(
            col(DoNotCall.user_id) == user_id,
            col(DoNotCall.phone_number) == phone_number,
        )
    )


async def is_listed(session: AsyncSession, user_id: str, phone_number: str) -> bool:
    """Whether this user may not have this number (E.164) called."""
    return await find(session, user_id, phone_number) is not None


async def add(
    uow: UnitOfWork,
    user_id: str,
    phone_number: str,
    reason: str,
    *,
    actor: Actor = Actor.CREATOR,
    call_id: str | None = None,
) -> DoNotCall:
    """Lists the number and stops every open task to it at once, pending dials included."""
    entry = DoNotCall(
        user_id=user_id, phone_number=phone_number, reason=reason[:500], created_at=uow.now
    )
    if not await uow.add_unless_exists(entry):
        entry = await find(uow.session, user_id, phone_number) or entry
    for task in await task_rows.open_for_number(uow.session, user_id, phone_number):
        await move(
            uow,
            task,
            TaskEventType.DO_NOT_CALL_REQUESTED,
            Reason(reason=reason),
            actor=actor,
            call_id=call_id,
            result_reason=reason[:500] or "This number must not be called.",
        )
        live = await call_rows.live_for_task(uow.session, task.id)
        if live is not None and live.id == call_id:
            # Whoever asked for it is on the line, and is to hear a goodbye.
            await info_requests.cancel_all(uow, task, reason)
        else:
            await ending.stop_live_call(uow, task, "This number must not be called.")
    return entry


async def entries(session: AsyncSession, user_id: str) -> list[DoNotCall]:
    """The user's list, newest first."""
    rows = await session.scalars(
        select(DoNotCall)
        .where(col(DoNotCall.user_id) == user_id)
        .order_by(col(DoNotCall.created_at).desc())
    )
    return list(rows)


async def remove(uow: UnitOfWork, user_id: str, entry_id: str) -> None:
    """Takes a number off the list; tasks that it stopped stay stopped."""
    entry = await uow.session.get(DoNotCall, entry_id)
    if entry is None or entry.user_id != user_id:
        raise NotFound("There is no such entry on your do-not-call list.")
    await uow.session.delete(entry)
