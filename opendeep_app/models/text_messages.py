"""Questions sent to a creator's mobile phone."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import enum_type, id_field, reference, time_field


class TextStatus(StrEnum):
    """How far it has come."""

    #: Claimed; it may be at the carrier already, so it is never sent again.
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"


class TextMessage(SQLModel, table=True):
    """One question by text message, of which there is one at most.

    Its words are not kept: they hold a link that answers. `code` is what a reply may begin with.
    """

    __tablename__ = "text_messages"
    __table_args__ = (
        UniqueConstraint("info_request_id", name="text_messages_info_request_id_key"),
        Index("text_messages_phone_number_idx", "phone_number", "created_at"),
    )

    id: str = id_field()
    user_id: str = reference("users")
    info_request_id: str = reference("info_requests")
    phone_number: str = Field(max_length=20)
    code: str = Field(max_length=8)
    #: Whether the suggestions were numbered, so that a number means one of them.
    numbered: bool = False
    status: TextStatus = Field(default=TextStatus.SENDING, sa_type=enum_type(TextStatus))
    carrier_sid: str | None = Field(default=None, max_length=64)
    carrier_error: int | None = None
    #: Millionths of a US dollar, by the installation's price.
    cost_micros: int = 0
    created_at: datetime = time_field()
