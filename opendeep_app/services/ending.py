"""How a call ends: the one place that closes a call's row, its questions and its task's turn."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from opendeep_app.bus import HangUp
from opendeep_app.db import UnitOfWork
from opendeep_app.models import (
    Actor,
    Call,
    CallOutcome,
    CallStatus,
    Direction,
    EndedBy,
    InfoRequest,
    InfoRequestStatus,
    Speaker,
    Task,
    TaskEventType,
    TaskStatus,
)
from opendeep_app.models.calls import LIVE
from opendeep_app.models.task_events import Ended, InfoRequestRef, TimeRule, Withdrawn
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import budgets, costs, info_requests
from opendeep_app.services.scheduling import call_back, dispatch, when
from opendeep_app.services.transitions import move, record

ACTORS = {
    EndedBy.AGENT: Actor.AGENT,
    EndedBy.RECIPIENT: Actor.RECIPIENT,
    EndedBy.CREATOR: Actor.CREATOR,
    EndedBy.CARRIER: Actor.CARRIER,
    EndedBy.SYSTEM: Actor.SYSTEM,
}


async def finish(
    uow: UnitOfWork,
    call: Call,
    outcome: CallOutcome,
    ended_by: EndedBy,
    reason: str,
    *,
    duration_seconds: int | None = None,
    carrier_error: int | None = None,
) -> bool:
    """Ends a live call exactly once; False when it was over already.

    The task goes to analysis, or, when the creator still owes the call an answer, waits for
    it (PENDING_USER_INFO); an answer that came after the deadline but before the end, or in time
    but that the recipient did not hear any more, makes the next call at once.
    """
    task = await task_rows.lock(uow.session, call.task_id)
    # Whoever announced the end may have done so while the lock was awaited.
    await uow.session.refresh(call)
    if not await _close(uow, call, outcome, ended_by, reason, duration_seconds, carrier_error):
        return False
    await costs.settle(uow, call.id)
    settled = await budgets.settle(uow, task, call)
    await info_requests.expire_all(uow, task, call.id, "The call has ended.")
    asked = await question_rows.for_call(uow.session, call.id)
    if call.direction is Direction.INBOUND:
        # They rang back in the middle of the wait for an answer, and it goes on or has ended.
        since = call.session_opened_at or call.created_at
        asked += await question_rows.unheard(uow.session, task.id, since)
    owed = [q for q in asked if q.status is InfoRequestStatus.EXPIRED]
    late = [q for q in asked if q.status is InfoRequestStatus.ANSWERED_LATE]
    late += await _unheard(uow, call, asked)
    if owed or late:
        call.outcome = CallOutcome.AWAITING_INFO
        await uow.session.flush()
    ended = Ended(
        outcome=call.outcome or outcome,
        ended_by=call.ended_by or ended_by,
        reason=call.end_reason,
        duration_seconds=call.duration_seconds,
        carrier_error=carrier_error,
    )
    actor = ACTORS[call.ended_by or ended_by]
    if task.status is not TaskStatus.IN_PROGRESS:
        await record(
            uow, task, TaskEventType.CALL_ENDED, ended, actor=actor, call_id=call.id, **settled
        )
    elif owed:
        await record(
            uow, task, TaskEventType.CALL_ENDED, ended, actor=actor, call_id=call.id, **settled
        )
        await move(
            uow,
            task,
            TaskEventType.INFO_AWAITED,
            InfoRequestRef(info_request_id=owed[0].id, reason="The question is still unanswered."),
            call_id=call.id,
        )
    elif late:
        await record(
            uow, task, TaskEventType.CALL_ENDED, ended, actor=actor, call_id=call.id, **settled
        )
        await call_back(uow, task, call.id)
    else:
        await move(
            uow, task, TaskEventType.CALL_ENDED, ended, actor=actor, call_id=call.id, **settled
        )
    uow.enqueue("analyse_call", call.id, job_id=f"analyse:{call.id}")
    return True


async def withdraw(uow: UnitOfWork, call: Call, reason: str, delay_until: datetime) -> bool:
    """Takes back an attempt that the carrier provably never placed; it costs no attempt."""
    task = await task_rows.lock(uow.session, call.task_id)
    closed = await uow.session.execute(
        update(Call)
        .where(
            col(Call.id) == call.id,
            col(Call.status).in_((CallStatus.INTENT, CallStatus.DIALLING)),
            col(Call.carrier_sid).is_(None),
        )
        .values(
            status=CallStatus.WITHDRAWN,
            ended_at=uow.now,
            ended_by=EndedBy.SYSTEM,
            end_reason=reason[:500],
        )
    )
    if not closed.rowcount:  # type: ignore[attr-defined]
        return False
    await uow.session.refresh(call)
    changes: dict[str, Any] = {
        "current_attempt_count": task.current_attempt_count - 1,
        **await budgets.settle(uow, task, call),
    }
    if task.status is not TaskStatus.IN_PROGRESS:
        await record(
            uow,
            task,
            TaskEventType.CALL_WITHDRAWN,
            Withdrawn(reason=reason, rules=[reason]),
            call_id=call.id,
            **changes,
        )
        return True
    schedule = await when(uow, task, TimeRule.WITHDRAWN, delay_until, reason.rstrip("."))
    await move(
        uow,
        task,
        TaskEventType.CALL_WITHDRAWN,
        Withdrawn(**schedule.payload.model_dump(exclude={"attempt_returned"})),
        call_id=call.id,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
        **changes,
    )
    dispatch(uow, schedule.at)
    return True


async def stop_live_call(uow: UnitOfWork, task: Task, reason: str) -> None:
    """Ends whatever call the task has, after its task was stopped.

    An attempt that was not dialled yet is withdrawn on the spot; a call in the network is
    hung up by the process that holds it and, in case none does, by a job.
    """
    await info_requests.cancel_all(uow, task, reason)
    call = await call_rows.live_for_task(uow.session, task.id)
    if call is None:
        return
    if call.status is CallStatus.INTENT and await withdraw(uow, call, reason, uow.now):
        return
    await hang_up(uow, call, reason)


async def hang_up(uow: UnitOfWork, call: Call, reason: str) -> None:
    """Has a call in the network ended on the creator's wish."""
    await uow.session.execute(
        update(Call)
        .where(col(Call.id) == call.id, col(Call.ended_by).is_(None))
        .values(ended_by=EndedBy.CREATOR, end_reason=reason[:500])
    )
    uow.command(HangUp(call_id=call.id, reason=reason))
    uow.enqueue("hang_up_call", call.id, job_id=f"hang-up:{call.id}")


async def _unheard(uow: UnitOfWork, call: Call, asked: list[InfoRequest]) -> list[InfoRequest]:
    """Answers that came in time, but after which the line went dead before the agent spoke."""
    if call.ended_by in (EndedBy.AGENT, EndedBy.CREATOR):
        return []
    answered = [q for q in asked if q.status is InfoRequestStatus.ANSWERED]
    if not answered:
        return []
    spoke = await call_rows.last_spoke(uow.session, call.id, Speaker.AGENT)
    return [q for q in answered if spoke is None or q.answered_at is None or spoke <= q.answered_at]


async def _close(
    uow: UnitOfWork,
    call: Call,
    outcome: CallOutcome,
    ended_by: EndedBy,
    reason: str,
    duration_seconds: int | None,
    carrier_error: int | None,
) -> bool:
    if duration_seconds is None and call.answered_at:
        duration_seconds = round((uow.now - call.answered_at).total_seconds())
    closed = await uow.session.execute(
        update(Call)
        .where(col(Call.id) == call.id, col(Call.status).in_(LIVE))
        .values(
            status=CallStatus.ENDED,
            outcome=outcome,
            # Whoever announced the end before it happened is the one who ended it.
            ended_by=call.ended_by or ended_by,
            end_reason=call.end_reason or reason[:500],
            ended_at=uow.now,
            session_closed_at=uow.now if call.session_opened_at else None,
            duration_seconds=call.duration_seconds or duration_seconds,
            carrier_error=carrier_error,
        )
    )
    await uow.session.refresh(call)
    return bool(closed.rowcount)  # type: ignore[attr-defined]
