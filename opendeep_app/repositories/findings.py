"""Queries on what calls found out."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Finding


async def for_call(session: AsyncSession, call_id: str) -> list[Finding]:
    """What a call found out, in the order in which it was noted."""
    rows = await session.scalars(
        select(Finding).where(col(Finding.call_id) == call_id).order_by(col(Finding.id))
    )
    return list(rows)
