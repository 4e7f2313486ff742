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
    for model, row_id in ((User, user_id), (Campaign, campaign_id)):
        if row_id is not None:
            row = await session.execute(
                select(col(model.hours), col(model.retry_policy)).where(col(model.id) == row_id)
            )
            found.extend((hours, retries) for hours, retries in row)
    return found
