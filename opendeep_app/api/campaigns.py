"""Campaigns: one goal for many contacts, given as JSON or as a CSV file."""

from datetime import datetime
from email.message import Message
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from opendeep_app import models
from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Id, IdempotencyKey, Input, Output, PathId, Text
from opendeep_app.api.problems import FieldProblem
from opendeep_app.api.tasks import AllWishes, CallWishes, wishes_of
from opendeep_app.errors import InvalidInput, NotFound
from opendeep_app.models import CallOutcome, TaskStatus
from opendeep_app.repositories import campaigns as rows
from opendeep_app.repositories.tasks import MAX_LIMIT, TaskQuery
from opendeep_app.services import budgets
from opendeep_app.services import campaigns as service
from opendeep_app.services.batches import Action, carry_out
from opendeep_app.services.idempotency_keys import once
from opendeep_app.services.tasks import HIGHEST_BUDGET, NewTask

router = APIRouter(prefix="/campaigns", tags=["Campaigns"])


class Contact(Input):
    """Somebody to call."""

    phone_number: Text = Field(max_length=40)
    name: Text = Field("", max_length=120)
    context: Text = Field("", max_length=8000, description="What is known of this contact.")
    time_zone: Text = Field(
        "", max_length=64, description="IANA zone, if the number does not tell."
    )


class CampaignWishes(CallWishes):
    """What all calls of the campaign have in common."""

    name: Text = Field("", max_length=service.MAX_NAME)
    campaign_budget_micros: int | None = Field(
        None,
        ge=1,
        le=HIGHEST_BUDGET,
        description="Millionths of a US dollar that all calls of the campaign may cost.",
    )
    skip_invalid: bool = Field(
        False, description="Go without the contacts that cannot be used, instead of refusing all."
    )


class NewCampaign(AllWishes, CampaignWishes):
    """One goal for many contacts."""

    contacts: list[Contact] = Field(min_length=1, max_length=service.MAX_CONTACTS)


class CsvQuery(CampaignWishes):
    """The same beside a CSV file, as query parameters."""

    model_config = ConfigDict(strict=False)

    goal: Text = Field("", max_length=4000, description="What each call should achieve; required.")


class Campaign(BaseModel):
    """A campaign that has begun; its tasks are `GET /api/tasks/details?campaign_id=…`."""

    id: str
    name: str
    goal: str
    created_at: datetime
    task_ids: list[str] = Field(description="In the order of the contacts.")
    skipped: list[FieldProblem] = Field(description="Contacts that it goes without, and why.")

    @classmethod
    def of(cls, started: service.Started) -> Self:
        """As it begins."""
        return cls(
            id=started.campaign.id,
            name=started.campaign.name,
            goal=started.campaign.goal,
            created_at=started.campaign.created_at,
            task_ids=[task.id for task in started.tasks],
            skipped=[
                FieldProblem(field=bad.field, message=bad.message, row=bad.row)
                for bad in started.skipped
            ],
        )


class CampaignProgress(Output):
    """A campaign and how far it is; amounts are millionths of a US dollar."""

    id: str
    name: str
    goal: str
    created_at: datetime
    budget_micros: int | None
    spent_micros: int
    reserved_micros: int = Field(description="Set aside for calls that are going on.")
    hours: dict[str, Any] | None
    retry_policy: dict[str, Any] | None
    statuses: dict[TaskStatus, int] = Field(description="How many tasks are in each status.")
    outcomes: dict[CallOutcome, int] = Field(
        description="What came of the newest ended call of each task."
    )

    @classmethod
    def far(cls, campaign: models.Campaign, progress: rows.Progress) -> Self:
        """As it is now."""
        return cls(
            **campaign.model_dump(exclude={"user_id"}),
            statuses=progress.statuses,
            outcomes=progress.outcomes,
        )


class CampaignPage(BaseModel):
    """One page; `next_cursor` is null on the last one."""

    items: list[CampaignProgress]
    next_cursor: str | None


class CampaignChange(Input):
    """What is to change."""

    budget_micros: int | None = Field(
        ge=1, le=HIGHEST_BUDGET, description="Null for no limit; what waits for it goes on."
    )


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NewCampaign"}},
            "text/csv": {
                "schema": {"type": "string"},
                "example": "name,phone_number,context\nAda,+1 202 555 0143,Prefers mornings\n",
            },
        },
    }
}


@router.post("", status_code=201, openapi_extra=_BODY)
async def create_campaign(
    caller: Caller,
    deps: Deps,
    request: Request,
    query: Annotated[CsvQuery, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Campaign:
    """One task for each contact, all with the same goal.

    Either a JSON body that says everything, or a CSV file (`Content-Type: text/csv`; UTF-8;
    columns `phone_number`, `name`, `context`, `time_zone`) with the rest as query parameters. Nothing is
    created when any contact cannot be used (bad number, on your do-not-call list, the same number
    twice): the problem's `errors` name each row. `skip_invalid` goes without those instead.
    """
    message = Message()
    message["Content-Type"] = request.headers.get("content-type", "")
    match message.get_content_type():
        case "text/csv":
            wishes: CampaignWishes = query
            common = wishes_of(query)
            contacts = service.read_csv(await request.body())
        case "application/json":
            if misplaced := query.model_fields_set:
                raise InvalidInput(min(misplaced), "With JSON, everything belongs into the body.")
            wishes = given = _read(await request.body())
            common = given.common
            contacts = [
                service.Contact(row, **contact.model_dump())
                for row, contact in enumerate(given.contacts, start=1)
            ]
        case _:
            raise HTTPException(415, "Send application/json or text/csv.")

    async def start() -> Campaign:
        started = await service.create(
            uow,
            caller.id,
            wishes.name,
            NewTask(phone_number="", **common),
            contacts,
            skip_invalid=wishes.skip_invalid,
            budget_micros=wishes.campaign_budget_micros,
        )
        return Campaign.of(started)

    same = (
        f"campaign {wishes.name} {wishes.skip_invalid} {wishes.campaign_budget_micros} "
        f"{common} {contacts}"
    )
    async with deps.db.unit_of_work() as uow:
        return await once(uow, caller.id, idempotency_key, same, Campaign, start)


@router.get("")
async def list_campaigns(
    caller: Caller,
    deps: Deps,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[Id | None, Query(description="`next_cursor` of the page before.")] = None,
) -> CampaignPage:
    """Your campaigns, newest first, each with how far it is and what it has cost."""
    async with deps.db.reading() as session:
        found = await rows.of_user(session, caller.id, limit + 1, cursor)
        shown = found[:limit]
        progress = await rows.progress(session, [campaign.id for campaign in shown])
    items = [CampaignProgress.far(campaign, progress[campaign.id]) for campaign in shown]
    return CampaignPage(items=items, next_cursor=shown[-1].id if len(found) > limit else None)


@router.get("/{campaign_id}")
async def get_campaign(caller: Caller, deps: Deps, campaign_id: PathId) -> CampaignProgress:
    """One campaign, how far it is and what it has cost."""
    async with deps.db.reading() as session:
        campaign = await rows.get(session, caller.id, campaign_id)
        if campaign is None:
            raise NotFound("There is no such campaign.")
        progress = await rows.progress(session, [campaign_id])
    return CampaignProgress.far(campaign, progress[campaign_id])


@router.patch("/{campaign_id}")
async def change_campaign(
    caller: Caller, deps: Deps, campaign_id: PathId, body: CampaignChange
) -> CampaignProgress:
    """Change what the campaign may cost; tasks that waited for its budget go on at once."""
    async with deps.db.unit_of_work() as uow:
        await budgets.set_campaign(uow, caller.id, campaign_id, body.budget_micros)
        campaign = await uow.session.get_one(models.Campaign, campaign_id)
        progress = await rows.progress(uow.session, [campaign_id])
        return CampaignProgress.far(campaign, progress[campaign_id])


@router.post("/{campaign_id}/{action}")
async def act(
    caller: Caller,
    deps: Deps,
    campaign_id: PathId,
    action: Literal[Action.HOLD, Action.RESUME, Action.CANCEL],
) -> CampaignProgress:
    """Hold, resume or cancel each task of the campaign for which that is possible."""
    await get_campaign(caller, deps, campaign_id)
    query = TaskQuery(campaign_id=campaign_id)
    async for _ in carry_out(deps.db, caller.id, action, query):
        pass
    return await get_campaign(caller, deps, campaign_id)


def _read(body: bytes) -> NewCampaign:
    try:
        return NewCampaign.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            [{**found, "loc": ("body", *found["loc"])} for found in error.errors()]
        ) from None
