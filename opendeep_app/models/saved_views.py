"""Filters of the task list that somebody wants to come back to."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


class SavedView(SQLModel, table=True):
    """A named view; `query` is what stands behind the `?` of its address."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "name", name="saved_views_user_id_name_key"),)

    id: str = id_field()
    user_id: str = reference("users")
    name: str = Field(max_length=60)
    query: str = Field(max_length=1000)
    created_at: datetime = time_field()
