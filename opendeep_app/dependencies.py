"""Everything a process works with, built in one place and passed on as one argument."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from opendeep_app.adapters.language import Language
from opendeep_app.adapters.telephony import Telephony
from opendeep_app.bus import Bus
from opendeep_app.clock import Clock, utc_now
from opendeep_app.config import Settings
from opendeep_app.db import Database


@dataclass(frozen=True)
class Dependencies:
    """One process's database, bus and providers."""

    settings: Settings
    db: Database
    bus: Bus
    telephony: Telephony
    language: Language
    clock: Clock


@contextlib.asynccontextmanager
async def dependencies(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Dependencies]:
    """Builds them, on the practice line unless real credentials are set, and closes them."""
    settings = settings.with_line()
    bus = Bus(settings.redis_url)
    db = Database(settings.database_url, bus, clock, settings.policy)
    try:
        async with Telephony(settings) as telephony, Language(settings) as language:
            yield Dependencies(settings, db, bus, telephony, language, clock)
    finally:
        await db.close()
        await bus.close()
