"""One goal for many contacts."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


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
    created_at: datetime = time_field()
