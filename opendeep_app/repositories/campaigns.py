"""Queries on campaigns."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Campaign


async def of_user(session: AsyncSession, user_id: str, limit: int) -> list[Campaign]:
    """The user's campaigns, newest first."""
    rows = await session.scalars(
        select(Campaign)
        .where(col(Campaign.user_id) == user_id)
        .order_by(col(Campaign.id).desc())
        .limit(limit)
    )
    return list(rows)
