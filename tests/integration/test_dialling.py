"""Dialling exactly once: many workers at the same moment, caps under a burst, one line a number."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from opendeep_app.bus import Bus
from opendeep_app.db import Database
from opendeep_app.errors import CarrierError
from opendeep_app.models import Call, CallOutcome, CallStatus, DoNotCall, Task, TaskStatus
from opendeep_app.policy import Policy
from opendeep_app.services import calls, dialling
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import NUMBER, Life, add_user, sid_of

WORKERS = 8


def number(index: int) -> str:
    """The index-th of many different numbers."""
    return f"+1202555{index:04}"


async def many(life: Life, count: int) -> None:
    """As many tasks, each to a number of its own."""
    async with life.db.unit_of_work() as uow:
        for index in range(count):
            uow.session.add(due_task(life, number(index), uow.now))


def due_task(life: Life, phone_number: str, now: datetime, **values: Any) -> Task:
    """A task whose first call is due; without the checks that creating one goes through."""
    given: dict[str, Any] = {
        "user_id": life.user_id,
        "phone_number": phone_number,
        "goal": "Book a table.",
        "time_zone": "America/New_York",
        "next_action_at": now,
        "created_at": now,
        "updated_at": now,
    }
    return Task(**given | values)


async def live_calls(db: Database) -> list[Call]:
    async with db.reading() as session:
        rows = await session.scalars(select(Call).where(col(Call.status) == CallStatus.INTENT))
        return list(rows)


async def test_many_workers_claim_each_task_once(life: Life) -> None:
    await many(life, 60)
    claims = await asyncio.gather(*(life.claim() for _ in range(WORKERS)))
    claimed = [call_id for claim in claims for call_id in claim]
    # The last workers may have found their limit used up; the next dispatch finds the rest.
    claimed += await life.claim()
    assert len(claimed) == len(set(claimed)) == 50  # the creator's limit
    calls = await live_calls(life.db)
    assert Counter(call.task_id for call in calls).most_common(1)[0][1] == 1
    assert sorted(call.id for call in calls) == sorted(claimed)


@pytest.mark.parametrize(
    "limits", [Policy(max_concurrent_calls=7), Policy(max_user_calls=7)], ids=["all", "user"]
)
async def test_the_cap_holds_under_a_burst(
    database_url: str, bus: Bus, clock: FakeClock, limits: Policy
) -> None:
    databases = [Database(database_url, bus, clock, limits) for _ in range(4)]
    lives = [Life(db, clock, "") for db in databases]
    try:
        lives[0].user_id = await add_user(databases[0])
        await many(lives[0], 40)
        claims = await asyncio.gather(*(life.claim() for life in lives for _ in range(3)))
        assert sum(map(len, claims)) == len(await live_calls(databases[0])) == 7
    finally:
        for db in databases:
            await db.close()


async def test_what_a_slow_line_cannot_take_yet_stays_unclaimed(
    database_url: str, bus: Bus, clock: FakeClock
) -> None:
    db = Database(database_url, bus, clock, Policy(calls_per_second=1))
    life = Life(db, clock, await add_user(db))
    try:
        await many(life, 5)
        waiting = await life.claim()
        assert (len(waiting), await life.claim()) == (2, [])
        urgent = await life.create(number(9), priority=5)
        assert await life.begin(waiting[0])
        [next_one] = await life.claim()
        assert (await life.call(next_one)).task_id == urgent
    finally:
        await db.close()


async def test_one_number_is_never_rung_twice_at_once(life: Life) -> None:
    other = Life(life.db, life.clock, await add_user(life.db, "grace@example.com"))
    mine = [await life.create(goal=f"Goal {index}.") for index in range(3)]
    theirs = await other.create()
    for _ in range(4):
        claims = await asyncio.gather(*(life.claim() for _ in range(WORKERS)))
        [call_id] = [call_id for claim in claims for call_id in claim]
        await life.check()
        assert await life.begin(call_id)
        assert await life.claim() == []
        await life.confirm(call_id)
        await life.carrier(call_id, "failed", sip_code=404)
        await life.analyse(call_id)
    statuses = [(await life.task(one)).status for one in [*mine, theirs]]
    assert statuses == [TaskStatus.FAILED] * 4
    await life.check()


async def test_an_intent_is_dialled_by_one_worker(life: Life) -> None:
    await life.create()
    [call_id] = await life.claim()
    began = await asyncio.gather(*(life.begin(call_id) for _ in range(WORKERS)))
    assert began.count(True) == 1
    assert (await life.call(call_id)).status is CallStatus.DIALLING


async def test_higher_priority_first_then_age(life: Life) -> None:
    order = []
    for index, priority in enumerate([0, 5, -5, 5]):
        order.append((-priority, index, await life.create(number(index), priority=priority)))
        life.clock.advance(seconds=1)
    claimed = []
    for _ in order:
        async with life.db.unit_of_work() as uow:
            [call_id] = await dialling.claim_due(uow, limit=1)
        claimed.append((await life.call(call_id)).task_id)
    assert claimed == [task_id for _, _, task_id in sorted(order)]


async def test_a_user_at_their_limit_does_not_starve_another(
    database_url: str, bus: Bus, clock: FakeClock
) -> None:
    db = Database(database_url, bus, clock, Policy(max_user_calls=2))
    try:
        busy = Life(db, clock, await add_user(db))
        await many(busy, 20)
        assert len(await busy.claim()) == 2
        async with db.unit_of_work() as uow:
            for index in range(100, 160):
                uow.session.add(due_task(busy, number(index), uow.now, priority=100))
        clock.advance(seconds=1)
        other = Life(db, clock, await add_user(db, "grace@example.com"))
        task_id = await other.create(number(999))
        [call_id] = await other.claim()
        assert (await other.call(call_id)).task_id == task_id
    finally:
        await db.close()


async def test_a_number_listed_between_claim_and_dialling_is_not_rung(life: Life) -> None:
    """The list is read in the transaction that commits to dialling."""
    task_id = await life.create()
    [call_id] = await life.claim()
    async with life.db.unit_of_work() as uow:
        # Listed without stopping the task, as by a process that died half-way.
        uow.session.add(DoNotCall(user_id=life.user_id, phone_number=NUMBER, created_at=uow.now))
    assert not await life.begin(call_id)
    assert (await life.task(task_id)).status is TaskStatus.CANCELLED
    assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
    await life.check()


async def test_calling_hours_that_end_before_dialling_move_the_call(life: Life) -> None:
    task_id = await life.create()
    life.clock.now = life.clock.now.replace(hour=0, minute=59) + timedelta(days=1)
    [call_id] = await life.claim()
    life.clock.advance(minutes=1)  # 21:00 in New York
    assert not await life.begin(call_id)
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.PENDING, 0)
    assert task.next_action_at == life.clock.now.replace(hour=12)
    await life.check()


async def test_provider_trouble_costs_no_attempt(life: Life) -> None:
    task_id = await life.create(max_attempts=1)
    for _ in range(5):
        [call_id] = await life.claim()
        assert await life.begin(call_id)
        async with life.db.unit_of_work() as uow:
            await dialling.failed(uow, call_id, CarrierError("it has a fault of its own"))
        task = await life.task(task_id)
        assert (task.status, task.current_attempt_count) == (TaskStatus.PENDING, 0)
        assert "The phone provider has trouble" in task.next_action_reason
        assert await life.claim() == []
        life.clock.advance(minutes=5)
        await life.check()
    assert await life.dial()
    assert (await life.task(task_id)).current_attempt_count == 1


async def test_a_refusal_for_good_ends_the_task_and_says_why(life: Life) -> None:
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.begin(call_id)
    refusal = CarrierError("That number is not valid.", code=21211, permanent=True)
    async with life.db.unit_of_work() as uow:
        await dialling.failed(uow, call_id, refusal)
    await life.analyse(call_id)
    call = await life.call(call_id)
    assert (call.outcome, call.carrier_error) == (CallOutcome.FAILED_INVALID_NUMBER, 21211)
    assert call.end_reason == "That number is not valid."
    assert (await life.task(task_id)).status is TaskStatus.FAILED
    await life.check()


async def test_when_it_may_have_rung_nothing_is_decided(life: Life) -> None:
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.begin(call_id)
    async with life.db.unit_of_work() as uow:
        await dialling.failed(uow, call_id, CarrierError("silence", maybe_placed=True))
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    assert not await life.begin(call_id)
    await life.check()
    # The callback carries our id, so the call is adopted.
    await life.carrier(call_id, "ringing")
    call = await life.call(call_id)
    assert (call.status, call.carrier_sid) == (CallStatus.RINGING, sid_of(call_id))
    await life.check()


async def test_the_sid_is_recorded_once(life: Life) -> None:
    """The worker's answer and the callback arrive together."""
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.begin(call_id)
    await asyncio.gather(
        *(life.confirm(call_id) for _ in range(3)),
        *(life.carrier(call_id, "ringing") for _ in range(3)),
    )
    events = await life.events(task_id)
    assert Counter(events)["call_dialled"] == 1
    assert Counter(events)["call_ringing"] == 1
    await life.check()


async def test_a_task_cancelled_while_the_carrier_answers_is_hung_up(life: Life) -> None:
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.begin(call_id)
    await life.wish("cancel", task_id)
    async with life.db.unit_of_work() as uow:
        await dialling.confirm(uow, call_id, "CA1")
        assert [(job.name, job.args) for job in uow.jobs] == [("hang_up_call", (call_id,))]
    assert not await life.pick_up(call_id)
    await life.check()


async def test_a_claim_that_rolls_back_leaves_nothing(life: Life) -> None:
    task_id = await life.create()
    with pytest.raises(RuntimeError):
        async with life.db.unit_of_work() as uow:
            assert len(await dialling.claim_due(uow)) == 1
            raise RuntimeError
    assert await life.calls(task_id) == []
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    await life.check()


async def test_status_callbacks_may_come_in_any_order_and_twice(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    for status in ("in-progress", "ringing", "initiated", "in-progress", "queued", "nonsense"):
        await life.carrier(call_id, status)
    assert (await life.call(call_id)).status is CallStatus.ANSWERED
    for status in ("completed", "completed", "no-answer", "ringing", "busy"):
        await life.carrier(call_id, status)
    call = await life.call(call_id)
    assert (call.status, call.outcome) == (CallStatus.ENDED, CallOutcome.HUNG_UP_EARLY)
    events = Counter(await life.events(task_id))
    assert (events["call_answered"], events["call_ended"], events["call_ringing"]) == (1, 1, 0)
    await life.check()


async def test_callbacks_at_the_same_moment_count_once(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    statuses = ["ringing", "busy", "no-answer", "busy", "completed", "failed"]
    await asyncio.gather(*(life.carrier(call_id, status) for status in statuses))
    assert Counter(await life.events(task_id))["call_ended"] == 1
    await life.check()


async def test_a_callback_with_another_sid_changes_nothing(life: Life) -> None:
    await life.create()
    call_id = await life.dial()
    async with life.db.unit_of_work() as uow:
        update = calls.CarrierStatus("CA" + "0" * 32, "completed")
        await calls.on_carrier_status(uow, call_id, update)
    assert (await life.call(call_id)).status is CallStatus.DIALLING


async def test_a_callback_for_an_attempt_that_was_taken_back_changes_nothing(life: Life) -> None:
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.wish("hold", task_id)
    await life.carrier(call_id, "ringing")
    assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
    await life.check()


async def test_the_end_is_left_to_the_session_that_has_the_last_words(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    await life.carrier(call_id, "completed", duration_seconds=33)
    assert (await life.call(call_id)).status is CallStatus.ANSWERED
    await life.close(call_id)
    call = await life.call(call_id)
    assert (call.status, call.duration_seconds) == (CallStatus.ENDED, 33)
    await life.check()


async def test_two_sessions_cannot_hold_one_call(life: Life) -> None:
    await life.create()
    call_id = await life.dial()
    opened = await asyncio.gather(*(life.pick_up(call_id) for _ in range(4)))
    assert opened.count(True) == 1
    await life.check()
