"""Says that the calls of this process are being held, so that others notice when it dies."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from opendeep_app.db import Database
from opendeep_app.services import calls
from opendeep_app.voice.scribe import DATABASE_TROUBLE

if TYPE_CHECKING:
    from opendeep_app.voice.session import CallSession

BEAT_SECONDS = 4


async def beat(db: Database, sessions: Mapping[str, "CallSession"]) -> None:
    """One statement every four seconds for all calls, until cancelled."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        held = [call_id for call_id, session in sessions.items() if session.holds_call]
        if not held:
            continue
        with contextlib.suppress(*DATABASE_TROUBLE):
            async with db.unit_of_work() as uow:
                living = await calls.heartbeat(uow, held)
            for call_id in set(held) - living:
                if session := sessions.get(call_id):
                    session.ended_elsewhere()
