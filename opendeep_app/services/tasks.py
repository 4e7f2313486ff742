"""What a creator can do with a task: create it, hold, resume, cancel it, call now."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import (
    Actor,
    CallStatus,
    Campaign,
    Task,
    TaskEventType,
    User,
    VoicemailPolicy,
)
from opendeep_app.models.task_events import Reason, TimeRule
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import do_not_call, ending, phone_numbers
from opendeep_app.services.phone_numbers import PhoneNumber
from opendeep_app.services.rules import (
    Rules,
    check_some_hour,
    for_task,
    hours_wish,
    retry_wish,
    rules_of,
    stored,
)
from opendeep_app.services.scheduling import dispatch
from opendeep_app.services.timing import Place, Schedule, Wish, choose
from opendeep_app.services.transitions import move, start

FARTHEST_WISH = timedelta(days=366)
SHORTEST_CALL, LONGEST_CALL = 60, 3600
MOST_FINDINGS = 20
HIGHEST_BUDGET = 10_000 * 1_000_000
LIMITS = {"contact_name": 120, "goal": 4000, "context": 8000, "language": 16}

#: What a creator said of a task; two requests that differ in one of these want two tasks.
WISHES = (
    "phone_number", "contact_name", "goal", "context", "language", "time_zone", "priority",
    "max_attempts", "not_before", "info_timeout_seconds", "campaign_id", "voicemail_policy",
    "max_call_seconds", "record_call", "findings_wanted", "hours", "retry_policy",
    "budget_micros",
)  # fmt: skip

_time_zones = functools.cache(available_timezones)


@dataclass(frozen=True)
class FindingWanted:
    """Something the agent is to find out; `field` names it in a few words."""

    field: str
    description: str = ""


@dataclass(frozen=True)
class NewTask:
    """What a creator gives; everything but number and goal has a default."""

    phone_number: str
    goal: str
    contact_name: str = ""
    context: str = ""
    max_attempts: int = 3
    priority: int = 0
    not_before: datetime | None = None
    time_zone: str | None = None
    language: str = "en"
    info_timeout_seconds: float | None = None
    voicemail_policy: VoicemailPolicy = VoicemailPolicy.HANG_UP
    max_call_seconds: int = 900
    record_call: bool = False
    findings_wanted: tuple[FindingWanted, ...] = ()
    #: Millionths of a US dollar that all its calls may cost.
    budget_micros: int | None = None
    campaign_id: str | None = None
    default_region: str | None = None
    idempotency_key: str | None = None
    #: What this task wants otherwise (`rules.HoursWish`, `rules.RetryWish`, as JSON).
    hours: dict[str, Any] | None = None
    retry_policy: dict[str, Any] | None = None


async def create(uow: UnitOfWork, user_id: str, new: NewTask) -> Task:
    """A new task, its first call scheduled; the same idempotency key gives the same task again.

    Raises `InvalidInput` naming the field, `NotFound` for a foreign campaign and `Conflict`
    when the key was used for something else.
    """
    rules = await rules_of(uow.session, uow.policy, user_id, new.campaign_id)
    planned = plan(uow, user_id, new, rules)
    task, _ = planned
    if new.idempotency_key:
        # The same request may come twice at once: one waits here for the other's commit.
        await uow.session.get_one(User, user_id, with_for_update={"key_share": True})
        earlier = await task_rows.by_idempotency_key(uow.session, user_id, new.idempotency_key)
        if earlier is not None:
            if any(getattr(earlier, name) != getattr(task, name) for name in WISHES):
                raise Conflict("This Idempotency-Key was used for another task. Use a new one.")
            return earlier
    if await do_not_call.is_listed(uow.session, user_id, task.phone_number):
        raise InvalidInput("phone_number", do_not_call.LISTED)
    if new.campaign_id:
        campaign = await uow.session.get(Campaign, new.campaign_id)
        if campaign is None or campaign.user_id != user_id:
            raise NotFound("There is no such campaign.")
    await create_planned(uow, [planned])
    return task


def plan(uow: UnitOfWork, user_id: str, new: NewTask, rules: Rules) -> tuple[Task, Schedule]:
    """What the task would be, and why its first call is when it is; raises `InvalidInput`."""
    check(new, uow.now)
    number, place = whereabouts(new, rules)
    schedule = first_call(uow.now, new, place)
    task = Task(
        user_id=user_id,
        campaign_id=new.campaign_id,
        phone_number=number.e164,
        contact_name=new.contact_name.strip(),
        goal=new.goal.strip(),
        context=new.context.strip(),
        language=new.language,
        time_zone=place.zone,
        hours=stored(hours_wish(new.hours)),
        retry_policy=stored(retry_wish(new.retry_policy)),
        priority=new.priority,
        max_attempts=new.max_attempts,
        not_before=new.not_before,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
        info_timeout_seconds=new.info_timeout_seconds,
        voicemail_policy=new.voicemail_policy,
        max_call_seconds=new.max_call_seconds,
        record_call=new.record_call,
        budget_micros=new.budget_micros,
        findings_wanted=[
            {"field": wanted.field.strip(), "description": wanted.description.strip()}
            for wanted in new.findings_wanted
        ],
        idempotency_key=new.idempotency_key,
        created_at=uow.now,
        updated_at=uow.now,
    )
    return task, schedule


def whereabouts(new: NewTask, rules: Rules) -> tuple[PhoneNumber, Place]:
    """Whose number it is, and when they may be called; raises `InvalidInput`, also with the
    question which of several time zones they are in."""
    shared_cost = rules.policy.shared_cost_numbers
    number = phone_numbers.parse(new.phone_number, new.default_region, shared_cost=shared_cost)
    own = hours_wish(new.hours)
    check_some_hour(rules.hours(number.e164), own)
    if new.time_zone is None and len(number.time_zones) > 1:
        zones = ", ".join(number.time_zones)
        raise InvalidInput(
            "time_zone",
            f"The number does not tell where they are. Choose their time zone: {zones}.",
        )
    return number, Place(new.time_zone or number.time_zone, rules.hours(number.e164, own))


def first_call(now: datetime, new: NewTask, place: Place) -> Schedule:
    """When a new task's first call is, and why."""
    wish = Wish(TimeRule.AT_ONCE, now, "As soon as possible")
    if new.not_before and new.not_before > now:
        wish = Wish(TimeRule.NOT_BEFORE, new.not_before, "Not before the time you chose")
    return choose(now, [wish], place)


async def create_planned(uow: UnitOfWork, planned: Sequence[tuple[Task, Schedule]]) -> None:
    """Creates planned tasks; whether their numbers may be called has been checked."""
    await start(uow, [(task, schedule.payload) for task, schedule in planned])
    dispatch(uow, min(schedule.at for _, schedule in planned))


async def hold(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
    """Stops further calls until resumed; a call that is in the network is finished normally."""
    task = await own(uow, user_id, task_id)
    await move(
        uow,
        task,
        TaskEventType.TASK_HELD,
        Reason(reason="On your wish."),
        actor=Actor.CREATOR,
    )
    call = await call_rows.live_for_task(uow.session, task_id)
    if call is not None and call.status is CallStatus.INTENT:
        await ending.withdraw(uow, call, "You put the task on hold.", uow.now)
    return task


async def resume(
    uow: UnitOfWork,
    user_id: str,
    task_id: str,
    due_at: datetime | None = None,
    *,
    at_once: bool = False,
) -> Task:
    """Puts a held task back: its next call is due now, or when calling hours open.

    `due_at` is when it was due before, if that is to be so again; a time before which its
    creator wanted no call holds, unless they want it `at_once`. Raises `Conflict` while its
    last call is not finished: that may have reached the goal, and nobody shall be rung again for
    what they said a minute ago.
    """
    task = await own(uow, user_id, task_id)
    if await call_rows.unfinished(uow.session, task_id):
        raise Conflict("Its last call is still being finished. Resume the task after that.")
    wish = Wish(TimeRule.RESUMED, uow.now, "You resumed the task")
    schedule = await _again(uow, task, wish, due_at, None if at_once else task.not_before)
    await move(
        uow,
        task,
        TaskEventType.TASK_RESUMED,
        schedule.payload,
        actor=Actor.CREATOR,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
    )
    dispatch(uow, schedule.at)
    return task


async def cancel(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
    """Ends the task for good; a call that is going on is hung up."""
    task = await own(uow, user_id, task_id)
    reason = "You cancelled the task."
    await move(
        uow,
        task,
        TaskEventType.TASK_CANCELLED,
        Reason(reason=reason),
        actor=Actor.CREATOR,
        result_reason=reason,
    )
    await ending.stop_live_call(uow, task, reason)
    return task


async def reopen(
    uow: UnitOfWork, user_id: str, task_id: str, due_at: datetime | None = None
) -> Task:
    """Takes a cancellation back; the next call is due as after `resume`.

    Raises `Conflict` for a task that was not cancelled, whose number may not be called any
    more, or whose last call is not finished.
    """
    task = await own(uow, user_id, task_id)
    if await call_rows.unfinished(uow.session, task_id):
        raise Conflict("Its last call is still being finished. Reopen the task after that.")
    if await do_not_call.is_listed(uow.session, user_id, task.phone_number):
        raise Conflict(do_not_call.LISTED)
    wish = Wish(TimeRule.REOPENED, uow.now, "You reopened the task")
    schedule = await _again(uow, task, wish, due_at, task.not_before)
    await move(
        uow,
        task,
        TaskEventType.TASK_REOPENED,
        schedule.payload,
        actor=Actor.CREATOR,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
        result_reason="",
    )
    dispatch(uow, schedule.at)
    return task


async def _again(
    uow: UnitOfWork, task: Task, wish: Wish, due_at: datetime | None, not_before: datetime | None
) -> Schedule:
    if due_at is not None and due_at > uow.now:
        wish = Wish(wish.rule, due_at, f"{wish.words}, at the time it was due before")
    wishes = [wish]
    if not_before is not None and not_before > wish.at:
        wishes.append(Wish(TimeRule.NOT_BEFORE, not_before, "Not before the time you chose"))
    place, _ = await for_task(uow, task)
    return choose(uow.now, wishes, place)


async def own(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
    """A user's task, locked; raises `NotFound` for what is not theirs."""
    if await task_rows.get(uow.session, user_id, task_id) is None:
        raise NotFound("There is no such task.")
    return await task_rows.lock(uow.session, task_id)


def check(new: NewTask, now: datetime) -> None:
    """Raises `InvalidInput` for what no task can be made of."""
    if not new.goal.strip():
        raise InvalidInput("goal", "Say what the call should achieve.")
    for name, most in LIMITS.items():
        if len(getattr(new, name)) > most:
            raise InvalidInput(name, f"Keep this under {most:,} characters.")
    if not 1 <= new.max_attempts <= 20:
        raise InvalidInput("max_attempts", "Choose 1 to 20 attempts.")
    if not -100 <= new.priority <= 100:
        raise InvalidInput("priority", "Choose a priority from -100 to 100.")
    if new.time_zone and new.time_zone not in _time_zones():
        raise InvalidInput("time_zone", "Use an IANA time zone, for example Europe/Berlin.")
    if new.not_before and new.not_before.tzinfo is None:
        raise InvalidInput("not_before", "Give the time with its zone, for example …T09:00:00Z.")
    if new.not_before and abs(new.not_before - now) > FARTHEST_WISH:
        raise InvalidInput("not_before", "Choose a time within the next year.")
    if new.info_timeout_seconds is not None and not 5 <= new.info_timeout_seconds <= 600:
        raise InvalidInput("info_timeout_seconds", "Choose 5 to 600 seconds.")
    if not SHORTEST_CALL <= new.max_call_seconds <= LONGEST_CALL:
        raise InvalidInput("max_call_seconds", f"Choose {SHORTEST_CALL} to {LONGEST_CALL} seconds.")
    if new.budget_micros is not None and not 1 <= new.budget_micros <= HIGHEST_BUDGET:
        raise InvalidInput("budget_micros", "Choose a budget of up to 10,000 US dollars.")
    _check_findings(new.findings_wanted)
    if new.idempotency_key is not None and not 1 <= len(new.idempotency_key) <= 255:
        raise InvalidInput("idempotency_key", "Use 1 to 255 characters.")


def _check_findings(wanted: Sequence[FindingWanted]) -> None:
    fields = [one.field.strip() for one in wanted]
    if len(fields) > MOST_FINDINGS:
        raise InvalidInput("findings_wanted", f"Ask for at most {MOST_FINDINGS} things.")
    if not all(1 <= len(name) <= 80 for name in fields):
        raise InvalidInput("findings_wanted", "Name each thing in 1 to 80 characters.")
    if any(len(one.description) > 300 for one in wanted):
        raise InvalidInput("findings_wanted", "Describe each thing in up to 300 characters.")
    if len({name.casefold() for name in fields}) < len(fields):
        raise InvalidInput("findings_wanted", "Give each thing a name of its own.")
