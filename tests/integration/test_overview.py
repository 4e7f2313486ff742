"""The overview's figures: equal to what plain Python counts after a random day and week."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from opendeep_app.errors import OpenDeepError
from opendeep_app.models import (
    Call,
    CallOutcome,
    InfoRequest,
    InfoRequestStatus,
    Speaker,
    Task,
    TaskStatus,
)
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.repositories import overview as rows
from opendeep_app.services import overview
from tests.fixtures.lives import Life, add_user, found

#: New York, Kolkata (half an hour off) and Kathmandu (three quarters).
NUMBERS = ["+12025550143", "+918123456789", "+9779841234567", "+12025550144", "+12025550145"]
ZONE = "Australia/Adelaide"


async def some_life(life: Life, dice: random.Random) -> None:
    """Days of calls that are answered, missed, asked about and given up, at any hour."""
    for _ in range(25):
        life.clock.now += timedelta(minutes=dice.randrange(20, 600), seconds=dice.randrange(60))
        await life.create(dice.choice(NUMBERS), max_attempts=dice.randrange(1, 4))
        for call_id in await life.claim():
            await life.begin(call_id)
            await life.confirm(call_id)
            life.clock.now += timedelta(seconds=dice.randrange(30))
            if dice.random() < 0.4:
                await life.carrier(call_id, dice.choice(["busy", "no-answer"]))
            else:
                await life.pick_up(call_id)
                await life.say(call_id, Speaker.RECIPIENT, "Hello?")
                if dice.random() < 0.6:
                    await ask(life, dice, call_id)
                if dice.random() < 0.95:
                    await life.close(call_id)
            kinds = [Verdict.GOAL_MET, Verdict.VOICEMAIL, Verdict.DECLINED, Verdict.INCONCLUSIVE]
            await life.analyse(call_id, found(dice.choice(kinds)))


async def ask(life: Life, dice: random.Random, call_id: str) -> None:
    try:
        question = await life.ask(call_id)
        life.clock.now += timedelta(seconds=dice.choice([3, 10, 29.6, 31, 59.9, 60, 75]))
        if dice.random() < 0.7:
            await life.answer(question)
        else:
            await life.expire(question)
            if dice.random() < 0.5:
                await life.answer(question)
    except OpenDeepError:
        pass


async def price_calls(life: Life, dice: random.Random) -> None:
    async with life.db.unit_of_work() as uow:
        for call in await uow.session.scalars(select(Call)):
            call.cost_micros = dice.randrange(200_000)


async def test_figures_equal_what_plain_python_counts(life: Life) -> None:
    dice = random.Random(7)
    await some_life(life, dice)
    await price_calls(life, dice)
    stranger = Life(life.db, life.clock, await add_user(life.db, "bob@example.com"))
    await stranger.create("+12025550146")
    for days in overview.RANGES:
        await compare(life, days)


async def compare(life: Life, days: int) -> None:
    now, zone = life.clock(), ZoneInfo(ZONE)
    async with life.db.reading() as session:
        shown = await overview.figures(session, life.user_id, now, ZONE, days)
        tasks = {
            task.id: task
            for task in await session.scalars(select(Task))
            if task.user_id == life.user_id
        }
        calls = [call for call in await session.scalars(select(Call)) if call.task_id in tasks]
        questions = list(await session.scalars(select(InfoRequest)))

    def first_day(count: int) -> datetime:
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=count - 1)

    since, today = first_day(days), first_day(1)
    dialled = [call for call in calls if call.dialled_at and call.dialled_at >= since]
    assert dialled
    by_hour: Counter[tuple[int, int]] = Counter()
    answered_by_hour: Counter[tuple[int, int]] = Counter()
    by_day: Counter[object] = Counter()
    cost_by_day: Counter[object] = Counter()
    for call in dialled:
        assert call.dialled_at is not None
        there = call.dialled_at.astimezone(ZoneInfo(tasks[call.task_id].time_zone))
        by_hour[there.weekday(), there.hour] += 1
        reached = call.answered_at and call.outcome is not CallOutcome.FAILED_VOICEMAIL
        answered_by_hour[there.weekday(), there.hour] += bool(reached)
        by_day[call.dialled_at.astimezone(zone).date()] += 1
        cost_by_day[call.dialled_at.astimezone(zone).date()] += call.cost_micros
    assert {(h.weekday, h.hour): h.calls for h in shown.hours} == dict(by_hour)
    assert {(h.weekday, h.hour): h.answered for h in shown.hours} == dict(answered_by_hour)
    assert {day.date: day.calls for day in shown.days if day.calls} == dict(by_day)
    assert Counter({d.date: d.cost_micros for d in shown.days}) == cost_by_day
    assert len(shown.days) == days
    assert shown.calls == len(dialled)

    created = [task for task in tasks.values() if task.created_at >= since]
    done = [task for task in created if task.status is TaskStatus.COMPLETED]
    assert shown.completed == len(done)
    assert shown.attempts_of_completed == sum(task.current_attempt_count for task in done)
    assert shown.failed == sum(task.status is TaskStatus.FAILED for task in created)
    ended = [call for call in calls if call.ended_at and call.ended_at >= today and call.outcome]
    assert shown.today == Counter(call.outcome for call in ended)

    waits = dict.fromkeys(overview.WAITS, 0)
    for question in questions:
        if question.asked_at < since:
            continue
        if question.status is InfoRequestStatus.ANSWERED and question.answered_at:
            seconds = int(question.answered_at.timestamp()) - int(question.asked_at.timestamp())
            waits[overview.WAITS[sum(seconds >= bound for bound in overview.WAIT_BOUNDS)]] += 1
        elif question.status is InfoRequestStatus.ANSWERED_LATE:
            waits["too late"] += 1
        elif question.status is not InfoRequestStatus.CANCELLED:
            waits["no answer yet"] += 1
    assert shown.waits == waits


async def test_live_calls_are_the_users_own(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    stranger = await add_user(life.db, "bob@example.com")
    async with life.db.reading() as session:
        [(task, call)] = await rows.live(session, life.user_id)
        assert await rows.live(session, stranger) == []
    assert (task.id, call.id) == (call.task_id, call_id)
    await life.close(call_id)
    async with life.db.reading() as session:
        assert await rows.live(session, life.user_id) == []


def test_a_range_begins_at_midnight_even_where_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 3, 30, 10, tzinfo=UTC)
    assert overview.begins(monday, berlin, 1) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert overview.begins(monday, berlin, 7) == datetime(2026, 3, 23, 23, tzinfo=UTC)
