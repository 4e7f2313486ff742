"""They ring back: somebody who missed a call returns it, and reaches the agent that knows why."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.models import Call, CallStatus, Direction, Task, TaskEventType, TaskStatus
from opendeep_app.models.task_events import Received
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import budgets, ending
from opendeep_app.services.transitions import MOVES, move

#: The call that is about to be dialled gives way to the one that comes in.
ANSWERABLE = (*MOVES[TaskEventType.CALL_RECEIVED].sources, TaskStatus.IN_PROGRESS)


async def match(uow: UnitOfWork, from_number: str, carrier_sid: str) -> Call | None:
    """The inbound call of the open task that a caller (E.164) is ringing back about.

    Of several tasks the one that called last counts, whoever's it is. What was scheduled is
    superseded in this transaction; the call counts as an attempt. None when there is no such
    task, a budget is used up, or the number is on the line already. The same SID gives the same call again.
    """
    known = await uow.session.scalar(select(Call).where(col(Call.carrier_sid) == carrier_sid))
    if known is not None:
        return known if known.direction is Direction.INBOUND and known.status.live else None
    for task_id in await _candidates(uow.session, from_number):
        task = await task_rows.lock(uow.session, task_id)
        going_on = await call_rows.live_for_task(uow.session, task_id)
        if going_on is not None:
            if going_on.status is not CallStatus.INTENT:
                return None
            await ending.withdraw(uow, going_on, "They rang back before we dialled", uow.now)
        if task.status not in MOVES[TaskEventType.CALL_RECEIVED].sources:
            continue
        payers = await budgets.accounts(uow, task)
        if budgets.shortage(uow, payers):
            return None
        call = Call(
            task_id=task_id,
            attempt_number=await call_rows.next_attempt_number(uow.session, task_id),
            direction=Direction.INBOUND,
            phone_number=from_number,
            status=CallStatus.RINGING,
            carrier_sid=carrier_sid,
            created_at=uow.now,
        )
        if not await uow.add_unless_exists(call):
            # Another task has this number on the line.
            return None
        await move(
            uow,
            task,
            TaskEventType.CALL_RECEIVED,
            Received(attempt_number=call.attempt_number, carrier_sid=carrier_sid),
            call_id=call.id,
            current_attempt_count=task.current_attempt_count + 1,
            **await budgets.reserve(uow, payers, call),
        )
        return call
    return None


async def _candidates(session: AsyncSession, phone_number: str) -> list[str]:
    """Ids of the tasks that the caller may mean, the one that called last first."""
    last_call = (
        select(func.max(col(Call.created_at)))
        .where(col(Call.task_id) == col(Task.id), col(Call.status) != CallStatus.WITHDRAWN)
        .scalar_subquery()
    )
    rows = await session.scalars(
        select(col(Task.id))
        .where(col(Task.phone_number) == phone_number, col(Task.status).in_(ANSWERABLE))
        .order_by(last_call.desc().nulls_last(), col(Task.created_at).desc())
        .limit(20)
    )
    return list(rows)
