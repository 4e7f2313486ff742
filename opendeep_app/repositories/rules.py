"""What users and campaigns want of calling hours and retries."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Campaign, User

Wish = dict[str, Any] | None


async def wishes(
    session: AsyncSession, user_id: str, campaign_id: str | None
) -> list[tuple[Wish, Wish]]:
    """Hours and retries as the user wants them, and then, if there is one, as the campaign does."""
    found: list[tuple[Wish, Wish]] = []
    user = select(col(User.hours), col(User.retry_policy)).where(col(User.id) == user_id)
    found.extend((hours, retries) for hours, retries in await session.execute(user))
    if campaign_id is not None:
        campaign = select(col(Campaign.hours), col(Campaign.retry_policy)).where(
            col(Campaign.id) == campaign_id, col(Campaign.user_id) == user_id
        )
        found.extend((hours, retries) for hours, retries in await session.execute(campaign))
    return found
