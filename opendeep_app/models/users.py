"""People who delegate calls, and the tokens that prove who they are."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, enum_type, id_field, reference, time_field


class User(SQLModel, table=True):
    """A task creator; `email` is stored in lower case."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email", name="users_email_key"),)

    id: str = id_field()
    email: str = Field(max_length=320)
    name: str = Field(default="", max_length=120)
    password_hash: str | None = Field(default=None, max_length=255)
    mobile_number: str | None = Field(default=None, max_length=20)
    #: When the user replied STOP to a text message; None while they may be sent.
    texts_stopped_at: datetime | None = time_field(default=None)
    time_zone: str = Field(default="UTC", max_length=64)
    #: Millionths of a US dollar that calls may cost in one of the user's days; None for any amount.
    daily_budget_micros: int | None = Field(default=None, sa_type=BigInteger)
    #: Days after a call; None for as long as the installation keeps them.
    keep_transcripts_days: int | None = None
    keep_recordings_days: int | None = None
    #: What this user wants otherwise than the defaults (`rules.HoursWish`, `rules.RetryWish`).
    hours: dict[str, Any] | None = Field(default=None, sa_type=Json)
    retry_policy: dict[str, Any] | None = Field(default=None, sa_type=Json)
    created_at: datetime = time_field()


class TokenKind(StrEnum):
    """What an access token opens."""

    SESSION = "session"
    API_KEY = "api_key"
    SIGN_IN_LINK = "sign_in_link"
    #: One question, for whoever holds the link.
    ANSWER_LINK = "answer_link"


class AccessToken(SQLModel, table=True):
    """A secret that stands for a user; only its SHA-256 is kept."""

    __tablename__ = "access_tokens"
    __table_args__ = (UniqueConstraint("token_hash", name="access_tokens_token_hash_key"),)

    id: str = id_field()
    user_id: str = reference("users", index=True)
    kind: TokenKind = Field(sa_type=enum_type(TokenKind))
    token_hash: str = Field(max_length=64)
    #: The question that an answer link is for.
    info_request_id: str | None = Field(
        default=None, foreign_key="info_requests.id", ondelete="CASCADE", max_length=36
    )
    label: str = Field(default="", max_length=120)
    created_at: datetime = time_field()
    expires_at: datetime | None = time_field(default=None)
