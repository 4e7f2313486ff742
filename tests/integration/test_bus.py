"""Messages over a real Redis: typed, routed, and never needed for the truth."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from sqlalchemy.exc import IntegrityError

from opendeep_app.adapters.pacing import wait_for_turn
from opendeep_app.bus import (
    NOTICES,
    AnswerGiven,
    Bus,
    Command,
    ExtendWait,
    HangUp,
    Notice,
    Topic,
    Whisper,
)
from opendeep_app.db import Database
from opendeep_app.models import User
from opendeep_app.services import accounts
from tests.fixtures.clocks import FakeClock
from tests.fixtures.redis_servers import running_redis

COMMANDS: list[Command] = [
    AnswerGiven(call_id="c1", info_request_id="q1", answer="Ada."),
    ExtendWait(call_id="c1", info_request_id="q1"),
    HangUp(call_id="c1", reason="You cancelled the task."),
    Whisper(call_id="c1", text="Mornings only"),
]


@pytest.fixture
def socket() -> Iterator[Path]:
    """Where a Redis of this test's own may listen."""
    with tempfile.TemporaryDirectory(prefix="od-") as directory:
        yield Path(directory) / "redis.sock"


async def take(messages: AsyncIterator[Command], count: int) -> list[Command]:
    async with asyncio.timeout(10):
        return [await anext(messages) for _ in range(count)]


async def test_commands_reach_the_process_that_holds_the_call(bus: Bus) -> None:
    async with bus.commands("c1") as mine, bus.commands("c2"):
        for command in COMMANDS:
            assert await bus.send_command(command)
        assert await take(mine, len(COMMANDS)) == COMMANDS


async def test_all_calls_of_a_process_share_one_connection(bus: Bus) -> None:
    async with AsyncExitStack() as calls:
        mine = [await calls.enter_async_context(bus.commands(f"c{n}")) for n in range(50)]
        assert len(await bus.redis.client_list(_type="pubsub")) == 1
        for n in (49, 7):
            assert await bus.send_command(HangUp(call_id=f"c{n}", reason=str(n)))
            assert await take(mine[n], 1) == [HangUp(call_id=f"c{n}", reason=str(n))]
    assert not await bus.send_command(HangUp(call_id="c7", reason=""))


async def test_a_command_for_a_call_nobody_holds_says_so(bus: Bus) -> None:
    assert not await bus.send_command(COMMANDS[0])
    async with bus.commands("c1"):
        assert await bus.send_command(COMMANDS[0])
    assert not await bus.send_command(COMMANDS[0])


@pytest.mark.parametrize(
    "garbage", ["", "{}", "null", "[1]", '{"kind":"dance","call_id":"c1"}', "\xff\xfe", "{" * 5000]
)
async def test_garbage_is_passed_over(bus: Bus, garbage: str) -> None:
    redis = bus.redis
    async with bus.commands("c1") as mine:
        await redis.publish("opendeep:call:c1", garbage)
        await bus.send_command(COMMANDS[2])
        assert await take(mine, 1) == [COMMANDS[2]]


async def test_notices_reach_every_hearer_once_and_carry_ids_only(bus: Bus, redis_url: str) -> None:
    notice = Notice(user_id="u1", topic=Topic.TASK, task_id="t1")
    mine: list[Notice] = []
    theirs: asyncio.Queue[Notice] = asyncio.Queue()
    redis = bus.redis
    other = Bus(redis_url)
    with (
        bus.hearing(mine.append),
        bus.hearing(lambda _: None),
        other.hearing(theirs.put_nowait),
        other.hearing(lambda _: None),
    ):
        async with asyncio.timeout(10):
            # One subscription a process, however many listen there.
            while dict(await redis.pubsub_numsub(NOTICES))[NOTICES.encode()] < 2:
                await asyncio.sleep(0)
            await redis.publish(NOTICES, "garbage")
            await bus.publish_notice(notice)
            assert mine == [notice]
            assert await theirs.get() == notice
            await other.publish_notice(notice)
            assert await theirs.get() == notice
            while len(mine) < 2:
                await asyncio.sleep(0)
        assert dict(await redis.pubsub_numsub(NOTICES))[NOTICES.encode()] == 2
    await other.publish_notice(notice)
    await other.close()
    assert (mine, theirs.empty()) == ([notice, notice], True)
    assert set(Notice.model_fields) == {
        *("version", "user_id", "topic", "task_id", "call_id", "info_request_id")
    }


async def test_a_process_that_ends_while_it_begins_to_hear_ends(redis_url: str) -> None:
    for steps in range(60):
        bus = Bus(redis_url)
        with bus.hearing(lambda _: None):
            # Each time a little later, so that the end falls into every step of the beginning.
            for _ in range(steps):
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await bus.close()


async def test_a_job_with_an_id_waits_once(bus: Bus) -> None:
    for _ in range(3):
        await bus.enqueue("place_call", "c1", job_id="place:c1")
    await bus.enqueue("dispatch_due")
    await bus.enqueue("dispatch_due")
    redis = bus.redis
    jobs = sorted(job.function for job in await redis.queued_jobs())
    assert jobs == ["dispatch_due", "dispatch_due", "place_call"]


async def test_rolling_back_drops_every_message(db: Database, bus: Bus) -> None:
    async with bus.commands("c1") as mine:
        with pytest.raises(RuntimeError):
            async with db.unit_of_work() as uow:
                uow.enqueue("place_call", "c1")
                uow.notify("u1", Topic.TASK, task_id="t1")
                uow.command(COMMANDS[0])
                raise RuntimeError
        assert await bus.redis.queued_jobs() == []
        await bus.send_command(COMMANDS[2])
        assert await take(mine, 1) == [COMMANDS[2]]


async def test_a_commit_that_fails_sends_nothing(db: Database, bus: Bus) -> None:
    with pytest.raises(IntegrityError):
        async with db.unit_of_work() as uow:
            for _ in range(2):
                uow.session.add(User(email="ada@example.com", created_at=uow.now))
            uow.enqueue("place_call", "c1")
    assert await bus.redis.queued_jobs() == []


async def test_messages_are_sent_after_the_commit_and_notices_once(db: Database, bus: Bus) -> None:
    async with db.unit_of_work() as uow:
        uow.session.add(User(email="ada@example.com", created_at=uow.now))
        uow.enqueue("place_call", "c1")
        for _ in range(3):
            uow.notify("u1", Topic.TASK, task_id="t1")
        assert len(uow.notices) == 1
        assert await bus.redis.queued_jobs() == []
    assert len(await bus.redis.queued_jobs()) == 1


async def test_without_redis_everything_is_still_committed_and_quickly(
    database_url: str, clock: FakeClock, socket: Path
) -> None:
    bus = Bus(f"unix://{socket}")
    db = Database(database_url, bus, clock)
    try:
        started = time.monotonic()
        for index in range(5):
            async with db.unit_of_work() as uow:
                uow.session.add(User(email=f"{index}@example.com", created_at=uow.now))
                uow.notify("u1", Topic.TASK)
                uow.enqueue("dispatch_due")
                uow.command(COMMANDS[0])
        assert time.monotonic() - started < 5
        async with db.reading() as session:
            assert await accounts.count_users(session) == 5
        with pytest.raises((RedisError, OSError)):
            await bus.enqueue("dispatch_due")
    finally:
        await db.close()
        await bus.close()


async def test_when_redis_comes_back_messages_flow_again(
    sqlite_url: str, clock: FakeClock, socket: Path
) -> None:
    bus = Bus(f"unix://{socket}")
    db = Database(sqlite_url, bus, clock)
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(running_redis(socket))
        async with bus.commands("c1") as mine:
            assert await bus.send_command(COMMANDS[0])
            assert await take(mine, 1) == [COMMANDS[0]]
            await asyncio.to_thread(first.close)
            async with db.unit_of_work() as uow:
                uow.session.add(User(email="ada@example.com", created_at=uow.now))
                uow.enqueue("dispatch_due")
            await asyncio.to_thread(second.enter_context, running_redis(socket))
            async with asyncio.timeout(20):
                while not await bus.send_command(COMMANDS[2]):
                    await asyncio.sleep(0.05)
                assert (await take(mine, 1))[0] == COMMANDS[2]
            await bus.enqueue("dispatch_due")
            assert len(await bus.redis.queued_jobs()) == 1
        await bus.close()
    await db.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each turn would have been waited for, in seconds."""
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("opendeep_app.adapters.pacing.asyncio.sleep", note)
    return waited


async def test_turns_are_spaced_for_all_workers_together(
    redis_url: str, bus: Bus, waits: list[float]
) -> None:
    other = Bus(redis_url)
    try:
        for worker in [bus, other] * 50:
            await wait_for_turn(worker, calls_per_second=1)
    finally:
        await other.close()
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert 90 < waits[-1] <= 99
    # The key must outlive the queue that it holds.
    assert await bus.redis.pttl("opendeep:dial-turn") > 100_000


async def test_turns_that_redis_forgot_are_not_given_out_again(
    redis_url: str, bus: Bus, waits: list[float]
) -> None:
    other = Bus(redis_url)
    try:
        for _ in range(50):
            await wait_for_turn(bus, calls_per_second=1)
        await bus.redis.flushall()
        await wait_for_turn(bus, calls_per_second=1)
        await wait_for_turn(other, calls_per_second=1)
    finally:
        await other.close()
    assert waits == sorted(waits)
    assert 49 < waits[-1] <= 51


async def test_without_redis_a_worker_paces_itself(socket: Path, waits: list[float]) -> None:
    await wait_for_turn(Bus(f"unix://{socket}"), calls_per_second=4)
    assert waits == [0.25]
