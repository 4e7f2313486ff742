"""The append-only history of a task: typed events with validated payloads."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field
from opendeep_app.models.calls import AnswerState, CallOutcome, EndedBy
from opendeep_app.models.tasks import TaskStatus


class TaskEventType(StrEnum):
    """What happened. Those in `services.transitions.MOVES` change the task's status."""

    TASK_CREATED = "task_created"
    #: Claimed for dialling; a call row exists from here on.
    CALL_CLAIMED = "call_claimed"
    CALL_DIALLED = "call_dialled"
    #: The recipient rings back; a call row exists from here on.
    CALL_RECEIVED = "call_received"
    #: The carrier did not say whether it took the call; it is looked for.
    CALL_UNCONFIRMED = "call_unconfirmed"
    CALL_RINGING = "call_ringing"
    CALL_ANSWERED = "call_answered"
    CALL_ENDED = "call_ended"
    CALL_WITHDRAWN = "call_withdrawn"
    #: Who or what is on the line, as far as the voice session can tell.
    ANSWERER_KNOWN = "answerer_known"
    #: Voice session.
    FUNCTION_CALLED = "function_called"
    RESCHEDULE_REQUESTED = "reschedule_requested"
    #: The creator told the agent something during the call.
    NOTE_GIVEN = "note_given"
    #: The question loop.
    INFO_REQUESTED = "info_requested"
    INFO_EXTENDED = "info_extended"
    #: Sent to the creator's mobile phone.
    INFO_TEXTED = "info_texted"
    INFO_ANSWERED = "info_answered"
    INFO_EXPIRED = "info_expired"
    INFO_CANCELLED = "info_cancelled"
    #: The call ended and its question is still unanswered.
    INFO_AWAITED = "info_awaited"
    #: The late answer makes a new call.
    INFO_CALLBACK_SCHEDULED = "info_callback_scheduled"
    #: After the call.
    CALL_ANALYSED = "call_analysed"
    GOAL_MET = "goal_met"
    RETRY_SCHEDULED = "retry_scheduled"
    GAVE_UP = "gave_up"
    #: The creator's wishes.
    TASK_HELD = "task_held"
    TASK_RESUMED = "task_resumed"
    TASK_CANCELLED = "task_cancelled"
    #: The creator thought better of it.
    TASK_REOPENED = "task_reopened"
    CALL_MOVED = "call_moved"
    CALL_SKIPPED = "call_skipped"
    HOURS_CHANGED = "hours_changed"
    #: The recipient's wish.
    DO_NOT_CALL_REQUESTED = "do_not_call_requested"
    #: Dialling must wait: calling hours, caps or provider trouble.
    DIALLING_DELAYED = "dialling_delayed"
    #: Housekeeping: something was kept for as long as it should be.
    DATA_DELETED = "data_deleted"
    #: Found in a state that nothing would have moved on.
    TASK_RECOVERED = "task_recovered"


class Actor(StrEnum):
    """Who caused an event."""

    CREATOR = "creator"
    AGENT = "agent"
    RECIPIENT = "recipient"
    CARRIER = "carrier"
    SYSTEM = "system"


class Payload(BaseModel):
    """Base of all payloads: strict, so that history can be trusted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(Payload):
    """Why, in plain words."""

    reason: str = ""


class TimeRule(StrEnum):
    """What can move a call to another time."""

    #: Nothing speaks against the present moment.
    AT_ONCE = "at_once"
    NOT_BEFORE = "not_before"
    #: The last call's outcome: wait a while, or do as the recipient said.
    BACKOFF = "backoff"
    RECIPIENT_ASKED = "recipient_asked"
    #: The creator's wishes.
    ANSWERED = "answered"
    RESUMED = "resumed"
    REOPENED = "reopened"
    CALL_NOW = "call_now"
    MOVED = "moved"
    SKIPPED = "skipped"
    HOURS_CHANGED = "hours_changed"
    OUTSIDE_HOURS = "outside_hours"
    #: The attempt was taken back, and is made again.
    WITHDRAWN = "withdrawn"
    #: It waits for something that the reason names: the provider, or money.
    DELAYED = "delayed"
    #: The recipient's place.
    CALLING_HOURS = "calling_hours"
    HOLIDAY = "holiday"


class Step(BaseModel):
    """A rule that was applied: it found the call at `before` and left it at `after`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: TimeRule
    before: datetime
    after: datetime
    words: str


class Inputs(BaseModel):
    """What the choice of a time looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: datetime
    time_zone: str
    #: The calling hours in words, and the country whose holidays are kept.
    hours: str
    holidays: str | None = None
    outcome: CallOutcome | None = None
    attempts: int | None = None
    max_attempts: int | None = None
    asked_for: datetime | None = None


class Explained(Reason):
    """When the next call is due, if one is, and why then: the rules in words, and step by step."""

    next_action_at: datetime | None = None
    rules: list[str] = []
    steps: list[Step] = []
    inputs: Inputs | None = None


class Scheduled(Explained):
    """A call is due.

    `attempt_returned` says that the call before has used up none of the task's attempts.
    """

    next_action_at: datetime
    attempt_returned: bool = False


class Withdrawn(Explained):
    """When the attempt is made again; never when the task was stopped meanwhile."""


class HoursChanged(Explained):
    """The calling hours that the task has now, in words; a task on hold is due never."""

    hours: str


class Claimed(Payload):
    """An attempt begins; `retry` tells it from the first."""

    attempt_number: int
    retry: bool


class Received(Payload):
    """The recipient rang back, which counts as an attempt."""

    attempt_number: int
    carrier_sid: str


class Dialled(Payload):
    """The carrier has accepted the call; `adopted` when it was found again after a crash."""

    carrier_sid: str
    adopted: bool = False


class Answered(Payload):
    """Who picked up, as far as the carrier knows."""

    answered_by: str | None = None


class AnswererKnown(Payload):
    """A person, or a machine of this kind."""

    state: AnswerState


class Ended(Reason):
    """How a call ended."""

    outcome: CallOutcome
    ended_by: EndedBy
    duration_seconds: int | None = None
    carrier_error: int | None = None


class FunctionCalled(Payload):
    """The model called one of our functions."""

    name: str
    arguments: dict[str, Any]
    ok: bool
    result: str = ""


class Rescheduled(Reason):
    """The recipient asked to be called at another time."""

    callback_at: datetime


class NoteGiven(Payload):
    """What the creator told the agent, and through which door."""

    text: str
    via: str


class Asked(Payload):
    """The agent asked its principal."""

    info_request_id: str
    question: str
    deadline_at: datetime


class InfoExtended(Payload):
    """The creator needs more time; the recipient waits until the new deadline."""

    info_request_id: str
    deadline_at: datetime


class InfoAnswered(Payload):
    """The creator answered; `late` when the deadline had won."""

    info_request_id: str
    answer: str
    via: str
    late: bool


class InfoRequestRef(Reason):
    """A question whose wait is over."""

    info_request_id: str


class Analysed(Payload):
    """What the analysis of a call found."""

    outcome: CallOutcome
    goal_met: bool
    summary: str


#: The payload that each event carries.
PAYLOADS: dict[TaskEventType, type[Payload]] = {
    TaskEventType.TASK_CREATED: Scheduled,
    TaskEventType.CALL_CLAIMED: Claimed,
    TaskEventType.CALL_DIALLED: Dialled,
    TaskEventType.CALL_RECEIVED: Received,
    TaskEventType.CALL_UNCONFIRMED: Reason,
    TaskEventType.CALL_RINGING: Payload,
    TaskEventType.CALL_ANSWERED: Answered,
    TaskEventType.ANSWERER_KNOWN: AnswererKnown,
    TaskEventType.CALL_ENDED: Ended,
    TaskEventType.CALL_WITHDRAWN: Withdrawn,
    TaskEventType.FUNCTION_CALLED: FunctionCalled,
    TaskEventType.RESCHEDULE_REQUESTED: Rescheduled,
    TaskEventType.NOTE_GIVEN: NoteGiven,
    TaskEventType.INFO_REQUESTED: Asked,
    TaskEventType.INFO_EXTENDED: InfoExtended,
    TaskEventType.INFO_TEXTED: InfoRequestRef,
    TaskEventType.INFO_ANSWERED: InfoAnswered,
    TaskEventType.INFO_EXPIRED: InfoRequestRef,
    TaskEventType.INFO_CANCELLED: InfoRequestRef,
    TaskEventType.INFO_AWAITED: InfoRequestRef,
    TaskEventType.INFO_CALLBACK_SCHEDULED: Scheduled,
    TaskEventType.CALL_ANALYSED: Analysed,
    TaskEventType.GOAL_MET: Reason,
    TaskEventType.RETRY_SCHEDULED: Scheduled,
    TaskEventType.GAVE_UP: Reason,
    TaskEventType.TASK_HELD: Reason,
    TaskEventType.TASK_RESUMED: Scheduled,
    TaskEventType.TASK_CANCELLED: Reason,
    TaskEventType.TASK_REOPENED: Scheduled,
    TaskEventType.CALL_MOVED: Scheduled,
    TaskEventType.CALL_SKIPPED: Scheduled,
    TaskEventType.HOURS_CHANGED: HoursChanged,
    TaskEventType.DO_NOT_CALL_REQUESTED: Reason,
    TaskEventType.DIALLING_DELAYED: Scheduled,
    TaskEventType.DATA_DELETED: Reason,
    TaskEventType.TASK_RECOVERED: Reason,
}

#: Events that choose when the next call is.
CHOOSING = tuple(kind for kind, payload in PAYLOADS.items() if issubclass(payload, Explained))
#: Rules that keep a call back, whoever wants it.
CLOSED = (TimeRule.CALLING_HOURS, TimeRule.HOLIDAY)


def explanation(payload: dict[str, Any]) -> Explained:
    """Why the call is when it is, from a stored event that chose its time."""
    fields = Explained.model_fields
    return Explained.model_validate({k: v for k, v in payload.items() if k in fields})


class TaskEventBase(SQLModel):
    """What every form of an event has; the statuses are set on events that move the task."""

    type: TaskEventType = Field(sa_type=enum_type(TaskEventType))
    actor: Actor = Field(sa_type=enum_type(Actor))
    call_id: str | None = reference("calls", index=True, nullable=True, default=None)
    from_status: TaskStatus | None = Field(default=None, sa_type=enum_type(TaskStatus))
    to_status: TaskStatus | None = Field(default=None, sa_type=enum_type(TaskStatus))


class TaskEvent(TaskEventBase, table=True):
    """A stored event; `sequence` counts 1, 2, 3 … within its task without gaps."""

    __tablename__ = "task_events"
    __table_args__ = (
        UniqueConstraint("task_id", "sequence", name="task_events_task_id_sequence_key"),
        Index("task_events_type_created_idx", "type", "created_at"),
    )

    id: str = id_field()
    task_id: str = reference("tasks")
    sequence: int
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = time_field()


class TaskEventCreate(TaskEventBase):
    """An event about to be written; the payload must be the one its type demands."""

    payload: Payload

    def model_post_init(self, context: Any, /) -> None:
        """Refuses a payload that is not its type's."""
        expected = PAYLOADS[self.type]
        if type(self.payload) is not expected:
            raise TypeError(
                f"{self.type} carries {expected.__name__}, not {type(self.payload).__name__}"
            )


class TaskEventRead(TaskEventBase):
    """An event as the API gives it."""

    id: str
    sequence: int
    payload: dict[str, Any]
    created_at: datetime
