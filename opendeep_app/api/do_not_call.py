"""The user's list of numbers that must not be called."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import IdempotencyKey, Input, Output, PathId, Text, Words
from opendeep_app.errors import NotFound
from opendeep_app.services import do_not_call as service
from opendeep_app.services import phone_numbers
from opendeep_app.services.idempotency_keys import once

router = APIRouter(prefix="/do-not-call", tags=["Do not call"])


class Entry(Output):
    """A number that must not be called."""

    id: str
    phone_number: str
    reason: str
    created_at: datetime


class EntryList(BaseModel):
    """The list, newest first."""

    items: list[Entry]


class NewEntry(Input):
    """A number to be left alone."""

    phone_number: Words = Field(max_length=40)
    reason: Text = Field("", max_length=500)


class NumberQuery(BaseModel):
    """Which number."""

    model_config = ConfigDict(extra="forbid")

    phone_number: Words = Field(max_length=40)


@router.get("")
async def list_do_not_call(caller: Caller, deps: Deps) -> EntryList:
    """Your do-not-call list, newest first."""
    async with deps.db.reading() as session:
        entries = await service.entries(session, caller.id)
    return EntryList(items=[Entry.model_validate(entry) for entry in entries])


@router.post("", status_code=201)
async def add_do_not_call(
    caller: Caller, deps: Deps, body: NewEntry, idempotency_key: IdempotencyKey = None
) -> Entry:
    """List a number and stop every open task to it; listing it again changes nothing."""
    number = phone_numbers.parse(body.phone_number, shared_cost=True).e164

    async def add() -> Entry:
        return Entry.model_validate(await service.add(uow, caller.id, number, body.reason))

    request = f"do-not-call {number} {body.reason}"
    async with deps.db.unit_of_work() as uow:
        return await once(uow, caller.id, idempotency_key, request, Entry, add)


@router.delete("", status_code=204, response_class=Response)
async def remove_number(caller: Caller, deps: Deps, query: Annotated[NumberQuery, Query()]) -> None:
    """Take a number off the list; tasks that it stopped stay stopped."""
    # An unescaped + in a query arrives as a space.
    text = query.phone_number
    text = "+" + text.strip() if text.startswith(" ") else text
    number = phone_numbers.parse(text, shared_cost=True).e164
    async with deps.db.unit_of_work() as uow:
        entry = await service.find(uow.session, caller.id, number)
        if entry is None:
            raise NotFound("This number is not on your do-not-call list.")
        await service.remove(uow, caller.id, entry.id)


@router.delete("/{entry_id}", status_code=204, response_class=Response)
async def remove_entry(caller: Caller, deps: Deps, entry_id: PathId) -> None:
    """Take an entry off the list; tasks that it stopped stay stopped."""
    async with deps.db.unit_of_work() as uow:
        await service.remove(uow, caller.id, entry_id)
