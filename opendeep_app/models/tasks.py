"""One goal for one recipient."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field
from opendeep_app.models.calls import CallOutcome


class TaskStatus(StrEnum):
    """Where a task stands; the moves between them are `services.transitions.MOVES`."""

    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    PENDING_ANALYSIS = "PENDING_ANALYSIS"
    RETRY_SCHEDULED = "RETRY_SCHEDULED"
    PENDING_USER_INFO = "PENDING_USER_INFO"
    ON_HOLD = "ON_HOLD"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def terminal(self) -> bool:
        """True when nothing more happens; a creator may yet take their own cancellation back."""
        return self in (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED)

    @property
    def callable(self) -> bool:
        """True when the task waits for its next call."""
        return self in CALLABLE


class VoicemailPolicy(StrEnum):
    """What the agent does when a voicemail picks up."""

    #: Hangs up; the next attempt may reach somebody.
    HANG_UP = "HANG_UP"
    #: Leaves a short message, every time.
    LEAVE_MESSAGE = "LEAVE_MESSAGE"
    #: Hangs up, but leaves a message on the last attempt.
    LAST_ATTEMPT = "LAST_ATTEMPT"


CALLABLE = (TaskStatus.PENDING, TaskStatus.RETRY_SCHEDULED)
#: `CALLABLE` in SQL. A partial index is used only where its condition stands in the query as it
#: is, not as parameters.
WAITS_FOR_CALL = "status IN ('PENDING', 'RETRY_SCHEDULED')"
FILTERED = ("status", "last_outcome", "created_at")
OPEN = tuple(status for status in TaskStatus if not status.terminal)


class Task(SQLModel, table=True):
    """What somebody wants from one phone number.

    `event_count` is the sequence number of the newest event; every event raises it in the
    same statement, which also serialises the events of one task.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key", name="tasks_user_id_idempotency_key_key"),
        CheckConstraint("current_attempt_count >= 0", name="tasks_attempts_check"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="tasks_max_attempts_check"),
        CheckConstraint("priority BETWEEN -100 AND 100", name="tasks_priority_check"),
        CheckConstraint(
            "(status IN ('PENDING', 'RETRY_SCHEDULED')) = (next_action_at IS NOT NULL)",
            name="tasks_next_action_check",
        ),
        # What the dispatcher looks for every second, among however many tasks: whose turn it is
        # is found in the index alone.
        Index(
            "tasks_due_idx",
            *("next_action_at", "priority", "user_id", "phone_number", "id", "status"),
            sqlite_where=text(WAITS_FOR_CALL),
            postgresql_where=text(WAITS_FOR_CALL),
        ),
        Index("tasks_status_idx", "status", "updated_at"),
        Index("tasks_number_idx", "phone_number"),
        # One for each order of the list and one by status, every one with all that lists are
        # filtered by: a page of a filter is found in an index alone, however rare what it wants.
        Index("tasks_user_created_idx", "user_id", "created_at", "id", "status", "last_outcome"),
        Index("tasks_user_updated_idx", "user_id", "updated_at", "id", *FILTERED),
        Index("tasks_user_priority_idx", "user_id", "priority", "id", *FILTERED),
        Index(
            "tasks_user_status_created_idx",
            *("user_id", "status", "created_at", "id", "last_outcome", "updated_at", "priority"),
        ),
        Index("tasks_user_number_idx", "user_id", "phone_number"),
    )

    id: str = id_field()
    user_id: str = reference("users")
    campaign_id: str | None = reference("campaigns", index=True, nullable=True, default=None)
    phone_number: str = Field(max_length=20)
    contact_name: str = Field(default="", max_length=120)
    goal: str = Field(max_length=4000)
    context: str = Field(default="", max_length=8000)
    language: str = Field(default="en", max_length=16)
    time_zone: str = Field(max_length=64)
    status: TaskStatus = Field(default=TaskStatus.PENDING, sa_type=enum_type(TaskStatus))
    priority: int = 0
    max_attempts: int = 3
    current_attempt_count: int = 0
    next_action_at: datetime | None = time_field(default=None)
    next_action_reason: str = Field(default="", max_length=500)
    not_before: datetime | None = time_field(default=None)
    info_timeout_seconds: float | None = None
    #: What this task wants otherwise than its campaign, its user and the defaults
    #: (`rules.HoursWish`, `rules.RetryWish`).
    hours: dict[str, Any] | None = Field(default=None, sa_type=Json)
    retry_policy: dict[str, Any] | None = Field(default=None, sa_type=Json)
    #: Until then its creator lets it ring outside calling hours.
    hours_waived_until: datetime | None = time_field(default=None)
    voicemail_policy: VoicemailPolicy = Field(
        default=VoicemailPolicy.HANG_UP, sa_type=enum_type(VoicemailPolicy)
    )
    max_call_seconds: int = 900
    record_call: bool = False
    #: Millionths of a US dollar: the most that all calls may cost, what ended ones have cost, and
    #: what a live one may cost.
    budget_micros: int | None = Field(default=None, sa_type=BigInteger)
    spent_micros: int = Field(default=0, sa_type=BigInteger)
    reserved_micros: int = Field(default=0, sa_type=BigInteger)
    #: Its next call is postponed because a budget is used up.
    waits_for_budget: bool = False
    #: What the agent is to find out, besides reaching the goal: `field` and `description`.
    findings_wanted: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    #: What came of the newest call that has ended.
    last_outcome: CallOutcome | None = Field(default=None, sa_type=enum_type(CallOutcome))
    result_summary: str = Field(default="", max_length=4000)
    result_reason: str = Field(default="", max_length=500)
    idempotency_key: str | None = Field(default=None, max_length=255)
    event_count: int = 0
    created_at: datetime = time_field()
    updated_at: datetime = time_field()
