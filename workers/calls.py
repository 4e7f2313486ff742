"""Jobs that place, stop and analyse calls."""

from datetime import timedelta
from typing import Any

import structlog

from opendeep_app.adapters.pacing import wait_for_turn
from opendeep_app.clock import uptime
from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError, ModelError
from opendeep_app.models import Call, CallOutcome, CallStatus, Speaker, Task
from opendeep_app.repositories import calls as call_rows
from opendeep_app.services import analysis, dialling

log = structlog.get_logger()

#: Nobody was talked to, whatever a machine may have said.
MACHINES = (
    CallOutcome.FAILED_VOICEMAIL,
    CallOutcome.FAILED_NO_ANSWER,
    CallOutcome.FAILED_INVALID_NUMBER,
)


async def place_call(ctx: dict[str, Any], call_id: str) -> str:
    """Dials an intent, at most once whatever happens to this process; returns the outcome."""
    deps: Dependencies = ctx["deps"]
    await wait_for_turn(deps.bus, deps.db.policy.calls_per_second)
    async with deps.db.unit_of_work() as uow:
        # Whatever suspends this process from here on: once the reconciler may be taking the call
        # back, nothing is sent any more. Waiting for the write lock before does not count.
        not_after = uptime() + deps.db.policy.adopt_after_seconds
        not_after -= (deps.clock() - uow.now).total_seconds()
        order = await dialling.begin(uow, call_id)
    if order is None:
        return "not due"
    kind = "retry" if order.retry else "first"
    try:
        sid = await deps.telephony.create_call(call_id, order.phone_number, not_after)
    except CarrierError as error:
        result = "refused" if error.permanent else "unconfirmed" if error.maybe_placed else "failed"
        log.warning("dialling_failed", call_id=call_id, kind=kind, code=error.code, result=result)
        async with deps.db.unit_of_work() as uow:
            await dialling.failed(uow, call_id, error)
        await deps.bus.count("dials", kind=kind, result=result)
        return result
    async with deps.db.unit_of_work() as uow:
        call = await dialling.confirm(uow, call_id, sid)
    log.info("call_dialled", call_id=call_id, kind=kind, attempt=call.attempt_number)
    await deps.bus.count("dials", kind=kind, result="dialled")
    return "dialled"


async def hang_up_stray(ctx: dict[str, Any], sid: str) -> str:
    """Ends a call that rings although its attempt was taken back."""
    deps: Dependencies = ctx["deps"]
    try:
        await deps.telephony.hang_up(sid)
    except CarrierError as error:
        log.warning("hang_up_failed", code=error.code)
        return "failed"
    return "hung up"


async def hang_up_call(ctx: dict[str, Any], call_id: str) -> str:
    """Ends a call whose task was stopped, unless the voice session that holds it has done so."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        call = await session.get(Call, call_id)
    if call is None or not call.status.live or call.carrier_sid is None:
        return "over"
    try:
        await deps.telephony.hang_up(call.carrier_sid)
    except CarrierError as error:
        log.warning("hang_up_failed", call_id=call_id, code=error.code)
        return "failed"
    return "hung up"


async def analyse_call(ctx: dict[str, Any], call_id: str) -> str:
    """Analyses an ended call and moves its task on; the sweep asks again when this fails."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        call = await session.get(Call, call_id)
        if call is None or call.status is not CallStatus.ENDED or call.analysed_at is not None:
            return "done before"
        task = await session.get_one(Task, call.task_id)
        lines = await call_rows.transcript(session, call_id)
    found = None
    if call.outcome not in MACHINES and any(line.speaker is Speaker.RECIPIENT for line in lines):
        try:
            found = analysis.prove(await deps.language.analyse(task, lines), lines)
        except ModelError:
            patience = timedelta(seconds=deps.db.policy.analysis_patience_seconds)
            if call.ended_at is not None and deps.clock() - call.ended_at < patience:
                return "failed"
            found = analysis.INCONCLUSIVE
    async with deps.db.unit_of_work() as uow:
        applied = await analysis.apply(uow, call_id, found)
    return "analysed" if applied else "done before"
