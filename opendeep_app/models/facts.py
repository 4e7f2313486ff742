"""What a creator wants to be asked only once, and who was told."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from opendeep_app.models.base import enum_type, id_field, reference, time_field


class FactScope(StrEnum):
    """Where a fact may be used."""

    CONTACT = "CONTACT"
    CAMPAIGN = "CAMPAIGN"
    EVERYWHERE = "EVERYWHERE"


class Disclosure(StrEnum):
    """What the agent may do with a fact."""

    #: The agent knows it and may say it when it helps.
    SAY_FREELY = "SAY_FREELY"
    #: The agent does not know it; when it asks, the creator answers with one tap.
    ASK_FIRST = "ASK_FIRST"
    #: Kept for the creator alone.
    NEVER_SAY = "NEVER_SAY"


class Fact(SQLModel, table=True):
    """An answer that stands; `phone_number` is set for a contact's, `campaign_id` for a campaign's."""

    __tablename__ = "facts"
    __table_args__ = (Index("facts_user_scope_idx", "user_id", "scope"),)

    id: str = id_field()
    user_id: str = reference("users")
    scope: FactScope = Field(sa_type=enum_type(FactScope))
    phone_number: str | None = Field(default=None, max_length=20)
    campaign_id: str | None = reference("campaigns", nullable=True, default=None)
    question: str = Field(max_length=1000)
    answer: str = Field(max_length=2000)
    disclosure: Disclosure = Field(sa_type=enum_type(Disclosure))
    #: From then on it is not used any more; None for never.
    expires_at: datetime | None = time_field(default=None)
    #: The question whose answer it was; None when it was written down by itself.
    info_request_id: str | None = Field(
        default=None, foreign_key="info_requests.id", ondelete="SET NULL", max_length=36
    )
    created_at: datetime = time_field()
    updated_at: datetime = time_field()


class FactDisclosure(SQLModel, table=True):
    """A call whose agent was given a fact, once for each call."""

    __tablename__ = "fact_disclosures"
    __table_args__ = (
        UniqueConstraint("fact_id", "call_id", name="fact_disclosures_fact_id_call_id_key"),
    )

    id: str = id_field()
    fact_id: str = reference("facts")
    call_id: str = reference("calls", index=True)
    created_at: datetime = time_field()
