"""How long the dispatcher looks for what is due, among very many tasks.

    uv run python -m benchmarks.lifecycle.claims [--tasks 1000000] [--due 1000] [--rounds 200]

`claim_query` is the query alone, `look` the glance that decides every second whether there is
anything to do, `sweep` the queries that look for what got stuck. The floor is `SELECT 1` on the
same connection.
"""

import argparse
import asyncio
import json
import time
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from benchmarks.databases import KINDS, database
from benchmarks.figures import ratio, summary
from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.db import Database
from opendeep_app.models import Call, CallOutcome, CallStatus, EndedBy, Task, TaskStatus, User
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows

USERS = 20
#: Of the tasks that are not due, so many of a hundred wait for a later time.
LATER_SHARE = 10
#: A numbering from 0 that each database can insert from.
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last})",
    "postgresql": "WITH n AS (SELECT i FROM generate_series(0, {last}) AS i)",
}


async def fill(db: Database, count: int, due: int, now: datetime) -> None:
    """Writes users, tasks, and a call for each task that is over: copies of one of each."""
    async with db.unit_of_work() as uow:
        session = uow.session
        users = [User(email=f"{n}@example.com", created_at=now) for n in range(USERS)]
        session.add_all(users)
        await session.flush()
        task = _task(users[0].id, now)
        session.add(task)
        await session.flush()
        session.add(_call(task, now))
        await session.flush()
        numbers = NUMBERS[session.get_bind().dialect.name].format(last=count - 2)
        waits = f"(i < {due} OR i % 100 < {LATER_SHARE})"
        owner = " ".join(f"WHEN {n} THEN '{user.id}'" for n, user in enumerate(users))
        later = now + timedelta(days=1)
        own = {
            "id": "'task-' || i",
            "user_id": f"CASE i % {USERS} {owner} END",
            "phone_number": "'+1' || (2000000000 + i)",
            "status": f"CASE WHEN {waits} THEN 'RETRY_SCHEDULED' ELSE 'COMPLETED' END",
            "priority": "i % 3",
            "next_action_at": f"CASE WHEN i < {due} THEN created_at "
            f"WHEN {waits} THEN CAST('{later:%Y-%m-%d %H:%M:%S.%f}' AS {{time}}) END",
        }
        await _copy(session, "tasks", own, numbers, "")
        own = {
            "id": "'call-' || i",
            "task_id": "'task-' || i",
            "carrier_sid": "'CA' || i",
            "phone_number": "'+1' || (2000000000 + i)",
        }
        await _copy(session, "calls", own, numbers, f"AND NOT {waits}")
        await session.execute(text("ANALYZE"))


async def _copy(
    session: AsyncSession, table: str, own: dict[str, str], numbers: str, which: str
) -> None:
    """Copies a table's one row, with expressions over `i` in place of some columns."""
    columns = [column.name for column in SQLModel.metadata.tables[table].columns]
    kind = "TEXT" if session.get_bind().dialect.name == "sqlite" else "TIMESTAMPTZ"
    values = ", ".join(own.get(name, f"{table}.{name}").format(time=kind) for name in columns)
    await session.execute(
        text(
            f"INSERT INTO {table} ({', '.join(columns)}) {numbers} SELECT {values} FROM n, {table} "
            f"WHERE true {which}"
        )
    )


def _task(user_id: str, now: datetime) -> Task:
    return Task(
        user_id=user_id,
        phone_number="+12025550100",
        goal="Book a table for two on Friday evening.",
        time_zone="America/New_York",
        status=TaskStatus.COMPLETED,
        created_at=now,
        updated_at=now,
    )


def _call(task: Task, now: datetime) -> Call:
    return Call(
        task_id=task.id,
        attempt_number=1,
        phone_number=task.phone_number,
        status=CallStatus.ENDED,
        outcome=CallOutcome.GOAL_MET,
        ended_by=EndedBy.AGENT,
        created_at=now,
        ended_at=now,
        analysed_at=now,
    )


async def measure(kind: str, count: int, due: int, rounds: int) -> dict[str, Any]:
    """The figures for one kind of database."""
    with database(kind) as url:
        db = Database(url, Bus("redis://127.0.0.1:1"))
        now = utc_now()
        await fill(db, count, due, now)
        figures: dict[str, Any] = {}
        for name, query in (
            ("floor", _floor), ("claim_query", _claim), ("look", _look), ("sweep", _sweep),
        ):  # fmt: skip
            times = []
            for _ in range(rounds + 5):
                async with db.unit_of_work() as uow:
                    began = time.perf_counter()
                    await query(uow.session, now)
                    times.append(time.perf_counter() - began)
                    await uow.session.rollback()
            figures[name] = summary(times[5:])
        figures["claim_x_floor"] = ratio(figures["claim_query"], figures["floor"])
        await db.close()
        return figures


async def _floor(session: Any, _: datetime) -> None:
    await session.execute(text("SELECT 1"))


async def _claim(session: Any, now: datetime) -> None:
    assert len(await task_rows.due(session, now, limit=50)) == 50


async def _look(session: Any, now: datetime) -> None:
    assert await task_rows.any_due(session, now)


async def _sweep(session: Any, now: datetime) -> None:
    await call_rows.never_dialled(session, now)
    await call_rows.unconfirmed(session, now)
    await call_rows.silent(session, now)
    await call_rows.unanalysed(session, now)
    await call_rows.unwanted(session)
    await task_rows.forgotten(session)


async def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", choices=KINDS)
    given = parser.parse_args()
    figures: dict[str, Any] = {"benchmark": "lifecycle.claims", "tasks": given.tasks}
    for kind in [given.database] if given.database else KINDS:
        figures[kind] = await measure(kind, given.tasks, given.due, given.rounds)
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main())
