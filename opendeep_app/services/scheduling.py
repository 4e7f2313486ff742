"""Putting a task's next call on the calendar."""

from datetime import datetime

from opendeep_app.db import UnitOfWork
from opendeep_app.models import Task, TaskEventType
from opendeep_app.models.task_events import TimeRule
from opendeep_app.services import rules
from opendeep_app.services.timing import Schedule, Wish, choose
from opendeep_app.services.transitions import move


async def when(uow: UnitOfWork, task: Task, rule: TimeRule, at: datetime, words: str) -> Schedule:
    """The time of the task's next call if a rule wants it at `at`, and why, in its hours."""
    place, _ = await rules.for_task(uow, task)
    return choose(uow.now, [Wish(rule, at, words)], place)


async def call_back(uow: UnitOfWork, task: Task, call_id: str | None) -> None:
    """Schedules the new call that carries a late answer: now, or when calling hours open."""
    words = "You answered the agent's question, so it calls back"
    schedule = await when(uow, task, TimeRule.ANSWERED, uow.now, words)
    await move(
        uow,
        task,
        TaskEventType.INFO_CALLBACK_SCHEDULED,
        schedule.payload,
        call_id=call_id,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
    )
    dispatch(uow, schedule.at)


def dispatch(uow: UnitOfWork, at: datetime) -> None:
    """Asks a worker to look for due tasks; the regular dispatch would find them a little later."""
    if at <= uow.now:
        uow.enqueue("dispatch_due")
