"""Tasks: create, read, list, and the creator's actions."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.calls import Call
from opendeep_app.api.conditions import Conditional
from opendeep_app.api.fields import (
    Id,
    IdempotencyKey,
    Input,
    Instant,
    Output,
    PathId,
    Text,
    Words,
)
from opendeep_app.api.info_requests import InfoRequest
from opendeep_app.errors import NotFound
from opendeep_app.models import CallOutcome, TaskStatus, VoicemailPolicy
from opendeep_app.models.task_events import TaskEventRead
from opendeep_app.repositories import tasks as rows
from opendeep_app.repositories import versions
from opendeep_app.repositories.tasks import MAX_LIMIT, Sort, TaskQuery
from opendeep_app.rules import HoursWish, RetryWish
from opendeep_app.services import moving
from opendeep_app.services import tasks as service

router = APIRouter(prefix="/tasks", tags=["Tasks"])


class CallWishes(Input):
    """How to call, the same for a task and a campaign."""

    goal: Words = Field(max_length=4000, description="What the call should achieve.")
    context: Text = Field("", max_length=8000, description="What else the agent should know.")
    max_attempts: int = Field(3, ge=1, le=20)
    priority: int = Field(0, ge=-100, le=100, description="Higher is called earlier.")
    not_before: Instant | None = Field(None, description="The first call is not made earlier.")
    time_zone: Text | None = Field(
        None, max_length=64, description="The recipient's IANA zone, if the number misleads."
    )
    language: str = Field("en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$")
    info_timeout_seconds: float | None = Field(
        None, ge=5, le=600, description="How long the recipient waits for your answer."
    )
    voicemail_policy: Annotated[VoicemailPolicy, Field(strict=False)] = Field(
        VoicemailPolicy.HANG_UP, description="What the agent does when a voicemail picks up."
    )
    max_call_seconds: int = Field(
        900, ge=service.SHORTEST_CALL, le=service.LONGEST_CALL, description="A call ends then."
    )
    record_call: bool = Field(False, description="Keep the sound; the agent says so.")
    budget_micros: int | None = Field(
        None,
        ge=1,
        le=service.HIGHEST_BUDGET,
        description="Millionths of a US dollar that all calls of a task may cost.",
    )


class Finding(Input):
    """Something the agent is to find out."""

    field: Words = Field(max_length=80, description="A name for it, in a few words.")
    description: Text = Field("", max_length=300)


class AllWishes(CallWishes):
    """What does not fit into a query."""

    findings_wanted: list[Finding] = Field(
        [], max_length=service.MOST_FINDINGS, description="What to find out besides."
    )
    hours: HoursWish | None = Field(
        None, description="When they may be called, where it differs from your settings."
    )
    retry_policy: RetryWish | None = Field(
        None, description="How often and when to try again, where it differs from your settings."
    )

    @property
    def common(self) -> dict[str, Any]:
        """For the service, but for what only a task or only a campaign has."""
        given = wishes_of(self)
        given["findings_wanted"] = tuple(
            service.FindingWanted(each.field, each.description) for each in self.findings_wanted
        )
        for name in ("hours", "retry_policy"):
            rule: BaseModel | None = getattr(self, name)
            given[name] = rule.model_dump(mode="json", exclude_unset=True) if rule else None
        return given


def wishes_of(body: CallWishes) -> dict[str, Any]:
    """What every kind of request may wish, for the service."""
    return {name: getattr(body, name) for name in CallWishes.model_fields}


class NewTask(AllWishes):
    """One goal for one recipient."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "phone_number": "+1 202 555 0110",
                    "goal": "Book a table for two on Friday at seven",
                    "contact_name": "Chez Ada",
                    "voicemail_policy": "LAST_ATTEMPT",
                    "findings_wanted": [{"field": "Price of the menu"}],
                }
            ]
        }
    )

    phone_number: Words = Field(
        max_length=40, description="With + and country code, in any notation."
    )
    contact_name: Text = Field("", max_length=120)
    campaign_id: Id | None = None


class Task(Output):
    """What somebody wants from one phone number, and where it stands."""

    id: str
    campaign_id: str | None
    phone_number: str
    contact_name: str
    goal: str
    context: str
    language: str
    time_zone: str
    status: TaskStatus
    priority: int
    max_attempts: int
    current_attempt_count: int
    next_action_at: datetime | None
    next_action_reason: str
    not_before: datetime | None
    info_timeout_seconds: float | None
    voicemail_policy: VoicemailPolicy
    max_call_seconds: int
    record_call: bool
    findings_wanted: list[dict[str, str]]
    hours: dict[str, Any] | None
    retry_policy: dict[str, Any] | None
    budget_micros: int | None = Field(description="Millionths of a US dollar.")
    spent_micros: int = Field(description="What its calls have cost so far.")
    last_outcome: CallOutcome | None = Field(description="What came of the newest ended call.")
    result_summary: str
    result_reason: str
    created_at: datetime
    updated_at: datetime


class TaskDetail(Task):
    """A task with everything that belongs to it, each list oldest first."""

    events: list[TaskEventRead] = Field(default_factory=list)
    calls: list[Call] = Field(default_factory=list)
    info_requests: list[InfoRequest] = Field(default_factory=list)

    @classmethod
    def of(cls, detail: rows.TaskDetail) -> Self:
        """With everything."""
        return cls.model_validate(detail.task).model_copy(
            update={
                "events": [TaskEventRead.model_validate(row) for row in detail.events],
                "calls": [Call.of(call) for call in detail.calls],
                "info_requests": [InfoRequest.model_validate(row) for row in detail.info_requests],
            }
        )


class TaskPage(BaseModel):
    """One page; `total` counts all that match, `next_cursor` is null on the last page."""

    items: list[TaskDetail]
    next_cursor: str | None
    total: int


def _words(value: Any) -> Any:
    if isinstance(value, list):
        return [word.strip().upper() for text in value for word in str(text).split(",")]
    return value


class TaskFilter(BaseModel):
    """Which tasks to list, and how."""

    model_config = ConfigDict(extra="forbid")

    q: Text = Field("", max_length=200, description="In name, number, goal, context or result.")
    status: Annotated[list[TaskStatus], BeforeValidator(_words)] = Field(
        [], description="Any of these; repeated, or separated by commas."
    )
    outcome: Annotated[list[CallOutcome], BeforeValidator(_words)] = Field(
        [], description="What came of the newest ended call: any of these."
    )
    needs_me: bool = Field(False, description="Only those with a question that waits for you.")
    campaign_id: Id | None = None
    created_after: Instant | None = Field(None, description="Created at this time or later.")
    created_before: Instant | None = Field(None, description="Created before this time.")
    sort: Sort = Field(Sort.NEWEST, description="A minus means descending.")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: Text | None = Field(
        None, max_length=300, description="`next_cursor` of the page before, same filters and sort."
    )


@router.post("", status_code=201)
async def create_task(
    caller: Caller,
    deps: Deps,
    response: Response,
    body: NewTask,
    idempotency_key: IdempotencyKey = None,
) -> Task:
    """Delegate a call; it is made as soon as calling hours at the recipient's place allow."""
    new = service.NewTask(
        **body.common,
        phone_number=body.phone_number,
        contact_name=body.contact_name,
        campaign_id=body.campaign_id,
        idempotency_key=idempotency_key,
    )
    async with deps.db.unit_of_work() as uow:
        task = await service.create(uow, caller.id, new)
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return Task.model_validate(task)


@router.get("/details")
async def list_task_details(
    caller: Caller, deps: Deps, query: Annotated[TaskFilter, Query()], condition: Conditional
) -> TaskPage:
    """Tasks with their events, calls (with transcripts) and questions, a page at a time."""
    wanted = TaskQuery(
        statuses=tuple(query.status),
        outcomes=tuple(query.outcome),
        text=query.q,
        **query.model_dump(exclude={"status", "outcome", "q"}),
    )
    total = await deps.cache.total(caller.id, wanted)
    async with deps.db.reading() as session:
        tasks, cursor = await rows.page(session, caller.id, wanted)
        if condition.given:
            condition.check(total, cursor, await versions.of_tasks(session, tasks))
        details = await rows.with_relations(session, tasks)
    condition.check(total, cursor, versions.of_details(details))
    items = [TaskDetail.of(detail) for detail in details]
    return TaskPage(items=items, next_cursor=cursor, total=total)


@router.get("/{task_id}")
async def get_task(
    caller: Caller, deps: Deps, task_id: PathId, condition: Conditional
) -> TaskDetail:
    """One task with its events, calls (with transcripts) and questions."""
    async with deps.db.reading() as session:
        task = await rows.get(session, caller.id, task_id)
        if task is None:
            raise NotFound("There is no such task.")
        if condition.given:
            condition.check(await versions.of_tasks(session, [task]))
        (detail,) = await rows.with_relations(session, [task])
    condition.check(versions.of_details([detail]))
    return TaskDetail.of(detail)


@router.post("/{task_id}/cancel")
async def cancel_task(caller: Caller, deps: Deps, task_id: PathId) -> Task:
    """End the task for good; a call that is going on is hung up."""
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await service.cancel(uow, caller.id, task_id))


@router.post("/{task_id}/hold")
async def hold_task(caller: Caller, deps: Deps, task_id: PathId) -> Task:
    """Make no further calls until resumed; a call that is going on is finished normally."""
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await service.hold(uow, caller.id, task_id))


@router.post("/{task_id}/resume")
async def resume_task(caller: Caller, deps: Deps, task_id: PathId) -> Task:
    """Take the task off hold; its next call is due now, or when calling hours open."""
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await service.resume(uow, caller.id, task_id))


@router.post("/{task_id}/call-now")
async def call_task_now(caller: Caller, deps: Deps, task_id: PathId) -> Task:
    """Bring the next call forward to this moment, calling hours permitting."""
    async with deps.db.unit_of_work() as uow:
        return Task.model_validate(await moving.call_now(uow, caller.id, task_id))
