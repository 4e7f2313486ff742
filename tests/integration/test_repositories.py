"""The dashboard's queries: pages without gaps, searches that take text as text, one state seen."""

import asyncio
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.errors import InvalidInput
from opendeep_app.models import Speaker, Task, TaskEventType, TaskStatus
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.models.task_events import Scheduled
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories.tasks import Sort, TaskPage, TaskQuery, _decode
from opendeep_app.services.transitions import record
from tests.fixtures.lives import Life, add_user, found


async def page(life: Life, **query: object) -> TaskPage:
    async with life.db.reading() as session:
        return await task_rows.details(session, life.user_id, TaskQuery(**query))  # type: ignore[arg-type]


async def total(life: Life, **query: object) -> int:
    async with life.db.reading() as session:
        return await task_rows.count(session, life.user_id, TaskQuery(**query))  # type: ignore[arg-type]


async def some(life: Life, number: int) -> list[str]:
    """Tasks of which several share their time and priority."""
    ids = []
    for index in range(number):
        ids.append(await life.create(f"+1202555{2000 + index}", priority=index % 3))
        if index % 4 == 3:
            life.clock.advance(seconds=1)
    return ids


@pytest.mark.parametrize("sort", Sort)
async def test_pages_together_hold_every_task_once_and_in_order(life: Life, sort: Sort) -> None:
    ids = await some(life, 17)
    assert await total(life) == 17
    seen: list[Task] = []
    cursor: str | None = None
    for _ in count():
        found_page = await page(life, sort=sort, limit=5, cursor=cursor)
        seen += [item.task for item in found_page.items]
        cursor = found_page.next_cursor
        if cursor is None:
            break
    assert sorted(task.id for task in seen) == sorted(ids)
    name = sort.removeprefix("-")
    keys = [(getattr(task, name), task.id) for task in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_a_task_that_arrives_meanwhile_disturbs_no_page(life: Life) -> None:
    ids = await some(life, 8)
    first = await page(life, limit=4)
    life.clock.advance(seconds=5)
    await life.create("+12025552999")
    second = await page(life, limit=4, cursor=first.next_cursor)
    seen = [item.task.id for item in [*first.items, *second.items]]
    assert sorted(seen) == sorted(ids)


async def test_a_page_carries_everything_that_belongs_to_its_tasks(life: Life) -> None:
    await some(life, 3)
    calls = await life.claim()
    await life.begin(calls[0])
    await life.confirm(calls[0])
    await life.pick_up(calls[0])
    question_id = await life.ask(calls[0])
    items = {item.task.id: item for item in (await page(life)).items}
    item = items.pop((await life.call(calls[0])).task_id)
    assert [one.call.id for one in item.calls] == [calls[0]]
    assert [one.id for one in item.info_requests] == [question_id]
    assert [event.sequence for event in item.events] == list(range(1, len(item.events) + 1))
    for other in items.values():
        assert other.info_requests == []
        assert [event.type for event in other.events] == [
            TaskEventType.TASK_CREATED,
            TaskEventType.CALL_CLAIMED,
        ]


async def test_nobody_sees_anything_of_anybody_else(life: Life) -> None:
    await some(life, 3)
    stranger = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    assert await total(stranger) == 0
    async with life.db.reading() as session:
        assert await task_rows.status_counts(session, stranger.user_id) == {}
        counts = await task_rows.status_counts(session, life.user_id)
    assert counts == {TaskStatus.PENDING: 3}


async def test_filters_combine(life: Life) -> None:
    early = await life.create("+12025550143")
    life.clock.advance(hours=1)
    late = await life.create("+12025550144")
    await life.wish("hold", late)
    between = life.clock() - timedelta(minutes=30)

    async def ids(**query: object) -> list[str]:
        return [item.task.id for item in (await page(life, **query)).items]

    assert await ids(statuses=(TaskStatus.ON_HOLD,)) == [late]
    assert await ids(statuses=(TaskStatus.ON_HOLD, TaskStatus.PENDING)) == [late, early]
    assert await ids(created_after=between) == [late]
    assert await ids(created_before=between) == [early]
    assert await ids(created_before=between, statuses=(TaskStatus.ON_HOLD,)) == []
    assert await ids(campaign_id="none") == []


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_page_has_a_sensible_size(life: Life, limit: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        await page(life, limit=limit)
    assert refused.value.field == "limit"


async def test_a_cursor_of_another_order_is_refused(life: Life) -> None:
    await some(life, 6)
    by_time = (await page(life, limit=2)).next_cursor
    by_priority = (await page(life, limit=2, sort=Sort.HIGHEST_PRIORITY)).next_cursor
    for cursor, sort in ((by_time, Sort.HIGHEST_PRIORITY), (by_priority, Sort.NEWEST)):
        with pytest.raises(InvalidInput) as refused:
            await page(life, cursor=cursor, sort=sort)
        assert refused.value.field == "cursor"


@given(
    st.text(max_size=80) | st.binary(max_size=80).map(lambda b: b.decode("latin-1")), st.booleans()
)
def test_a_made_up_cursor_is_refused_and_nothing_else_is_raised(text: str, is_time: bool) -> None:
    with pytest.raises(InvalidInput):
        _decode(text, is_time=is_time)


async def test_a_reader_sees_one_state_while_others_write(life: Life) -> None:
    """Events and the task they belong to come from two queries, between which others commit."""
    task_id = await life.create()
    async with life.db.reading() as session:
        before = await session.get_one(Task, task_id)
        async with life.db.unit_of_work() as uow:
            task = await task_rows.lock(uow.session, task_id)
            delayed = Scheduled(next_action_at=uow.now, reason="Later.")
            await record(uow, task, TaskEventType.DIALLING_DELAYED, delayed)
        detail = await task_rows.get_detail(session, life.user_id, task_id)
        assert detail is not None
        assert len(detail.events) == before.event_count == 1


async def test_reading_cannot_hold_up_a_claim(life: Life) -> None:
    await life.create()
    async with life.db.reading() as session:
        assert await task_rows.any_due(session, life.clock())
        async with asyncio.timeout(5):
            assert len(await life.claim()) == 1


async def test_lines_spoken_at_once_get_numbers_of_their_own(life: Life) -> None:
    await life.create()
    call_id = await life.dial()
    await life.pick_up(call_id)
    sides = [Speaker.AGENT, Speaker.RECIPIENT]
    await asyncio.gather(*(life.say(call_id, sides[n % 2], f"Line {n}.") for n in range(12)))
    async with life.db.reading() as session:
        lines = await call_rows.transcript(session, call_id)
    assert [line.sequence for line in lines] == list(range(1, 13))
    assert {line.text for line in lines} == {f"Line {n}." for n in range(12)}


async def test_live_questions_come_first_then_by_deadline(life: Life) -> None:
    questions = []
    for index in range(3):
        await life.create(f"+1202555{3000 + index}")
        questions.append(await life.ask(await life.talk()))
        life.clock.advance(seconds=1)
    await life.expire(questions[0])
    assert await life.pending() == [questions[1], questions[2], questions[0]]
    async with life.db.reading() as session:
        overdue = await question_rows.overdue(session, life.clock() + timedelta(seconds=29))
    assert overdue == [questions[1]]


async def test_the_sweep_finds_each_thing_only_when_it_is_due(life: Life) -> None:
    await life.create()
    [call_id] = await life.claim()
    now = life.clock()
    async with life.db.reading() as session:
        assert await call_rows.never_dialled(session, now) == []
        assert await call_rows.never_dialled(session, now + timedelta(seconds=1)) == [call_id]
        assert await call_rows.silent(session, now + timedelta(hours=1)) == []
    await life.begin(call_id)
    async with life.db.reading() as session:
        assert await call_rows.never_dialled(session, now + timedelta(hours=1)) == []
        found_calls = await call_rows.unconfirmed(session, now + timedelta(seconds=1))
        assert [call.id for call in found_calls] == [call_id]
    await life.confirm(call_id)
    async with life.db.reading() as session:
        assert await call_rows.unconfirmed(session, now + timedelta(hours=1)) == []
        found_calls = await call_rows.silent(session, now + timedelta(seconds=1))
        assert [call.id for call in found_calls] == [call_id]
    await life.carrier(call_id, "busy")
    async with life.db.reading() as session:
        assert await call_rows.silent(session, now + timedelta(hours=1)) == []
        assert await call_rows.unanalysed(session, now + timedelta(seconds=1)) == [call_id]
    await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
    async with life.db.reading() as session:
        assert await call_rows.unanalysed(session, now + timedelta(hours=1)) == []
