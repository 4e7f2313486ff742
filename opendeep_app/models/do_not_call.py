"""Numbers that a user's agent must never ring again."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


class DoNotCall(SQLModel, table=True):
    """One forbidden number of one user."""

    __tablename__ = "do_not_call"
    __table_args__ = (
        UniqueConstraint("user_id", "phone_number", name="do_not_call_user_id_phone_number_key"),
    )

    id: str = id_field()
    user_id: str = reference("users")
    phone_number: str = Field(max_length=20)
    reason: str = Field(default="", max_length=500)
    created_at: datetime = time_field()
