"""One attempt to reach a recipient, and what was said on it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field


class CallStatus(StrEnum):
    """How far an attempt has come; it only ever moves down this list."""

    #: Written in the transaction that claims the task; nothing has been dialled.
    INTENT = "INTENT"
    #: A worker has begun to ask the carrier; the carrier may or may not have heard.
    DIALLING = "DIALLING"
    #: The carrier rings the recipient.
    RINGING = "RINGING"
    #: Somebody or something has picked up.
    ANSWERED = "ANSWERED"
    #: Over, with an outcome.
    ENDED = "ENDED"
    #: Never placed: the carrier provably has no such call.
    WITHDRAWN = "WITHDRAWN"

    @property
    def live(self) -> bool:
        """True while the recipient's line may be in use."""
        return self in LIVE


LIVE = (CallStatus.INTENT, CallStatus.DIALLING, CallStatus.RINGING, CallStatus.ANSWERED)
#: The same in SQL, as the partial indexes' conditions: queries use an index only where its
#: condition stands in them as it is, not as parameters.
IS_LIVE = "status IN ('INTENT', 'DIALLING', 'RINGING', 'ANSWERED')"
IS_UNANALYSED = "status = 'ENDED' AND analysed_at IS NULL"


class CallOutcome(StrEnum):
    """What came of an attempt."""

    FAILED_NO_ANSWER = "FAILED_NO_ANSWER"
    FAILED_BUSY = "FAILED_BUSY"
    FAILED_VOICEMAIL = "FAILED_VOICEMAIL"
    FAILED_INVALID_NUMBER = "FAILED_INVALID_NUMBER"
    FAILED_CARRIER = "FAILED_CARRIER"
    REJECTED = "REJECTED"
    #: Answered; the analysis has not spoken yet.
    ANSWERED = "ANSWERED"
    GOAL_MET = "GOAL_MET"
    INCONCLUSIVE = "INCONCLUSIVE"
    HUNG_UP_EARLY = "HUNG_UP_EARLY"
    CALLBACK_REQUESTED = "CALLBACK_REQUESTED"
    WRONG_NUMBER = "WRONG_NUMBER"
    #: The recipient said no; asking again would not change it.
    DECLINED = "DECLINED"
    #: Ended because the creator did not answer the agent's question in time.
    AWAITING_INFO = "AWAITING_INFO"
    DO_NOT_CALL = "DO_NOT_CALL"
    CANCELLED = "CANCELLED"


class Direction(StrEnum):
    """Who rang whom."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


class AnswerState(StrEnum):
    """Who or what is believed to have answered."""

    HUMAN = "HUMAN"
    #: Somebody's recorded greeting, with a beep to come.
    VOICEMAIL = "VOICEMAIL"
    #: A machine that asks who calls and why before it puts anybody through.
    SCREENING = "SCREENING"
    #: A machine that wants keys pressed.
    MENU = "MENU"
    #: Music or announcements until somebody has time.
    HOLD = "HOLD"
    #: A voicemail that takes no messages.
    MAILBOX_FULL = "MAILBOX_FULL"
    #: The line is open and nobody speaks.
    SILENCE = "SILENCE"


class EndedBy(StrEnum):
    """Who or what ended a call."""

    AGENT = "AGENT"
    RECIPIENT = "RECIPIENT"
    CREATOR = "CREATOR"
    CARRIER = "CARRIER"
    SYSTEM = "SYSTEM"


class Call(SQLModel, table=True):
    """One attempt of one task. `session_*` describe the voice session that holds it."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("task_id", "attempt_number", name="calls_task_id_attempt_number_key"),
        UniqueConstraint("carrier_sid", name="calls_carrier_sid_key"),
        # Never two at once to one number, whatever else goes wrong.
        Index(
            "calls_one_live_per_number_idx",
            "phone_number",
            unique=True,
            sqlite_where=text(IS_LIVE),
            postgresql_where=text(IS_LIVE),
        ),
        Index(
            "calls_live_idx",
            "status",
            "created_at",
            sqlite_where=text(IS_LIVE),
            postgresql_where=text(IS_LIVE),
        ),
        Index("calls_number_idx", "phone_number", "created_at"),
        Index(
            "calls_unanalysed_idx",
            "ended_at",
            sqlite_where=text(IS_UNANALYSED),
            postgresql_where=text(IS_UNANALYSED),
        ),
        Index("calls_ended_idx", "ended_at"),
    )

    id: str = id_field()
    task_id: str = reference("tasks")
    attempt_number: int
    direction: Direction = Field(default=Direction.OUTBOUND, sa_type=enum_type(Direction))
    phone_number: str = Field(max_length=20)
    status: CallStatus = Field(default=CallStatus.INTENT, sa_type=enum_type(CallStatus))
    outcome: CallOutcome | None = Field(
        default=None,
        sa_type=enum_type(CallOutcome),
    )
    ended_by: EndedBy | None = Field(default=None, sa_type=enum_type(EndedBy))
    #: Plain words: why the call ended.
    end_reason: str = Field(default="", max_length=500)
    carrier_sid: str | None = Field(default=None, max_length=64)
    carrier_error: int | None = None
    answered_by: str | None = Field(default=None, max_length=40)
    answer_state: AnswerState | None = Field(default=None, sa_type=enum_type(AnswerState))
    created_at: datetime = time_field()
    dialled_at: datetime | None = time_field(default=None)
    answered_at: datetime | None = time_field(default=None)
    ended_at: datetime | None = time_field(default=None)
    duration_seconds: int | None = None
    brief: str = Field(default="")
    brief_version: str = Field(default="", max_length=20)
    gateway_id: str | None = Field(default=None, max_length=64)
    session_opened_at: datetime | None = time_field(default=None)
    session_seen_at: datetime | None = time_field(default=None)
    session_closed_at: datetime | None = time_field(default=None)
    #: When the recipient asked to be called instead, and in which words.
    callback_at: datetime | None = time_field(default=None)
    callback_reason: str = Field(default="", max_length=500)
    analysis: dict[str, Any] | None = Field(default=None, sa_type=Json)
    analysed_at: datetime | None = time_field(default=None)
    #: Tokens of the voice model by direction and modality, summed over the call.
    usage: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    #: Millionths of a US dollar: `model` and `carrier`, and their sum.
    costs: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    cost_micros: int = 0
    #: What was set aside for the call while it was live, and on which of the user's days.
    reserved_micros: int = Field(default=0, sa_type=BigInteger)
    reserved_on: str = Field(default="", max_length=10)
    #: How the conversation ran: milliseconds and counts, as the voice session measured them.
    measures: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    recording_sid: str | None = Field(default=None, max_length=64)
    recording_seconds: int | None = None
    #: The recording's name below `recordings` in the data directory, once it is stored.
    recording_file: str | None = Field(default=None, max_length=120)
    #: When transcript and brief were deleted because their time was up.
    transcript_deleted_at: datetime | None = time_field(default=None)


class Speaker(StrEnum):
    """Whose words a transcript line holds."""

    AGENT = "AGENT"
    RECIPIENT = "RECIPIENT"
    SYSTEM = "SYSTEM"


class TranscriptLine(SQLModel, table=True):
    """One utterance; `offset_ms` counts from the answer, `heard_ms` is set when it was cut off."""

    __tablename__ = "transcript_lines"
    __table_args__ = (
        UniqueConstraint("call_id", "sequence", name="transcript_lines_call_id_sequence_key"),
    )

    id: str = id_field()
    call_id: str = reference("calls")
    sequence: int
    speaker: Speaker = Field(sa_type=enum_type(Speaker))
    text: str
    item_id: str = Field(default="", max_length=64)
    offset_ms: int = 0
    heard_ms: int | None = None
    created_at: datetime = time_field()
