"""Finding out what became of calls whose process died, by asking the carrier."""

from datetime import timedelta

import structlog

from opendeep_app.adapters.telephony import CarrierCall
from opendeep_app.db import UnitOfWork
from opendeep_app.models import Call, CallOutcome, EndedBy, TaskEventType, TaskStatus
from opendeep_app.models.task_events import Reason
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import analysis, calls, dialling, ending
from opendeep_app.services.calls import CarrierStatus
from opendeep_app.services.scheduling import call_back
from opendeep_app.services.transitions import move

log = structlog.get_logger()


async def adopt_or_withdraw(uow: UnitOfWork, call_id: str, listed: list[CarrierCall]) -> None:
    """Decides about a call that was asked for but never confirmed.

    A listed call that belongs to no other attempt is ours, because a number is never rung
    twice at once. When there is none, the carrier gets time to list it (its reads are
    eventually consistent) before the attempt is taken back.
    """
    call = await uow.session.get_one(Call, call_id)
    if not call.status.live or call.carrier_sid is not None:
        return
    known = await call_rows.known_sids(uow.session, call.phone_number)
    ours = next((other for other in listed if other.sid not in known), None)
    if ours is not None:
        await dialling.confirm(uow, call_id, ours.sid, adopted=True)
        await take_look_up(uow, call_id, ours)
        return
    patience = timedelta(seconds=uow.policy.withdraw_after_seconds)
    if _lost(uow, call):
        await take_disappearance(uow, call_id)
    elif call.dialled_at is not None and uow.now - call.dialled_at >= patience:
        await ending.withdraw(uow, call, "The phone provider never placed this call", uow.now)


def abandoned(call: Call, listed: CarrierCall) -> bool:
    """Whether the recipient is on the line and the voice session that held the call is dead."""
    return call.session_opened_at is not None and listed.status == "in-progress"


async def take_look_up(uow: UnitOfWork, call_id: str, listed: CarrierCall) -> None:
    """Takes what the carrier says of a call that has gone silent; a dead session is closed."""
    call = await uow.session.get_one(Call, call_id)
    if _lost(uow, call):
        await ending.finish(
            uow,
            call,
            CallOutcome.ANSWERED,
            EndedBy.SYSTEM,
            "The connection to the agent was lost.",
            duration_seconds=listed.duration_seconds,
        )
        return
    status = CarrierStatus(
        listed.sid, listed.status, listed.duration_seconds, answered_by=listed.answered_by
    )
    await calls.on_carrier_status(uow, call_id, status)


async def take_disappearance(uow: UnitOfWork, call_id: str) -> None:
    """Closes a call that the carrier does not know (any more)."""
    call = await uow.session.get_one(Call, call_id)
    spoken = call.session_opened_at is not None
    await ending.finish(
        uow,
        call,
        CallOutcome.ANSWERED if spoken else CallOutcome.FAILED_CARRIER,
        EndedBy.SYSTEM,
        "The phone provider has lost the call.",
    )


def _lost(uow: UnitOfWork, call: Call) -> bool:
    """Whether the voice session that held the call has died."""
    silence = timedelta(seconds=uow.policy.session_lost_seconds)
    return call.session_seen_at is not None and uow.now - call.session_seen_at >= silence


async def recover(uow: UnitOfWork, task_id: str) -> None:
    """Moves on a task that waits for something that will not come, and says so.

    No path is known that leads there; this is for the one that nobody thought of.
    """
    task = await task_rows.lock(uow.session, task_id)
    waits = task.status is TaskStatus.IN_PROGRESS
    if waits and await call_rows.live_for_task(uow.session, task_id) is None:
        reason = "It waited for a call that is over"
        recovered = TaskEventType.TASK_RECOVERED
        await move(uow, task, recovered, Reason(reason=reason))
        log.error("task_recovered", task_id=task_id)
    made = [c for c in await call_rows.for_task(uow.session, task_id) if c.outcome is not None]
    if task.status is TaskStatus.PENDING_ANALYSIS and all(call.analysed_at for call in made):
        await analysis.decide_anew(uow, task, made[-1] if made else None)
        log.error("task_decided_anew", task_id=task_id)


async def call_back_forgotten(uow: UnitOfWork, task_id: str) -> None:
    """Schedules the call of a task that waits for answers although it has them all."""
    task = await task_rows.lock(uow.session, task_id)
    if task.status is TaskStatus.PENDING_USER_INFO and not await question_rows.owed(
        uow.session, task_id
    ):
        await call_back(uow, task, None)
