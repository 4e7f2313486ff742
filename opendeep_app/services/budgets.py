"""Budgets: the most that a call can cost is set aside before it is dialled, and settled after.

Per task, per campaign, and per user and day (in the user's own zone). What is set aside counts
as spent, so that any number of calls at once stay within a budget. A task whose next call does
not fit waits, with the reason; it goes on when the budget is raised, a call gives back what it
did not need, or the day turns. Amounts are micros, millionths of a US dollar.

The rows of a user are locked day first, then campaign; everybody who comes later waits there.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.bus import WrapUp
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput, NotFound
from opendeep_app.models import Actor, Call, Campaign, DailySpending, Task, TaskEventType, User
from opendeep_app.models.task_events import TimeRule
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import costs
from opendeep_app.services.scheduling import dispatch, when
from opendeep_app.services.transitions import record

#: A call that waits for another's settlement looks again after so long.
SOON = timedelta(seconds=30)
#: A budget that only its owner can change is looked at again after so long, or at once when they do.
LATER = timedelta(days=30)
MOST_DOLLARS = 1_000_000


@dataclass(frozen=True)
class Shortage:
    """Why a call must wait, and until when at the latest."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Accounts:
    """What a call is paid from: rows that are locked until the transaction ends."""

    task: Task
    user: User
    day: DailySpending
    campaign: Campaign | None


def dollars(micros: int) -> str:
    """An amount as people read it."""
    return f"${micros / 1e6:,.2f}"


def worst_case(uow: UnitOfWork, task: Task) -> int:
    """The most that the task's next call can cost."""
    return costs.worst_case_micros(task.max_call_seconds, uow.policy.prices)


async def accounts(uow: UnitOfWork, task: Task) -> Accounts:
    """What the task's next call is paid from, locked until the transaction ends."""
    user, day = await _day(uow, task.user_id)
    return Accounts(task, user, day, await _campaign(uow, task))


def shortage(uow: UnitOfWork, payers: Accounts) -> Shortage | None:
    """What the task's next call must wait for; None when every budget has room for it."""
    task, user, day, campaign = payers.task, payers.user, payers.day, payers.campaign
    amount = worst_case(uow, task)
    midnight = _turn_of_day(uow.now, user)
    limits: list[tuple[str, int | None, Task | Campaign | DailySpending, timedelta]] = [
        ("this task", task.budget_micros, task, LATER),
        ("your day", user.daily_budget_micros, day, midnight - uow.now),
    ]
    if campaign is not None:
        limits.append(("its campaign", campaign.budget_micros, campaign, LATER))
    for whose, budget, account, until in limits:
        spent, reserved = account.spent_micros, account.reserved_micros
        if budget is None or spent + reserved + amount <= budget:
            continue
        if spent + amount <= budget:
            reason = f"The budget of {whose} is set aside for calls that are going on"
            return Shortage(uow.now + SOON, reason)
        reason = (
            f"The budget of {whose} ({dollars(budget)}) has {dollars(max(0, budget - spent))} left, "
            f"and a call may cost up to {dollars(amount)}. Raise it to go on"
        )
        return Shortage(uow.now + until, reason)
    return None


async def reserve(uow: UnitOfWork, payers: Accounts, call: Call) -> dict[str, Any]:
    """Sets aside what the call can cost; returns the task's columns that change with it."""
    amount = worst_case(uow, payers.task)
    call.reserved_micros, call.reserved_on = amount, payers.day.day
    payers.day.reserved_micros += amount
    if payers.campaign is not None:
        payers.campaign.reserved_micros += amount
    await uow.session.flush()
    return {"reserved_micros": payers.task.reserved_micros + amount}


async def settle(uow: UnitOfWork, task: Task, call: Call) -> dict[str, Any]:
    """Puts what the call has cost in place of what was set aside; returns the task's changes."""
    amount, cost = call.reserved_micros, call.cost_micros
    if not call.reserved_on:
        return {}
    _, day = await _day(uow, task.user_id, call.reserved_on)
    campaign = await _campaign(uow, task)
    for account in (day, campaign):
        if account is not None:
            account.reserved_micros -= amount
            account.spent_micros += cost
    call.reserved_micros = 0
    await uow.session.flush()
    return {
        "reserved_micros": task.reserved_micros - amount,
        "spent_micros": task.spent_micros + cost,
    }


async def watch(uow: UnitOfWork, call_id: str) -> None:
    """Has a live call wrapped up when what it costs so far is more than a budget has left.

    What was set aside for it covers the worst case; but a budget can be lowered meanwhile, and
    prices can be wrong.
    """
    paid = await call_rows.spending(uow.session, call_id)
    limits: list[tuple[str, int | None, int | None]] = [
        ("this task", paid.task_budget, paid.task_spent),
        ("your day", paid.day_budget, paid.day_spent),
        ("its campaign", paid.campaign_budget, paid.campaign_spent),
    ]
    for whose, budget, spent in limits:
        if budget is not None and (spent or 0) + paid.cost > budget:
            reason = f"The budget of {whose} ({dollars(budget)}) ran out."
            uow.command(WrapUp(call_id=call_id, reason=reason))
            return


async def postpone(uow: UnitOfWork, task: Task, why: Shortage) -> None:
    """Lets the task wait and says why."""
    schedule = await when(uow, task, TimeRule.DELAYED, why.until, why.reason)
    await record(
        uow,
        task,
        TaskEventType.DIALLING_DELAYED,
        schedule.payload,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
        waits_for_budget=True,
    )


async def set_daily(uow: UnitOfWork, user_id: str, amount: int | None) -> None:
    """Changes what a user's calls may cost in a day; what waits for a budget is tried at once."""
    (await uow.session.get_one(User, user_id)).daily_budget_micros = amount
    await _go_on(uow, user_id)


async def set_campaign(uow: UnitOfWork, user_id: str, campaign_id: str, amount: int | None) -> None:
    """Changes what a campaign may cost; raises `NotFound`."""
    campaign = await uow.session.get(Campaign, campaign_id)
    if campaign is None or campaign.user_id != user_id:
        raise NotFound("There is no such campaign.")
    campaign.budget_micros = amount
    await _go_on(uow, user_id)


async def set_task(uow: UnitOfWork, user_id: str, task_id: str, amount: int | None) -> None:
    """Changes what a task may cost; raises `NotFound`."""
    if await task_rows.get(uow.session, user_id, task_id) is None:
        raise NotFound("There is no such task.")
    (await task_rows.lock(uow.session, task_id)).budget_micros = amount
    await _go_on(uow, user_id)


def parse(text: str, field: str) -> int | None:
    """An amount in dollars as typed; None for none. Raises `InvalidInput`."""
    text = text.strip().removeprefix("$").replace(",", "").strip()
    if not text:
        return None
    try:
        amount = float(text)
    except ValueError:
        raise InvalidInput(field, "Type an amount in US dollars, for example 5.00.") from None
    if not 0 < amount <= MOST_DOLLARS:
        raise InvalidInput(field, "Type an amount above 0, or leave the field empty.")
    return round(amount * 1e6)


async def today(session: AsyncSession, user: User, now: datetime) -> DailySpending:
    """What the user's day has cost so far."""
    day = now.astimezone(ZoneInfo(user.time_zone)).date().isoformat()
    found = await session.get(DailySpending, (user.id, day))
    return found or DailySpending(user_id=user.id, day=day)


async def _go_on(uow: UnitOfWork, user_id: str) -> None:
    """A budget has changed: calls that wait are tried, live ones are looked at."""
    await uow.session.flush()
    for call_id in await call_rows.live_of_user(uow.session, user_id):
        await watch(uow, call_id)
    waiting = await uow.session.scalars(
        select(Task)
        .where(
            col(Task.user_id) == user_id,
            task_rows.CALLABLE_NOW,
            col(Task.waits_for_budget).is_(True),
        )
        .with_for_update()
    )
    for task in waiting:
        schedule = await when(uow, task, TimeRule.MOVED, uow.now, "You changed a budget")
        await record(
            uow,
            task,
            TaskEventType.CALL_MOVED,
            schedule.payload,
            actor=Actor.CREATOR,
            next_action_at=schedule.at,
            next_action_reason=schedule.reason,
            waits_for_budget=False,
        )
    dispatch(uow, uow.now)


async def _day(uow: UnitOfWork, user_id: str, day: str = "") -> tuple[User, DailySpending]:
    """The user and their day, locked; today unless said otherwise."""
    user = await uow.session.get_one(User, user_id)
    day = day or uow.now.astimezone(ZoneInfo(user.time_zone)).date().isoformat()
    while (found := await _locked(uow, (user_id, day))) is None:
        await uow.add_unless_exists(DailySpending(user_id=user_id, day=day))
    return user, found


async def _locked(uow: UnitOfWork, key: tuple[str, str]) -> DailySpending | None:
    return await uow.session.get(DailySpending, key, with_for_update=True, populate_existing=True)


async def _campaign(uow: UnitOfWork, task: Task) -> Campaign | None:
    if task.campaign_id is None:
        return None
    return await uow.session.get_one(
        Campaign, task.campaign_id, with_for_update=True, populate_existing=True
    )


def _turn_of_day(now: datetime, user: User) -> datetime:
    zone = ZoneInfo(user.time_zone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone)
