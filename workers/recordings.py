"""Jobs that bring recordings home."""

from typing import Any

import structlog

from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError
from opendeep_app.models import Call
from opendeep_app.services import recordings

log = structlog.get_logger()


async def fetch_recording(ctx: dict[str, Any], call_id: str) -> str:
    """Stores a call's recording and has the carrier delete its own, if so configured."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        call = await session.get(Call, call_id)
    if call is None or call.recording_sid is None or call.recording_file is not None:
        return "done before"
    name = f"{call_id}.wav"
    part = deps.settings.data_dir / f"{name}.part"
    try:
        await deps.telephony.fetch_recording(call.recording_sid, part)
    except CarrierError as error:
        part.unlink(missing_ok=True)
        log.warning("recording_not_fetched", call_id=call_id, code=error.code)
        return "failed"
    async with deps.db.unit_of_work() as uow:
        part.rename(recordings.directory(deps.settings) / name)
        await recordings.stored(uow, call_id, name)
    if deps.settings.delete_carrier_recordings:
        try:
            await deps.telephony.delete_recording(call.recording_sid)
        except CarrierError as error:
            log.warning("recording_not_deleted", call_id=call_id, code=error.code)
    log.info("recording_stored", call_id=call_id)
    return "stored"


async def sweep_recordings(ctx: dict[str, Any]) -> int:
    """Asks again for what could not be fetched; returns how many."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        missing = await recordings.unfetched(session, deps.clock())
    for call_id in missing:
        await deps.bus.enqueue("fetch_recording", call_id, job_id=f"recording:{call_id}")
    return len(missing)
