"""What a user's calls cost, day by day."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class DailySpending(SQLModel, table=True):
    """One day of a user, in their own time zone (`day` as in 2026-11-23).

    Millionths of a US dollar: what ended calls have cost, and what live ones may cost at most.
    """

    __tablename__ = "daily_spending"

    user_id: str = Field(
        foreign_key="users.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_type=String(36),
    )
    day: str = Field(primary_key=True, max_length=10)
    spent_micros: int = Field(default=0, sa_type=BigInteger)
    reserved_micros: int = Field(default=0, sa_type=BigInteger)
