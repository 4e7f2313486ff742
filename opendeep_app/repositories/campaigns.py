"""Queries on campaigns."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import CallOutcome, Campaign, Task, TaskStatus


@dataclass(frozen=True)
class Progress:
    """Where a campaign's tasks stand, and what came of the newest call of each."""

    statuses: dict[TaskStatus, int]
    outcomes: dict[CallOutcome, int]
    #: Tasks whose next call waits for money.
    short: int = 0

    @property
    def total(self) -> int:
        """How many tasks there are."""
        return sum(self.statuses.values())

    @property
    def over(self) -> int:
        """How many have ended."""
        return sum(count for status, count in self.statuses.items() if status.terminal)


async def get(session: AsyncSession, user_id: str, campaign_id: str) -> Campaign | None:
    """The campaign, if it is this user's."""
    return await session.scalar(
        select(Campaign).where(col(Campaign.id) == campaign_id, col(Campaign.user_id) == user_id)
    )


async def of_user(
    session: AsyncSession, user_id: str, limit: int, before: str | None = None
) -> list[Campaign]:
    """The user's campaigns, newest first; those after the one with the id `before`, if given."""
    statement = select(Campaign).where(col(Campaign.user_id) == user_id)
    if before is not None:
        statement = statement.where(col(Campaign.id) < before)
    rows = await session.scalars(statement.order_by(col(Campaign.id).desc()).limit(limit))
    return list(rows)


async def progress(session: AsyncSession, ids: Collection[str]) -> dict[str, Progress]:
    """How far these campaigns are, by their ids, in one query."""
    statuses: dict[str, dict[TaskStatus, int]] = defaultdict(lambda: defaultdict(int))
    outcomes: dict[str, dict[CallOutcome, int]] = defaultdict(lambda: defaultdict(int))
    short: dict[str, int] = defaultdict(int)
    rows = await session.execute(
        select(
            col(Task.campaign_id),
            col(Task.status),
            col(Task.last_outcome),
            func.count(),
            func.sum(cast(col(Task.waits_for_budget), Integer)),
        )
        .where(col(Task.campaign_id).in_(ids))
        .group_by(col(Task.campaign_id), col(Task.status), col(Task.last_outcome))
    )
    for campaign_id, status, outcome, count, waiting in rows:
        assert campaign_id is not None
        statuses[campaign_id][status] += count
        if outcome is not None:
            outcomes[campaign_id][outcome] += count
        if status.callable:
            short[campaign_id] += int(waiting or 0)
    return {one: Progress(dict(statuses[one]), dict(outcomes[one]), short[one]) for one in ids}
