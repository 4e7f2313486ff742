"""What a call found out, of what its task asked for."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import id_field, reference, time_field


class Finding(SQLModel, table=True):
    """One answer that the agent noted during a call; noting a field again corrects it.

    `line` is the number of the transcript line that holds the quote; without one the finding
    is unproven.
    """

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("call_id", "field", name="findings_call_id_field_key"),)

    id: str = id_field()
    call_id: str = reference("calls")
    task_id: str = reference("tasks", index=True)
    field: str = Field(max_length=80)
    value: str = Field(max_length=2000)
    quote: str = Field(max_length=1000)
    line: int | None = None
    created_at: datetime = time_field()
