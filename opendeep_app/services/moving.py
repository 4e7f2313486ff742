"""The creator's say in when the next call is: now, at another time, at other hours, not this time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput
from opendeep_app.models import Actor, Task, TaskEventType, TaskStatus
from opendeep_app.models.task_events import CHOOSING, CLOSED, HoursChanged, TimeRule, explanation
from opendeep_app.repositories import task_events
from opendeep_app.rules import RetryCase
from opendeep_app.services import tasks
from opendeep_app.services.rules import check_some_hour, for_task, hours_wish, rules_of, stored
from opendeep_app.services.scheduling import dispatch, when
from opendeep_app.services.tasks import FARTHEST_WISH
from opendeep_app.services.timing import Place, Schedule, Wish, choose, describe, local
from opendeep_app.services.transitions import record

#: A person's "now" is over when it arrives.
SLACK = timedelta(minutes=5)
#: For so long after the chosen moment a call may be dialled that was allowed outside hours.
WAIVER = timedelta(hours=1)


class OutsideHours(InvalidInput):
    """Nobody may be called at the chosen time unless the creator confirms it."""

    def __init__(self, words: str) -> None:
        super().__init__("at", f"This is outside calling hours ({words}). Confirm to call anyway.")


async def call_now(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
    """Brings the next call forward to this moment, calling hours permitting."""
    task = await tasks.own(uow, user_id, task_id)
    if task.status is TaskStatus.ON_HOLD:
        return await tasks.resume(uow, user_id, task_id, at_once=True)
    _need_next_call(task)
    schedule = await when(uow, task, TimeRule.CALL_NOW, uow.now, "You asked to call now")
    return await _moved(uow, task, TaskEventType.CALL_MOVED, schedule)


async def move_call(
    uow: UnitOfWork, user_id: str, task_id: str, at: datetime, *, outside_hours: bool = False
) -> Task:
    """Puts the next call at another time (aware).

    Outside calling hours it needs to be said that this is meant: raises `OutsideHours` if not.
    """
    task = await tasks.own(uow, user_id, task_id)
    _need_next_call(task)
    if at.tzinfo is None or not uow.now - SLACK <= at <= uow.now + FARTHEST_WISH:
        raise InvalidInput("at", "Choose a time from now on, within a year.")
    at = max(at, uow.now)
    place, _ = await for_task(uow, task)
    wishes = [Wish(TimeRule.MOVED, at, f"You chose {local(at, place.zone)}")]
    waived_until = None
    if not place.open_at(at):
        if not outside_hours:
            raise OutsideHours(str(place.hours))
        waived_until = at + WAIVER
        place = replace(place, waived_until=waived_until)
        wishes.append(Wish(TimeRule.OUTSIDE_HOURS, at, "You allowed it outside calling hours"))
    schedule = choose(uow.now, wishes, place)
    return await _moved(
        uow, task, TaskEventType.CALL_MOVED, schedule, hours_waived_until=waived_until
    )


async def skip_call(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
    """Goes without the next call: the one after it comes as if nobody had answered.

    The attempt is not used up.
    """
    task = await tasks.own(uow, user_id, task_id)
    planned = _need_next_call(task)
    place, policy = await for_task(uow, task)
    delay = timedelta(
        seconds=policy[RetryCase.NO_ANSWER].seconds(task.current_attempt_count + 1, 0.5)
    )
    at = max(planned, uow.now) + delay
    words = f"You skipped {local(planned, place.zone)}: {describe(delay)} later"
    # Leave to ring outside hours was for the call that is skipped.
    place = replace(place, waived_until=None)
    schedule = choose(uow.now, [Wish(TimeRule.SKIPPED, at, words)], place)
    return await _moved(uow, task, TaskEventType.CALL_SKIPPED, schedule, hours_waived_until=None)


async def change_hours(
    uow: UnitOfWork, user_id: str, task_id: str, hours: dict[str, Any] | None
) -> Task:
    """Lets the recipient be called at other hours (`rules.HoursWish` as JSON), None: the usual.

    The next call is when it would have been had these hours held from the start. Raises
    `InvalidInput` for hours that make no sense and `Conflict` when no call is to come.
    """
    task = await tasks.own(uow, user_id, task_id)
    if not task.status.callable and task.status is not TaskStatus.ON_HOLD:
        raise Conflict(f"This task is {_words(task)}; there is no next call to choose hours for.")
    wish = hours_wish(hours)
    rules = await rules_of(uow.session, uow.policy, user_id, task.campaign_id)
    check_some_hour(rules.hours(task.phone_number), wish)
    place = Place(task.time_zone, rules.hours(task.phone_number, wish), task.hours_waived_until)
    changed: dict[str, Any] = {"hours": str(place.hours)}
    due: dict[str, Any] = {}
    if task.next_action_at is not None:
        schedule = choose(uow.now, await _wishes(uow, task), place)
        changed |= schedule.payload.model_dump(exclude={"attempt_returned"})
        due = {"next_action_at": schedule.at, "next_action_reason": schedule.reason}
        dispatch(uow, schedule.at)
    await record(
        uow,
        task,
        TaskEventType.HOURS_CHANGED,
        HoursChanged.model_validate(changed),
        actor=Actor.CREATOR,
        hours=stored(wish),
        **due,
    )
    return task


async def _wishes(uow: UnitOfWork, task: Task) -> list[Wish]:
    """What the next call's time came from before any calling hours, and that they change."""
    newest = await task_events.history(uow.session, task.id, 1, types=CHOOSING)
    steps = [step for event in newest.events for step in explanation(event.payload).steps]
    wishes = [
        Wish(step.rule, step.after, step.words)
        for step in steps
        if step.rule not in (*CLOSED, TimeRule.HOURS_CHANGED)
    ]
    at = wishes[-1].at if wishes else task.next_action_at or uow.now
    return [*wishes, Wish(TimeRule.HOURS_CHANGED, at, "You changed the calling hours")]


def _need_next_call(task: Task) -> datetime:
    if not task.status.callable or task.next_action_at is None:
        raise Conflict(f"This task is {_words(task)}; there is no next call to bring forward.")
    return task.next_action_at


def _words(task: Task) -> str:
    return task.status.value.lower().replace("_", " ")


async def _moved(
    uow: UnitOfWork, task: Task, event: TaskEventType, schedule: Schedule, **changes: Any
) -> Task:
    await record(
        uow,
        task,
        event,
        schedule.payload,
        actor=Actor.CREATOR,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
        **changes,
    )
    dispatch(uow, schedule.at)
    return task
