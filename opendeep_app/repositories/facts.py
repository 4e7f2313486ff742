"""Queries on facts, and on who was told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import Call, Disclosure, Fact, FactDisclosure, FactScope, Task


async def get(session: AsyncSession, user_id: str, fact_id: str) -> Fact | None:
    """The fact, if it is this user's."""
    return await session.scalar(
        select(Fact).where(col(Fact.id) == fact_id, col(Fact.user_id) == user_id)
    )


async def of_user(
    session: AsyncSession, user_id: str, limit: int = 100, before: str | None = None
) -> list[Fact]:
    """The user's facts, newest first; `before` is the id of the last one seen."""
    wanted = select(Fact).where(col(Fact.user_id) == user_id)
    if before:
        wanted = wanted.where(col(Fact.id) < before)
    rows = await session.scalars(wanted.order_by(col(Fact.id).desc()).limit(limit))
    return list(rows)


async def usable(session: AsyncSession, task: Task, now: datetime) -> list[Fact]:
    """The facts that apply to a task and may reach its agent, the most specific first."""
    scope = col(Fact.scope)
    contact = and_(scope == FactScope.CONTACT, col(Fact.phone_number) == task.phone_number)
    campaign = and_(scope == FactScope.CAMPAIGN, col(Fact.campaign_id) == task.campaign_id)
    rows = await session.scalars(
        select(Fact)
        .where(
            col(Fact.user_id) == task.user_id,
            or_(scope == FactScope.EVERYWHERE, contact, campaign),
            col(Fact.disclosure) != Disclosure.NEVER_SAY,
            or_(col(Fact.expires_at).is_(None), col(Fact.expires_at) > now),
        )
        .order_by(col(Fact.updated_at).desc())
    )
    order = list(FactScope)
    return sorted(rows, key=lambda fact: order.index(fact.scope))


async def disclosures(
    session: AsyncSession, fact_ids: list[str], limit: int = 500
) -> Sequence[Row[FactDisclosure, Call, Task]]:
    """Who was told these facts, newest first."""
    rows = await session.execute(
        select(FactDisclosure, Call, Task)
        .join(Call, col(Call.id) == col(FactDisclosure.call_id))
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(col(FactDisclosure.fact_id).in_(fact_ids))
        .order_by(col(FactDisclosure.id).desc())
        .limit(limit)
    )
    return rows.all()
