"""What happens after a call: a pure decision that explains itself."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opendeep_app.models.calls import CallOutcome as Outcome
from opendeep_app.models.task_events import TimeRule
from opendeep_app.rules import RetryCase, RetryPolicy
from opendeep_app.services.timing import Place, Schedule, Wish, choose, describe, local, sentence

#: Outcomes after which another call can help.
CASES: dict[Outcome, RetryCase] = {
    Outcome.FAILED_BUSY: RetryCase.BUSY,
    Outcome.FAILED_NO_ANSWER: RetryCase.NO_ANSWER,
    Outcome.FAILED_VOICEMAIL: RetryCase.VOICEMAIL,
    Outcome.FAILED_CARRIER: RetryCase.CARRIER_TROUBLE,
    Outcome.REJECTED: RetryCase.REJECTED,
    Outcome.HUNG_UP_EARLY: RetryCase.HUNG_UP_EARLY,
    Outcome.INCONCLUSIVE: RetryCase.INCONCLUSIVE,
    Outcome.CALLBACK_REQUESTED: RetryCase.CALLBACK_REQUESTED,
}

#: So many calls that cost no attempt are made on top of the others: trouble must end some day.
FREE_CALLS = 10

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
class GiveUp:
    """No further call; `reason` in plain words."""

    reason: str


@dataclass(frozen=True)
class Attempt:
    """What the decision looks at after a call that did not reach the goal.

    `attempts` are those used up, this one included; `calls` are all that were placed.
    `refusal` is why the carrier will never place such a call, empty when it may.
    """

    outcome: Outcome
    attempts: int
    max_attempts: int
    ended_at: datetime
    place: Place
    policy: RetryPolicy
    calls: int = 0
    callback_at: datetime | None = None
    refusal: str = ""


def decide(attempt: Attempt, chance: Callable[[], float] = random.random) -> Schedule | GiveUp:
    """Another call, and when; or none, and why."""
    why = sentence(WORDS[attempt.outcome])
    if attempt.refusal:
        return GiveUp(f"{attempt.refusal.rstrip('.')}. Another call would not help.")
    case = CASES.get(attempt.outcome)
    if case is None:
        return GiveUp(f"{why}, so another call would not help.")
    backoff = attempt.policy[case]
    calls = max(attempt.calls, attempt.attempts)
    if backoff.counts and attempt.attempts >= attempt.max_attempts:
        if attempt.max_attempts == 1:
            return GiveUp(f"{why}, and the only attempt has been used.")
        return GiveUp(f"{why}, and all {attempt.max_attempts} attempts have been used.")
    if calls >= attempt.max_attempts + FREE_CALLS:
        return GiveUp(f"{why}, after {calls} calls.")
    asked_for = attempt.callback_at
    if asked_for is not None and asked_for > attempt.ended_at:
        wait = Wish(
            TimeRule.RECIPIENT_ASKED,
            asked_for,
            f"they asked for {local(asked_for, attempt.place.zone)}",
        )
    else:
        delay = timedelta(seconds=backoff.seconds(calls, chance()))
        wait = Wish(TimeRule.BACKOFF, attempt.ended_at + delay, f"wait {describe(delay)}")
    used = f"attempt {attempt.attempts} of {attempt.max_attempts}"
    if not backoff.counts:
        used = "this does not count as an attempt"
    wait = replace(wait, words=f"{why} ({used}): {wait.words}")
    schedule = choose(
        attempt.ended_at,
        [wait],
        attempt.place,
        outcome=attempt.outcome,
        attempts=attempt.attempts,
        max_attempts=attempt.max_attempts,
        asked_for=asked_for,
    )
    return replace(schedule, attempt_returned=not backoff.counts)


def preview(first: Schedule, attempt: Attempt) -> Iterator[Schedule]:
    """When a task's calls would be if each came out like `attempt`, jitter aside.

    `attempt` says how; its count goes on from there, and the first call is at `first`.
    """
    schedule: Schedule | GiveUp = first
    while isinstance(schedule, Schedule):
        yield schedule
        schedule = decide(replace(attempt, ended_at=schedule.at), chance=lambda: 0.5)
        attempt = replace(attempt, attempts=attempt.attempts + 1)
