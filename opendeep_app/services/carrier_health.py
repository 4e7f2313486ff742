"""A circuit breaker for the phone provider, in the database and so shared by every worker.

    calls go out ──TRIP_AFTER troubles in a row──▶ nothing goes out until `retry_at`
         ▲                                                    │
         └──── the provider takes it ◀── one call probes ◀────┘
                                              └── trouble: a longer pause

Trouble is what is the provider's own fault: too many requests, server faults, no answer, or
an account that it does not accept. It never costs a task an attempt.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.db import UnitOfWork
from opendeep_app.models import CarrierHealth, Task

log = structlog.get_logger()

TRIP_AFTER = 3
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
#: A probe of which nothing is heard for so long is lost, and another may try.
PROBE_PATIENCE = timedelta(minutes=1)


async def current(session: AsyncSession) -> CarrierHealth:
    """How the provider is; `retry_at` is None when it works."""
    return await session.get_one(CarrierHealth, 1, populate_existing=True)


async def may_dial(session: AsyncSession, call_id: str) -> bool:
    """Whether this call may go out now: the provider works, or the call is the probe."""
    health = await current(session)
    return health.retry_at is None or health.probe_call_id == call_id


async def took_call(uow: UnitOfWork) -> None:
    """The provider took a call, or refused it for a reason of the call's own: it works."""
    health = await current(uow.session)
    if not health.failures and health.retry_at is None:
        return
    health = await _lock(uow)
    if health.retry_at is not None:
        log.info("carrier_recovered", trips=health.trips)
    health.failures = health.trips = 0
    health.retry_at = health.probe_call_id = None
    health.reason = ""
    await uow.session.flush()


async def had_trouble(uow: UnitOfWork, call_id: str, words: str) -> datetime | None:
    """Counts a trouble; returns when dialling goes on if it has been stopped."""
    health = await _lock(uow)
    health.failures += 1
    failed_probe = health.retry_at is not None and health.probe_call_id == call_id
    if failed_probe or (health.retry_at is None and health.failures >= TRIP_AFTER):
        pause = min(FIRST_PAUSE * 2 ** min(health.trips, 10), LONGEST_PAUSE)
        health.trips += 1
        health.retry_at, health.probe_call_id = uow.now + pause, None
        health.reason = words[:500]
        log.warning("carrier_trouble", trips=health.trips, pause_seconds=pause.total_seconds())
    await uow.session.flush()
    return health.retry_at


async def probe(uow: UnitOfWork, call_id: str) -> None:
    """Lets this one call try whether the provider is back; all others go on waiting."""
    health = await _lock(uow)
    health.probe_call_id, health.retry_at = call_id, uow.now + PROBE_PATIENCE
    await uow.session.flush()
    log.info("carrier_probed", call_id=call_id)


def words(task: Task, health: CarrierHealth) -> str:
    """Why a task's call does not go out at the moment, for its creator."""
    assert health.retry_at is not None
    at = health.retry_at.astimezone(ZoneInfo(task.time_zone))
    return f"The phone provider has trouble ({health.reason}); we try again at {at:%H:%M:%S} their time"


async def _lock(uow: UnitOfWork) -> CarrierHealth:
    return await uow.session.get_one(CarrierHealth, 1, with_for_update=True, populate_existing=True)
