"""One goal for many contacts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import Json, id_field, reference, time_field


class Campaign(SQLModel, table=True):
    """A goal shared by tasks, one task per contact; amounts are millionths of a US dollar."""

    __tablename__ = "campaigns"

    id: str = id_field()
    user_id: str = reference("users", index=True)
    name: str = Field(max_length=200)
    goal: str = Field(max_length=4000)
    budget_micros: int | None = Field(default=None, sa_type=BigInteger)
    spent_micros: int = Field(default=0, sa_type=BigInteger)
    reserved_micros: int = Field(default=0, sa_type=BigInteger)
    #: What this campaign wants otherwise than its user and the defaults (`rules.HoursWish`, `rules.RetryWish`).
    hours: dict[str, Any] | None = Field(default=None, sa_type=Json)
    retry_policy: dict[str, Any] | None = Field(default=None, sa_type=Json)
    created_at: datetime = time_field()
