"""When a recipient may be called: within the windows of their own days, holidays aside."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opendeep_app.rules import CallingHours
from opendeep_app.services import public_holidays

HORIZON_DAYS = 400
"""No sensible hours are closed for longer."""


@dataclass(frozen=True)
class Closed:
    """Why nobody may be called at a moment, and from when on this is no reason any more.

    `holiday` is the name of one, None when the day's windows are closed.
    """

    until: datetime
    holiday: str | None = None


def is_open(at: datetime, zone: str, hours: CallingHours) -> bool:
    """Whether a call may begin at this moment (aware) in the recipient's zone."""
    local = at.astimezone(ZoneInfo(zone))
    return _in_window(local, hours) and not _holiday(local.date(), hours)


def next_open(at: datetime, zone: str, hours: CallingHours) -> datetime:
    """The first moment not before `at` (aware) at which a call may begin, in UTC.

    Clocks that jump are minded: hours that daylight saving skips do not exist, hours that
    happen twice are open twice.
    """
    last = at.astimezone(UTC)
    for closed in closures(at, zone, hours):
        last = closed.until
    return last


def closures(at: datetime, zone: str, hours: CallingHours) -> Iterator[Closed]:
    """Everything that keeps a call from `at` to the next opening, in order; nothing when open."""
    tz = ZoneInfo(zone)
    at = at.astimezone(UTC)
    end = at + timedelta(days=HORIZON_DAYS)
    while at < end:
        local = at.astimezone(tz)
        if not _in_window(local, hours):
            at = _next_window(at, tz, hours)
            yield Closed(at)
        elif holiday := _holiday(local.date(), hours):
            tomorrow = datetime.combine(local.date() + timedelta(days=1), time(0), tz)
            at = _next_window(max(tomorrow.astimezone(UTC), at), tz, hours)
            yield Closed(at, holiday)
        else:
            return


def _in_window(local: datetime, hours: CallingHours) -> bool:
    minute = local.hour * 60 + local.minute
    return any(window.first <= minute < window.last for window in hours.on(local.weekday()))


def _holiday(day: date, hours: CallingHours) -> str | None:
    if not hours.avoid_holidays:
        return None
    return public_holidays.name(day, hours.country, hours.region)


def _next_window(at: datetime, tz: ZoneInfo, hours: CallingHours) -> datetime:
    """The first moment not before `at` (UTC) in an open window, whatever is celebrated."""
    if _in_window(at.astimezone(tz), hours):
        return at
    today = at.astimezone(tz).date()
    # From yesterday on: where a whole day is skipped or clocks go back over midnight, the date
    # before may still begin.
    for offset in range(-1, 9):
        for moment in sorted(_openings(today + timedelta(days=offset), tz, hours)):
            if moment >= at and _in_window(moment.astimezone(tz), hours):
                return moment
    raise ValueError(f"no opening within a week of {at} in {tz}")


def _openings(day: date, tz: ZoneInfo, hours: CallingHours) -> Iterator[datetime]:
    """The moments (UTC) of a local day at which a window can open: its start, or a clock's jump."""
    for window in hours.on(day.weekday()):
        for fold in (0, 1):
            yield datetime.combine(day, window.start.replace(fold=fold), tz).astimezone(UTC)
    begin, end = (
        datetime.combine(midnight, time(0), tz).astimezone(UTC)
        for midnight in (day, day + timedelta(days=1))
    )
    offset = begin.astimezone(tz).utcoffset()
    if end.astimezone(tz).utcoffset() == offset:
        return
    while end - begin > timedelta(seconds=1):
        middle = begin + (end - begin) // 2
        if middle.astimezone(tz).utcoffset() == offset:
            begin = middle
        else:
            end = middle
    yield end.replace(microsecond=0)
