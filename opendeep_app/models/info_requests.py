"""Questions that the agent asks its principal in the middle of a call."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field


class InfoRequestStatus(StrEnum):
    """Who won: the answer or the deadline. Every move is a compare-and-set."""

    #: The recipient is waiting on the line.
    OPEN = "OPEN"
    #: Answered in time; the answer goes into the live call.
    ANSWERED = "ANSWERED"
    #: The deadline or the end of the call came first; an answer rings the recipient back.
    EXPIRED = "EXPIRED"
    #: Answered after it had expired.
    ANSWERED_LATE = "ANSWERED_LATE"
    #: The task ended otherwise; no answer is needed.
    CANCELLED = "CANCELLED"


class InfoRequest(SQLModel, table=True):
    """One question of one call; `function_call_id` is the model's, so that asking twice is once."""

    __tablename__ = "info_requests"
    __table_args__ = (
        UniqueConstraint(
            "call_id",
            "function_call_id",
            name="info_requests_call_id_function_call_id_key",
        ),
        Index("info_requests_user_status_idx", "user_id", "status", "deadline_at"),
        Index("info_requests_status_deadline_idx", "status", "deadline_at"),
    )

    id: str = id_field()
    user_id: str = reference("users")
    task_id: str = reference("tasks", index=True)
    call_id: str = reference("calls")
    function_call_id: str = Field(max_length=64)
    question: str = Field(max_length=1000)
    recipient_message: str = Field(default="", max_length=1000)
    suggestions: list[str] = Field(default_factory=list, sa_type=Json)
    status: InfoRequestStatus = Field(
        default=InfoRequestStatus.OPEN,
        sa_type=enum_type(InfoRequestStatus),
    )
    timeout_seconds: float
    asked_at: datetime = time_field()
    deadline_at: datetime = time_field()
    #: When the creator asked for more time, which they may once.
    extended_at: datetime | None = time_field(default=None)
    answer: str | None = Field(default=None, max_length=2000)
    answered_at: datetime | None = time_field(default=None)
    answered_via: str | None = Field(default=None, max_length=20)


ANSWERED = (InfoRequestStatus.ANSWERED, InfoRequestStatus.ANSWERED_LATE)
WAITING = (InfoRequestStatus.OPEN, InfoRequestStatus.EXPIRED)
