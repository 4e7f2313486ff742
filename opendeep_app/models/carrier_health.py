"""What is known of the phone provider's health: one row, shared by every worker."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from opendeep_app.models.base import time_field


class CarrierHealth(SQLModel, table=True):
    """The circuit breaker. `retry_at` is None while calls may be placed."""

    __tablename__ = "carrier_health"

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    #: Troubles since the provider last took or properly refused a call.
    failures: int = 0
    #: How often in a row dialling was stopped; each time the pause is longer.
    trips: int = 0
    #: Until then nothing is dialled but the probe.
    retry_at: datetime | None = time_field(default=None)
    #: The one call that tries whether the provider is back.
    probe_call_id: str | None = Field(default=None, max_length=36)
    #: In words, for creators.
    reason: str = Field(default="", max_length=500)
