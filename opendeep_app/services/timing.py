"""Why a call comes when it does: one pure function that chooses the time and explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opendeep_app.models.task_events import Inputs, Scheduled, Step, TimeRule
from opendeep_app.rules import CallingHours
from opendeep_app.services.calling_hours import closures, is_open

MAX_REASON = 500


@dataclass(frozen=True)
class Wish:
    """A rule that wants the call at `at` (aware), in words that complete "why this time?"."""

    rule: TimeRule
    at: datetime
    words: str


@dataclass(frozen=True)
class Place:
    """Where the recipient is, and when people may be called there.

    Before `waived_until` the creator lets it ring at any hour.
    """

    zone: str
    hours: CallingHours
    waived_until: datetime | None = None

    def open_at(self, at: datetime) -> bool:
        """Whether a call may begin at this moment (aware)."""
        waived = self.waived_until is not None and at < self.waived_until
        return waived or is_open(at, self.zone, self.hours)


@dataclass(frozen=True)
class Schedule:
    """A time and everything that led to it, in order: the answer to "why this time?"."""

    at: datetime
    steps: tuple[Step, ...]
    inputs: Inputs
    attempt_returned: bool = False

    @property
    def rules(self) -> list[str]:
        """The steps in words."""
        return [step.words for step in self.steps]

    @property
    def reason(self) -> str:
        """The steps in one line."""
        return "; ".join(self.rules)[:MAX_REASON]

    @property
    def payload(self) -> Scheduled:
        """As an event keeps it."""
        return Scheduled(
            reason=self.reason,
            next_action_at=self.at,
            rules=self.rules,
            steps=list(self.steps),
            inputs=self.inputs,
            attempt_returned=self.attempt_returned,
        )


def choose(now: datetime, wishes: Sequence[Wish], place: Place, **inputs: Any) -> Schedule:
    """The time of the next call: each wish in turn, and then when the recipient may be called.

    The result is never before `now`. `inputs` are further facts that the wishes came from.
    """
    steps: list[Step] = []
    at = now.astimezone(UTC)
    for wish in wishes:
        after = max(wish.at, now).astimezone(UTC)
        steps.append(Step(rule=wish.rule, before=at, after=after, words=wish.words))
        at = after
    if not place.open_at(at):
        for closed in closures(at, place.zone, place.hours):
            opening = local(closed.until, place.zone)
            rule, words = (
                TimeRule.CALLING_HOURS,
                f"calling hours there are {place.hours}: {opening}",
            )
            if closed.holiday:
                rule = TimeRule.HOLIDAY
                words = f"{closed.holiday} is a public holiday there: {opening}"
            steps.append(Step(rule=rule, before=at, after=closed.until, words=words))
            at = closed.until
    facts = Inputs(
        now=now,
        time_zone=place.zone,
        hours=str(place.hours),
        holidays=place.hours.country if place.hours.avoid_holidays else None,
        **inputs,
    )
    return Schedule(at, tuple(steps), facts)


def describe(delay: timedelta) -> str:
    """A delay in words: "45 s", "12 min", "3 h 20 min"."""
    seconds = round(delay.total_seconds())
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def local(at: datetime, zone: str) -> str:
    """A moment as people there would say it."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M} their time"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[0].upper() + text[1:]
