"""What the agent is to know without asking again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Id, Input, Instant, Output, PathId, Text, Words
from opendeep_app.errors import NotFound
from opendeep_app.models import Disclosure, FactScope
from opendeep_app.repositories import facts as rows
from opendeep_app.services import facts as service

router = APIRouter(prefix="/facts", tags=["Facts"])

MOST = 500
MOST_DISCLOSURES = 100


class Fact(Output):
    """An answer that stands, where it applies, and what the agent may do with it."""

    id: str
    scope: FactScope
    phone_number: str | None
    campaign_id: str | None
    question: str
    answer: str
    disclosure: Disclosure
    expires_at: datetime | None
    info_request_id: str | None
    created_at: datetime
    updated_at: datetime


class FactList(BaseModel):
    """Facts, newest first."""

    items: list[Fact]


class Told(BaseModel):
    """A call whose agent was given the fact."""

    call_id: str
    task_id: str
    phone_number: str
    at: datetime


class ToldList(BaseModel):
    """Who was told, latest first."""

    items: list[Told]


class FactChange(Input):
    """What a fact says from now on."""

    answer: Words = Field(max_length=service.MAX_ANSWER)
    disclosure: Annotated[Disclosure, Field(strict=False)]
    expires_at: Instant | None = None


class NewFact(Input):
    """A fact; CONTACT needs the `phone_number`, CAMPAIGN the `campaign_id`."""

    question: Words = Field(max_length=service.MAX_QUESTION)
    answer: Words = Field(max_length=service.MAX_ANSWER)
    scope: Annotated[FactScope, Field(strict=False)] = FactScope.EVERYWHERE
    disclosure: Annotated[Disclosure, Field(strict=False)] = Disclosure.SAY_FREELY
    phone_number: Annotated[Text, Field(max_length=40)] | None = None
    campaign_id: Id | None = None
    expires_at: Instant | None = None


@router.get("")
async def list_facts(caller: Caller, deps: Deps) -> FactList:
    """Your newest 500 facts, also those that have expired."""
    async with deps.db.reading() as session:
        items = await rows.of_user(session, caller.id, MOST)
    return FactList(items=[Fact.model_validate(item) for item in items])


@router.post("", status_code=201)
async def remember_fact(caller: Caller, deps: Deps, body: NewFact) -> Fact:
    """Remember a fact; one of the same scope that answers the same question is replaced."""
    async with deps.db.unit_of_work() as uow:
        fact = await service.remember(uow, caller.id, service.NewFact(**body.model_dump()))
    return Fact.model_validate(fact)


@router.put("/{fact_id}")
async def change_fact(caller: Caller, deps: Deps, fact_id: PathId, body: FactChange) -> Fact:
    """Change what a fact says and what the agent may do with it."""
    async with deps.db.unit_of_work() as uow:
        fact = await service.edit(
            uow, caller.id, fact_id, body.answer, body.disclosure, body.expires_at
        )
    return Fact.model_validate(fact)


@router.delete("/{fact_id}", status_code=204, response_class=Response)
async def forget_fact(caller: Caller, deps: Deps, fact_id: PathId) -> None:
    """Forget a fact, and who was told it."""
    async with deps.db.unit_of_work() as uow:
        await service.delete(uow, caller.id, fact_id)


@router.get("/{fact_id}/disclosures")
async def list_disclosures(caller: Caller, deps: Deps, fact_id: PathId) -> ToldList:
    """Which calls' agents were given the fact, the latest 100."""
    async with deps.db.reading() as session:
        if await rows.get(session, caller.id, fact_id) is None:
            raise NotFound("There is no such fact.")
        told = await rows.disclosures(session, [fact_id], MOST_DISCLOSURES)
    return ToldList(
        items=[
            Told(
                call_id=call.id, task_id=task.id, phone_number=call.phone_number, at=one.created_at
            )
            for one, call, task in told
        ]
    )
