"""What every process works with, built in one place and passed on as one argument."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property

from opendeep_app.bus import Bus
from opendeep_app.cache import Cache
from opendeep_app.clock import Clock, utc_now
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.limits import Limits


@dataclass(frozen=True)
class Essentials:
    """One process's settings, database and bus. All that the web process needs."""

    settings: Settings
    db: Database
    bus: Bus
    clock: Clock

    @cached_property
    def cache(self) -> Cache:
        """What has been counted lately, shared by the process's pages and its API."""
        return Cache(self.db, self.bus)

    @cached_property
    def limits(self) -> Limits:
        """How often somebody may do something."""
        return Limits(self.bus)


@contextlib.asynccontextmanager
async def essentials(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Essentials]:
    """Builds them, on the practice line unless real credentials are set, and closes them."""
    settings = settings.with_line()
    bus = Bus(settings.redis_url)
    db = Database(settings.database_url, bus, clock, settings.policy)
    try:
        yield Essentials(settings, db, bus, clock)
    finally:
        await db.close()
        await bus.close()
