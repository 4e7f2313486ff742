"""Calling hours and retries as data: validated, merged from defaults and sparse wishes.

An installation has defaults; a user, a campaign and a task may each say what they want
otherwise, and only that (`HoursWish`, `RetryWish`, stored as JSON). Later ones win.
"""

from collections.abc import Iterable, Mapping
from datetime import time
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

MINUTES_OF_A_DAY = 24 * 60
LONGEST_DELAY_SECONDS = 30 * 86400


class Rule(BaseModel):
    """Base of all rules: what is not known is refused, and nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Weekday(StrEnum):
    """The days as `datetime.weekday` counts them."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


class Window(Rule):
    """A part of a day in whole minutes; `end` is exclusive, and 00:00 means midnight."""

    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for moment in (self.start, self.end):
            if moment.second or moment.microsecond or moment.tzinfo:
                raise ValueError("Use hours and minutes, for example 09:00.")
        if self.first >= self.last:
            raise ValueError("A time from–to must end after it begins.")
        return self

    @property
    def first(self) -> int:
        """The first open minute of the day."""
        return self.start.hour * 60 + self.start.minute

    @property
    def last(self) -> int:
        """The first minute that is closed again, up to 1440."""
        return self.end.hour * 60 + self.end.minute or MINUTES_OF_A_DAY

    def within(self, other: "Window") -> "Window | None":
        """The part of this window that lies in the other."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Window(start=_clock(first), end=_clock(last)) if first < last else None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{'24:00' if self.last == MINUTES_OF_A_DAY else f'{self.end:%H:%M}'}"


#: Nobody is rung earlier or later than this unless a creator says so in so many words.
USUAL = Window(start=time(8), end=time(21))
WHOLE_DAY = Window(start=time(0), end=time(0))

Windows = Annotated[tuple[Window, ...], Field(max_length=6)]


class HoursWish(Rule):
    """What somebody wants of the calling hours; days and settings not named stay as they are."""

    #: Open times by day; an empty list closes the day.
    days: dict[Weekday, Windows] = {}
    avoid_holidays: bool | None = None
    #: ISO 3166-1 country and part of it whose holidays count; by default the number's country.
    holiday_country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    holiday_region: str | None = Field(None, pattern=r"^[A-Za-z0-9-]{1,8}$")
    #: Leave to call before 8:00 or after 21:00.
    outside_usual_hours: bool | None = None

    @model_validator(mode="after")
    def _within_usual_hours(self) -> Self:
        for day, windows in self.days.items():
            ordered = sorted(windows, key=lambda window: window.first)
            for one, following in pairwise(ordered):
                if following.first < one.last:
                    raise ValueError(f"{day.title()}: {one} and {following} overlap.")
            if not self.outside_usual_hours and any(w.within(USUAL) != w for w in windows):
                raise ValueError(
                    f"{day.title()}: before {USUAL.start:%H:%M} or after {USUAL.end:%H:%M} "
                    "somebody is called only when you allow calls outside usual hours."
                )
        return self


class CallingHours(Rule):
    """When a recipient may be called, in their own time; `week` begins on Monday."""

    week: tuple[Windows, Windows, Windows, Windows, Windows, Windows, Windows] = ((USUAL,),) * 7
    avoid_holidays: bool = False
    country: str | None = None
    region: str | None = None
    outside_usual_hours: bool = False

    @classmethod
    def daily(cls, start: time, end: time, *, outside_usual_hours: bool = False) -> Self:
        """The same window on every day."""
        window = Window(start=start, end=end)
        return cls(week=((window,),) * 7, outside_usual_hours=outside_usual_hours)

    def on(self, weekday: int) -> tuple[Window, ...]:
        """The open windows of a day, without what is unusual unless that is allowed."""
        if self.outside_usual_hours:
            return self.week[weekday]
        return tuple(filter(None, (window.within(USUAL) for window in self.week[weekday])))

    @property
    def always(self) -> bool:
        """True when every moment is open."""
        every_day = all(WHOLE_DAY in self.on(day) for day in range(7))
        return every_day and not self.avoid_holidays

    def __str__(self) -> str:
        if all(WHOLE_DAY in self.on(day) for day in range(7)):
            return "any time"
        names = [day.title() for day in Weekday]
        parts = []
        for windows, days in groupby(range(7), key=self.on):
            run = list(days)
            if windows:
                name = names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}"
                hours = " and ".join(map(str, windows))
                parts.append(hours if len(run) == 7 else f"{name} {hours}")
        return ", ".join(parts)


USUAL_HOURS = CallingHours()
ALWAYS = CallingHours(week=((WHOLE_DAY,),) * 7, outside_usual_hours=True)


def merged_hours(
    base: CallingHours, wishes: Iterable[HoursWish | None], country: str | None
) -> CallingHours:
    """The hours after everybody's wishes, in order; a wish that would leave no hour is passed over.

    `country` (ISO 3166-1) is where the number is, whose holidays count unless a wish says other.
    """
    hours = base if base.country else base.model_copy(update={"country": country})
    for wish in wishes:
        if wish is None:
            continue
        week = list(hours.week)
        for day, windows in wish.days.items():
            week[list(Weekday).index(day)] = tuple(sorted(windows, key=lambda w: w.first))
        changes = {
            "week": tuple(week),
            "avoid_holidays": wish.avoid_holidays,
            "country": wish.holiday_country,
            "region": wish.holiday_region,
            "outside_usual_hours": wish.outside_usual_hours,
        }
        changed = hours.model_copy(
            update={name: value for name, value in changes.items() if value is not None}
        )
        if any(changed.on(day) for day in range(7)):
            hours = changed
    return hours


class RetryCase(StrEnum):
    """Why a call did not reach its goal although another may."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    REJECTED = "rejected"
    HUNG_UP_EARLY = "hung_up_early"
    CARRIER_TROUBLE = "carrier_trouble"
    INCONCLUSIVE = "inconclusive"
    CALLBACK_REQUESTED = "callback_requested"


class Backoff(Rule):
    """Delay before the next attempt: `base × factor^(attempts - 1)` ± jitter, never beyond the cap.

    Seconds; `jitter` is the share by which the delay may be longer or shorter; `counts` says
    whether such an attempt uses up one of the task's.
    """

    base_seconds: float = Field(gt=0, le=LONGEST_DELAY_SECONDS)
    factor: float = Field(2.0, ge=1, le=10)
    cap_seconds: float = Field(24 * 3600, gt=0, le=LONGEST_DELAY_SECONDS)
    jitter: float = Field(0.15, ge=0, le=0.9)
    counts: bool = True

    @model_validator(mode="before")
    @classmethod
    def _cap_holds_the_base(cls, values: Mapping[str, float]) -> Mapping[str, float]:
        cap = values.get("cap_seconds", cls.model_fields["cap_seconds"].default)
        return {**values, "cap_seconds": max(cap, values.get("base_seconds", 0))}

    def seconds(self, attempts: int, chance: float) -> float:
        """The delay after so many attempts (at least 1); 0 ≤ `chance` < 1 places it in the jitter."""
        # The exponent is bounded so that a huge attempt count cannot overflow a float.
        grown = self.base_seconds * self.factor ** min(max(attempts, 1) - 1, 60)
        return min(grown * (1 + self.jitter * (2 * chance - 1)), self.cap_seconds)


class BackoffWish(Rule):
    """What somebody wants of one case; settings not named stay as they are."""

    base_seconds: float | None = Field(None, gt=0, le=LONGEST_DELAY_SECONDS)
    factor: float | None = Field(None, ge=1, le=10)
    cap_seconds: float | None = Field(None, gt=0, le=LONGEST_DELAY_SECONDS)
    jitter: float | None = Field(None, ge=0, le=0.9)
    counts: bool | None = None


class RetryWish(RootModel[dict[RetryCase, BackoffWish]]):
    """What somebody wants of the retries; cases not named stay as they are."""

    model_config = ConfigDict(frozen=True)


RetryPolicy = dict[RetryCase, Backoff]


def default_retries(unit_seconds: float) -> RetryPolicy:
    """What holds unless somebody wants otherwise; delays grow with the installation's unit.

    A busy line frees soon; nobody there now may be there in a while; a voicemail means hours
    rather than minutes. Trouble in the network is nobody's attempt.
    """
    unit = min(unit_seconds, LONGEST_DELAY_SECONDS / 6)
    return {
        RetryCase.BUSY: Backoff(base_seconds=unit, factor=1.5, cap_seconds=2 * 3600),
        RetryCase.NO_ANSWER: Backoff(base_seconds=3 * unit),
        RetryCase.VOICEMAIL: Backoff(base_seconds=6 * unit),
        RetryCase.REJECTED: Backoff(base_seconds=6 * unit),
        RetryCase.HUNG_UP_EARLY: Backoff(base_seconds=3 * unit),
        RetryCase.CARRIER_TROUBLE: Backoff(base_seconds=unit, cap_seconds=2 * 3600, counts=False),
        RetryCase.INCONCLUSIVE: Backoff(base_seconds=3 * unit),
        RetryCase.CALLBACK_REQUESTED: Backoff(base_seconds=3 * unit),
    }


def merged_retries(base: RetryPolicy, wishes: Iterable[RetryWish | None]) -> RetryPolicy:
    """The policy after everybody's wishes, in order."""
    policy = dict(base)
    for wish in wishes:
        for case, changes in (wish.root if wish else {}).items():
            policy[case] = Backoff.model_validate(
                policy[case].model_dump() | changes.model_dump(exclude_none=True)
            )
    return policy


def _clock(minute: int) -> time:
    return time(*divmod(minute % MINUTES_OF_A_DAY, 60))
