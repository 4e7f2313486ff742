"""Creating tasks: what is refused, what is remembered, and that a repeated request is one task."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import Campaign, TaskStatus
from opendeep_app.services import do_not_call, tasks
from tests.fixtures.lives import NUMBER, Life, add_user


async def test_a_new_task_is_due_at_once_and_says_why(life: Life) -> None:
    task_id = await life.create(" +1 (202) 555-0143 ", " Book a table. ", contact_name=" Luigi ")
    task = await life.task(task_id)
    assert (task.phone_number, task.goal, task.contact_name) == (NUMBER, "Book a table.", "Luigi")
    assert (task.status, task.next_action_at) == (TaskStatus.PENDING, life.clock())
    assert task.next_action_reason == "As soon as possible"
    assert task.time_zone == "America/New_York"
    assert await life.events(task_id) == ["task_created"]
    await life.check()


async def test_a_new_task_asks_for_a_dispatch_after_the_commit(life: Life) -> None:
    async with life.db.unit_of_work() as uow:
        await tasks.create(uow, life.user_id, tasks.NewTask(NUMBER, "Book a table."))
        assert [job.name for job in uow.jobs] == ["dispatch_due"]
        assert [notice.user_id for notice in uow.notices] == [life.user_id]


async def test_at_night_the_first_call_waits_for_the_morning(life: Life) -> None:
    life.clock.now = datetime(2026, 6, 16, 4, tzinfo=UTC)
    task = await life.task(await life.create())
    assert task.next_action_at == datetime(2026, 6, 16, 12, tzinfo=UTC)
    other = await life.task(await life.create("+12025550144", time_zone="Asia/Tokyo"))
    assert other.next_action_at == life.clock()


async def test_not_before_is_obeyed_in_any_zone(life: Life) -> None:
    wish = (life.clock() + timedelta(hours=2)).astimezone(timezone(timedelta(hours=-7)))
    task = await life.task(await life.create(not_before=wish))
    assert (task.next_action_at, task.next_action_reason) == (wish, "Not before the time you chose")
    past = life.clock() - timedelta(days=30)
    other = await life.task(await life.create("+12025550144", not_before=past))
    assert other.next_action_at == life.clock()


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("phone_number", {"number": "911"}),
    ("phone_number", {"number": "+1911"}),
    ("goal", {"goal": "   "}),
    ("goal", {"goal": "x" * 4001}),
    ("context", {"context": "x" * 8001}),
    ("contact_name", {"contact_name": "x" * 121}),
    ("language", {"language": "x" * 17}),
    ("max_attempts", {"max_attempts": 0}),
    ("max_attempts", {"max_attempts": 21}),
    ("priority", {"priority": 101}),
    ("time_zone", {"time_zone": "Mars/Olympus"}),
    ("time_zone", {"time_zone": "../../etc/passwd"}),
    ("not_before", {"not_before": datetime(2026, 6, 17)}),
    ("not_before", {"not_before": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)}),
    ("not_before", {"not_before": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}),
    ("info_timeout_seconds", {"info_timeout_seconds": 4.9}),
    ("info_timeout_seconds", {"info_timeout_seconds": float("nan")}),
    ("idempotency_key", {"idempotency_key": "x" * 256}),
]


async def test_what_makes_no_sense_is_refused_by_name(life: Life) -> None:
    for field, values in REFUSED:
        with pytest.raises(InvalidInput) as refused:
            await life.create(**values)
        assert refused.value.field == field
    assert await life.claim() == []


async def test_texts_that_no_database_takes_are_cleaned(life: Life) -> None:
    task = await life.task(await life.create(goal="Book\x00 a \ud800table."))
    assert task.goal == "Book a table."


async def test_a_number_on_the_list_is_refused_for_its_user_only(life: Life) -> None:
    async with life.db.unit_of_work() as uow:
        await do_not_call.add(uow, life.user_id, NUMBER, "They asked.")
    with pytest.raises(InvalidInput, match="do-not-call list"):
        await life.create()
    other = Life(life.db, life.clock, await add_user(life.db, "grace@example.com"))
    assert await other.create()


async def test_listing_a_number_many_times_at_once_is_one_entry(life: Life) -> None:
    async def add() -> str:
        async with life.db.unit_of_work() as uow:
            return (await do_not_call.add(uow, life.user_id, NUMBER, "They asked.")).id

    task_id = await life.create()
    assert len(set(await asyncio.gather(*(add() for _ in range(6))))) == 1
    assert (await life.task(task_id)).status is TaskStatus.CANCELLED
    async with life.db.reading() as session:
        assert len(await do_not_call.entries(session, life.user_id)) == 1
    await life.check()


async def test_a_repeated_request_gives_the_same_task(life: Life) -> None:
    first = await life.create(idempotency_key="k1")
    assert await life.create(idempotency_key="k1") == first
    assert await life.create(idempotency_key="k2") != first
    with pytest.raises(Conflict, match="used for another task"):
        await life.create(goal="Something else.", idempotency_key="k1")
    other = Life(life.db, life.clock, await add_user(life.db, "grace@example.com"))
    assert await other.create(idempotency_key="k1") != first


async def test_requests_repeated_at_the_same_moment_are_one_task(life: Life) -> None:
    created = await asyncio.gather(*(life.create(idempotency_key="k1") for _ in range(6)))
    assert len(set(created)) == 1
    assert await life.events(created[0]) == ["task_created"]
    await life.check()


async def test_a_foreign_task_and_campaign_look_as_if_they_were_not_there(life: Life) -> None:
    task_id = await life.create()
    stranger = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    async with life.db.unit_of_work() as uow:
        campaign = Campaign(user_id=life.user_id, name="June", goal="…", created_at=uow.now)
        uow.session.add(campaign)
    for wish in ("hold", "resume", "cancel", "call_now"):
        with pytest.raises(NotFound):
            await stranger.wish(wish, task_id)
    with pytest.raises(NotFound):
        await stranger.create(campaign_id=campaign.id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING


async def test_wishes_at_the_same_moment_happen_one_after_the_other(life: Life) -> None:
    """Whoever comes second sees what the first has done, and says so or goes on from there."""
    for _ in range(4):
        task_id = await life.create()
        results = await asyncio.gather(
            *(life.wish(wish, task_id) for wish in ("hold", "cancel", "call_now", "hold")),
            life.claim(),
            return_exceptions=True,
        )
        unexpected = [
            result
            for result in results
            if isinstance(result, BaseException) and not isinstance(result, Conflict)
        ]
        assert unexpected == []
        assert (await life.task(task_id)).status is TaskStatus.CANCELLED
        await life.check()


async def test_hold_and_cancel_can_be_undone_to_the_time_it_was_due(life: Life) -> None:
    due = life.clock() + timedelta(hours=2)
    task_id = await life.create(not_before=due)
    for stop, again in ((tasks.hold, tasks.resume), (tasks.cancel, tasks.reopen)):
        async with life.db.unit_of_work() as uow:
            await stop(uow, life.user_id, task_id)
        async with life.db.unit_of_work() as uow:
            task = await again(uow, life.user_id, task_id, due)
        assert (task.status, task.next_action_at) == (TaskStatus.PENDING, due)
        assert task.result_reason == ""
        await life.check()
    with pytest.raises(Conflict, match="pending"):
        async with life.db.unit_of_work() as uow:
            await tasks.reopen(uow, life.user_id, task_id)


async def test_a_number_that_may_not_be_called_is_not_reopened(life: Life) -> None:
    task_id = await life.create()
    async with life.db.unit_of_work() as uow:
        await do_not_call.add(uow, life.user_id, NUMBER, "They asked for it.")
    assert (await life.task(task_id)).status is TaskStatus.CANCELLED
    with pytest.raises(Conflict):
        async with life.db.unit_of_work() as uow:
            await tasks.reopen(uow, life.user_id, task_id)
