"""Dialling exactly once: claim with an intent, ask the carrier once, adopt or withdraw.

    INTENT ──begin──▶ DIALLING ──confirmed──▶ (SID known)
       │                 │
       └───withdraw──────┴── only when the carrier provably has no such call

The step from INTENT to DIALLING is a compare-and-set that is committed before the carrier
is asked. A worker that dies before it leaves an intent, which may be dialled by another;
one that dies after it leaves a call that is never asked for again, only looked for.
"""

import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, text, update
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import CarrierError, TooLate
from opendeep_app.models import (
    Call,
    CallOutcome,
    CallStatus,
    CarrierHealth,
    EndedBy,
    Task,
    TaskEventType,
    TaskStatus,
)
from opendeep_app.models.task_events import Claimed, Dialled, Reason, TimeRule
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import (
    budgets,
    carrier_health,
    do_not_call,
    ending,
    phone_numbers,
    rules,
)
from opendeep_app.services.budgets import Accounts
from opendeep_app.services.scheduling import when
from opendeep_app.services.transitions import move, record

#: So many calls, and no more than can be dialled in so many seconds, wait for their turn.
CLAIM_BATCH, CLAIM_AHEAD_SECONDS = 50, 2
#: Any number works, as long as nothing else in the database uses it as an advisory lock.
CLAIM_LOCK = 0x0DEE9

#: Twilio error codes that no repetition can cure, because the number itself is at fault
#: (twilio.com/docs/api/errors).
NUMBER_ERRORS = frozenset({13223, 13224, 13225, 13226, 21201, 21211, 21214, 21217})


@dataclass(frozen=True)
class DialOrder:
    """What the carrier is to be asked; `retry` tells another attempt from a task's first."""

    call_id: str
    phone_number: str
    retry: bool


async def claim_due(uow: UnitOfWork, limit: int = CLAIM_BATCH) -> list[str]:
    """Claims due tasks within the caps and writes their calls as intents; returns call ids.

    Claims run one after the other, whatever the number of workers, so that the caps on
    concurrent calls hold under any burst. What the carrier would not take within moments stays
    unclaimed: it can still be overtaken by what is more urgent, or be moved or cancelled, and
    no worker is kept busy with waiting for its turn.
    """
    if uow.session.get_bind().dialect.name == "postgresql":
        await uow.session.execute(text(f"SELECT pg_advisory_xact_lock({CLAIM_LOCK})"))
    live, undialled = await call_rows.count_live(uow.session)
    ahead = min(CLAIM_BATCH, math.ceil(uow.policy.calls_per_second * CLAIM_AHEAD_SECONDS))
    room = min(limit, ahead - undialled, uow.policy.max_concurrent_calls - live)
    if room <= 0:
        return []
    health = await carrier_health.current(uow.session)
    if health.retry_at is not None:
        if uow.now < health.retry_at:
            if health.probe_call_id is None:
                await _wait_for_carrier(uow, health)
            return []
        room = 1
    live_by_user = await _live_by_user(uow)
    claimed: list[str] = []
    numbers: set[str] = set()
    full = [user for user, live in live_by_user.items() if live >= uow.policy.max_user_calls]
    for task in await task_rows.due(uow.session, uow.now, limit=room, without_users=full):
        if task.phone_number in numbers:
            continue
        if live_by_user.get(task.user_id, 0) >= uow.policy.max_user_calls:
            continue
        payers = await budgets.accounts(uow, task)
        if short := budgets.shortage(uow, payers):
            await budgets.postpone(uow, task, short)
            continue
        call = await _claim(uow, payers)
        if call is not None:
            numbers.add(task.phone_number)
            live_by_user[task.user_id] = live_by_user.get(task.user_id, 0) + 1
            claimed.append(call.id)
            uow.enqueue("place_call", call.id, job_id=f"place:{call.id}")
    if claimed and health.retry_at is not None:
        await carrier_health.probe(uow, claimed[0])
    return claimed


async def begin(uow: UnitOfWork, call_id: str) -> DialOrder | None:
    """Takes the intent for dialling; None when it is taken, or need not be dialled any more.

    Everything that forbids a call is checked here again, in the transaction that commits to
    dialling: the task's status, the kind of number, the do-not-call list, the calling hours and
    the carrier's health.
    """
    call = await uow.session.get(Call, call_id)
    if call is None or call.status is not CallStatus.INTENT:
        return None
    task = await task_rows.lock(uow.session, call.task_id)
    if task.status is not TaskStatus.IN_PROGRESS:
        await ending.withdraw(uow, call, "The task was stopped before dialling.", uow.now)
        return None
    shared_cost = uow.policy.shared_cost_numbers
    if refusal := phone_numbers.refusal(call.phone_number, shared_cost=shared_cost):
        bad = CallOutcome.FAILED_INVALID_NUMBER
        await ending.finish(uow, call, bad, EndedBy.SYSTEM, refusal)
        return None
    if await do_not_call.is_listed(uow.session, task.user_id, call.phone_number):
        await ending.withdraw(uow, call, "The number is on the do-not-call list.", uow.now)
        await do_not_call.add(uow, task.user_id, call.phone_number, "On the do-not-call list.")
        return None
    place, _ = await rules.for_task(uow, task)
    if not place.open_at(uow.now):
        await ending.withdraw(uow, call, "Calling hours ended before dialling.", uow.now)
        return None
    if not await carrier_health.may_dial(uow.session, call_id):
        health = await carrier_health.current(uow.session)
        later = max(health.retry_at or uow.now, uow.now)
        await ending.withdraw(uow, call, carrier_health.words(task, health), later)
        return None
    if uow.session.get_bind().dialect.name == "postgresql":
        # Whatever the server's default: were this commit lost when the server crashes, the call
        # would be an intent again, and ring twice. All commits before it are kept with it.
        await uow.session.execute(text("SET LOCAL synchronous_commit = on"))
    taken = await uow.session.execute(
        update(Call)
        .where(col(Call.id) == call_id, col(Call.status) == CallStatus.INTENT)
        .values(status=CallStatus.DIALLING, dialled_at=uow.now)
    )
    if not taken.rowcount:  # type: ignore[attr-defined]
        return None
    return DialOrder(call_id, call.phone_number, task.current_attempt_count > 1)


async def confirm(uow: UnitOfWork, call_id: str, sid: str, *, adopted: bool = False) -> Call:
    """Records the carrier's SID, once; a call whose task was stopped meanwhile is hung up."""
    call = await uow.session.get_one(Call, call_id)
    task = await task_rows.lock(uow.session, call.task_id)
    changed = await uow.session.execute(
        update(Call)
        .where(col(Call.id) == call_id, col(Call.carrier_sid).is_(None))
        .values(carrier_sid=sid, dialled_at=call.dialled_at or uow.now)
    )
    await uow.session.refresh(call)
    if not adopted:
        await carrier_health.took_call(uow)
    if changed.rowcount:  # type: ignore[attr-defined]
        await record(
            uow,
            task,
            TaskEventType.CALL_DIALLED,
            Dialled(carrier_sid=sid, adopted=adopted),
            call_id=call_id,
        )
        if task.status in (TaskStatus.CANCELLED, TaskStatus.FAILED):
            uow.enqueue("hang_up_call", call_id, job_id=f"hang-up:{call_id}")
    return call


async def failed(uow: UnitOfWork, call_id: str, error: CarrierError) -> None:
    """What follows when the carrier did not take the call.

    A refusal for good ends the attempt; trouble on the carrier's side takes it back and costs
    nothing; when the carrier may have placed it after all, nothing is decided yet: the
    status callback or the reconciler will find out, and the creator can see why it takes time.
    """
    call = await uow.session.get_one(Call, call_id)
    task = await task_rows.lock(uow.session, call.task_id)
    if isinstance(error, TooLate):
        await ending.withdraw(uow, call, "The worker was suspended before it dialled", uow.now)
        return
    if error.permanent:
        await carrier_health.took_call(uow)
        bad_number = error.code in NUMBER_ERRORS
        await ending.finish(
            uow,
            call,
            CallOutcome.FAILED_INVALID_NUMBER if bad_number else CallOutcome.FAILED_CARRIER,
            EndedBy.CARRIER,
            error.message,
            carrier_error=error.code or None,
        )
        return
    retry_at = await carrier_health.had_trouble(uow, call_id, error.message)
    if error.maybe_placed:
        reason = f"{error.message[0].upper()}{error.message[1:]}. We look whether it rang first."
        unconfirmed = TaskEventType.CALL_UNCONFIRMED
        await record(uow, task, unconfirmed, Reason(reason=reason), call_id=call_id)
        return
    later = uow.now + timedelta(seconds=uow.policy.retry_base_seconds)
    reason = f"The phone provider has trouble ({error.message})"
    await ending.withdraw(uow, call, reason, max(later, retry_at or later))


async def _wait_for_carrier(uow: UnitOfWork, health: CarrierHealth) -> None:
    """Tells those whose turn it is why nothing is dialled, and when it is."""
    for task in await task_rows.due(uow.session, uow.now, limit=CLAIM_BATCH):
        reason = carrier_health.words(task, health)
        assert health.retry_at is not None
        schedule = await when(uow, task, TimeRule.DELAYED, health.retry_at, reason)
        await record(
            uow,
            task,
            TaskEventType.DIALLING_DELAYED,
            schedule.payload,
            next_action_at=schedule.at,
            next_action_reason=schedule.reason,
        )


async def _claim(uow: UnitOfWork, payers: Accounts) -> Call | None:
    task = payers.task
    attempt = await call_rows.next_attempt_number(uow.session, task.id)
    call = Call(
        task_id=task.id,
        attempt_number=attempt,
        phone_number=task.phone_number,
        created_at=uow.now,
    )
    if not await uow.add_unless_exists(call):
        # Another call to this number has come in between; the index refuses a second.
        return None
    await move(
        uow,
        task,
        TaskEventType.CALL_CLAIMED,
        Claimed(attempt_number=attempt, retry=task.status is TaskStatus.RETRY_SCHEDULED),
        call_id=call.id,
        current_attempt_count=task.current_attempt_count + 1,
        **await budgets.reserve(uow, payers, call),
    )
    return call


async def _live_by_user(uow: UnitOfWork) -> dict[str, int]:
    rows = await uow.session.execute(
        select(col(Task.user_id), func.count())
        .join(Call, col(Call.task_id) == col(Task.id))
        .where(call_rows.LIVE_NOW)
        .group_by(col(Task.user_id))
    )
    return dict(rows.all())
