"""Migrations on both databases, with data in them; the history refuses changes."""

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from opendeep_app import migrations
from opendeep_app.db import Database
from opendeep_app.models import Direction, TaskStatus, VoicemailPolicy
from opendeep_app.models.call_analysis import Verdict
from tests.fixtures.lives import Life, found


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url)


async def lived(life: Life) -> str:
    """A task whose life has left a row in every table that a life fills."""
    task_id = await life.create()
    call_id = await life.talk()
    await life.answer(await life.ask(call_id))
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.GOAL_MET))
    return task_id


def config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations.SCRIPTS))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def test_the_models_need_no_further_migration(database_url: str) -> None:
    """`alembic check`: tables, columns, types, indexes and constraints are the models' own."""
    command.check(config(database_url))


def test_the_check_would_notice(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX tasks_due_idx"))
    engine.dispose()
    with pytest.raises(CommandError, match="tasks_due_idx"):
        command.check(config(database_url))


async def test_a_database_with_data_stays_as_it_is_when_migrated_again(
    life: Life, database_url: str
) -> None:
    task_id = await lived(life)
    migrations.upgrade(database_url)
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    await life.check()


async def test_it_goes_down_with_data_and_up_again(
    life: Life, database_url: str, engine: Engine
) -> None:
    await lived(life)
    await life.db.close()
    migrations.downgrade(database_url, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()
    migrations.upgrade(database_url)
    command.check(config(database_url))


async def test_each_step_keeps_the_data_down_and_up_again(
    life: Life, database_url: str, engine: Engine
) -> None:
    task_id = await lived(life)
    await life.db.close()
    migrations.downgrade(database_url, "0001")
    columns = {column["name"] for column in inspect(engine).get_columns("info_requests")}
    assert "deadline_at" in columns
    assert "extended_at" not in columns
    engine.dispose()
    migrations.upgrade(database_url)
    command.check(config(database_url))
    task = await life.task(task_id)
    [call] = await life.calls(task_id)
    assert (task.voicemail_policy, task.max_call_seconds) == (VoicemailPolicy.HANG_UP, 900)
    assert (task.record_call, task.findings_wanted) == (False, [])
    assert (call.direction, call.answer_state) == (Direction.OUTBOUND, None)
    assert (call.usage, call.costs, call.cost_micros, call.measures) == ({}, {}, 0, {})
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT task_id, answer FROM info_requests")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(task_id, "Ada.")]


@pytest.mark.parametrize("change", ["payload = '{}'", "type = 'gave_up'", "sequence = 99"])
async def test_history_cannot_be_rewritten(
    life: Life, database_url: str, engine: Engine, change: str
) -> None:
    await lived(life)
    with (
        pytest.raises(DBAPIError, match="task_events is append-only"),
        engine.begin() as connection,
    ):
        connection.execute(text(f"UPDATE task_events SET {change}"))
    engine.dispose()
    await life.check()


async def test_a_person_who_goes_takes_everything_along(life: Life, db: Database) -> None:
    await lived(life)
    async with db.unit_of_work() as uow:
        await uow.session.execute(text("DELETE FROM users"))
    async with db.reading() as session:
        for table in (
            "tasks",
            "calls",
            "task_events",
            "transcript_lines",
            "info_requests",
            "findings",
        ):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tasks SET next_action_at = NULL",
        "UPDATE tasks SET status = 'IN_PROGRESS'",
        "UPDATE tasks SET current_attempt_count = -1",
        "UPDATE tasks SET max_attempts = 21",
        "UPDATE tasks SET priority = 101",
        "UPDATE tasks SET user_id = 'nobody'",
    ],
)
async def test_the_database_itself_refuses_nonsense(
    life: Life, engine: Engine, statement: str
) -> None:
    await life.create()
    with pytest.raises(DBAPIError), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA foreign_keys = ON"))
        connection.execute(text(statement))
    engine.dispose()
    await life.check()
