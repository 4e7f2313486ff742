"""Queries on saved views."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import SavedView


async def of_user(session: AsyncSession, user_id: str, limit: int) -> list[SavedView]:
    """The user's views by name."""
    rows = await session.scalars(
        select(SavedView)
        .where(col(SavedView.user_id) == user_id)
        .order_by(col(SavedView.name))
        .limit(limit)
    )
    return list(rows)
