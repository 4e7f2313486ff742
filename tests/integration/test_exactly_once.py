"""Each attempt rings once, whatever is killed or forgotten: real workers, carrier and gateway."""

import ast
import asyncio
import contextlib
import inspect
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import select

from opendeep_app.config import Settings
from opendeep_app.models import Call, CallStatus, Task, TaskStatus
from opendeep_app.services import tasks
from opendeep_app.services.tasks import NewTask
from opendeep_app.supervisor import ports
from tests.fixtures import faulty_workers
from tests.fixtures.faulty_workers import FAULTS, STEPS, Fault, Moment, NthEffect
from tests.fixtures.gateways import Exchange, until
from tests.fixtures.lives import assert_consistent
from tests.fixtures.redis_servers import running_redis
from workers.calls import place_call
from workers.scheduler import dispatch_due

#: Rings for half a second, unanswered; whoever rings it twice is counted.
SWIFT = {
    "practice_speed": 40,
    "calls_per_second": 100,
    "job_lost_seconds": 0.6,
    "adopt_after_seconds": 1,
    "withdraw_after_seconds": 2,
    "session_lost_seconds": 1,
}
#: A retry is due much later than the test looks.
PATIENT = {"retry_base_seconds": 600}
#: After these the carrier may have the call.
ASKED = FAULTS[FAULTS.index(Fault(Moment.AFTER, "request")) :]
AREAS = (202, 212, 213, 214, 215, 216, 217, 218, 219, 224)
#: Steps of the two jobs that are no fault points: they only read or count, open the transaction
#: whose end lies between two others, or belong to a refusal.
HARMLESS = {"reading", "any_due", "unit_of_work", "failed", "count"}

swift = pytest.mark.parametrize("exchange_settings", [SWIFT | PATIENT], indirect=True, ids=[""])


class Workers:
    """The workers of one installation."""

    def __init__(self, settings: dict[str, Any], directory: Path) -> None:
        self.environment = Settings.load(_env_file=None, **settings).environment()
        self._log = directory / "workers.log"
        self.running: list[Any] = []

    def start(self, fault: Fault | NthEffect | None = None) -> Any:
        """A new worker, which dies at the fault."""
        process = faulty_workers.start(self.environment, self._log, fault)
        self.running.append(process)
        return process

    async def died(self, process: Any) -> bool:
        """Whether it was killed, in time."""
        await until(lambda: process.exitcode is not None, 15)
        return bool(process.exitcode == -signal.SIGKILL)

    async def supervise(self) -> None:
        """Starts a worker again when it has ended, as `opendeep up` does."""
        while True:
            await asyncio.sleep(0.2)
            if not self.running[-1].is_alive():
                self.start()

    @contextlib.asynccontextmanager
    async def as_people_start_them(self) -> AsyncIterator[None]:
        """A worker from the command line, stopped in the end as a supervisor stops it."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "arq", "workers.WorkerSettings"],
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
            )
        try:
            yield
            process.terminate()
            # The carrier runs in this process and goes on answering the worker.
            assert await asyncio.to_thread(process.wait, 20) == 0
        finally:
            process.kill()
            process.wait()

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.join()

    def report(self) -> str:
        return self._log.read_text() if self._log.exists() else ""


class OwnRedis:
    """A server that tests may restart."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._running = contextlib.ExitStack()

    def start(self) -> str:
        return self._running.enter_context(running_redis(self._socket))

    def stop(self) -> None:
        self._running.close()

    def flush(self) -> None:
        with redis.Redis.from_url(f"unix://{self._socket}") as client:
            client.flushall()


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="od-") as directory:
        server = OwnRedis(Path(directory) / "redis.sock")
        yield server
        server.stop()


@pytest.fixture
def redis_url(own_redis: OwnRedis) -> str:
    """A server of the test's own."""
    return own_redis.start()


@pytest.fixture
def workers(exchange_settings: dict[str, Any], tmp_path: Path) -> Iterator[Workers]:
    workers = Workers(exchange_settings, tmp_path)
    yield workers
    workers.stop()
    print(workers.report()[-4000:])


async def create(exchange: Exchange, count: int = 1, *, first: int = 0, **more: Any) -> None:
    """Tasks for so many telephones that nobody answers, in one transaction each."""
    for number in range(first, first + count):
        phone = f"+1{AREAS[number // 5]}55501{15 + number % 5}"
        async with exchange.deps.db.unit_of_work() as uow:
            await tasks.create(uow, exchange.user_id, NewTask(phone, "Ask.", **more))


async def settled(exchange: Exchange, count: int = 1, seconds: float = 20) -> list[Task]:
    """The tasks, once all of them are over."""

    async def over() -> list[Task]:
        async with exchange.deps.db.reading() as session:
            found = list(await session.scalars(select(Task)))
        return found if len(found) == count and all(t.status.terminal for t in found) else []

    ended: list[Task] = await until(over, seconds)
    async with exchange.deps.db.reading() as session:
        await assert_consistent(session)
    return ended


async def idle(exchange: Exchange) -> bool:
    """Whether every task is over."""
    async with exchange.deps.db.reading() as session:
        return all(task.status.terminal for task in await session.scalars(select(Task)))


def stopped(pid: int) -> bool:
    """Whether the process is suspended."""
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "T"


async def attempts(exchange: Exchange) -> list[Call]:
    """Every attempt that was not taken back."""
    async with exchange.deps.db.reading() as session:
        calls = await session.scalars(select(Call))
        return [call for call in calls if call.status is not CallStatus.WITHDRAWN]


async def rung(exchange: Exchange, count: int) -> bool:
    """Whether so many calls were placed."""
    return len(await exchange.heard()) >= count


async def assert_rang_once_each(exchange: Exchange) -> None:
    """The carrier placed a call, and a telephone rang, once for each attempt and no more."""
    made = await attempts(exchange)
    heard = await exchange.heard()
    assert Counter(call["sid"] for call in heard) == Counter(call.carrier_sid for call in made)
    assert [call["rings"] for call in heard] == [1] * len(made)


@swift
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_worker_killed_at_any_step_neither_loses_nor_repeats_the_call(
    exchange: Exchange, workers: Workers, fault: Fault
) -> None:
    victim = workers.start(fault)
    await create(exchange, max_attempts=1)
    assert await workers.died(victim), f"never came to {fault}"
    workers.start()
    [task] = await settled(exchange)
    assert task.status is TaskStatus.FAILED
    assert task.current_attempt_count == 1
    await assert_rang_once_each(exchange)


@swift
@pytest.mark.parametrize("exchange_database", ["postgresql_url"], indirect=True, ids=[""])
@pytest.mark.timeout(150)
async def test_workers_killed_at_one_effect_after_another_whatever_it_is(
    exchange: Exchange, workers: Workers
) -> None:
    """Each worker dies one effect later than the one before, until all is done, on PostgreSQL.

    No step is named: whatever a worker does on the outside, it does through one of the doors.
    """
    await create(exchange, 10, max_attempts=1)
    for number in range(1, 80):
        moment = Moment.BEFORE if number % 2 else Moment.AFTER
        worker = workers.start(NthEffect(moment, number))
        while worker.is_alive() and not await idle(exchange):
            await asyncio.sleep(0.05)
        if await idle(exchange):
            break
    await settled(exchange, 10)
    await assert_rang_once_each(exchange)
    assert len(await attempts(exchange)) == 10
    assert {"commit", "enqueue", "request"} <= set(re.findall(r"dies at (\w+)", workers.report()))


@swift
async def test_a_worker_suspended_before_it_asks_does_not_ask_when_it_wakes(
    exchange: Exchange, workers: Workers
) -> None:
    sleeper = workers.start(Fault(Moment.ASLEEP, "request"))
    await create(exchange, max_attempts=1)
    await until(lambda: stopped(sleeper.pid))
    workers.start()
    await until(lambda: rung(exchange, 1))
    os.kill(sleeper.pid, signal.SIGCONT)
    await settled(exchange)
    await asyncio.sleep(0.5)
    await assert_rang_once_each(exchange)
    assert "TooLate" in workers.report() or "dialling_failed" in workers.report()


@swift
@pytest.mark.parametrize("fault", ASKED, ids=str)
async def test_without_any_callback_the_reconciler_finds_the_call(
    exchange: Exchange, workers: Workers, fault: Fault
) -> None:
    workers.environment["OPENDEEP_PUBLIC_URL"] = f"http://127.0.0.1:{ports.free('127.0.0.1')}"
    victim = workers.start(fault)
    await create(exchange, max_attempts=1)
    assert await workers.died(victim), f"never came to {fault}"
    workers.start()
    await settled(exchange)
    await assert_rang_once_each(exchange)


def test_no_step_is_forgotten() -> None:
    awaited: set[str] = set()
    for job in (dispatch_due, place_call):
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(job)))):
            match node:
                case ast.Await(value=ast.Call(func=called)):
                    awaited.add(ast.unparse(called).rpartition(".")[2])
                case ast.withitem(context_expr=ast.Call(func=called)):
                    awaited.add(ast.unparse(called).rpartition(".")[2])
    assert awaited - HARMLESS == set(STEPS) - {"enqueue", "place_call", "request"}


@swift
async def test_redis_forgets_everything_and_restarts_in_the_middle_of_twenty_tasks(
    exchange: Exchange, workers: Workers, own_redis: OwnRedis
) -> None:
    workers.start()
    supervising = asyncio.create_task(workers.supervise())
    await create(exchange, 20, max_attempts=1)
    await until(lambda: rung(exchange, 3))
    own_redis.flush()
    await until(lambda: rung(exchange, 8))
    own_redis.stop()
    await create(exchange, 5, first=20, max_attempts=1)
    await asyncio.sleep(1)
    own_redis.start()
    await until(lambda: rung(exchange, 15))
    own_redis.flush()
    await settled(exchange, 25, 40)
    await assert_rang_once_each(exchange)
    assert len(await attempts(exchange)) == 25
    supervising.cancel()


@swift
@pytest.mark.timeout(120)
async def test_two_workers_race_for_fifty_due_tasks(exchange: Exchange, workers: Workers) -> None:
    async with workers.as_people_start_them():
        workers.start()
        await until(lambda: workers.report().count("Starting worker") == 2, 40)
        await create(exchange, 50, max_attempts=1)
        await settled(exchange, 50, 40)
    await assert_rang_once_each(exchange)
    assert len(await attempts(exchange)) == 50


@swift
async def test_a_database_that_another_program_locks_is_waited_for(
    exchange: Exchange, workers: Workers, exchange_database: str
) -> None:
    await create(exchange, 5, max_attempts=1)
    with contextlib.closing(sqlite3.connect(exchange_database.removeprefix("sqlite:///"))) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        workers.start()
        await asyncio.sleep(2)
        assert not await rung(exchange, 1)
        other.execute("COMMIT")
    await settled(exchange, 5)
    await assert_rang_once_each(exchange)
