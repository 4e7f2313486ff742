"""What is kept of a task: taken away whole, deleted after its time, erased without a trace."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text, update
from sqlmodel import SQLModel, col

from opendeep_app.config import Settings
from opendeep_app.errors import Conflict, NotFound
from opendeep_app.models import Call, Finding, Speaker, TaskStatus, User
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.services import reconciling, task_data
from tests.fixtures.lives import Life, add_user, found
from workers.retention import delete_recording, forget
from workers.scheduler import sweep

SECRET = "xyzzyplugh"


async def lived(life: Life) -> tuple[str, str]:
    """A task that said the secret wherever something can be said; ids of it and its call."""
    task_id = await life.create(goal=f"Ask about {SECRET}.", contact_name=SECRET, context=SECRET)
    call_id = await life.talk()
    await life.say(call_id, Speaker.RECIPIENT, f"It is {SECRET}.")
    await life.answer(await life.ask(call_id, f"What is {SECRET}?"), SECRET)
    async with life.db.unit_of_work() as uow:
        finding: dict[str, Any] = {
            "call_id": call_id,
            "task_id": task_id,
            "created_at": uow.now,
            "line": 2,
        }
        uow.session.add(Finding(field="word", value=SECRET, quote=f"It is {SECRET}.", **finding))
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.GOAL_MET, summary=f"It is {SECRET}."))
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    return task_id, call_id


async def mentions(life: Life) -> set[str]:
    """The tables in which the secret stands."""
    places = set()
    async with life.db.reading() as session:
        for table in SQLModel.metadata.sorted_tables:
            rows = (await session.execute(select(table))).all()
            places |= {table.name for row in rows if SECRET in str(tuple(row))}
    return places


async def test_everything_is_exported(life: Life) -> None:
    task_id, _ = await lived(life)
    places = await mentions(life)
    assert {"tasks", "transcript_lines", "task_events", "findings", "info_requests"} <= places
    async with life.db.reading() as session:
        data = await task_data.export(session, life.user_id, task_id)
        with pytest.raises(NotFound):
            await task_data.export(session, await add_user(life.db, "eve@example.com"), task_id)
    exported = {name for name, rows in data.items() if SECRET in str(rows)}
    kept = {"task" if name == "tasks" else name for name in places} - task_data.DERIVED
    # A remembered answer belongs to its user, not to the task.
    assert kept - {"facts"} <= exported


async def test_nothing_is_left_of_an_erased_task(life: Life) -> None:
    task_id, _ = await lived(life)
    with pytest.raises(NotFound):
        async with life.db.unit_of_work() as uow:
            await task_data.erase(uow, "nobody", task_id)
    async with life.db.unit_of_work() as uow:
        await task_data.erase(uow, life.user_id, task_id)
    assert await mentions(life) - {"facts"} == set()
    async with life.db.reading() as session:
        tables = await (await session.connection()).run_sync(
            lambda connection: inspect(connection).get_table_names()
        )
        for table in {"calls", "task_events", "transcript_lines", "task_words"} & set(tables):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    await life.check()


async def test_a_task_with_a_call_going_on_is_not_erased(life: Life) -> None:
    task_id = await life.create()
    await life.talk()
    with pytest.raises(Conflict, match="going on"):
        async with life.db.unit_of_work() as uow:
            await task_data.erase(uow, life.user_id, task_id)


def keeping(worker: dict[str, Any], tmp_path: Path, **days: int) -> dict[str, Any]:
    """The worker of an installation that keeps things for so many days."""
    settings = Settings.load(_env_file=None, data_dir=tmp_path, **days)
    return {"deps": replace(worker["deps"], settings=settings)}


async def test_transcripts_go_when_their_time_is_up_and_the_result_stays(
    life: Life, worker: dict[str, Any], tmp_path: Path
) -> None:
    task_id, call_id = await lived(life)
    worker = keeping(worker, tmp_path, keep_transcripts_days=30)
    life.clock.advance(days=29)
    assert await forget(worker) == 0
    life.clock.advance(days=2)
    assert await forget(worker) == 1
    assert await forget(worker) == 0
    assert "transcript_lines" not in await mentions(life)
    assert "calls" not in await mentions(life)
    async with life.db.reading() as session:
        finding = (await session.scalars(select(Finding))).one()
    assert (finding.value, finding.quote) == (SECRET, "")
    assert (await life.call(call_id)).transcript_deleted_at is not None
    assert (await life.task(task_id)).result_summary == f"It is {SECRET}."
    assert (await life.events(task_id)).count("data_deleted") == 1
    await life.check()


async def test_a_users_own_wish_counts_before_the_installations(
    life: Life, worker: dict[str, Any], tmp_path: Path
) -> None:
    await lived(life)
    async with life.db.unit_of_work() as uow:
        await uow.session.execute(update(User).values(keep_transcripts_days=365))
    worker = keeping(worker, tmp_path, keep_transcripts_days=30)
    life.clock.advance(days=31)
    assert await forget(worker) == 0
    life.clock.advance(days=340)
    assert await forget(worker) == 1


async def test_recordings_go_with_their_files_and_orphans_too(
    life: Life, worker: dict[str, Any], tmp_path: Path
) -> None:
    task_id, call_id = await lived(life)
    async with life.db.unit_of_work() as uow:
        await uow.session.execute(update(Call).values(recording_file="a.wav"))
    (tmp_path / "recordings").mkdir(exist_ok=True)
    files = [tmp_path / "recordings" / name for name in ("a.wav", "orphan.wav", "fresh.wav")]
    for file in files:
        file.write_bytes(b"RIFF")
    for file in files[:2]:
        os.utime(file, (0, 0))
    worker = keeping(worker, tmp_path, keep_recordings_days=7)
    assert await forget(worker) == 0
    assert [file.exists() for file in files] == [True, False, True]
    life.clock.advance(days=8)
    assert await forget(worker) == 1
    assert [file.exists() for file in files] == [False, False, True]
    assert (await life.call(call_id)).recording_file is None
    assert (await life.events(task_id)).count("data_deleted") == 1
    await delete_recording(worker, "../../fresh.wav")
    assert not files[2].exists()


async def test_a_task_in_progress_without_a_call_is_found_and_moved_on(
    life: Life, worker: dict[str, Any]
) -> None:
    """Nothing leads there; the row is forced into it."""
    task_id = await life.create()
    call_id = await life.dial()
    await life.carrier(call_id, "busy")
    await life.analyse(call_id)
    await life.wish("call_now", task_id)
    [second] = await life.claim()
    async with life.db.unit_of_work() as uow:
        ended = {"status": "ENDED", "outcome": "FAILED_BUSY", "analysed_at": uow.now}
        await uow.session.execute(
            update(Call).where(col(Call.id) == second).values(**ended, ended_at=uow.now)
        )
    await sweep(worker)
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    life.clock.advance(seconds=61)
    await sweep(worker)
    task = await life.task(task_id)
    assert task.status is TaskStatus.RETRY_SCHEDULED
    assert (await life.events(task_id))[-2:] == ["task_recovered", "retry_scheduled"]


async def test_recovering_leaves_a_task_that_moves_by_itself_alone(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    for _ in range(2):
        async with life.db.unit_of_work() as uow:
            await reconciling.recover(uow, task_id)
        assert "task_recovered" not in await life.events(task_id)
        if (await life.task(task_id)).status is TaskStatus.IN_PROGRESS:
            await life.close(call_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()
