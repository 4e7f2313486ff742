"""Questions that the agent asks in the middle of a call, and their answers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.conditions import Conditional
from opendeep_app.api.fields import Input, Output, PathId, Words
from opendeep_app.models import InfoRequestStatus
from opendeep_app.repositories import info_requests as rows
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
