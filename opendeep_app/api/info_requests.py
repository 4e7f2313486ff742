"""Questions that the agent asks in the middle of a call, and their answers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.conditions import Conditional
from opendeep_app.api.facts import Fact
from opendeep_app.api.fields import Input, Instant, Output, PathId, Words
from opendeep_app.models import Disclosure, FactScope, InfoRequestStatus
from opendeep_app.repositories import info_requests as rows
from opendeep_app.services import facts
from opendeep_app.services import info_requests as service

router = APIRouter(prefix="/info-requests", tags=["Questions"])

MOST = 100


class InfoRequest(Output):
    """A question. OPEN: the recipient waits on the line. EXPIRED: an answer rings them back."""

    id: str
    task_id: str
    call_id: str
    question: str
    recipient_message: str
    suggestions: list[str]
    status: InfoRequestStatus
    timeout_seconds: float
    asked_at: datetime
    deadline_at: datetime
    answer: str | None
    answered_at: datetime | None
    answered_via: str | None
    extended_at: datetime | None


class InfoRequestList(BaseModel):
    """Questions."""

    items: list[InfoRequest]


class Which(StrEnum):
    """Which questions to list."""

    OPEN = "open"


class InfoRequestFilter(BaseModel):
    """What to list."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[Which, BeforeValidator(str.lower)] | None = Field(
        None, description="`open`: only those that still want an answer, in time or late."
    )


class Answer(Input):
    """What to tell the agent."""

    answer: Words = Field(max_length=service.MAX_ANSWER)


class Remembered(Input):
    """How to keep the answer; CAMPAIGN means the contact where the task has no campaign."""

    scope: Annotated[FactScope, Field(strict=False)] = FactScope.CONTACT
    disclosure: Annotated[Disclosure, Field(strict=False)] = Disclosure.SAY_FREELY
    expires_at: Instant | None = None


@router.get("")
async def list_info_requests(
    caller: Caller,
    deps: Deps,
    query: Annotated[InfoRequestFilter, Query()],
    condition: Conditional,
) -> InfoRequestList:
    """The newest 100 questions, or with `status=open` those that want an answer.

    The open ones come most urgent first: while the recipient waits on the line (OPEN), then those
    whose call has ended (EXPIRED) and whose answer makes a new call.
    """
    listed = rows.pending if query.status is Which.OPEN else rows.recent
    async with deps.db.reading() as session:
        items = await listed(session, caller.id, MOST)
    condition.check([(item.id, item.status, item.deadline_at, item.answered_at) for item in items])
    return InfoRequestList(items=[InfoRequest.model_validate(item) for item in items])


@router.post("/{info_request_id}/answer")
async def answer_info_request(
    caller: Caller, deps: Deps, info_request_id: PathId, body: Answer
) -> InfoRequest:
    """Answer a question: in time it goes into the live call, late it makes a new call.

    Which of the two the `status` of the result says: ANSWERED or ANSWERED_LATE. 409 when it has
    been answered before or its task has ended.
    """
    async with deps.db.unit_of_work() as uow:
        request = await service.answer(uow, caller.id, info_request_id, body.answer, "api")
    return InfoRequest.model_validate(request)


@router.post("/{info_request_id}/extend")
async def extend_info_request(caller: Caller, deps: Deps, info_request_id: PathId) -> InfoRequest:
    """Ask the recipient to wait a little longer, once; the new deadline is in the result.

    409 when it was extended before or nobody waits on the line any more.
    """
    async with deps.db.unit_of_work() as uow:
        request = await service.extend(uow, caller.id, info_request_id)
    return InfoRequest.model_validate(request)


@router.post("/{info_request_id}/postpone")
async def postpone_info_request(caller: Caller, deps: Deps, info_request_id: PathId) -> InfoRequest:
    """Let the recipient go: the agent says goodbye, and a later answer makes a new call.

    409 when nobody waits on the line any more.
    """
    async with deps.db.unit_of_work() as uow:
        request = await service.postpone(uow, caller.id, info_request_id)
    return InfoRequest.model_validate(request)


@router.post("/{info_request_id}/remember", status_code=201)
async def remember_answer(
    caller: Caller, deps: Deps, info_request_id: PathId, body: Remembered
) -> Fact:
    """Keep a question's answer as a fact, so that it is not asked again."""
    async with deps.db.unit_of_work() as uow:
        request = await service.get(uow, caller.id, info_request_id)
        fact = await facts.remember_answer(
            uow, request, body.scope, body.disclosure, body.expires_at
        )
    return Fact.model_validate(fact)
