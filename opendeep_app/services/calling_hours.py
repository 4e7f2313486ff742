"""When a recipient may be called: within hours of their own day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from opendeep_app.policy import CallingHours


def is_open(at: datetime, zone: str, hours: CallingHours) -> bool:
    """Whether a call may begin at this moment in the recipient's zone."""
    local = at.astimezone(ZoneInfo(zone)).time()
    return hours.always or hours.start <= local < hours.end


def next_open(at: datetime, zone: str, hours: CallingHours) -> datetime:
    """The first moment not before `at` (aware) at which a call may begin, in UTC.

    An opening time that a daylight-saving gap skips counts as late after the gap as it lay in it;
    one that happens twice counts both times.
    """
    if is_open(at, zone, hours):
        return at.astimezone(UTC)
    tz = ZoneInfo(zone)
    day = at.astimezone(tz).date()
    for offset in range(3):
        for fold in (0, 1):
            wall = datetime.combine(
                day + timedelta(days=offset), hours.start.replace(fold=fold), tz
            )
            # Converting through UTC moves a wall time inside a gap to a moment after it.
            opening = wall.astimezone(UTC)
            if opening >= at and is_open(opening, zone, hours):
                return opening
    raise ValueError(f"no opening within three days of {at} in {zone}")
