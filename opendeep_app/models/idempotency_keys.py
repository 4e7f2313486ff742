"""Answers to requests that may come again."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


class IdempotencyKey(SQLModel, table=True):
    """The answer that the first request with a key got; `request` is the SHA-256 of what it was."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "key", name="idempotency_keys_user_id_key_key"),)

    id: str = id_field()
    user_id: str = reference("users")
    key: str = Field(max_length=255)
    request: str = Field(max_length=64)
    answer: str = Field(sa_type=Text)
    created_at: datetime = time_field(index=True)
