"""Aggregates for the overview page, the same on SQLite and PostgreSQL.

Times are grouped by quarters of an hour since 1970: every zone's hours and days are whole
numbers of them, so that the caller can lay them out in any zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from opendeep_app.models import (
    Call,
    CallOutcome,
    Direction,
    InfoRequest,
    InfoRequestStatus,
    Task,
    TaskStatus,
)
from opendeep_app.models.calls import LIVE

QUARTER_SECONDS = 900
MOST_LIVE = 12


class _whole_seconds(FunctionElement[int]):  # noqa: N801  (it is a function of SQL)
    """Whole seconds since 1970."""

    type = Integer()
    inherit_cache = True


@compiles(_whole_seconds)
def _postgresql(element: _whole_seconds, compiler: SQLCompiler, **kw: object) -> str:
    return f"CAST(FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


@compiles(_whole_seconds, "sqlite")
def _sqlite(element: _whole_seconds, compiler: SQLCompiler, **kw: object) -> str:
    return f"CAST(STRFTIME('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@dataclass(frozen=True)
class Quarter:
    """What was dialled in a quarter of an hour to one time zone."""

    time_zone: str
    number: int
    calls: int
    answered: int
    cost_micros: int


@dataclass(frozen=True)
class Finished:
    """How many tasks ended so, after how many attempts in all."""

    status: TaskStatus
    tasks: int
    attempts: int


async def quarters(session: AsyncSession, user_id: str, since: datetime) -> list[Quarter]:
    """The user's outgoing calls dialled since then; a voicemail has not answered."""
    number = (_whole_seconds(col(Call.dialled_at)) // QUARTER_SECONDS).label("number")
    answered = and_(
        col(Call.answered_at).is_not(None),
        or_(col(Call.outcome).is_(None), col(Call.outcome) != CallOutcome.FAILED_VOICEMAIL),
    )
    rows = await session.execute(
        select(
            col(Task.time_zone),
            number,
            func.count(),
            func.sum(case((answered, 1), else_=0)),
            func.sum(col(Call.cost_micros)),
        )
        .join(Call, col(Call.task_id) == col(Task.id))
        .where(
            col(Task.user_id) == user_id,
            # Every step of a call is a change of its task, and those are indexed.
            col(Task.updated_at) >= since,
            col(Call.dialled_at) >= since,
            col(Call.direction) == Direction.OUTBOUND,
        )
        .group_by(col(Task.time_zone), "number")
    )
    return [Quarter(zone, *map(int, values)) for zone, *values in rows]


async def finished(session: AsyncSession, user_id: str, since: datetime) -> list[Finished]:
    """What became of the user's tasks created since then that are over."""
    rows = await session.execute(
        select(col(Task.status), func.count(), func.sum(col(Task.current_attempt_count)))
        .where(
            col(Task.user_id) == user_id,
            col(Task.created_at) >= since,
            col(Task.status).in_((TaskStatus.COMPLETED, TaskStatus.FAILED)),
        )
        .group_by(col(Task.status))
    )
    return [Finished(status, int(tasks), int(attempts)) for status, tasks, attempts in rows]


async def outcomes(session: AsyncSession, user_id: str, since: datetime) -> dict[CallOutcome, int]:
    """How the user's calls that ended since then went."""
    rows = await session.execute(
        select(col(Call.outcome), func.count())
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(
            col(Task.user_id) == user_id,
            col(Task.updated_at) >= since,
            col(Call.ended_at) >= since,
            col(Call.outcome).is_not(None),
        )
        .group_by(col(Call.outcome))
    )
    return {outcome: int(count) for outcome, count in rows if outcome is not None}


async def waits(
    session: AsyncSession, user_id: str, since: datetime, bounds: Sequence[int]
) -> dict[tuple[InfoRequestStatus, int], int]:
    """The user's questions since then by status and wait.

    A wait is the number of the first of the `bounds`, in whole seconds, that it stayed below;
    it is their count for those that took longer or have no answer.
    """
    waited = _whole_seconds(col(InfoRequest.answered_at)) - _whole_seconds(
        col(InfoRequest.asked_at)
    )
    step = case(
        *((waited < bound, number) for number, bound in enumerate(bounds)), else_=len(bounds)
    ).label("step")
    rows = await session.execute(
        select(col(InfoRequest.status), step, func.count())
        .where(col(InfoRequest.user_id) == user_id, col(InfoRequest.asked_at) >= since)
        .group_by(col(InfoRequest.status), "step")
    )
    return {(status, int(number)): int(count) for status, number, count in rows}


async def live(session: AsyncSession, user_id: str) -> list[tuple[Task, Call]]:
    """The calls that the user has in the network, the longest first."""
    rows = await session.execute(
        select(Task, Call)
        .join(Call, col(Call.task_id) == col(Task.id))
        .where(
            col(Task.user_id) == user_id,
            col(Task.status) == TaskStatus.IN_PROGRESS,
            col(Call.status).in_(LIVE),
        )
        .order_by(col(Call.created_at))
        .limit(MOST_LIVE)
    )
    return [(task, call) for task, call in rows]
