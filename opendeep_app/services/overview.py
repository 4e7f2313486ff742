"""The figures of the overview page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.models import CallOutcome, InfoRequestStatus, TaskStatus
from opendeep_app.repositories import overview as rows
from opendeep_app.repositories.overview import QUARTER_SECONDS, Finished, Quarter

RANGES = (7, 30, 90)
#: Seconds; a wait belongs to the first bound that it stayed below.
WAIT_BOUNDS = (10, 30, 60)
WAITS = ("under 10 s", "10 to 30 s", "30 to 60 s", "a minute and more", "too late", "no answer yet")


@dataclass(frozen=True)
class Day:
    """A day of the viewer's."""

    date: date
    calls: int = 0
    answered: int = 0
    cost_micros: int = 0


@dataclass(frozen=True)
class Hour:
    """An hour of the recipients' week; `weekday` 0 is Monday."""

    weekday: int
    hour: int
    calls: int
    answered: int


@dataclass(frozen=True)
class Figures:
    """Everything the page plots; `days` has every day of the range, `hours` those with calls."""

    completed: int
    failed: int
    attempts_of_completed: int
    days: list[Day]
    hours: list[Hour]
    today: dict[CallOutcome, int]
    waits: dict[str, int]

    @property
    def calls(self) -> int:
        """How many were dialled."""
        return sum(day.calls for day in self.days)

    @property
    def answered(self) -> int:
        """How many were picked up by other than a voicemail."""
        return sum(day.answered for day in self.days)

    @property
    def cost_micros(self) -> int:
        """Millionths of a dollar."""
        return sum(day.cost_micros for day in self.days)


def begins(now: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The midnight in the zone with which a range of so many days, today included, begins."""
    first = now.astimezone(zone).date() - timedelta(days=days - 1)
    return datetime.combine(first, time(), zone).astimezone(UTC)


async def figures(
    session: AsyncSession, user_id: str, now: datetime, time_zone: str, days: int
) -> Figures:
    """The user's figures of the last days, today included, in four queries."""
    zone = ZoneInfo(time_zone)
    since = begins(now, zone, days)
    dialled = await rows.quarters(session, user_id, since)
    ended = await rows.finished(session, user_id, since)
    return Figures(
        completed=_tasks(ended, TaskStatus.COMPLETED),
        failed=_tasks(ended, TaskStatus.FAILED),
        attempts_of_completed=sum(
            one.attempts for one in ended if one.status is TaskStatus.COMPLETED
        ),
        days=_days(dialled, since.astimezone(zone).date(), zone, days),
        hours=_hours(dialled),
        today=await rows.outcomes(session, user_id, begins(now, zone, 1)),
        waits=_waits(await rows.waits(session, user_id, since, WAIT_BOUNDS)),
    )


def _tasks(ended: Sequence[Finished], status: TaskStatus) -> int:
    return sum(one.tasks for one in ended if one.status is status)


@lru_cache(maxsize=50_000)
def _local(quarter: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, zone)


def _days(dialled: Sequence[Quarter], first: date, zone: ZoneInfo, days: int) -> list[Day]:
    sums = {first + timedelta(days=n): [0, 0, 0] for n in range(days)}
    for quarter in dialled:
        # A call dialled at this very moment may belong to a day that has just begun.
        total = sums.setdefault(_local(quarter.number, zone).date(), [0, 0, 0])
        total[0] += quarter.calls
        total[1] += quarter.answered
        total[2] += quarter.cost_micros
    return [Day(day, *total) for day, total in sorted(sums.items())]


def _hours(dialled: Sequence[Quarter]) -> list[Hour]:
    calls: Counter[tuple[int, int]] = Counter()
    answered: Counter[tuple[int, int]] = Counter()
    for quarter in dialled:
        there = _local(quarter.number, ZoneInfo(quarter.time_zone))
        calls[there.weekday(), there.hour] += quarter.calls
        answered[there.weekday(), there.hour] += quarter.answered
    return [Hour(*place, calls[place], answered[place]) for place in sorted(calls)]


def _waits(counted: dict[tuple[InfoRequestStatus, int], int]) -> dict[str, int]:
    found = dict.fromkeys(WAITS, 0)
    for (status, step), count in counted.items():
        if status is InfoRequestStatus.ANSWERED:
            found[WAITS[step]] += count
        elif status is InfoRequestStatus.ANSWERED_LATE:
            found["too late"] += count
        elif status in (InfoRequestStatus.OPEN, InfoRequestStatus.EXPIRED):
            found["no answer yet"] += count
    return found
