"""When calls come and why: overrides in their order, moved and skipped calls, free attempts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from opendeep_app.errors import Conflict, InvalidInput
from opendeep_app.models import Campaign, TaskEvent, TaskStatus
from opendeep_app.models import TaskEventType as Event
from opendeep_app.models.task_events import Explained, TimeRule, explanation
from opendeep_app.rules import Weekday
from opendeep_app.services import previews, rules
from opendeep_app.services.moving import OutsideHours
from opendeep_app.services.tasks import NewTask
from tests.fixtures.lives import NUMBER, Life

MORNINGS = {"days": {day: [{"start": "08:00", "end": "13:00"}] for day in ("mon", "tue", "wed")}}


async def explained(life: Life, task_id: str) -> tuple[Event, Explained]:
    """The newest event that chose a time."""
    async with life.db.reading() as session:
        rows = await session.scalars(
            select(TaskEvent)
            .where(col(TaskEvent.task_id) == task_id)
            .order_by(col(TaskEvent.sequence).desc())
        )
        event = next(row for row in rows if "next_action_at" in row.payload)
        return event.type, explanation(event.payload)


async def set_rules(life: Life, hours: Any = None, retry_policy: Any = None) -> None:
    async with life.db.unit_of_work() as uow:
        await rules.save(uow, life.user_id, hours, retry_policy)


async def test_the_time_and_its_explanation_are_kept_together(life: Life) -> None:
    at = life.clock().replace(hour=5) + timedelta(days=1)
    task_id = await life.create(not_before=at)
    task = await life.task(task_id)
    kind, chosen = await explained(life, task_id)
    assert kind is Event.TASK_CREATED
    assert chosen.next_action_at == task.next_action_at
    assert [step.rule for step in chosen.steps] == [TimeRule.NOT_BEFORE, TimeRule.CALLING_HOURS]
    assert chosen.steps[-1].after == task.next_action_at
    assert chosen.inputs is not None
    assert chosen.inputs.time_zone == "America/New_York"
    assert chosen.reason == task.next_action_reason


async def test_the_task_wins_over_the_campaign_and_that_over_the_user(life: Life) -> None:
    await set_rules(life, MORNINGS, {"busy": {"base_seconds": 60, "jitter": 0}})
    async with life.db.unit_of_work() as uow:
        campaign = Campaign(
            user_id=life.user_id,
            name="c",
            goal="g",
            retry_policy={"busy": {"base_seconds": 120}},
            created_at=uow.now,
        )
        uow.session.add(campaign)
    waits: dict[str, timedelta] = {}
    cases: dict[str, dict[str, Any]] = {
        "user": {},
        "campaign": {"campaign_id": campaign.id},
        "task": {
            "campaign_id": campaign.id,
            "retry_policy": {"busy": {"base_seconds": 180}},
        },
    }
    for name, wishes in cases.items():
        task_id = await life.create(**wishes)
        call_id = await life.dial()
        await life.carrier(call_id, "busy")
        await life.analyse(call_id)
        _, chosen = await explained(life, task_id)
        waits[name] = chosen.steps[0].after - chosen.steps[0].before
        assert chosen.inputs is not None
        assert chosen.inputs.hours.startswith("Mon–Wed 08:00–13:00, Thu–Sun")
        await life.wish("cancel", task_id)
    minutes = {name: round(wait / timedelta(minutes=1)) for name, wait in waits.items()}
    assert minutes == {"user": 1, "campaign": 2, "task": 3}


async def test_trouble_in_the_network_uses_up_no_attempt(life: Life) -> None:
    task_id = await life.create(max_attempts=1)
    call_id = await life.dial()
    await life.carrier(call_id, "failed", sip_code=503)
    await life.analyse(call_id)
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.RETRY_SCHEDULED, 0)
    assert "does not count" in task.next_action_reason
    await life.check()


async def test_a_moved_call_comes_when_it_was_moved_to(life: Life) -> None:
    task_id = await life.create()
    at = life.clock() + timedelta(hours=1)
    await life.wish("move_call", task_id, at)
    kind, chosen = await explained(life, task_id)
    assert (kind, chosen.next_action_at) == (Event.CALL_MOVED, at)
    assert await life.claim() == []
    life.clock.advance(3600)
    assert len(await life.claim()) == 1
    await life.check()


async def test_a_call_at_night_needs_to_be_confirmed_and_is_made_then(life: Life) -> None:
    task_id = await life.create()
    night = datetime(2026, 6, 17, 6, tzinfo=UTC)
    while night < life.clock():
        night += timedelta(days=1)
    before = await life.task(task_id)
    with pytest.raises(OutsideHours, match="Confirm"):
        await life.wish("move_call", task_id, night)
    assert (await life.task(task_id)).next_action_at == before.next_action_at
    await life.wish("move_call", task_id, night, outside_hours=True)
    _, chosen = await explained(life, task_id)
    assert [step.rule for step in chosen.steps] == [TimeRule.MOVED, TimeRule.OUTSIDE_HOURS]
    life.clock.advance((night - life.clock()).total_seconds())
    [call_id] = await life.claim()
    assert await life.begin(call_id)
    await life.confirm(call_id)
    await life.carrier(call_id, "no-answer")
    await life.analyse(call_id)
    retry = (await life.task(task_id)).next_action_at
    assert retry is not None
    # The leave was for one call: the next waits until 8:00 in New York.
    assert retry == night.replace(hour=12)
    await life.check()


async def test_a_skipped_call_is_not_made_and_costs_nothing(life: Life) -> None:
    task_id = await life.create()
    planned = (await life.task(task_id)).next_action_at
    assert planned is not None
    await life.wish("skip_call", task_id)
    task = await life.task(task_id)
    assert task.next_action_at == planned + timedelta(minutes=15)
    assert task.current_attempt_count == 0
    assert (await explained(life, task_id))[0] is Event.CALL_SKIPPED
    assert await life.claim() == []
    await life.check()


async def test_a_time_before_which_nobody_may_call_outlasts_a_hold(life: Life) -> None:
    monday = life.clock() + timedelta(days=3)
    task_id = await life.create(not_before=monday)
    await life.wish("hold", task_id)
    await life.wish("resume", task_id)
    assert (await life.task(task_id)).next_action_at == monday
    _, chosen = await explained(life, task_id)
    assert [step.rule for step in chosen.steps] == [TimeRule.RESUMED, TimeRule.NOT_BEFORE]
    await life.wish("hold", task_id)
    await life.wish("call_now", task_id)
    assert (await life.task(task_id)).next_action_at == life.clock()
    await life.check()


async def test_other_hours_move_the_call_as_if_they_had_always_held(life: Life) -> None:
    task_id = await life.create()
    at_once = (await life.task(task_id)).next_action_at
    assert at_once is not None
    await life.wish("change_hours", task_id, MORNINGS)
    later = (await life.task(task_id)).next_action_at
    kind, chosen = await explained(life, task_id)
    assert kind is Event.HOURS_CHANGED
    assert [step.rule for step in chosen.steps][:2] == [TimeRule.AT_ONCE, TimeRule.HOURS_CHANGED]
    assert later == chosen.next_action_at
    await life.wish("change_hours", task_id, {"days": {"sun": []}})
    assert (await life.task(task_id)).next_action_at == at_once
    assert (await life.task(task_id)).hours == {"days": {"sun": []}}
    await life.wish("change_hours", task_id, None)
    assert (await life.task(task_id)).hours is None
    closed: Any = {"days": {day.value: [] for day in Weekday}}
    with pytest.raises(InvalidInput, match="at least one day"):
        await life.wish("change_hours", task_id, closed)

    await life.wish("hold", task_id)
    await life.wish("change_hours", task_id, MORNINGS)
    assert (await life.task(task_id)).next_action_at is None
    await life.wish("cancel", task_id)
    with pytest.raises(Conflict, match="cancelled"):
        await life.wish("change_hours", task_id, None)
    await life.check()


async def test_only_a_planned_call_can_be_moved_or_skipped(life: Life) -> None:
    task_id = await life.create()
    await life.wish("hold", task_id)
    with pytest.raises(Conflict, match="on hold"):
        await life.wish("skip_call", task_id)
    with pytest.raises(Conflict, match="on hold"):
        await life.wish("move_call", task_id, life.clock())
    with pytest.raises(InvalidInput, match="from now on"):
        other = await life.create("+13125550143")
        await life.wish("move_call", other, life.clock() - timedelta(hours=1))


async def test_the_preview_is_the_plan_that_is_made(life: Life) -> None:
    await set_rules(life, MORNINGS)
    new = NewTask(NUMBER, "", max_attempts=4)
    async with life.db.unit_of_work() as uow:
        own = await rules.rules_of(uow.session, uow.policy, life.user_id)
        seen = previews.preview(uow.now, new, own)
    assert len(seen.calls) == 4
    task_id = await life.create()
    assert (await life.task(task_id)).next_action_at == seen.calls[0].at
    _, chosen = await explained(life, task_id)
    assert chosen == explanation(seen.calls[0].payload.model_dump())


async def test_a_number_of_several_zones_asks_which(life: Life) -> None:
    with pytest.raises(InvalidInput, match="Choose their time zone") as error:
        await life.create("+61412345678")
    assert error.value.field == "time_zone"
    assert "Australia/Perth" in error.value.message
    task_id = await life.create("+61412345678", time_zone="Australia/Perth")
    assert (await life.task(task_id)).time_zone == "Australia/Perth"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"hours": {"days": {"mon": [{"start": "05:00", "end": "06:00"}]}}}, "hours"),
        ({"hours": {"holiday_country": "ZZ"}}, "hours"),
        ({"hours": {"holiday_country": "DE", "holiday_region": "XX"}}, "hours"),
        ({"retry_policy": {"busy": {"factor": 0}}}, "retry_policy"),
    ],
)
async def test_rules_that_make_no_sense_are_refused(
    life: Life, wish: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        await life.create(**wish)
    assert error.value.field == field
