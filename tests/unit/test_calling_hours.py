"""When people may be called, in every time zone of the world, daylight saving included."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.policy import ALWAYS, CallingHours
from opendeep_app.services.calling_hours import is_open, next_open

EVERYWHERE = sorted(available_timezones() - {"localtime"})
DAY = CallingHours()

zones = st.sampled_from(EVERYWHERE)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))


@st.composite
def any_hours(draw: st.DrawFn) -> CallingHours:
    start = draw(st.integers(0, 23 * 60))
    end = draw(st.integers(start + 60, 24 * 60 - 1)) if start < 22 * 60 else 24 * 60 - 1
    return CallingHours(time(*divmod(start, 60)), time(*divmod(end, 60)))


@given(moments, zones, any_hours())
def test_the_next_opening_is_open_and_not_before(
    at: datetime, zone: str, hours: CallingHours
) -> None:
    opening = next_open(at, zone, hours)
    assert opening >= at
    assert is_open(opening, zone, hours)
    assert opening.tzinfo is UTC
    assert next_open(opening, zone, hours) == opening


@given(moments, zones)
def test_there_is_no_earlier_opening(at: datetime, zone: str) -> None:
    opening = next_open(at, zone, DAY)
    step = timedelta(minutes=7)
    while at < opening:
        assert not is_open(at, zone, DAY)
        at += step


@given(
    moments, zones, st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))
)
def test_later_wishes_never_open_earlier(one: datetime, zone: str, other: datetime) -> None:
    first, second = sorted([one, other])
    assert next_open(first, zone, DAY) <= next_open(second, zone, DAY)


@given(moments, zones)
def test_without_hours_every_moment_is_open(at: datetime, zone: str) -> None:
    assert is_open(at, zone, ALWAYS)
    assert next_open(at, zone, ALWAYS) == at


@given(st.integers(2020, 2035), st.integers(1, 365), zones)
def test_nobody_is_rung_at_night_on_any_clock_of_any_day(year: int, day: int, zone: str) -> None:
    start = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)
    for minutes in range(0, 24 * 60, 30):
        local = next_open(start + timedelta(minutes=minutes), zone, DAY).astimezone(ZoneInfo(zone))
        assert time(8) <= local.time() < time(21)


def test_an_opening_in_a_gap_comes_after_it() -> None:
    # In Berlin 02:00 jumped to 03:00 on 29 March 2026.
    hours = CallingHours(time(2, 30), time(20))
    opening = next_open(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), "Europe/Berlin", hours)
    assert opening.astimezone(ZoneInfo("Europe/Berlin")).time() >= time(3)
    assert opening < datetime(2026, 3, 29, 2, tzinfo=UTC)


def test_an_opening_that_happens_twice_is_met_both_times() -> None:
    # In Berlin 03:00 fell back to 02:00 on 25 October 2026, at 01:00 UTC.
    hours = CallingHours(time(2, 30), time(20))
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert next_open(datetime(2026, 10, 25, 0, 10, tzinfo=UTC), "Europe/Berlin", hours) == first
    assert next_open(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "Europe/Berlin", hours) == second


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        (time(7, 59), True),
        (time(8), False),
        (time(20, 59, 59, 999999), False),
        (time(21), True),
    ],
)
def test_the_edges_of_the_day(local: time, opens: bool) -> None:
    at = datetime.combine(datetime(2026, 6, 16), local, ZoneInfo("Asia/Tokyo"))
    assert is_open(at, "Asia/Tokyo", DAY) is not opens
    assert (next_open(at, "Asia/Tokyo", DAY) > at) is opens


def test_hours_say_what_they_are() -> None:
    assert str(DAY) == "08:00–21:00"
    assert str(ALWAYS) == "any time"
