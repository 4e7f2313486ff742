"""The decision after a call: pure, so every property can be asked of thousands of inputs."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.models import CallOutcome as Outcome
from opendeep_app.models.task_events import TimeRule
from opendeep_app.rules import (
    ALWAYS,
    Backoff,
    CallingHours,
    RetryCase,
    RetryPolicy,
    RetryWish,
    default_retries,
    merged_retries,
)
from opendeep_app.services.calling_hours import is_open, next_open
from opendeep_app.services.retry import (
    CASES,
    FREE_CALLS,
    WORDS,
    Attempt,
    GiveUp,
    decide,
    preview,
)
from opendeep_app.services.timing import Place, Schedule, Wish, choose, describe

NOON_IN_NEW_YORK = datetime(2026, 6, 16, 16, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham"]
DEFAULTS = default_retries(300)

moments = st.datetimes(
    datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC), allow_imaginary=False
)
chances = st.floats(0, 1, exclude_max=True)
hours = st.sampled_from(
    [
        ALWAYS,
        CallingHours(),
        CallingHours.daily(time(9), time(17, 30)),
        CallingHours(avoid_holidays=True, country="DE"),
    ]
)
backoffs = st.builds(
    Backoff,
    base_seconds=st.floats(0.01, 86400),
    factor=st.floats(1, 10),
    cap_seconds=st.floats(0.01, 30 * 86400),
    jitter=st.floats(0, 0.9),
    counts=st.booleans(),
)
policies: st.SearchStrategy[RetryPolicy] = st.fixed_dictionaries(dict.fromkeys(RetryCase, backoffs))


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    maximum = draw(st.integers(1, 20))
    used = draw(st.integers(1, maximum + 1))
    return Attempt(
        outcome=draw(st.sampled_from(Outcome)),
        attempts=used,
        max_attempts=maximum,
        calls=used + draw(st.integers(0, 2 * FREE_CALLS)),
        ended_at=draw(moments),
        place=Place(draw(st.sampled_from(ZONES)), draw(hours)),
        policy=draw(policies),
        callback_at=draw(st.none() | moments),
    )


BUSY = Attempt(
    outcome=Outcome.FAILED_BUSY,
    attempts=1,
    max_attempts=5,
    ended_at=NOON_IN_NEW_YORK,
    place=Place("America/New_York", CallingHours()),
    policy=DEFAULTS,
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
    assert is_open(decision.at, attempt.place.zone, attempt.place.hours)
    assert decision.at.tzinfo is not None
    assert 0 < len(decision.reason) <= 500


@given(attempts(), chances)
def test_the_explanation_leads_step_by_step_to_the_time(attempt: Attempt, chance: float) -> None:
    decision = decide(attempt, lambda: chance)
    if isinstance(decision, GiveUp):
        return
    assert decision.steps[0].before == attempt.ended_at
    for one, following in pairwise(decision.steps):
        assert one.after == following.before
    assert decision.steps[-1].after == decision.at == decision.payload.next_action_at
    assert all(step.words for step in decision.steps)
    assert decision.inputs.outcome is attempt.outcome
    assert decision.inputs.time_zone == attempt.place.zone


@given(attempts(), chances)
def test_exactly_the_hopeless_and_the_exhausted_give_up(attempt: Attempt, chance: float) -> None:
    case = CASES.get(attempt.outcome)
    counts = case is not None and attempt.policy[case].counts
    hopeless = (
        case is None
        or (counts and attempt.attempts >= attempt.max_attempts)
        or attempt.calls >= attempt.max_attempts + FREE_CALLS
    )
    decision = decide(attempt, lambda: chance)
    assert isinstance(decision, GiveUp) is hopeless
    if isinstance(decision, Schedule):
        assert decision.attempt_returned is not counts


@given(attempts(), st.timedeltas(timedelta(microseconds=1), timedelta(days=300)), chances)
def test_what_the_recipient_said_beats_the_backoff(
    attempt: Attempt, later: timedelta, chance: float
) -> None:
    wish = attempt.ended_at + later
    decision = decide(replace(attempt, callback_at=wish), lambda: chance)
    if isinstance(decision, Schedule):
        assert decision.at == next_open(wish, attempt.place.zone, attempt.place.hours)
        assert decision.steps[0].rule is TimeRule.RECIPIENT_ASKED


@given(backoffs, st.integers(1, 2000), chances)
def test_a_delay_is_never_below_its_base_nor_beyond_its_cap(
    backoff: Backoff, attempt: int, chance: float
) -> None:
    delay = backoff.seconds(attempt, chance)
    assert backoff.base_seconds * (1 - backoff.jitter) * 0.999999 <= delay <= backoff.cap_seconds
    assert backoff.seconds(attempt + 1, chance) >= delay
    middle = backoff.seconds(attempt, 0.5)
    assert abs(delay - middle) <= middle * (backoff.jitter + 1e-9) / (1 - backoff.jitter)


@given(policies, policies)
def test_a_sparse_wish_changes_what_it_names_and_nothing_else(
    base: RetryPolicy, other: RetryPolicy
) -> None:
    wish = RetryWish.model_validate({"busy": {"factor": other[RetryCase.BUSY].factor}})
    merged = merged_retries(base, [None, wish])
    assert merged[RetryCase.BUSY] == base[RetryCase.BUSY].model_copy(
        update={"factor": other[RetryCase.BUSY].factor}
    )
    assert {c: merged[c] for c in RetryCase if c is not RetryCase.BUSY} == {
        c: base[c] for c in RetryCase if c is not RetryCase.BUSY
    }
    again = RetryWish.model_validate({"busy": {"factor": 3}})
    assert merged_retries(base, [wish, again])[RetryCase.BUSY].factor == 3


@pytest.mark.parametrize(
    "wish",
    [
        {"busy": {"base_seconds": 0}},
        {"busy": {"factor": 0.5}},
        {"busy": {"jitter": 1}},
        {"busy": {"base_seconds": "inf"}},
        {"engaged": {}},
        {"busy": {"delay": 3}},
    ],
)
def test_wishes_that_make_no_sense_are_refused(wish: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        RetryWish.model_validate(wish)


def test_a_busy_line_is_tried_sooner_than_one_nobody_answers() -> None:
    calm = {
        outcome: decide(replace(BUSY, outcome=outcome), lambda: 0.5)
        for outcome in (Outcome.FAILED_BUSY, Outcome.FAILED_NO_ANSWER, Outcome.FAILED_VOICEMAIL)
    }
    times = [schedule.at for schedule in calm.values() if isinstance(schedule, Schedule)]
    assert times == [NOON_IN_NEW_YORK + timedelta(minutes=m) for m in (5, 15, 30)]


def test_a_request_that_lies_in_the_past_is_not_obeyed() -> None:
    past = NOON_IN_NEW_YORK - timedelta(hours=1)
    late = decide(replace(BUSY, callback_at=past), lambda: 0.5)
    on_time = decide(BUSY, lambda: 0.5)
    assert isinstance(late, Schedule)
    assert isinstance(on_time, Schedule)
    assert (late.at, late.steps) == (on_time.at, on_time.steps)
    assert late.inputs.asked_for == past


def test_a_request_outside_calling_hours_waits_for_the_opening() -> None:
    midnight = datetime(2026, 6, 17, 0, 30, tzinfo=ZoneInfo("America/New_York"))
    decision = decide(replace(BUSY, callback_at=midnight))
    assert isinstance(decision, Schedule)
    assert decision.at == datetime(2026, 6, 17, 12, tzinfo=UTC)
    assert decision.rules == [
        "The line was busy (attempt 1 of 5): they asked for Wed 17 Jun 00:30 their time",
        "calling hours there are 08:00–21:00: Wed 17 Jun 08:00 their time",
    ]
    assert [step.rule for step in decision.steps] == [
        TimeRule.RECIPIENT_ASKED,
        TimeRule.CALLING_HOURS,
    ]


def test_trouble_in_the_network_is_nobodys_attempt_and_ends_some_day() -> None:
    trouble = replace(BUSY, outcome=Outcome.FAILED_CARRIER, attempts=5, calls=5)
    decision = decide(trouble, lambda: 0.5)
    assert isinstance(decision, Schedule)
    assert decision.attempt_returned
    assert "does not count" in decision.reason
    assert decide(replace(trouble, calls=15)) == GiveUp(
        "The phone network had trouble, after 15 calls."
    )


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
        (
            replace(BUSY, outcome=Outcome.FAILED_CARRIER, refusal="Calls there are not enabled."),
            "Calls there are not enabled. Another call would not help.",
        ),
    ],
)
def test_giving_up_says_why(attempt: Attempt, reason: str) -> None:
    assert decide(attempt) == GiveUp(reason)


def test_every_outcome_has_words() -> None:
    assert set(WORDS) == set(Outcome)
    assert set(CASES.values()) == set(RetryCase)


@given(st.integers(1, 20), moments, st.sampled_from(ZONES), hours)
def test_the_preview_is_what_would_happen(
    maximum: int, wish: datetime, zone: str, open_hours: CallingHours
) -> None:
    place = Place(zone, open_hours)
    attempt = replace(
        BUSY, outcome=Outcome.FAILED_NO_ANSWER, attempts=1, max_attempts=maximum, place=place
    )
    first = choose(wish, [Wish(TimeRule.AT_ONCE, wish, "Now")], place)
    calls = list(preview(first, attempt))
    assert len(calls) == maximum
    assert calls[0].at >= wish
    for number, (call, following) in enumerate(pairwise(calls), start=1):
        real = decide(replace(attempt, attempts=number, ended_at=call.at), lambda: 0.5)
        assert real == following
    assert all(is_open(call.at, zone, open_hours) for call in calls)


@given(moments, st.sampled_from(ZONES), st.timedeltas(timedelta(0), timedelta(hours=3)))
def test_hours_are_waived_up_to_the_moment_agreed(
    now: datetime, zone: str, later: timedelta
) -> None:
    place = Place(zone, CallingHours(), waived_until=now + timedelta(hours=1))
    at = choose(now, [Wish(TimeRule.MOVED, now + later, "You chose it")], place).at
    if later < timedelta(hours=1):
        assert at == now + later
    else:
        assert at == next_open(now + later, zone, CallingHours())


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
