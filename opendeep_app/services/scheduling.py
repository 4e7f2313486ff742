"""Putting a task's next call on the calendar."""

from datetime import datetime

from opendeep_app.db import UnitOfWork
from opendeep_app.models import Task, TaskEventType
from opendeep_app.models.task_events import Scheduled
from opendeep_app.services.retry import Schedule, within_hours
from opendeep_app.services.transitions import move


async def call_back(uow: UnitOfWork, task: Task, call_id: str | None) -> None:
    """Schedules the new call that carries a late answer: now, or when calling hours open."""
    rules = ["You answered the agent's question, so it calls back"]
    schedule = within_hours(uow.now, rules, task.time_zone, uow.policy.hours)
    await move(
        uow,
        task,
        TaskEventType.INFO_CALLBACK_SCHEDULED,
        scheduled(schedule),
        call_id=call_id,
        next_action_at=schedule.at,
        next_action_reason=schedule.reason,
    )
    dispatch(uow, schedule.at)


def dispatch(uow: UnitOfWork, at: datetime) -> None:
    """Asks a worker to look for due tasks; the regular dispatch would find them a little later."""
    if at <= uow.now:
        uow.enqueue("dispatch_due")


def scheduled(schedule: Schedule) -> Scheduled:
    """The schedule as an event's payload."""
    return Scheduled(next_action_at=schedule.at, rules=schedule.rules, reason=schedule.reason)
