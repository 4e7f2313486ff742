"""Very many tasks through the whole product while workers are killed: none lost, none rung twice.

    uv run python -m benchmarks.lifecycle.crowd [--tasks 10000] [--workers 4] [--kill-every 5]
        [--attempts 1] [--spread 0] [--answered] [--database sqlite]

Runs `opendeep up` on the practice line. The numbers are engaged, so that each attempt is short;
`--attempts 3` makes every task a chain of retries, `--answered` makes every call a conversation
with an analysis. `--spread` lets the tasks come due over so many seconds, to see how late they
are dialled. What rang is asked of the carrier, not of us.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from redis.asyncio import Redis
from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.databases import KINDS, database
from benchmarks.figures import summary
from benchmarks.processes import children, memory, named, started
from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.errors import InvalidInput
from opendeep_app.logs import configure_logs
from opendeep_app.models import Call, CallStatus, Task, TaskStatus
from opendeep_app.models.tasks import OPEN
from opendeep_app.services import accounts, phone_numbers, tasks
from tests.fixtures.lives import assert_consistent
from tests.fixtures.stacks import Stack

ENGAGED, AGREES = range(10, 15), range(1, 10)
BATCH = 100
#: The first calls warm caches up; memory is compared from here on.
WARM_SHARE = 0.3


def numbers(suffixes: range) -> list[str]:
    """All numbers of the practice line's people with these last two digits."""
    found = []
    for area in range(201, 990):
        for suffix in suffixes:
            number = f"+1{area}55501{suffix:02}"
            with contextlib.suppress(InvalidInput):
                found.append(phone_numbers.parse(number).e164)
    return found


def at_noon() -> str:
    """A time zone where the whole run is within calling hours."""
    return f"Etc/GMT{utc_now().hour - 12:+d}"


async def create(db: Database, given: argparse.Namespace) -> Counter[str]:
    """Writes the tasks, due tomorrow; returns how often each number is wanted."""
    people = numbers(AGREES if given.answered else ENGAGED)
    wanted: Counter[str] = Counter()
    zone = at_noon()
    async with db.unit_of_work() as uow:
        user = await accounts.create_user(uow, "crowd@example.com", "correct horse battery")
    for start in range(0, given.tasks, BATCH):
        async with db.unit_of_work() as uow:
            for number in range(start, min(start + BATCH, given.tasks)):
                phone = people[number % len(people)]
                wanted[phone] += 1
                wish = tasks.NewTask(
                    phone, "Book a table.", max_attempts=given.attempts, time_zone=zone
                )
                task = await tasks.create(uow, user.id, wish)
                task.next_action_at = uow.now + timedelta(days=1)
    return wanted


async def spread(db: Database, delay: float, seconds: float) -> dict[str, datetime]:
    """Lets the tasks come due one after the other, after a delay; returns when each does."""
    async with db.unit_of_work() as uow:
        rows = list(await uow.session.scalars(select(Task)))
        begin = utc_now() + timedelta(seconds=delay)
        for number, task in enumerate(rows):
            task.next_action_at = begin + timedelta(seconds=seconds * number / len(rows))
        return {task.id: task.next_action_at for task in rows if task.next_action_at}


async def kill_now_and_then(stack: Stack, workers: int, seconds: float, killed: list[int]) -> None:
    """SIGKILL for the worker that has lived longest, once the one before is replaced."""
    assert stack.process is not None
    while seconds:
        await asyncio.sleep(seconds)
        if sum("✓ worker" in line for line in stack.lines()) < workers + len(killed):
            continue
        alive = [pid for pid, line in children(stack.process.pid).items() if "arq" in line]
        victim = min(alive, key=started)
        os.kill(victim, signal.SIGKILL)
        killed.append(victim)


async def watch(db: Database, stack: Stack, count: int) -> dict[str, Any]:
    """Waits until every task has ended; how fast it went, and what the processes grew by."""
    assert stack.process is not None
    began, samples = time.monotonic(), list[tuple[int, dict[int, float]]]()
    dialled = 0.0
    while True:
        async with db.reading() as session:
            left = await session.scalar(select(func.count()).where(col(Task.status).in_(OPEN)))
            fresh = await session.scalar(
                select(func.count()).where(
                    col(Task.status) == TaskStatus.PENDING, col(Task.current_attempt_count) == 0
                )
            )
        if not fresh and not dialled:
            dialled = time.monotonic() - began
        parts = children(stack.process.pid)
        samples.append((count - (left or 0), {pid: memory(pid) for pid in parts}))
        if not left:
            break
        if stack.process.poll() is not None:
            raise RuntimeError(stack.report())
        await asyncio.sleep(1)
    took = time.monotonic() - began
    return {
        "seconds": round(took, 1),
        "dispatches_per_second": round(count / dialled, 1),
        "megabytes_per_1000_calls": growth(samples, parts),
    }


def growth(
    samples: Sequence[tuple[int, dict[int, float]]], parts: dict[int, str]
) -> dict[str, float]:
    """The slope of each process's memory that lived from the warm-up to the end."""
    warm = [sample for sample in samples if sample[0] >= WARM_SHARE * samples[-1][0]]
    slopes = {}
    for pid, line in parts.items():
        points = [(done, rss[pid]) for done, rss in warm if pid in rss]
        if len(points) > 2 and len(points) == len(warm):
            (x0, y0), (x1, y1) = points[0], points[-1]
            slopes[named(line)] = round((y1 - y0) / max(x1 - x0, 1) * 1000, 2)
    return slopes


async def rings(stack: Stack) -> Counter[str]:
    """How often each number rang, as the carrier counted."""
    line = Settings.load(
        data_dir=stack.data_dir, practice_port=stack.practice_port, _env_file=None
    ).with_line()
    auth = (line.twilio_account_sid, line.twilio_auth_token)
    async with httpx.AsyncClient(auth=auth, trust_env=False, timeout=60) as client:
        response = await client.get(f"{stack.practice_url}/practice/calls")
        calls = response.raise_for_status().json()["calls"]
        return Counter(call["to"] for call in calls)


async def lateness(db: Database, dues: dict[str, datetime]) -> list[float]:
    """Seconds from due to dialled."""
    first = select(col(Call.task_id), col(Call.dialled_at)).where(col(Call.attempt_number) == 1)
    async with db.reading() as session:
        return [
            (dialled - dues[task]).total_seconds()
            for task, dialled in await session.execute(first)
            if dialled
        ]


async def measure(kind: str, given: argparse.Namespace) -> dict[str, Any]:
    """The figures for one kind of database."""
    with database(kind) as url, tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data", settings(url), workers=given.workers)
        await asyncio.to_thread(stack.start)
        async with opened(url) as db:
            wanted = await create(db, given)
            dues = await spread(db, 2, given.spread)
            killed: list[int] = []
            killing = asyncio.create_task(
                kill_now_and_then(stack, given.workers, given.kill_every, killed)
            )
            try:
                found = await watch(db, stack, given.tasks)
                killing.cancel()
                rang = await rings(stack)
                async with db.reading() as session:
                    await assert_consistent(session)
                    ended = col(Call.status) == CallStatus.ENDED
                    placed = await session.scalar(select(func.count()).where(ended))
                    undone = col(Call.status) == CallStatus.WITHDRAWN
                    withdrawn = await session.scalar(select(func.count()).where(undone))
                late = await lateness(db, dues)
                await asyncio.sleep(10)
                async with Redis.from_url(stack.redis_url) as redis:
                    keys = sorted({b":".join(k.split(b":")[:2]) for k in await redis.keys("*")})
            finally:
                killing.cancel()
                await asyncio.to_thread(stack.stop)
    expected = Counter({phone: count * given.attempts for phone, count in wanted.items()})
    if given.answered:
        expected = wanted
    return {
        **found,
        "workers_killed": len(killed),
        "calls_ended": placed,
        "withdrawn": withdrawn,
        "rung": rang.total(),
        "rung_twice": (rang - expected).total(),
        "never_rung": (expected - rang).total(),
        "keys_left": [key.decode() for key in keys],
        **(
            {"due_to_dialled": summary(late), "latest_ms": max(late) * 1000} if given.spread else {}
        ),
    }


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The database as the practice line's processes see it, with nobody to tell."""
    bus = Bus("unix:///nonexistent/redis.sock")
    db = Database(url, bus, policy=Settings(_env_file=None).policy)
    try:
        yield db
    finally:
        await db.close()
        await bus.close()


def settings(url: str) -> dict[str, str]:
    """No cap below what is measured."""
    return {
        "OPENDEEP_DATABASE_URL": url,
        "OPENDEEP_PRACTICE_SPEED": "1000",
        "OPENDEEP_CALLS_PER_SECOND": "1000",
        "OPENDEEP_MAX_CONCURRENT_CALLS": "500",
        "OPENDEEP_MAX_USER_CALLS": "500",
    }


async def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=5)
    parser.add_argument("--attempts", type=int, default=1)
    parser.add_argument("--spread", type=float, default=0)
    parser.add_argument("--answered", action="store_true")
    parser.add_argument("--database", choices=KINDS)
    given = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": "lifecycle.crowd", **vars(given)}
    for kind in [given.database] if given.database else KINDS:
        figures[kind] = await measure(kind, given)
    print(json.dumps(figures))


if __name__ == "__main__":
    configure_logs()
    asyncio.run(main())
