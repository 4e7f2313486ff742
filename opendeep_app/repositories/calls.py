"""Queries on calls and their transcripts."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import (
    Call,
    CallOutcome,
    CallStatus,
    Campaign,
    DailySpending,
    Speaker,
    Task,
    TaskStatus,
    TranscriptLine,
    User,
)
from opendeep_app.models.base import new_id
from opendeep_app.models.calls import LIVE

#: The partial indexes on live calls are used only where their condition stands in the query.
LIVE_NOW = col(Call.status).in_([literal_column(f"'{status}'") for status in LIVE])

# What a live call does most is built only once.
_OWNER = (
    select(col(Call.task_id), col(Task.user_id))
    .join(Task, col(Task.id) == col(Call.task_id))
    .where(col(Call.id) == bindparam("call"))
    .with_for_update(of=Call)
)
_LAST_LINE = select(func.max(col(TranscriptLine.sequence))).where(
    col(TranscriptLine.call_id) == bindparam("call")
)
_NEXT_LINE = insert(TranscriptLine.__table__).values(  # type: ignore[attr-defined]
    sequence=func.coalesce(_LAST_LINE.scalar_subquery(), 0) + 1
)
_NEWEST_LINES: Any = (
    select(TranscriptLine)
    .where(col(TranscriptLine.call_id) == bindparam("call"))
    .order_by(col(TranscriptLine.sequence).desc())
    .limit(bindparam("most"))
)

_SPENDING: Any = (
    select(
        col(Call.cost_micros).label("cost"),
        col(Task.budget_micros).label("task_budget"),
        col(Task.spent_micros).label("task_spent"),
        col(User.daily_budget_micros).label("day_budget"),
        col(DailySpending.spent_micros).label("day_spent"),
        col(Campaign.budget_micros).label("campaign_budget"),
        col(Campaign.spent_micros).label("campaign_spent"),
    )
    .join(Task, col(Task.id) == col(Call.task_id))
    .join(User, col(User.id) == col(Task.user_id))
    .outerjoin(
        DailySpending,
        and_(
            col(DailySpending.user_id) == col(User.id),
            col(DailySpending.day) == col(Call.reserved_on),
        ),
    )
    .outerjoin(Campaign, col(Campaign.id) == col(Task.campaign_id))
    .where(col(Call.id) == bindparam("call"))
)


async def lock(session: AsyncSession, call_id: str) -> Call | None:
    """The call as the database has it now, locked until the transaction ends."""
    return await session.get(Call, call_id, with_for_update=True, populate_existing=True)


async def get(session: AsyncSession, user_id: str, call_id: str) -> Call | None:
    """The call, if it is this user's."""
    return await session.scalar(
        select(Call)
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(col(Call.id) == call_id, col(Task.user_id) == user_id)
    )


async def live_for_task(session: AsyncSession, task_id: str) -> Call | None:
    """The call that the task has in the network, if any."""
    return await session.scalar(select(Call).where(col(Call.task_id) == task_id, LIVE_NOW))


async def live_of_user(session: AsyncSession, user_id: str) -> list[str]:
    """Ids of the calls that a user's tasks have in the network."""
    rows = await session.scalars(
        select(col(Call.id))
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(LIVE_NOW, col(Task.user_id) == user_id)
    )
    return list(rows)


async def of_user(session: AsyncSession, user_id: str, call_id: str) -> Call | None:
    """The call, if it is of a task of this user's."""
    return await session.scalar(
        select(Call)
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(col(Call.id) == call_id, col(Task.user_id) == user_id)
    )


async def for_task(session: AsyncSession, task_id: str) -> list[Call]:
    """Every attempt of a task, oldest first."""
    rows = await session.scalars(
        select(Call).where(col(Call.task_id) == task_id).order_by(col(Call.attempt_number))
    )
    return list(rows)


async def next_attempt_number(session: AsyncSession, task_id: str) -> int:
    """One more than the task's highest attempt number, withdrawn attempts included."""
    highest = await session.scalar(
        select(func.max(col(Call.attempt_number))).where(col(Call.task_id) == task_id)
    )
    return (highest or 0) + 1


async def transcript(session: AsyncSession, call_id: str) -> list[TranscriptLine]:
    """What was said on a call, in order."""
    rows = await session.scalars(
        select(TranscriptLine)
        .where(col(TranscriptLine.call_id) == call_id)
        .order_by(col(TranscriptLine.sequence))
    )
    return list(rows)


async def last_lines(session: AsyncSession, call_id: str, most: int) -> list[TranscriptLine]:
    """What was said last on a call, in order."""
    return list(await session.scalars(_NEWEST_LINES, {"call": call_id, "most": most}))[::-1]


async def lock_owner(session: AsyncSession, call_id: str) -> tuple[str, str]:
    """The ids of a call's task and user, the call being locked until the transaction ends."""
    task_id, user_id = (await session.execute(_OWNER, {"call": call_id})).one()
    return task_id, user_id


async def spending(session: AsyncSession, call_id: str) -> Row[Any]:
    """A call's `cost`, and `budget` and `spent` of its `task_`, its `day_` and its `campaign_`."""
    row: Row[Any] = (await session.execute(_SPENDING, {"call": call_id})).one()
    return row


async def add_line(session: AsyncSession, **line: Any) -> None:
    """Adds a line to the transcript of a call that is locked, numbered behind the others."""
    await session.execute(_NEXT_LINE, {"id": new_id(), "call": line["call_id"], **line})


async def never_dialled(session: AsyncSession, before: datetime, limit: int = 100) -> list[str]:
    """Ids of intents older than the given time: their job was lost."""
    rows = await session.scalars(
        select(col(Call.id))
        .where(LIVE_NOW, col(Call.status) == CallStatus.INTENT, col(Call.created_at) < before)
        .limit(limit)
    )
    return list(rows)


async def unconfirmed(session: AsyncSession, before: datetime, limit: int = 100) -> list[Call]:
    """Calls asked of the carrier before the given time whose SID never came back."""
    rows = await session.scalars(
        select(Call)
        .where(
            LIVE_NOW,
            col(Call.carrier_sid).is_(None),
            col(Call.dialled_at) < before,
        )
        .limit(limit)
    )
    return list(rows)


async def silent(session: AsyncSession, before: datetime, limit: int = 100) -> list[Call]:
    """Calls in the network of which nothing has been heard since the given time."""
    heard = func.coalesce(
        col(Call.session_seen_at),
        col(Call.answered_at),
        col(Call.dialled_at),
        col(Call.created_at),
    )
    rows = await session.scalars(
        select(Call)
        .where(
            LIVE_NOW,
            col(Call.carrier_sid).is_not(None),
            heard < before,
        )
        .limit(limit)
    )
    return list(rows)


async def unwanted(session: AsyncSession, limit: int = 100) -> list[str]:
    """Ids of calls in the network whose task was stopped: the order to hang up was lost."""
    rows = await session.scalars(
        select(col(Call.id))
        .join(Task, col(Task.id) == col(Call.task_id))
        .where(
            LIVE_NOW,
            col(Call.carrier_sid).is_not(None),
            col(Task.status) == TaskStatus.CANCELLED,
        )
        .limit(limit)
    )
    return list(rows)


async def unfinished(session: AsyncSession, task_id: str) -> bool:
    """Whether a call of the task is going on, or its analysis has yet to say what comes next."""
    pending = or_(
        LIVE_NOW,
        (col(Call.status) == CallStatus.ENDED)
        & (col(Call.outcome) != CallOutcome.AWAITING_INFO)
        & col(Call.analysed_at).is_(None),
    )
    found = await session.scalar(select(col(Call.id)).where(col(Call.task_id) == task_id, pending))
    return found is not None


async def unanalysed(session: AsyncSession, before: datetime, limit: int = 100) -> list[str]:
    """Ids of calls that ended before the given time and have no analysis yet."""
    rows = await session.scalars(
        select(col(Call.id))
        .where(
            col(Call.status) == literal_column(f"'{CallStatus.ENDED}'"),
            col(Call.analysed_at).is_(None),
            col(Call.ended_at) < before,
        )
        .limit(limit)
    )
    return list(rows)


async def known_sids(session: AsyncSession, phone_number: str) -> set[str]:
    """Carrier SIDs of this number that belong to a call already."""
    rows = await session.scalars(
        select(col(Call.carrier_sid)).where(
            col(Call.phone_number) == phone_number, col(Call.carrier_sid).is_not(None)
        )
    )
    return {sid for sid in rows if sid}


async def count_live(session: AsyncSession) -> tuple[int, int]:
    """How many calls are in the network or about to be, and how many of them are not dialled yet."""
    undialled = func.count().filter(col(Call.status) == CallStatus.INTENT)
    rows = await session.execute(select(func.count(), undialled).where(LIVE_NOW))
    live, intents = rows.one()
    return live, intents


async def count_placed(session: AsyncSession, task_id: str) -> int:
    """How many of a task's calls the carrier was really asked for."""
    return int(
        await session.scalar(
            select(func.count())
            .select_from(Call)
            .where(col(Call.task_id) == task_id, col(Call.status) != CallStatus.WITHDRAWN)
        )
        or 0
    )


async def last_spoke(session: AsyncSession, call_id: str, speaker: Speaker) -> datetime | None:
    """When something that one side said was written down last."""
    return await session.scalar(
        select(col(TranscriptLine.created_at))
        .where(col(TranscriptLine.call_id) == call_id, col(TranscriptLine.speaker) == speaker)
        .order_by(col(TranscriptLine.sequence).desc())
        .limit(1)
    )
