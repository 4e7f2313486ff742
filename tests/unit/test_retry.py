"""The decision after a call: pure, so every property can be asked of thousands of inputs."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import CallOutcome as Outcome
from opendeep_app.policy import ALWAYS, CallingHours
from opendeep_app.services.calling_hours import is_open
from opendeep_app.services.retry import (
    BACKOFF,
    WORDS,
    Attempt,
    GiveUp,
    Schedule,
    decide,
    describe,
    preview,
    within_hours,
)

NOON_IN_NEW_YORK = datetime(2026, 6, 16, 16, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"]

moments = st.datetimes(
    datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)
chances = st.floats(0, 1, exclude_max=True)
hours = st.sampled_from([ALWAYS, CallingHours(), CallingHours(time(9), time(17, 30))])


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    maximum = draw(st.integers(1, 20))
    return Attempt(
        outcome=draw(st.sampled_from(Outcome)),
        attempts=draw(st.integers(1, maximum + 1)),
        max_attempts=maximum,
        ended_at=draw(moments),
        time_zone=draw(st.sampled_from(ZONES)),
        hours=draw(hours),
        retry_base_seconds=draw(st.floats(0.01, 3600)),
        callback_at=draw(st.none() | moments),
    )


BUSY = Attempt(
    outcome=Outcome.FAILED_BUSY,
    attempts=1,
    max_attempts=5,
    ended_at=NOON_IN_NEW_YORK,
    time_zone="America/New_York",
    hours=CallingHours(),
    retry_base_seconds=300,
)


@given(attempts(), chances)
def test_a_next_call_never_lies_in_the_past_and_is_within_hours(
    attempt: Attempt, chance: float
) -> None:
    decision = decide(attempt, lambda: chance)
    if isinstance(decision, GiveUp):
        assert decision.reason.endswith(".")
        return
    assert decision.at >= attempt.ended_at
    assert is_open(decision.at, attempt.time_zone, attempt.hours)
    assert decision.at.tzinfo is not None
    assert decision.rules
    assert 0 < len(decision.reason) <= 500


@given(attempts(), chances)
def test_exactly_the_hopeless_and_the_exhausted_give_up(attempt: Attempt, chance: float) -> None:
    hopeless = attempt.outcome not in BACKOFF or attempt.attempts >= attempt.max_attempts
    assert isinstance(decide(attempt, lambda: chance), GiveUp) is hopeless


@given(attempts(), st.timedeltas(timedelta(microseconds=1), timedelta(days=300)), chances)
def test_what_the_recipient_said_beats_the_backoff(
    attempt: Attempt, later: timedelta, chance: float
) -> None:
    wish = attempt.ended_at + later
    decision = decide(replace(attempt, callback_at=wish), lambda: chance)
    if isinstance(decision, Schedule):
        assert decision.at == within_hours(wish, [], attempt.time_zone, attempt.hours).at
        assert "they asked for" in decision.reason


@given(st.sampled_from(sorted(BACKOFF)), st.floats(0.01, 10_000), chances)
def test_delays_grow_up_to_the_cap(outcome: Outcome, unit: float, chance: float) -> None:
    backoff = BACKOFF[outcome]
    delays = [backoff.delay(n, unit, lambda: chance) for n in range(1, 25)]
    assert delays == sorted(delays)
    assert delays[0] > timedelta(0)
    ceiling = timedelta(seconds=backoff.cap_seconds * (1 + backoff.jitter))
    assert delays[-1] <= ceiling


@given(st.sampled_from(sorted(BACKOFF)), st.integers(1, 2000), st.floats(0.01, 10_000), chances)
def test_jitter_stays_within_its_share(
    outcome: Outcome, attempt: int, unit: float, chance: float
) -> None:
    backoff = BACKOFF[outcome]
    middle = backoff.delay(attempt, unit, lambda: 0.5).total_seconds()
    delay = backoff.delay(attempt, unit, lambda: chance).total_seconds()
    assert abs(delay - middle) <= middle * backoff.jitter + 1e-5


def test_a_busy_line_is_tried_sooner_than_one_nobody_answers() -> None:
    calm = {
        outcome: decide(replace(BUSY, outcome=outcome), lambda: 0.5)
        for outcome in (Outcome.FAILED_BUSY, Outcome.FAILED_NO_ANSWER, Outcome.FAILED_VOICEMAIL)
    }
    times = [schedule.at for schedule in calm.values() if isinstance(schedule, Schedule)]
    assert times == [NOON_IN_NEW_YORK + timedelta(minutes=m) for m in (5, 15, 30)]


def test_a_request_that_lies_in_the_past_is_not_obeyed() -> None:
    late = replace(BUSY, callback_at=NOON_IN_NEW_YORK - timedelta(hours=1))
    assert decide(late, lambda: 0.5) == decide(BUSY, lambda: 0.5)


def test_a_request_outside_calling_hours_waits_for_the_opening() -> None:
    midnight = datetime(2026, 6, 17, 0, 30, tzinfo=ZoneInfo("America/New_York"))
    decision = decide(replace(BUSY, callback_at=midnight))
    assert isinstance(decision, Schedule)
    assert decision.at == datetime(2026, 6, 17, 12, tzinfo=UTC)
    assert decision.rules == [
        "The line was busy (attempt 1 of 5)",
        "they asked for Wed 17 Jun 00:30 their time",
        "calling hours there are 08:00–21:00: Wed 17 Jun 08:00 their time",
    ]


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (replace(BUSY, attempts=5), "The line was busy, and all 5 attempts have been used."),
        (
            replace(BUSY, attempts=1, max_attempts=1),
            "The line was busy, and the only attempt has been used.",
        ),
        (
            replace(BUSY, outcome=Outcome.FAILED_INVALID_NUMBER),
            "The number cannot be called, so another call would not help.",
        ),
    ],
)
def test_giving_up_says_why(attempt: Attempt, reason: str) -> None:
    assert decide(attempt) == GiveUp(reason)


def test_every_outcome_has_words() -> None:
    assert set(WORDS) == set(Outcome)


@given(st.integers(1, 20), moments, st.sampled_from(ZONES), hours)
def test_the_preview_is_what_would_happen(
    maximum: int, wish: datetime, zone: str, open_hours: CallingHours
) -> None:
    calls = preview(wish, zone, open_hours, maximum, 300)
    assert len(calls) == maximum
    assert [call.at for call in calls] == sorted(call.at for call in calls)
    assert calls[0].at >= wish
    assert all(is_open(call.at, zone, open_hours) for call in calls)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3540, "59 min"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
    ],
)
def test_delays_in_words(seconds: float, words: str) -> None:
    assert describe(timedelta(seconds=seconds)) == words
