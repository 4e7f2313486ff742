"""What is counted is kept for moments: shared, forgotten at a change, never older than two seconds."""

import asyncio
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.bus import Bus, Topic
from opendeep_app.cache import STALE_SECONDS, Cache
from opendeep_app.db import Database
from opendeep_app.models import TaskStatus
from opendeep_app.repositories.tasks import Sort, TaskQuery
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import Life, add_user


@dataclass
class Counter:
    """Something slow to compute; the number of times that it was."""

    times: int = 0

    async def __call__(self, session: AsyncSession) -> int:
        self.times += 1
        await asyncio.sleep(0)
        return self.times


@dataclass
class Seconds:
    now: float = 0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(life: Life, bus: Bus, seconds: Seconds) -> Cache:
    return Cache(life.db, bus, seconds)


async def test_a_change_is_counted_at_once_and_nothing_else_is(life: Life, cache: Cache) -> None:
    assert await cache.status_counts(life.user_id) == {}
    task_id = await life.create()
    assert await cache.status_counts(life.user_id) == {TaskStatus.PENDING: 1}
    everything = TaskQuery(limit=7, sort=Sort.OLDEST)
    assert await cache.total(life.user_id, everything) == 1
    await life.wish("hold", task_id)
    assert await cache.status_counts(life.user_id) == {TaskStatus.ON_HOLD: 1}
    assert await cache.total(life.user_id, TaskQuery(statuses=(TaskStatus.PENDING,))) == 0
    assert await cache.total(life.user_id, everything) == 1


async def test_what_is_kept_is_shared_and_its_owners_alone(life: Life, cache: Cache) -> None:
    other = await add_user(life.db, "eve@example.com")
    load = Counter()
    assert await asyncio.gather(*(cache.get("ada", "k", load) for _ in range(5))) == [1] * 5
    assert await cache.get("eve", "k", load) == 2
    async with life.db.unit_of_work() as uow:
        uow.notify(other, Topic.TASK)
        uow.notify("ada", Topic.TRANSCRIPT)
    assert await cache.get("ada", "k", load) == 1
    async with life.db.unit_of_work() as uow:
        uow.notify("ada", Topic.TASK)
    assert await cache.get("ada", "k", load) == 3
    assert await cache.get("eve", "k", load) == 2


async def test_a_lost_notice_costs_two_seconds(cache: Cache, seconds: Seconds) -> None:
    load = Counter()
    await cache.get("ada", "k", load)
    seconds.now += STALE_SECONDS
    assert await cache.get("ada", "k", load) == 1
    seconds.now += 0.1
    assert await cache.get("ada", "k", load) == 2


async def test_a_change_in_the_middle_of_counting_is_not_missed(life: Life, cache: Cache) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(session: AsyncSession) -> str:
        reading.set()
        await go_on.wait()
        return "before"

    first = asyncio.create_task(cache.get(life.user_id, "k", slowly))
    await reading.wait()
    await life.create()

    async def quickly(session: AsyncSession) -> str:
        return "after"

    assert await cache.get(life.user_id, "k", quickly) == "after"
    go_on.set()
    assert await first == "before"
    assert await cache.get(life.user_id, "k", slowly) == "after"


async def test_a_failure_is_not_kept_and_who_leaves_takes_nothing_away(
    db: Database, cache: Cache, clock: FakeClock
) -> None:
    async def fail(session: AsyncSession) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await cache.get("ada", "k", fail)
    load = Counter()
    impatient = asyncio.create_task(cache.get("ada", "k", load))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await cache.get("ada", "k", load) == 1
