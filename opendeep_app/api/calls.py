"""Calls and their transcripts as the API gives them, within their tasks."""

from datetime import datetime
from typing import Self

from pydantic import Field

from opendeep_app.api.fields import Output
from opendeep_app.models import CallOutcome, CallStatus, EndedBy, Speaker
from opendeep_app.models.call_analysis import CallAnalysis
from opendeep_app.repositories.tasks import CallDetail


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
    attempt_number: int
    phone_number: str
    status: CallStatus
    outcome: CallOutcome | None
    ended_by: EndedBy | None
    end_reason: str
    answered_by: str | None
    carrier_sid: str | None
    carrier_error: int | None
    created_at: datetime
    dialled_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
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
