"""The life of a call between dialling and its end, as carrier and voice session report it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.bus import CarrierEnded, MachineDetected, Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import NotFound
from opendeep_app.models import (
    Actor,
    AnswerState,
    Call,
    CallOutcome,
    CallStatus,
    Disclosure,
    EndedBy,
    Fact,
    InfoRequest,
    Speaker,
    Task,
    TaskEventType,
    TranscriptLine,
    User,
)
from opendeep_app.models.task_events import (
    Answered,
    AnswererKnown,
    FunctionCalled,
    Payload,
    Rescheduled,
)
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import dialling, do_not_call, ending, facts, findings
from opendeep_app.services.transitions import record

log = structlog.get_logger()

#: What Twilio's terminal statuses mean when nobody's voice was heard
#: (twilio.com/docs/voice/api/call-resource, "Status").
OUTCOMES = {
    "busy": (CallOutcome.FAILED_BUSY, "The line was busy."),
    "no-answer": (CallOutcome.FAILED_NO_ANSWER, "Nobody answered."),
    "failed": (
        CallOutcome.FAILED_CARRIER,
        "The phone network could not connect the call.",
    ),
    "canceled": (
        CallOutcome.CANCELLED,
        "The call was stopped before anybody answered.",
    ),
}
#: The statuses that Twilio ends a call with.
OVER = {"completed", *OUTCOMES}
SIP_DECLINED = 603
SIP_NO_SUCH_NUMBER = frozenset({404, 410, 484, 604})


@dataclass(frozen=True)
class CarrierStatus:
    """What the carrier says of a call; `duration_seconds` and `sip_code` only at its end."""

    sid: str
    status: str
    duration_seconds: int | None = None
    sip_code: int | None = None
    error_code: int | None = None
    answered_by: str | None = None


@dataclass(frozen=True)
class EarlierCall:
    """An attempt before this one, and what was said on it."""

    call: Call
    lines: list[TranscriptLine]


@dataclass(frozen=True)
class CallBriefing:
    """Everything the agent's brief is written from; lists are oldest first."""

    call: Call
    task: Task
    user: User
    earlier_calls: list[EarlierCall]
    answers: list[InfoRequest]
    #: What the agent may say freely; what it must ask about first is not told to it.
    facts: list[Fact] = field(default_factory=list)


async def load_briefing(session: AsyncSession, call_id: str) -> CallBriefing:
    """What the agent has to know; raises `NotFound` for an unknown call."""
    call = await session.get(Call, call_id)
    if call is None:
        raise NotFound("There is no such call.")
    task = await session.get_one(Task, call.task_id)
    user = await session.get_one(User, task.user_id)
    earlier = [
        EarlierCall(other, await call_rows.transcript(session, other.id))
        for other in await call_rows.for_task(session, task.id)
        if other.attempt_number < call.attempt_number and other.status is CallStatus.ENDED
    ]
    answers = await question_rows.answered(session, task.id)
    usable = await facts.usable(session, user.id, task)
    freely = [fact for fact in usable if fact.disclosure is Disclosure.SAY_FREELY]
    return CallBriefing(call, task, user, earlier, answers, freely)


async def on_carrier_status(uow: UnitOfWork, call_id: str, update_: CarrierStatus) -> None:
    """Takes one status from a callback or a look-up, in whatever order they arrive.

    A call whose SID is not known yet is adopted. The end of a call that a voice session
    still holds is left to that session, which has the last words to write.
    """
    call = await uow.session.get(Call, call_id)
    if call is None:
        raise NotFound("There is no such call.")
    await task_rows.lock(uow.session, call.task_id)
    if call.status is CallStatus.WITHDRAWN and update_.status not in OVER:
        # Taken back, and it rings after all: whoever sent this had slept for longer than anybody
        # could know. Its attempt may have been made again, so this one is ended at once.
        log.error("withdrawn_call_rings", call_id=call_id)
        uow.enqueue("hang_up_stray", update_.sid, job_id=f"stray:{update_.sid}")
        return
    if call.carrier_sid is None and call.status is not CallStatus.WITHDRAWN:
        call = await dialling.confirm(uow, call_id, update_.sid, adopted=True)
    locked = await call_rows.lock(uow.session, call_id)
    if locked is None or locked.carrier_sid != update_.sid or not locked.status.live:
        return
    if update_.status == "ringing":
        await _advance(uow, locked, CallStatus.RINGING)
    elif update_.status == "in-progress":
        await _advance(uow, locked, CallStatus.ANSWERED, answered_by=update_.answered_by)
    elif update_.status in OVER:
        await _ended(uow, locked, update_)


async def session_opened(
    uow: UnitOfWork, call_id: str, gateway_id: str, brief: str, brief_version: str = ""
) -> bool:
    """A voice session takes the call; False when it or its task is over, or another has it."""
    call = await uow.session.get(Call, call_id)
    if call is None:
        return False
    task = await task_rows.lock(uow.session, call.task_id)
    if task.status.terminal:
        return False
    taken = await uow.session.execute(
        update(Call)
        .where(
            col(Call.id) == call_id,
            col(Call.session_opened_at).is_(None),
            col(Call.status).in_((CallStatus.DIALLING, CallStatus.RINGING, CallStatus.ANSWERED)),
        )
        .values(
            gateway_id=gateway_id,
            brief=brief,
            brief_version=brief_version,
            session_opened_at=uow.now,
            session_seen_at=uow.now,
        )
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        return False
    await uow.session.refresh(call)
    await _advance(uow, call, CallStatus.ANSWERED)
    return True


async def heartbeat(uow: UnitOfWork, call_ids: Sequence[str]) -> set[str]:
    """Says that these calls' voice sessions live; returns those that nobody has ended."""
    living = await uow.session.scalars(
        update(Call)
        .where(col(Call.id).in_(call_ids), col(Call.status) == CallStatus.ANSWERED)
        .values(session_seen_at=uow.now)
        .returning(col(Call.id))
        .execution_options(synchronize_session=False)
    )
    return set(living)


async def answerer_known(uow: UnitOfWork, call_id: str, state: AnswerState) -> None:
    """Who or what is believed to be on the line; it may change during the call."""
    call = await uow.session.get_one(Call, call_id)
    task = await task_rows.lock(uow.session, call.task_id)
    call.answer_state = state
    await record(
        uow,
        task,
        TaskEventType.ANSWERER_KNOWN,
        AnswererKnown(state=state),
        call_id=call_id,
    )


async def machine_detected(uow: UnitOfWork, call_id: str, answered_by: str) -> None:
    """The carrier's guess at who answered; raises `NotFound` for an unknown call."""
    call = await uow.session.get(Call, call_id)
    if call is None:
        raise NotFound("There is no such call.")
    call.answered_by = answered_by[:40]
    uow.command(MachineDetected(call_id=call_id, answered_by=answered_by[:40]))


async def add_line(
    uow: UnitOfWork,
    call_id: str,
    speaker: Speaker,
    text: str,
    item_id: str = "",
    offset_ms: int = 0,
) -> None:
    """Writes what was said; `offset_ms` counts from the beginning of the session.

    It is what a live call does most, so it loads no rows that it does not need.
    """
    # Both sides may speak at once; the lock gives each line a number of its own.
    task_id, user_id = await call_rows.lock_owner(uow.session, call_id)
    await call_rows.add_line(
        uow.session,
        call_id=call_id,
        speaker=speaker,
        text=text,
        item_id=item_id[:64],
        offset_ms=offset_ms,
        created_at=uow.now,
    )
    uow.notify(user_id, Topic.TRANSCRIPT, task_id=task_id, call_id=call_id)


async def truncate_line(uow: UnitOfWork, call_id: str, item_id: str, heard_ms: int) -> None:
    """Notes how much of the agent's utterance was heard before the recipient broke in."""
    await uow.session.execute(
        update(TranscriptLine)
        .where(
            col(TranscriptLine.call_id) == call_id,
            col(TranscriptLine.item_id) == item_id,
        )
        .values(heard_ms=heard_ms)
    )
    await _tell(uow, call_id)


async def record_function(
    uow: UnitOfWork,
    call_id: str,
    name: str,
    arguments: dict[str, Any],
    *,
    ok: bool,
    result: str,
) -> None:
    """Logs that the model called one of our functions, and what it was told."""
    call = await uow.session.get_one(Call, call_id)
    await record(
        uow,
        await task_rows.lock(uow.session, call.task_id),
        TaskEventType.FUNCTION_CALLED,
        FunctionCalled(name=name, arguments=arguments, ok=ok, result=result[:500]),
        actor=Actor.AGENT,
        call_id=call_id,
    )


async def request_reschedule(uow: UnitOfWork, call_id: str, at: datetime, reason: str) -> None:
    """The recipient asked to be called at another time: it becomes the next attempt's."""
    call = await uow.session.get_one(Call, call_id)
    # The task before the call, as everywhere: two orders of locking can deadlock.
    task = await task_rows.lock(uow.session, call.task_id)
    call.callback_at, call.callback_reason = at, reason[:500]
    await record(
        uow,
        task,
        TaskEventType.RESCHEDULE_REQUESTED,
        Rescheduled(callback_at=at, reason=reason),
        actor=Actor.RECIPIENT,
        call_id=call_id,
    )


async def forbid(uow: UnitOfWork, call_id: str, reason: str) -> None:
    """The recipient asked never to be called again: nothing will ring them after this call."""
    call = await uow.session.get_one(Call, call_id)
    task = await uow.session.get_one(Task, call.task_id)
    await do_not_call.add(
        uow, task.user_id, task.phone_number, reason, actor=Actor.RECIPIENT, call_id=call_id
    )


async def announce_end(uow: UnitOfWork, call_id: str, ended_by: EndedBy, reason: str) -> None:
    """Says who is about to end the call and why, before it ends; the first one counts."""
    await uow.session.execute(
        update(Call)
        .where(col(Call.id) == call_id, col(Call.ended_by).is_(None))
        .values(ended_by=ended_by, end_reason=reason[:500])
    )


async def session_closed(
    uow: UnitOfWork,
    call_id: str,
    ended_by: EndedBy,
    reason: str,
    outcome: CallOutcome = CallOutcome.ANSWERED,
    measures: Mapping[str, Any] | None = None,
) -> None:
    """The voice session is over and everything said is written: ends the call.

    `measures` says how the conversation ran, in milliseconds and counts.
    """
    call = await uow.session.get_one(Call, call_id, populate_existing=True)
    call.measures = dict(measures or {})
    await findings.prove(uow, call_id)
    await ending.finish(uow, call, outcome, ended_by, reason)


async def _advance(
    uow: UnitOfWork, call: Call, status: CallStatus, answered_by: str | None = None
) -> None:
    order = list(CallStatus)
    if order.index(call.status) >= order.index(status):
        return
    task = await task_rows.lock(uow.session, call.task_id)
    call.status = status
    if status is CallStatus.RINGING:
        event: TaskEventType = TaskEventType.CALL_RINGING
        payload: Payload = Payload()
    else:
        call.answered_at, call.answered_by = uow.now, answered_by
        event, payload = TaskEventType.CALL_ANSWERED, Answered(answered_by=answered_by)
    await uow.session.flush()
    await record(uow, task, event, payload, actor=Actor.CARRIER, call_id=call.id)


async def _ended(uow: UnitOfWork, call: Call, update_: CarrierStatus) -> None:
    if update_.status == "completed":
        if call.session_opened_at and not call.session_closed_at:
            call.duration_seconds = update_.duration_seconds
            uow.command(CarrierEnded(call_id=call.id))
            return
        # Picked up and gone before a voice session began: nothing was said.
        answered = call.session_opened_at is not None
        outcome = CallOutcome.ANSWERED if answered else CallOutcome.HUNG_UP_EARLY
        words = "The recipient hung up." if answered else "The call ended before a word was said."
        await ending.finish(
            uow,
            call,
            outcome,
            EndedBy.RECIPIENT,
            words,
            duration_seconds=update_.duration_seconds,
        )
        return
    outcome, words = OUTCOMES[update_.status]
    if update_.sip_code == SIP_DECLINED:
        outcome, words = CallOutcome.REJECTED, "The recipient rejected the call."
    elif update_.status == "failed" and update_.sip_code in SIP_NO_SUCH_NUMBER:
        outcome, words = CallOutcome.FAILED_INVALID_NUMBER, "There is no such number."
    await ending.finish(
        uow, call, outcome, EndedBy.CARRIER, words, carrier_error=update_.error_code
    )


async def _tell(uow: UnitOfWork, call_id: str) -> None:
    call = await uow.session.get_one(Call, call_id)
    task = await uow.session.get_one(Task, call.task_id)
    uow.notify(task.user_id, Topic.TRANSCRIPT, task_id=task.id, call_id=call_id)
