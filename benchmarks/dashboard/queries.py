"""How long the list's and the search's queries take in a database that `benchmarks.seed` filled.

uv run python -m benchmarks.dashboard.queries DATABASE_URL [--rounds 200]
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from benchmarks.figures import ratio, summary
from benchmarks.seed import EMAIL, FIRST, LAST, THINGS, WHEN
from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.db import Database
from opendeep_app.models import CallOutcome, TaskStatus
from opendeep_app.repositories import task_list, tasks
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.services import accounts

PAGE = 50
OUTCOMES = (CallOutcome.GOAL_MET, CallOutcome.DECLINED, CallOutcome.FAILED_NO_ANSWER)


def any_query(chance: random.Random) -> TaskQuery:
    """Any combination of filters and order."""
    now = utc_now()
    statuses = chance.sample(list(TaskStatus), chance.choice([0, 0, 1, 1, 2, 3]))
    days = chance.choice([None, None, 1, 7, 30, 120])
    return TaskQuery(
        statuses=tuple(statuses),
        created_after=now - timedelta(days=days) if days else None,
        created_before=now - timedelta(days=chance.randrange(20))
        if chance.random() < 0.2
        else None,
        outcomes=(chance.choice(OUTCOMES),) if chance.random() < 0.25 else (),
        needs_me=chance.random() < 0.1,
        sort=chance.choice(list(Sort)),
        limit=PAGE,
    )


def any_search(chance: random.Random) -> TaskQuery:
    """What people type: names, beginnings of words, digits, something nobody has."""
    typed = chance.choice(
        [
            chance.choice(FIRST),
            f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            chance.choice(LAST)[:3],
            f"{chance.choice(LAST)} {chance.choice(THINGS).split('-')[0]}",
            chance.choice(THINGS).replace("-", " "),
            f"{chance.choice(WHEN).split('-')[-1]} {chance.choice(FIRST)[:2]}",
            str(chance.randrange(1_000_000)),
            f"({200 + chance.randrange(700)}) {200 + chance.randrange(800)}",
            "calendar thursday",
            "nobody has this",
        ]
    )
    statuses = chance.choice([(), (), (TaskStatus.COMPLETED,), (TaskStatus.ON_HOLD,)])
    sort = chance.choice([Sort.NEWEST, Sort.NEWEST, Sort.RECENTLY_CHANGED, Sort.OLDEST])
    return TaskQuery(text=typed, statuses=statuses, sort=sort, limit=PAGE)


async def _measure(
    rounds: int,
    make: Callable[[random.Random], TaskQuery],
    run: Callable[[TaskQuery], Awaitable[Any]],
) -> dict[str, Any]:
    chance = random.Random(7)
    queries = [make(chance) for _ in range(rounds)]
    cold = summary([await _timed(run, query) for query in queries])
    times = [await _timed(run, query) for query in queries]
    slowest = max(range(rounds), key=times.__getitem__)
    shown = {name: value for name, value in queries[slowest].__dict__.items() if value}
    return summary(times) | {
        "first_time_p95_ms": cold["p95_ms"],
        "slowest": f"{times[slowest] * 1000:.0f} ms: {shown}",
    }


async def _timed(run: Callable[[TaskQuery], Awaitable[Any]], query: TaskQuery) -> float:
    began = time.perf_counter()
    await run(query)
    return time.perf_counter() - began


async def measure(database_url: str, rounds: int) -> dict[str, Any]:
    """Every figure in milliseconds; the floor is the shortest query there is, on the same path."""
    bus = Bus("redis://127.0.0.1:1")
    db = Database(database_url, bus)
    async with db.reading() as session:
        user = await accounts.find_user(session, EMAIL)
    assert user is not None

    async def floor(_: TaskQuery) -> None:
        async with db.reading() as session:
            await session.execute(text("SELECT 1"))

    async def first_page(query: TaskQuery) -> None:
        async with db.reading() as session:
            await task_list.stretch(session, user.id, query)

    async def second_page(query: TaskQuery) -> None:
        async with db.reading() as session:
            read = await task_list.stretch(session, user.id, query)
            if read.more:
                await task_list.stretch(session, user.id, query, read.items[-1].place(query))

    async def details(query: TaskQuery) -> None:
        async with db.reading() as session:
            await tasks.details(session, user.id, query)

    async def count(query: TaskQuery) -> None:
        async with db.reading() as session:
            await tasks.count(session, user.id, query, 1000)

    async def counts(_: TaskQuery) -> None:
        async with db.reading() as session:
            await tasks.status_counts(session, user.id)

    figures = {
        "floor": await _measure(rounds, any_query, floor),
        "list": await _measure(rounds, any_query, first_page),
        "two_pages": await _measure(rounds // 2, any_query, second_page),
        "details": await _measure(rounds // 4, any_query, details),
        "count": await _measure(rounds // 2, any_query, count),
        "search": await _measure(rounds, any_search, first_page),
        "search_count": await _measure(rounds // 2, any_search, count),
        "status_counts": await _measure(20, any_query, counts),
    }
    for name, figure in figures.items():
        if name != "floor":
            figure["times_floor"] = ratio(figure, figures["floor"])
    await db.close()
    await bus.close()
    return figures


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser(description="Measures the dashboard's queries.")
    parser.add_argument("database_url")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.database_url, arguments.rounds))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
