"""Jobs that find work: what is due, and what was left lying."""

from datetime import timedelta
from typing import Any

import structlog

from opendeep_app.adapters.telephony import NO_SUCH_RESOURCE
from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError
from opendeep_app.models import Call
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import dialling, reconciling
from workers.leases import shorten

log = structlog.get_logger()

#: A task that nothing would move on has stood still for so long.
STUCK_SECONDS = 60


async def dispatch_due(ctx: dict[str, Any]) -> int:
    """Claims what is due and queues its dialling; returns how many calls."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        if not await task_rows.any_due(session, deps.clock()):
            return 0
    async with deps.db.unit_of_work() as uow:
        claimed = await dialling.claim_due(uow)
    if claimed:
        log.info("tasks_claimed", count=len(claimed))
    return len(claimed)


async def sweep(ctx: dict[str, Any]) -> None:
    """Finds what got stuck because a process died or Redis forgot, and moves it on."""
    deps: Dependencies = ctx["deps"]
    now, policy = deps.clock(), deps.db.policy
    job_lost = now - timedelta(seconds=policy.job_lost_seconds)
    async with deps.db.reading() as session:
        undialled = await call_rows.never_dialled(session, job_lost)
        unconfirmed = await call_rows.unconfirmed(
            session, now - timedelta(seconds=policy.adopt_after_seconds)
        )
        silent = await call_rows.silent(
            session, now - timedelta(seconds=policy.session_lost_seconds)
        )
        unanalysed = await call_rows.unanalysed(session, job_lost)
        unwanted = await call_rows.unwanted(session)
        forgotten = await task_rows.forgotten(session)
        stuck = await task_rows.stuck(session, now - timedelta(seconds=STUCK_SECONDS))
    lost = [("place_call", "place", call_id) for call_id in undialled]
    lost += [("analyse_call", "analyse", call_id) for call_id in unanalysed]
    lost += [("hang_up_call", "hang-up", call_id) for call_id in unwanted]
    job_ids = [f"{prefix}:{call_id}" for _, prefix, call_id in lost]
    await shorten(deps.bus.redis, job_ids, policy.job_lost_seconds)
    for (job, _, call_id), job_id in zip(lost, job_ids, strict=True):
        await deps.bus.enqueue(job, call_id, job_id=job_id)
    for call in unconfirmed:
        await _reconcile(deps, call)
    for call in silent:
        await _look_up(deps, call)
    for task_id in forgotten:
        async with deps.db.unit_of_work() as uow:
            await reconciling.call_back_forgotten(uow, task_id)
    for task_id in stuck:
        async with deps.db.unit_of_work() as uow:
            await reconciling.recover(uow, task_id)


async def _reconcile(deps: Dependencies, call: Call) -> None:
    since = call.dialled_at or call.created_at
    try:
        listed = await deps.telephony.recent_calls(call.phone_number, since)
    except CarrierError as error:
        log.warning("reconciling_failed", call_id=call.id, code=error.code)
        return
    async with deps.db.unit_of_work() as uow:
        await reconciling.adopt_or_withdraw(uow, call.id, listed)


async def _look_up(deps: Dependencies, call: Call) -> None:
    if call.carrier_sid is None:
        return
    try:
        listed = await deps.telephony.fetch(call.carrier_sid)
        if reconciling.abandoned(call, listed):
            await deps.telephony.hang_up(call.carrier_sid)
    except CarrierError as error:
        log.warning("look_up_failed", call_id=call.id, code=error.code)
        if error.code == NO_SUCH_RESOURCE:
            async with deps.db.unit_of_work() as uow:
                await reconciling.take_disappearance(uow, call.id)
        return
    async with deps.db.unit_of_work() as uow:
        await reconciling.take_look_up(uow, call.id, listed)
