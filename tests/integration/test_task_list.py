"""The list's queries: one for a page, both ways, and equal to what the tables say."""

import contextlib
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from opendeep_app.errors import Conflict, InvalidInput
from opendeep_app.models import TaskStatus
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.repositories import saved_views as view_rows
from opendeep_app.repositories import task_list
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.services import batches, saved_views
from opendeep_app.services.batches import Action
from opendeep_app.state.rows import glance_row
from tests.fixtures.lives import Life, found


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to any database."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def lived(life: Life) -> list[str]:
    """Some tasks after a random life."""
    chance, ids = random.Random(5), []
    for number in range(12):
        ids.append(await life.create(f"+1202555{2000 + number}", priority=number % 3))
        if number % 4 == 0:
            life.clock.advance(seconds=1)
            continue
        calls = await life.claim()
        for call_id in calls:
            assert await life.begin(call_id)
            await life.confirm(call_id)
            await life.pick_up(call_id)
        if chance.random() < 0.4:
            question = await life.ask(call_id)
            if chance.random() < 0.5:
                await life.answer(question)
        if chance.random() < 0.8:
            await life.close(call_id)
            if (await life.task(ids[-1])).status is TaskStatus.PENDING_ANALYSIS:
                await life.analyse(call_id, found(chance.choice(list(Verdict))))
        life.clock.advance(seconds=1)
        if chance.random() < 0.3:
            with contextlib.suppress(Conflict):
                await life.wish("hold", ids[-1])
    return ids


@pytest.mark.parametrize("sort", Sort)
async def test_rows_and_counts_equal_what_the_tables_say(life: Life, sort: Sort) -> None:
    ids = await lived(life)
    query = TaskQuery(sort=sort, limit=5)
    async with life.db.reading() as session:
        seen, place, more = [], None, True
        while more:
            with statements() as sent:
                read = await task_list.stretch(session, life.user_id, query, place)
            assert len([one for one in sent if one.startswith("SELECT")]) == 1
            seen += read.items
            place, more = read.items[-1].place(query), read.more
        assert sorted(glance.task.id for glance in seen) == sorted(ids)
        places = [glance.place(query) for glance in seen]
        assert places == sorted(places, reverse=sort.startswith("-"))
        back = await task_list.stretch(
            session, life.user_id, TaskQuery(sort=sort, limit=200), places[-1], backwards=True
        )
        assert [g.task.id for g in back.items] == [task_id for _, task_id in places[:-1]]

        for glance in seen:
            row = glance_row(glance)
            truth = (
                await session.execute(
                    text(
                        "SELECT t.status, t.current_attempt_count, t.last_outcome, "
                        "(SELECT outcome FROM calls c WHERE c.task_id = t.id AND c.status = 'ENDED' "
                        " ORDER BY attempt_number DESC LIMIT 1), "
                        "(SELECT count(*) FROM info_requests q WHERE q.task_id = t.id "
                        " AND q.status = 'OPEN') FROM tasks t WHERE t.id = :id"
                    ),
                    {"id": row.id},
                )
            ).one()
            assert row.status == truth[0]
            assert truth[2] == truth[3]
            assert row.asking is (truth[4] > 0)
            assert (row.last_call != "") is (truth[1] > 0)
        counts = await session.execute(text("SELECT status, count(*) FROM tasks GROUP BY status"))
        shown = await task_rows.status_counts(session, life.user_id)
        assert {status.value: n for status, n in shown.items()} == {
            row[0]: row[1] for row in counts
        }
        needing = await task_list.stretch(session, life.user_id, TaskQuery(needs_me=True))
        waiting = await session.scalars(
            text("SELECT DISTINCT task_id FROM info_requests WHERE status IN ('OPEN', 'EXPIRED')")
        )
        assert {glance.task.id for glance in needing.items} == set(waiting)


async def test_one_change_reads_one_row(life: Life) -> None:
    ids = [await life.create(f"+1202555{2000 + n}") for n in range(3)]
    await life.wish("hold", ids[0])
    async with life.db.reading() as session:
        query = TaskQuery(statuses=(TaskStatus.PENDING,))
        with statements() as sent:
            read = await task_list.those(session, life.user_id, query, ids[:2])
        assert len([one for one in sent if one.startswith("SELECT")]) == 1
    assert [glance.task.id for glance in read] == [ids[1]]


async def test_many_at_once_do_what_the_preview_said(life: Life) -> None:
    ids = [await life.create(f"+1202555{2000 + n}") for n in range(5)]
    await life.wish("cancel", ids[0])
    due = [(await life.task(task_id)).next_action_at for task_id in ids]
    async with life.db.reading() as session:
        counts = await task_list.counts(session, life.user_id, TaskQuery())
        assert await task_list.counts(session, life.user_id, TaskQuery(), ids[:2]) == {
            TaskStatus.CANCELLED: 1,
            TaskStatus.PENDING: 1,
        }
    preview = batches.preview(Action.HOLD, counts)
    assert (preview.total, preview.skipped) == (4, {TaskStatus.CANCELLED: 1})
    async for done in batches.carry_out(life.db, life.user_id, Action.HOLD, TaskQuery(), ids):
        assert (set(done.changed), done.refused) == (set(ids[1:]), [])
    life.clock.advance(hours=1)
    async with life.db.unit_of_work() as uow:
        assert await batches.undo(uow, "somebody else", Action.HOLD, done.changed) == 0
        assert await batches.undo(uow, life.user_id, Action.HOLD, done.changed) == 4
    assert [(await life.task(task_id)).status for task_id in ids[1:]] == [TaskStatus.PENDING] * 4
    assert due[1] is not None
    mornings = {"days": {"mon": [{"start": "08:00:00", "end": "12:00:00"}]}}
    action = batches.carry_out(life.db, life.user_id, Action.HOURS, TaskQuery(), hours=mornings)
    (done,) = [done async for done in action]
    assert [(await life.task(task_id)).hours for task_id in ids] == [None, *[mornings] * 4]
    async with life.db.unit_of_work() as uow:
        assert await batches.undo(uow, life.user_id, Action.HOURS, done.changed) == 4
    assert [(await life.task(task_id)).hours for task_id in ids] == [None] * 5
    assert not batches.undoable(Action.CALL_NOW)
    cancelled = TaskQuery(statuses=(TaskStatus.CANCELLED,))
    async for _ in batches.carry_out(life.db, life.user_id, Action.HOLD, cancelled):
        pytest.fail("Nothing can be held.")
    await life.check()


async def test_views_are_their_owners_and_have_names_of_their_own(life: Life) -> None:
    async with life.db.unit_of_work() as uow:
        view = await saved_views.save(uow, life.user_id, "  Mine \n ", "status=failed")
    for name, error in (("Mine", Conflict), ("", InvalidInput), ("x" * 61, InvalidInput)):
        with pytest.raises(error):
            async with life.db.unit_of_work() as uow:
                await saved_views.save(uow, life.user_id, name, "")
    async with life.db.unit_of_work() as uow:
        await saved_views.remove(uow, "somebody else", view.id)
    async with life.db.reading() as session:
        assert [one.name for one in await view_rows.of_user(session, life.user_id, 9)] == ["Mine"]
    async with life.db.unit_of_work() as uow:
        await saved_views.remove(uow, life.user_id, view.id)
    async with life.db.reading() as session:
        assert await view_rows.of_user(session, life.user_id, 9) == []
