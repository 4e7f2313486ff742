"""How often: buckets in Redis, open without it, and with a memory of their own for passwords."""

import asyncio
from pathlib import Path

import httpx
import pytest

from opendeep_app.bus import Bus
from opendeep_app.errors import NotAllowed
from opendeep_app.limits import PASSWORD, PAUSE_SECONDS, Limit, Limits
from tests.fixtures.apis import Api

FEW = Limit("few", 3, 3600)


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_bucket_is_shared_by_all_processes(bus: Bus, redis_url: str) -> None:
    other = Bus(redis_url)
    turns = [await Limits(each).take(FEW, "ada") for each in (bus, other, bus, other)]
    await other.close()
    assert [turn.granted for turn in turns] == [True, True, True, False]
    assert [turn.remaining for turn in turns] == [2, 1, 0, 0]
    assert 1100 < turns[-1].retry_in <= FEW.each
    assert 3500 < turns[-1].full_in <= FEW.seconds
    assert (await Limits(bus).take(FEW, "bob")).granted


async def test_simultaneous_turns_are_counted_each(bus: Bus) -> None:
    limits = Limits(bus)
    turns = await asyncio.gather(*(limits.take(FEW, "ada") for _ in range(20)))
    assert sum(turn.granted for turn in turns) == FEW.quota


async def test_tokens_come_back_with_time_and_when_given_back(bus: Bus) -> None:
    quick = Limit("quick", 2, 0.2)
    limits = Limits(bus)
    for _ in range(2):
        assert (await limits.take(quick, "ada")).granted
    async with asyncio.timeout(10):
        while not (await limits.take(quick, "ada")).granted:
            pass
    for _ in range(3):
        await limits.take(FEW, "ada")
    await limits.forgive(FEW, "ada")
    assert (await limits.take(FEW, "ada")).granted
    assert not (await limits.take(FEW, "ada")).granted


async def test_a_flushed_redis_does_not_open_the_door_of_passwords(bus: Bus) -> None:
    seconds = Seconds()
    limits = Limits(bus, seconds)
    redis = bus.redis
    for _ in range(PASSWORD.quota):
        await limits.check(PASSWORD, "ada@example.com 10.0.0.1")
        await limits.take(FEW, "ada")
    await redis.flushall()
    with pytest.raises(NotAllowed, match="Try again in 2 minutes"):
        await limits.check(PASSWORD, "ada@example.com 10.0.0.1")
    await limits.check(PASSWORD, "ada@example.com 10.0.0.2")
    assert (await limits.take(FEW, "ada")).granted
    seconds.now += PASSWORD.each
    await limits.check(PASSWORD, "ada@example.com 10.0.0.1")


async def test_without_redis_nobody_is_refused_but_passwords_are_counted(tmp_path: Path) -> None:
    seconds = Seconds()
    away = Bus(f"unix://{tmp_path / 'nowhere.sock'}")
    limits = Limits(away, seconds)
    for _ in range(FEW.quota + 5):
        assert (await limits.take(FEW, "ada")).granted
        seconds.now += PAUSE_SECONDS
    for _ in range(PASSWORD.quota):
        await limits.check(PASSWORD, "ada")
    with pytest.raises(NotAllowed):
        await limits.check(PASSWORD, "ada")
    await away.close()


async def test_names_are_not_kept(bus: Bus) -> None:
    await Limits(bus).take(FEW, "ada@example.com")
    redis = bus.redis
    keys = [key async for key in redis.scan_iter()]
    assert keys
    assert not [key for key in keys if b"ada" in key]


async def test_requests_of_a_user_are_counted(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    object.__setattr__(api.settings, "api_requests_per_minute", 3)
    for left in (2, 1, 0):
        response = await ada.get("/api/do-not-call")
        assert response.status_code == 200
        assert response.headers["ratelimit-policy"] == '"requests";q=3;w=60'
        assert response.headers["ratelimit"].startswith(f'"requests";r={left};t=')
    refused = await ada.post("/api/tasks", content=b"{")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
    # Whichever of their keys they use; and others have a bucket of their own.
    async with await api.client() as second_key:
        assert (await second_key.get("/api/do-not-call")).status_code == 429
    assert (await bob.get("/api/do-not-call")).status_code == 200
