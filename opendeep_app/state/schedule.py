"""Why the next call comes when it does, and the creator's say in it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.models import Task, TaskEvent
from opendeep_app.models.task_events import CHOOSING, CLOSED, explanation
from opendeep_app.repositories import task_events
from opendeep_app.runtime import deps
from opendeep_app.services import moving
from opendeep_app.services.moving import OutsideHours
from opendeep_app.services.timing import sentence
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of
from opendeep_app.words import _


@dataclass
class StepRow:
    """A rule that was applied: what it says, and where it left the call."""

    words: str = ""
    after: str = ""
    closed: bool = False


@dataclass
class ScheduleRow:
    """The explanation of a task's next call; without steps there is none to explain."""

    zone: str = ""
    place: str = ""
    hours: str = ""
    #: The planned time as the recipient's clock shows it, for a date and time field.
    local: str = ""
    steps: list[StepRow] = field(default_factory=list)


def schedule_row(task: Task, event: TaskEvent | None) -> ScheduleRow:
    """What led to the next call of a task; `event` is the newest that chose a time."""
    if event is None or task.next_action_at is None:
        return ScheduleRow()
    chosen = explanation(event.payload)
    return ScheduleRow(
        zone=task.time_zone,
        place=place(task.time_zone),
        hours=chosen.inputs.hours if chosen.inputs else "",
        local=f"{task.next_action_at.astimezone(ZoneInfo(task.time_zone)):%Y-%m-%dT%H:%M}",
        steps=[
            StepRow(sentence(step.words), text_of(step.after), step.rule in CLOSED)
            for step in chosen.steps
        ],
    )


async def read_schedule(session: AsyncSession, task: Task) -> ScheduleRow:
    """Why the next call of a task comes when it does."""
    if task.next_action_at is None:
        return ScheduleRow()
    newest = await task_events.history(session, task.id, 1, types=CHOOSING)
    return schedule_row(task, newest.events[0] if newest.events else None)


def place(zone: str) -> str:
    """A time zone as people say it."""
    return zone.rpartition("/")[2].replace("_", " ")


class ScheduleState(rx.State):
    """What the creator does with the next call of the task of the address."""

    error: str = ""
    #: The chosen time is outside calling hours, and is only taken when that is confirmed.
    outside: bool = False

    @rx.event
    async def move(self, form: dict[str, Any]) -> Any:
        """Puts the next call at a time by the recipient's clock."""
        try:
            at = datetime.fromisoformat(str(form.get("at", "")))
            zone = ZoneInfo(str(form.get("zone", "")))
        except (ValueError, OSError, KeyError):
            self.error = _("Choose a date and a time.")
            return None
        confirmed = bool(form.get("outside_hours"))

        async def action(uow: UnitOfWork, user_id: str, task_id: str) -> Task:
            return await moving.move_call(
                uow, user_id, task_id, at.replace(tzinfo=zone), outside_hours=confirmed
            )

        return await self._act(action, _("The next call is moved."))

    @rx.event
    async def skip(self) -> Any:
        """Goes without the next call."""
        return await self._act(moving.skip_call, _("Skipped. See when the next call comes."))

    async def _act(self, action: Any, done: str) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        task_id = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        self.error, self.outside = "", False
        try:
            async with deps().db.unit_of_work() as uow:
                await action(uow, user.id, task_id)
        except OpenDeepError as error:
            self.error, self.outside = error.message, isinstance(error, OutsideHours)
            return None
        return rx.toast.success(done)
