"""What happens after a call: a pure decision that explains itself."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from opendeep_app.models.calls import CallOutcome as Outcome
from opendeep_app.policy import CallingHours
from opendeep_app.services.calling_hours import is_open, next_open


@dataclass(frozen=True)
class Backoff:
    """Delay before the next attempt: `base × factor^(attempts - 1)`, capped, with jitter.

    `base` counts in units of the configured retry base (seconds); `cap_seconds` bounds the
    result; `jitter` is the share by which it may be longer or shorter.
    """

    base: float
    factor: float = 2.0
    cap_seconds: float = 24 * 3600
    jitter: float = 0.15

    def delay(self, attempts: int, unit_seconds: float, chance: Callable[[], float]) -> timedelta:
        """The delay after so many attempts (at least 1); `chance` returns 0 ≤ x < 1."""
        # The exponent is bounded so that a huge attempt count cannot overflow a float.
        grown = self.base * unit_seconds * self.factor ** min(max(attempts, 1) - 1, 60)
        return timedelta(
            seconds=min(grown, self.cap_seconds) * (1 + self.jitter * (2 * chance() - 1))
        )


#: Outcomes after which another call can help. Nobody there now may be there soon; a busy
#: line frees quickly; a voicemail means hours rather than minutes.
BACKOFF: dict[Outcome, Backoff] = {
    Outcome.FAILED_BUSY: Backoff(base=1, factor=1.5, cap_seconds=2 * 3600),
    Outcome.FAILED_NO_ANSWER: Backoff(base=3),
    Outcome.FAILED_VOICEMAIL: Backoff(base=6),
    Outcome.FAILED_CARRIER: Backoff(base=1),
    Outcome.REJECTED: Backoff(base=6),
    Outcome.HUNG_UP_EARLY: Backoff(base=3),
    Outcome.INCONCLUSIVE: Backoff(base=3),
    Outcome.CALLBACK_REQUESTED: Backoff(base=3),
}

WORDS: dict[Outcome, str] = {
    Outcome.FAILED_BUSY: "the line was busy",
    Outcome.FAILED_NO_ANSWER: "nobody answered",
    Outcome.FAILED_VOICEMAIL: "voicemail picked up",
    Outcome.FAILED_CARRIER: "the phone network had trouble",
    Outcome.FAILED_INVALID_NUMBER: "the number cannot be called",
    Outcome.REJECTED: "the call was rejected",
    Outcome.HUNG_UP_EARLY: "the recipient hung up early",
    Outcome.INCONCLUSIVE: "the call brought no clear result",
    Outcome.CALLBACK_REQUESTED: "the recipient asked for another time",
    Outcome.DECLINED: "the recipient said no",
    Outcome.WRONG_NUMBER: "somebody else has this number",
    Outcome.CANCELLED: "the call was stopped",
    Outcome.DO_NOT_CALL: "the recipient asked not to be called again",
    Outcome.AWAITING_INFO: "the agent is waiting for your answer",
    Outcome.ANSWERED: "somebody answered",
    Outcome.GOAL_MET: "the goal was reached",
}


@dataclass(frozen=True)
class Schedule:
    """A time and every rule that shaped it, in order: the answer to "why this time?"."""

    at: datetime
    rules: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """The rules in one line."""
        return "; ".join(self.rules)[:500]


@dataclass(frozen=True)
class GiveUp:
    """No further call; `reason` in plain words."""

    reason: str


@dataclass(frozen=True)
class Attempt:
    """What the decision looks at after a call that did not reach the goal."""

    outcome: Outcome
    attempts: int
    max_attempts: int
    ended_at: datetime
    time_zone: str
    hours: CallingHours
    retry_base_seconds: float
    callback_at: datetime | None = None
    callback_reason: str = ""


def decide(attempt: Attempt, chance: Callable[[], float] = random.random) -> Schedule | GiveUp:
    """Another call, and when; or none, and why."""
    why = WORDS[attempt.outcome]
    if attempt.outcome not in BACKOFF:
        return GiveUp(f"{sentence(why)}, so another call would not help.")
    if attempt.attempts >= attempt.max_attempts:
        tries = (
            "the only attempt"
            if attempt.max_attempts == 1
            else f"all {attempt.max_attempts} attempts"
        )
        return GiveUp(
            f"{sentence(why)}, and {tries} have been used.".replace("attempt have", "attempt has")
        )
    rules = [f"{sentence(why)} (attempt {attempt.attempts} of {attempt.max_attempts})"]
    if attempt.callback_at is not None and attempt.callback_at > attempt.ended_at:
        at = attempt.callback_at
        rules.append(f"they asked for {_local(at, attempt.time_zone)}")
    else:
        delay = BACKOFF[attempt.outcome].delay(attempt.attempts, attempt.retry_base_seconds, chance)
        at = attempt.ended_at + delay
        rules.append(f"wait {describe(delay)}")
    return within_hours(at, rules, attempt.time_zone, attempt.hours)


def preview(
    wish: datetime, zone: str, hours: CallingHours, max_attempts: int, retry_base_seconds: float
) -> list[Schedule]:
    """When a new task's calls would be if nobody ever answered, jitter aside."""
    calls = [within_hours(wish, ["As soon as possible"], zone, hours)]
    while len(calls) < max_attempts:
        after = Attempt(
            outcome=Outcome.FAILED_NO_ANSWER,
            attempts=len(calls),
            max_attempts=max_attempts,
            ended_at=calls[-1].at,
            time_zone=zone,
            hours=hours,
            retry_base_seconds=retry_base_seconds,
        )
        following = decide(after, chance=lambda: 0.5)
        assert isinstance(following, Schedule)
        calls.append(following)
    return calls


def within_hours(at: datetime, rules: list[str], zone: str, hours: CallingHours) -> Schedule:
    """The schedule for a wish: moved to the next opening when `at` is outside calling hours."""
    if is_open(at, zone, hours):
        return Schedule(at, rules)
    opening = next_open(at, zone, hours)
    return Schedule(
        opening,
        [*rules, f"calling hours there are {hours}: {_local(opening, zone)}"],
    )


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


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M} their time"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[0].upper() + text[1:]
