"""Calls and their transcripts, within their tasks and by themselves."""

from datetime import datetime
from typing import Any, Self

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import PlainTextResponse

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.conditions import Conditional
from opendeep_app.api.fields import Output, PathId
from opendeep_app.errors import NotFound
from opendeep_app.models import (
    AnswerState,
    CallOutcome,
    CallStatus,
    Direction,
    EndedBy,
    Speaker,
)
from opendeep_app.models.call_analysis import CallAnalysis
from opendeep_app.repositories import calls as rows
from opendeep_app.repositories.tasks import CallDetail

router = APIRouter(prefix="/calls", tags=["Calls"])


class TranscriptLine(Output):
    """One utterance; `offset_ms` counts from the answer, `heard_ms` is set when it was cut off."""

    id: str
    sequence: int
    speaker: Speaker
    text: str
    offset_ms: int
    heard_ms: int | None
    created_at: datetime


class Call(Output):
    """One attempt to reach the recipient, and what was said."""

    id: str
    task_id: str
    attempt_number: int
    direction: Direction
    phone_number: str
    status: CallStatus
    outcome: CallOutcome | None
    ended_by: EndedBy | None
    end_reason: str
    answered_by: str | None
    answer_state: AnswerState | None
    carrier_sid: str | None
    carrier_error: int | None
    created_at: datetime
    dialled_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    cost_micros: int = Field(description="Millionths of a US dollar.")
    costs: dict[str, int] = Field(description="The same by part: `model`, `carrier`.")
    usage: dict[str, int] = Field(description="Tokens of the voice model, by kind.")
    measures: dict[str, Any] = Field(description="How the conversation ran; milliseconds, counts.")
    recording_seconds: int | None
    callback_at: datetime | None
    callback_reason: str
    analysis: CallAnalysis | None
    analysed_at: datetime | None
    transcript: list[TranscriptLine] = Field(default_factory=list)

    @classmethod
    def of(cls, detail: CallDetail) -> Self:
        """With its transcript."""
        lines = [TranscriptLine.model_validate(line) for line in detail.lines]
        return cls.model_validate(detail.call).model_copy(update={"transcript": lines})


@router.get("/{call_id}")
async def get_call(caller: Caller, deps: Deps, call_id: PathId, condition: Conditional) -> Call:
    """One call with its transcript."""
    detail = await _detail(deps, caller.id, call_id)
    call = Call.of(detail)
    condition.check(call)
    return call


@router.get("/{call_id}/transcript", response_class=PlainTextResponse)
async def get_transcript(caller: Caller, deps: Deps, call_id: PathId) -> PlainTextResponse:
    """What was said on a call, as plain text: minute and second, who, and the words."""
    detail = await _detail(deps, caller.id, call_id)
    lines = [
        f"{line.offset_ms // 60000:02}:{line.offset_ms // 1000 % 60:02} "
        f"{line.speaker.value.title()}: {' '.join(line.text.split())}\n"
        for line in detail.lines
    ]
    return PlainTextResponse("".join(lines))


async def _detail(deps: Deps, user_id: str, call_id: str) -> CallDetail:
    async with deps.db.reading() as session:
        call = await rows.of_user(session, user_id, call_id)
        if call is None:
            raise NotFound("There is no such call.")
        return CallDetail(call, await rows.transcript(session, call_id))
