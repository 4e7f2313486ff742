"""Migrations on both databases, and that each test gets a database of its own."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from opendeep_app import migrations
from opendeep_app.db import Database
from opendeep_app.errors import SetupError
from opendeep_app.services import accounts


async def test_a_new_database_can_be_used_at_once(db: Database) -> None:
    async with db.reading() as session:
        assert await accounts.count_users(session) == 0
    async with db.unit_of_work() as uow:
        await accounts.owner(uow)
    async with db.reading() as session:
        assert await accounts.count_users(session) == 1


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert migrations.upgrade(database_url).at_head


def test_it_goes_down_and_up_again(database_url: str) -> None:
    migrations.downgrade(database_url, "base")
    assert migrations.state(database_url).current is None
    migrations.upgrade(database_url)
    assert migrations.state(database_url).at_head


def test_a_newer_database_is_refused(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SetupError, match=r"newer version of OpenDeep \(revision 9999\)"):
        migrations.upgrade(database_url)


def test_an_unreachable_database_is_one_line_without_the_password() -> None:
    with pytest.raises(SetupError, match="cannot be opened") as error:
        migrations.upgrade("postgresql+psycopg://ada:secret@127.0.0.1:1/calls")
    assert "secret" not in error.value.message
    assert "\n" not in error.value.message


def test_a_file_that_is_no_database_is_one_line(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(SetupError, match="cannot be opened: file is not a database"):
        migrations.upgrade(sqlite_url)


async def test_a_unit_of_work_inside_another_fails_at_once(db: Database) -> None:
    async with db.unit_of_work() as uow:
        await accounts.owner(uow)
        with pytest.raises(RuntimeError, match="inside another"):
            async with db.unit_of_work():
                pass
    async with db.unit_of_work() as uow:
        await accounts.owner(uow)


async def test_two_tasks_may_each_have_their_own(db: Database) -> None:
    """One that is started from within a unit of work waits for its turn, and gets it."""

    async def write() -> None:
        async with db.unit_of_work() as uow:
            await accounts.owner(uow)

    async with asyncio.timeout(5):
        async with db.unit_of_work() as uow:
            await accounts.owner(uow)
            other = asyncio.create_task(write())
            await asyncio.sleep(0)
        await other
