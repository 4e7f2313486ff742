"""Budgets: no number of calls at once spends more than there is, and what waits goes on."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from opendeep_app.errors import InvalidInput
from opendeep_app.models import Call, Campaign, DailySpending, Task, TaskStatus, User
from opendeep_app.policy import Prices
from opendeep_app.services import budgets
from opendeep_app.services.costs import worst_case_micros
from tests.fixtures.lives import Life

#: What a call of the default length may cost at most.
CALL = worst_case_micros(900, Prices())


def number(index: int) -> str:
    return f"+1202555{index:04}"


async def many(life: Life, count: int, **values: object) -> None:
    for index in range(count):
        await life.create(number(index))
    if values:
        async with life.db.unit_of_work() as uow:
            await uow.session.execute(update(Task).values(**values))


async def burst(life: Life) -> list[str]:
    """Many workers claim at the same moment."""
    claims = await asyncio.gather(*(life.claim() for _ in range(8)))
    return [call_id for claim in claims for call_id in claim]


async def set_daily(life: Life, amount: int | None) -> None:
    async with life.db.unit_of_work() as uow:
        await budgets.set_daily(uow, life.user_id, amount)


async def spending(life: Life) -> DailySpending:
    async with life.db.reading() as session:
        user = await session.get_one(User, life.user_id)
        return await budgets.today(session, user, life.clock.now)


async def assert_balanced(life: Life) -> None:
    """What is set aside is what live calls may cost, and what is spent what ended ones have."""
    async with life.db.reading() as session:
        calls = list(await session.scalars(select(Call)))
        tasks = list(await session.scalars(select(Task)))
        days = list(await session.scalars(select(DailySpending)))
    live = sum(call.reserved_micros for call in calls if call.status.live)
    spent = sum(call.cost_micros for call in calls if not call.status.live)
    assert sum(call.reserved_micros for call in calls) == live
    for accounts in (tasks, days):
        assert sum(one.reserved_micros for one in accounts) == live
        assert sum(one.spent_micros for one in accounts) == spent
    await life.check()


async def test_a_day_has_room_for_so_many_calls_and_no_more(life: Life) -> None:
    await set_daily(life, 3 * CALL + CALL // 2)
    await many(life, 10)
    claimed = await burst(life)
    assert len(claimed) == 3
    assert (await spending(life)).reserved_micros == 3 * CALL
    await assert_balanced(life)


async def test_a_campaign_has_room_for_so_many_calls_and_no_more(life: Life) -> None:
    async with life.db.unit_of_work() as uow:
        campaign = Campaign(
            user_id=life.user_id, name="x", goal="y", created_at=uow.now, budget_micros=2 * CALL
        )
        uow.session.add(campaign)
        await uow.session.flush()
        campaign_id = campaign.id
    await many(life, 6, campaign_id=campaign_id)
    assert len(await burst(life)) == 2
    async with life.db.reading() as session:
        assert (await session.get_one(Campaign, campaign_id)).reserved_micros == 2 * CALL
    async with life.db.unit_of_work() as uow:
        await budgets.set_campaign(uow, life.user_id, campaign_id, 5 * CALL)
    assert len(await burst(life)) == 3
    await assert_balanced(life)


async def test_a_task_waits_with_the_reason_and_goes_on_when_its_budget_is_raised(
    life: Life,
) -> None:
    task_id = await life.create()
    async with life.db.unit_of_work() as uow:
        await budgets.set_task(uow, life.user_id, task_id, CALL - 1)
    assert await life.claim() == []
    task = await life.task(task_id)
    assert (task.status, task.waits_for_budget) == (TaskStatus.PENDING, True)
    assert task.next_action_reason.startswith("The budget of this task ($")
    assert (await life.events(task_id))[-1] == "dialling_delayed"
    async with life.db.unit_of_work() as uow:
        await budgets.set_task(uow, life.user_id, task_id, CALL)
    assert len(await life.claim()) == 1
    assert not (await life.task(task_id)).waits_for_budget
    await assert_balanced(life)


async def test_a_call_that_costs_less_makes_room_for_another(life: Life) -> None:
    await set_daily(life, CALL + CALL // 2)
    await many(life, 2)
    call_id = await life.dial()
    life.clock.advance(seconds=1)
    assert await life.claim() == []
    await life.carrier(call_id, "busy")
    await assert_balanced(life)
    # At the latest after a moment, without anybody's doing.
    life.clock.advance(seconds=31)
    assert len(await life.claim()) == 1
    await assert_balanced(life)


async def test_a_call_taken_back_costs_nothing(life: Life) -> None:
    task_id = await life.create()
    await life.claim()
    await life.wish("hold", task_id)
    assert (await spending(life)).reserved_micros == 0
    await assert_balanced(life)


async def test_the_day_turns_where_its_user_lives(life: Life) -> None:
    """It is noon in New York and tomorrow in Auckland."""
    async with life.db.unit_of_work() as uow:
        (await uow.session.get_one(User, life.user_id)).time_zone = "Pacific/Auckland"
    await set_daily(life, CALL)
    await many(life, 2)
    call_id = await life.talk()
    life.clock.advance(minutes=5)
    await life.close(call_id)
    await life.analyse(call_id)
    assert await life.claim() == []
    async with life.db.reading() as session:
        waiting = (
            await session.scalars(select(Task).where(col(Task.waits_for_budget).is_(True)))
        ).one()
    assert waiting.next_action_at is not None
    turn = waiting.next_action_at
    assert turn - life.clock.now < timedelta(hours=24)
    life.clock.now = turn
    assert len(await life.claim()) >= 1
    await assert_balanced(life)


async def test_who_rings_back_costs_money_too(life: Life) -> None:
    await life.create()
    await set_daily(life, CALL - 1)
    assert await life.ring_back() is None
    await set_daily(life, CALL)
    assert await life.ring_back() is not None
    assert (await spending(life)).reserved_micros == CALL
    await assert_balanced(life)


async def test_settlements_and_claims_at_the_same_moment_lose_nothing(life: Life) -> None:
    await set_daily(life, 6 * CALL)
    await many(life, 30)
    for _ in range(4):
        claimed = await burst(life)
        for call_id in claimed:
            await life.begin(call_id)
            await life.confirm(call_id)
        await asyncio.gather(
            *(life.carrier(call_id, "busy") for call_id in claimed), life.claim(), life.claim()
        )
        day = await spending(life)
        assert day.reserved_micros + day.spent_micros <= 6 * CALL
        await assert_balanced(life)
        life.clock.advance(seconds=31)


@pytest.mark.parametrize("text", ["a lot", "-1", "0", "nan", "inf", "1e99"])
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        budgets.parse(text, "daily_budget")
    assert refused.value.field == "daily_budget"


@pytest.mark.parametrize(
    ("text", "micros"), [("", None), (" $1,234.50 ", 1_234_500_000), ("0.000001", 1)]
)
def test_an_amount_is_read_as_people_write_it(text: str, micros: int | None) -> None:
    assert budgets.parse(text, "daily_budget") == micros
