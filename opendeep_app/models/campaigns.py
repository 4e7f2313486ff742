"""One goal for many contacts."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


class Campaign(SQLModel, table=True):
    """A goal shared by tasks, one task per contact."""

    __tablename__ = "campaigns"

    id: str = id_field()
    user_id: str = reference("users", index=True)
    name: str = Field(max_length=200)
    goal: str = Field(max_length=4000)
    created_at: datetime = time_field()
