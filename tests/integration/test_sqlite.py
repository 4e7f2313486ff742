"""SQLite behind an event loop: few visits to its thread, and everything a database promises."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from opendeep_app.bus import Bus
from opendeep_app.db import Database
from opendeep_app.sqlite import Connection

#: Counts far enough to be still counting when it is given up.
SLOW = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)
SELECT count(*) FROM n
"""


@pytest.fixture
async def db(sqlite_url: str, bus: Bus) -> AsyncIterator[Database]:
    """A database with a table of its own, whose first connections are open."""
    db = Database(sqlite_url, bus)
    async with db.unit_of_work() as uow:
        await uow.session.execute(text("CREATE TABLE pairs (name TEXT UNIQUE, value INTEGER)"))
    yield db
    await db.close()


@pytest.fixture
def visits(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a connection's thread is asked to do."""
    seen: list[object] = []
    real = Connection._execute

    async def execute(self: Connection, work: Any, *given: Any, **more: Any) -> Any:
        seen.append(work)
        return await real(self, work, *given, **more)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Connection, "_execute", execute)
    return seen


async def add(db: Database, name: str, value: int = 1) -> None:
    async with db.unit_of_work() as uow:
        await uow.session.execute(
            text("INSERT INTO pairs VALUES (:n, :v)"), {"n": name, "v": value}
        )


async def names(db: Database) -> list[str]:
    async with db.reading() as session:
        return list(await session.scalars(text("SELECT name FROM pairs ORDER BY name")))


async def test_only_what_may_wait_visits_the_thread(db: Database, visits: list[object]) -> None:
    await names(db)
    assert len(visits) == 1, "the statement; its end is not waited for"
    visits.clear()
    await add(db, "a")
    assert len(visits) == 2, "the lock and the commit"
    visits.clear()
    async with db.reading():
        pass
    assert visits == []


async def test_one_reading_sees_one_state(db: Database) -> None:
    async with db.reading() as session:
        count = text("SELECT count(*) FROM pairs")
        assert await session.scalar(count) == 0
        await add(db, "a")
        assert await session.scalar(count) == 0
    assert await names(db) == ["a"]


async def test_what_a_statement_did_is_told(db: Database) -> None:
    async with db.unit_of_work() as uow:
        rows = [{"n": name, "v": value} for value, name in enumerate("abc")]
        await uow.session.execute(text("INSERT INTO pairs VALUES (:n, :v)"), rows)
        changed = await uow.session.execute(text("UPDATE pairs SET value = 7 WHERE name > 'a'"))
        assert changed.rowcount == 2  # type: ignore[attr-defined]
        returned = await uow.session.execute(
            text("DELETE FROM pairs RETURNING name AS gone, value")
        )
        assert list(returned.keys()) == ["gone", "value"]
        assert sorted(returned.all()) == [("a", 0), ("b", 7), ("c", 7)]
    assert await names(db) == []


async def test_an_error_takes_everything_back_and_the_connection_goes_on(db: Database) -> None:
    await add(db, "a")
    with pytest.raises(IntegrityError):
        async with db.unit_of_work() as uow:
            await uow.session.execute(text("UPDATE pairs SET value = 2"))
            await uow.session.execute(text("INSERT INTO pairs VALUES ('a', 3)"))
    with pytest.raises(OperationalError, match="no such table"):
        async with db.reading() as session:
            await session.execute(text("SELECT * FROM elsewhere"))
    async with db.reading() as session:
        assert await session.scalar(text("SELECT value FROM pairs")) == 1
    await add(db, "b")
    assert await names(db) == ["a", "b"]


async def test_who_is_cancelled_in_the_middle_leaves_nothing(db: Database) -> None:
    async def write() -> None:
        async with db.unit_of_work() as uow:
            await uow.session.execute(text("INSERT INTO pairs VALUES ('half', 1)"))
            begun.set()
            await asyncio.Event().wait()

    async def read() -> None:
        async with db.reading() as session:
            begun.set()
            await session.execute(text(SLOW))

    for work in (write, read):
        begun = asyncio.Event()
        task = asyncio.create_task(work())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await add(db, "whole")
    assert await names(db) == ["whole"]
