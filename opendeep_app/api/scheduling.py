"""When calls are made: the dry run of a new task, moving and skipping the next call, its hours."""

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Input, Instant, PathId, Text
from opendeep_app.api.tasks import NewTask, Task
from opendeep_app.models.task_events import Step
from opendeep_app.rules import HoursWish
from opendeep_app.services import moving, previews, rules
from opendeep_app.services import tasks as service

router = APIRouter(prefix="/tasks", tags=["Tasks"])


class PreviewedTask(NewTask):
    """A task that is not made yet; the goal may still be missing."""

    goal: Text = Field("", max_length=4000, description="What the call should achieve.")


class PlannedCall(BaseModel):
    """A call that would be made, and every rule that led to its time, in order."""

    at: datetime
    reason: str
    steps: list[Step]


class Preview(BaseModel):
    """When the calls would be if nobody ever answered; later waits vary a little."""

    phone_number: str
    country: str
    time_zone: str
    calling_hours: str
    summary: str
    calls: list[PlannedCall]

    @classmethod
    def of(cls, preview: previews.Preview, now: datetime) -> Self:
        """As the API gives it."""
        return cls(
            phone_number=preview.number.international,
            country=preview.number.country,
            time_zone=preview.place.zone,
            calling_hours=str(preview.place.hours),
            summary=previews.summary(preview, now),
            calls=[
                PlannedCall(at=call.at, reason=call.reason, steps=list(call.steps))
                for call in preview.calls
            ],
        )


class Hours(Input):
    """When the recipient may be called."""

    hours: HoursWish | None = Field(
        None, description="What this task wants otherwise than usual; null for the usual hours."
    )


class Move(Input):
    """When the next call shall be."""

    at: Instant
    outside_hours: bool = Field(
        False, description="You mean it although the recipient may not be called at that time."
    )


@router.post("/preview")
async def preview_task(caller: Caller, deps: Deps, body: PreviewedTask) -> Preview:
    """See when a task's calls would be, and why, without creating it."""
    new = service.NewTask(
        **body.common,
        phone_number=body.phone_number,
        contact_name=body.contact_name,
        campaign_id=body.campaign_id,
    )
    async with deps.db.reading() as session:
        own = await rules.rules_of(session, deps.db.policy, caller.id, body.campaign_id)
    now = deps.clock()
    return Preview.of(previews.preview(now, new, own), now)


@router.post("/{task_id}/move")
async def move_task(caller: Caller, deps: Deps, task_id: PathId, body: Move) -> Task:
    """Put the next call at another time."""
    async with deps.db.unit_of_work() as uow:
        task = await moving.move_call(
            uow, caller.id, task_id, body.at, outside_hours=body.outside_hours
        )
        return Task.model_validate(task)


@router.post("/{task_id}/hours")
async def change_hours(caller: Caller, deps: Deps, task_id: PathId, body: Hours) -> Task:
    """Let the recipient be called at other hours from now on."""
    wish = body.hours.model_dump(mode="json", exclude_none=True) if body.hours else None
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await moving.change_hours(uow, caller.id, task_id, wish))


@router.post("/{task_id}/skip")
async def skip_task(caller: Caller, deps: Deps, task_id: PathId) -> Task:
    """Go without the next call; the one after it comes as if nobody had answered."""
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await moving.skip_call(uow, caller.id, task_id))
