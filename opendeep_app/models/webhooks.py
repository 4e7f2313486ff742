"""Where a user's own programs hear what happens, what they are told, and whether it arrived."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field
from opendeep_app.models.calls import CallOutcome, EndedBy
from opendeep_app.models.info_requests import InfoRequestStatus
from opendeep_app.models.tasks import TaskStatus


class WebhookType(StrEnum):
    """What a message says has happened."""

    TASK_COMPLETED = "task.completed"
    TASK_FAILED = "task.failed"
    TASK_CANCELLED = "task.cancelled"
    CALL_ENDED = "call.ended"
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_EXPIRED = "question.expired"
    #: Nothing; somebody tries whether messages arrive.
    PING = "ping"


class WebhookEndpoint(SQLModel, table=True):
    """An address that is told. `failing_since` is the first failure after the last success."""

    __tablename__ = "webhook_endpoints"

    id: str = id_field()
    user_id: str = reference("users", index=True)
    url: str = Field(max_length=2000)
    description: str = Field(default="", max_length=200)
    #: Values of `WebhookType`; none means all.
    types: list[str] = Field(default_factory=list, sa_type=Json)
    #: Kept readable, because every message is signed with it.
    secret: str = Field(max_length=100)
    failing_since: datetime | None = time_field(default=None)
    disabled_at: datetime | None = time_field(default=None)
    disabled_reason: str = Field(default="", max_length=500)
    created_at: datetime = time_field()


class DeliveryStatus(StrEnum):
    """What became of a message."""

    #: On its way, now or after a pause.
    PENDING = "PENDING"
    #: Taken with a 2xx.
    DELIVERED = "DELIVERED"
    #: Given up after a day of attempts.
    FAILED = "FAILED"


class WebhookDelivery(SQLModel, table=True):
    """One message to one endpoint; its id is the `webhook-id` of every attempt.

    Written in the transaction of what it tells of. `body` is sent as it stands here, and `log`
    holds the latest attempts: `at`, `code`, `milliseconds`, `answer` (its beginning), `error`.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("webhook_deliveries_endpoint_idx", "endpoint_id", "id"),
        Index(
            "webhook_deliveries_due_idx",
            "next_attempt_at",
            sqlite_where=text("status = 'PENDING'"),
            postgresql_where=text("status = 'PENDING'"),
        ),
    )

    id: str = id_field()
    endpoint_id: str = reference("webhook_endpoints")
    task_id: str | None = reference("tasks", index=True, nullable=True, default=None)
    type: WebhookType = Field(sa_type=enum_type(WebhookType))
    body: str = Field(sa_type=Text)
    status: DeliveryStatus = Field(
        default=DeliveryStatus.PENDING, sa_type=enum_type(DeliveryStatus)
    )
    attempts: int = 0
    next_attempt_at: datetime | None = time_field(default=None)
    delivered_at: datetime | None = time_field(default=None)
    log: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = time_field()


#: Characters of an endpoint's answer that are kept.
ANSWER_START = 500


@dataclass(frozen=True)
class Attempt:
    """How an attempt went: the answer's status code and beginning, or why there was none."""

    code: int | None
    milliseconds: int
    answer: str = ""
    error: str = ""


class _Told(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ToldTask(_Told):
    """The task, as it was at that moment."""

    id: str
    campaign_id: str | None
    status: TaskStatus
    phone_number: str
    contact_name: str
    goal: str
    current_attempt_count: int
    max_attempts: int
    next_action_at: datetime | None
    result_summary: str
    result_reason: str


class ToldCall(_Told):
    """The call, as it was at that moment."""

    id: str
    attempt_number: int
    outcome: CallOutcome | None
    ended_by: EndedBy | None
    end_reason: str
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None


class ToldQuestion(_Told):
    """The question, as it was at that moment."""

    id: str
    question: str
    suggestions: list[str]
    status: InfoRequestStatus
    deadline_at: datetime
    answer: str | None
    answered_via: str | None


class WebhookData(BaseModel):
    """What a message is about; `sequence` is the place of the event in its task's history."""

    event_id: str | None = None
    sequence: int | None = None
    task: ToldTask | None = None
    call: ToldCall | None = None
    question: ToldQuestion | None = None


class WebhookMessage(BaseModel):
    """The body of a message; fields may be added within a version, never changed or removed."""

    type: WebhookType
    version: Literal[1] = 1
    timestamp: datetime
    data: WebhookData
