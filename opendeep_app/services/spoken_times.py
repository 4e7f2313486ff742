"""When people say "call after nine tomorrow": a moment in their own time zone.

The agent passes on what it heard; this reads ISO 8601 and everyday English. What it cannot
read is None, and the agent asks again.
"""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FARTHEST = timedelta(days=366)
"""Nobody means the year 9999."""

NUMBERS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
} | {"a": 1, "an": 1, "half an": 0.5, "a couple of": 2, "a few": 3}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = {
    "morning": time(9),
    "noon": time(12),
    "midday": time(12),
    "lunch": time(13),
    "afternoon": time(14),
    "evening": time(18),
    "tonight": time(19),
}
UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}

_WORDS = "|".join(sorted(NUMBERS, key=len, reverse=True))
_IN = re.compile(rf"\b(?:in|after)\s+(\d+|{_WORDS})\s+(minute|hour|day|week)s?\b")
_CLOCK = re.compile(
    rf"\b(?P<half>half past\s+)?(?P<hour>\d{{1,2}}|{_WORDS})(?:[:.](?P<minute>\d{{2}}))?"
    r"\s*(?P<half_of_day>a\.?m\b|p\.?m\b|o'?clock)?"
)
_LEAD = re.compile(r"\b(?:at|after|from|by|around|about|past|until|till|before)\s+$")


def parse(text: str, now: datetime, zone: str) -> datetime | None:
    """The moment meant by `text`, in UTC, within a year after `now` (aware); else None."""
    text = " ".join(text.casefold().replace("’", "'").split())
    tz = ZoneInfo(zone)
    moment = _iso(text, tz) or _relative(text, now) or _calendar(text, now.astimezone(tz), tz)
    if moment is None or not now < moment < now + FARTHEST:
        return None
    return moment.astimezone(UTC)


def _iso(text: str, tz: ZoneInfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=tz)


def _relative(text: str, now: datetime) -> datetime | None:
    found = _IN.search(text)
    if not found:
        return None
    amount = float(found[1]) if found[1].isdigit() else NUMBERS[found[1]]
    return now + timedelta(seconds=min(amount, 1000) * UNITS[found[2]])


def _calendar(text: str, local: datetime, tz: ZoneInfo) -> datetime | None:
    days, at = _day(text, local), _time(text)
    if days is None and at is None:
        return None
    opening = at or time(9)
    # Through UTC, so that a wall time that daylight saving skips becomes the moment after.
    moment = datetime.combine(local.date() + timedelta(days=days or 0), opening, tz)
    if days is None and moment <= local:
        moment = datetime.combine(local.date() + timedelta(days=1), opening, tz)
    return moment.astimezone(UTC)


def _day(text: str, local: datetime) -> int | None:
    if "day after tomorrow" in text:
        return 2
    if "tomorrow" in text:
        return 1
    for number, name in enumerate(WEEKDAYS):
        if re.search(rf"\b{name}\b", text):
            return (number - local.weekday() - 1) % 7 + 1
    if "next week" in text:
        return 7 - local.weekday()
    return 0 if re.search(r"\b(today|tonight|this (morning|afternoon|evening))\b", text) else None


def _time(text: str) -> time | None:
    for found in _CLOCK.finditer(text):
        marker = (found["half_of_day"] or "").replace(".", "")
        if not (marker or found["minute"] or found["half"] or _LEAD.search(text[: found.start()])):
            continue
        number = found["hour"]
        hour = int(number) if number.isdigit() else int(NUMBERS[number])
        minute = 30 if found["half"] else int(found["minute"] or 0)
        if marker == "pm" and hour < 12:
            hour += 12
        elif marker == "am" and hour == 12:
            hour = 0
        elif marker != "am" and 1 <= hour <= 7 and "morning" not in text:
            # Nobody means five in the morning without saying so.
            hour += 12
        if hour < 24 and minute < 60:
            return time(hour, minute)
    return next((at for word, at in PARTS.items() if re.search(rf"\b{word}\b", text)), None)
