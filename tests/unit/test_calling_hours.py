"""When people may be called, in every time zone of the world: jumping clocks, weekdays, holidays."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendeep_app.rules import (
    ALWAYS,
    WHOLE_DAY,
    CallingHours,
    HoursWish,
    Weekday,
    Window,
    merged_hours,
)
from opendeep_app.services import public_holidays
from opendeep_app.services.calling_hours import closures, is_open, next_open

EVERYWHERE = sorted(available_timezones() - {"localtime"})
DAY = CallingHours()
BERLIN = ZoneInfo("Europe/Berlin")

zones = st.sampled_from(EVERYWHERE)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    """Up to two windows of a day, in order."""
    count = 2 * draw(st.integers(0, 2))
    minutes = sorted(draw(st.sets(st.integers(0, 1440), min_size=count, max_size=count)))
    clocks = [time(*divmod(minute % 1440, 60)) for minute in minutes]
    return tuple(
        Window(start=start, end=end) for start, end in zip(clocks[::2], clocks[1::2], strict=True)
    )


@st.composite
def any_hours(draw: st.DrawFn) -> CallingHours:
    """Some week in which at least one moment is open."""
    week = tuple(draw(windows()) for _ in range(7))
    outside = draw(st.booleans())
    hours = CallingHours(
        week=week,
        avoid_holidays=draw(st.booleans()),
        country=draw(st.sampled_from([None, "US", "DE", "JP", "ZZ"])),
        outside_usual_hours=outside,
    )
    if not any(hours.on(day) for day in range(7)):
        return hours.model_copy(update={"week": DAY.week})
    return hours


@settings(max_examples=50)
@given(moments, zones, any_hours())
def test_the_next_opening_is_open_and_not_before(
    at: datetime, zone: str, hours: CallingHours
) -> None:
    opening = next_open(at, zone, hours)
    assert opening >= at
    assert is_open(opening, zone, hours)
    assert opening.tzinfo is UTC
    assert next_open(opening, zone, hours) == opening


@settings(max_examples=50)
@given(moments, zones, any_hours(), st.floats(0, 1))
def test_there_is_no_earlier_opening(
    at: datetime, zone: str, hours: CallingHours, share: float
) -> None:
    opening = next_open(at, zone, hours)
    for step in (share, share / 2, 1 - share / 50, 1 - share / 5000):
        moment = at + (opening - at) * step
        assert moment >= opening or not is_open(moment, zone, hours)


@settings(max_examples=50)
@given(moments, zones, any_hours(), moments)
def test_later_wishes_never_open_earlier(
    one: datetime, zone: str, hours: CallingHours, other: datetime
) -> None:
    first, second = sorted([one, other])
    assert next_open(first, zone, hours) <= next_open(second, zone, hours)


@settings(max_examples=50)
@given(moments, zones, any_hours())
def test_each_reason_leads_on_to_the_next(at: datetime, zone: str, hours: CallingHours) -> None:
    steps = list(closures(at, zone, hours))
    assert [step.until for step in steps] == sorted({step.until for step in steps})
    assert all(step.until > at for step in steps)
    assert bool(steps) is not is_open(at, zone, hours)


@given(moments, zones)
def test_without_hours_every_moment_is_open(at: datetime, zone: str) -> None:
    assert is_open(at, zone, ALWAYS)
    assert next_open(at, zone, ALWAYS) == at


@settings(max_examples=50)
@given(moments, zones, any_hours())
def test_nobody_is_rung_at_night_unless_that_is_allowed(
    at: datetime, zone: str, hours: CallingHours
) -> None:
    local = next_open(at, zone, hours).astimezone(ZoneInfo(zone))
    assert hours.outside_usual_hours or time(8) <= local.time() < time(21)


def test_every_jump_of_every_clock_next_year() -> None:
    """On each day on which a zone's clocks jump: the opening is the first open minute."""
    hours = CallingHours.daily(time(1, 30), time(2, 45), outside_usual_hours=True)
    days = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    jumps: dict[tuple[object, ...], tuple[str, datetime]] = {}
    for zone in EVERYWHERE:
        offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
        for day, before, after in zip(days, offsets, offsets[1:], strict=False):
            if before != after:
                jumps[day, before, after] = (zone, day)
    assert len(jumps) > 30
    for zone, day in jumps.values():
        minutes = [day - timedelta(hours=2) + timedelta(minutes=n) for n in range(0, 1800, 5)]
        for at in minutes[::36]:
            first = next((m for m in minutes if m >= at and is_open(m, zone, hours)), None)
            if first is not None:
                assert next_open(at, zone, hours) == first, zone


def test_an_opening_in_a_gap_comes_right_after_it() -> None:
    # In Berlin 02:00 jumped to 03:00 on 29 March 2026, at 01:00 UTC.
    hours = CallingHours.daily(time(2, 30), time(20), outside_usual_hours=True)
    opening = next_open(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), "Europe/Berlin", hours)
    assert opening == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_an_opening_that_happens_twice_is_met_both_times() -> None:
    # In Berlin 03:00 fell back to 02:00 on 25 October 2026, at 01:00 UTC.
    hours = CallingHours.daily(time(2, 30), time(2, 45), outside_usual_hours=True)
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert next_open(datetime(2026, 10, 25, 0, 10, tzinfo=UTC), "Europe/Berlin", hours) == first
    assert next_open(datetime(2026, 10, 25, 0, 50, tzinfo=UTC), "Europe/Berlin", hours) == second


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


def test_christmas_in_germany_and_the_weekend_after_it() -> None:
    office = HoursWish.model_validate(
        {
            "days": {
                **{day: [{"start": "09:00", "end": "17:00"}] for day in list(Weekday)[:5]},
                "sat": [],
                "sun": [],
            },
            "avoid_holidays": True,
        }
    )
    hours = merged_hours(DAY, [office], "DE")
    eve = datetime(2025, 12, 24, 17, 30, tzinfo=BERLIN)
    reasons = list(closures(eve, "Europe/Berlin", hours))
    assert [reason.holiday for reason in reasons] == [
        None,
        "Christmas Day",
        "Second Day of Christmas",
    ]
    assert reasons[-1].until == datetime(2025, 12, 29, 9, tzinfo=BERLIN)


@given(
    st.sampled_from(["US", "DE", "FR", "GB", "JP", "BR"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
)
def test_no_call_falls_on_a_public_holiday(country: str, day: date) -> None:
    hours = CallingHours(avoid_holidays=True, country=country)
    at = datetime.combine(day, time(12), UTC)
    opening = next_open(at, "UTC", hours)
    assert public_holidays.name(opening.date(), country) is None
    if public_holidays.name(day, country) is None:
        assert opening == at


def test_a_region_has_holidays_of_its_own_and_an_unknown_country_none() -> None:
    epiphany = date(2026, 1, 6)
    assert public_holidays.name(epiphany, "DE", "BY") == "Epiphany"
    assert public_holidays.name(epiphany, "DE", "BE") is None
    assert public_holidays.name(date(2026, 12, 25), "ZZ") is None
    assert public_holidays.regions("ZZ") is None
    assert "BY" in (public_holidays.regions("DE") or ())


def test_wishes_win_in_order_and_only_where_they_speak() -> None:
    user = HoursWish.model_validate({"days": {"sun": []}, "avoid_holidays": True})
    task = HoursWish.model_validate({"days": {"mon": [{"start": "10:00", "end": "12:00"}]}})
    hours = merged_hours(DAY, [user, None, task], "FR")
    assert str(hours) == "Mon 10:00–12:00, Tue–Sat 08:00–21:00"
    assert (hours.avoid_holidays, hours.country) == (True, "FR")


def test_a_wish_that_leaves_no_hour_is_passed_over() -> None:
    never = HoursWish.model_validate({"days": {day: [] for day in Weekday}})
    assert merged_hours(DAY, [never], None) == DAY


def test_unusual_hours_end_where_the_leave_for_them_is_taken_back() -> None:
    late = HoursWish.model_validate(
        {"days": {"mon": [{"start": "06:00", "end": "00:00"}]}, "outside_usual_hours": True}
    )
    no = HoursWish(outside_usual_hours=False)
    assert str(merged_hours(DAY, [late], None)).startswith("Mon 06:00–24:00")
    assert str(merged_hours(DAY, [late, no], None)) == "08:00–21:00"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"days": {"mon": [{"start": "07:00", "end": "12:00"}]}}, "before 08:00 or after 21:00"),
        ({"days": {"mon": [{"start": "12:00", "end": "12:00"}]}}, "end after it begins"),
        (
            {
                "days": {
                    "mon": [{"start": "09:00", "end": "12:00"}, {"start": "11:00", "end": "13:00"}]
                }
            },
            "Mon: 09:00–12:00 and 11:00–13:00 overlap",
        ),
        ({"days": {"mon": [{"start": "09:00:30", "end": "12:00"}]}}, "hours and minutes"),
        ({"days": {"day": []}}, "'mon'"),
        ({"holiday_country": "Germany"}, "pattern"),
        ({"hours": 3}, "Extra inputs"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wish: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HoursWish.model_validate(wish)


def test_hours_say_what_they_are() -> None:
    assert str(DAY) == "08:00–21:00"
    assert str(ALWAYS) == "any time"
    split = CallingHours(
        week=((Window(start=time(9), end=time(12)), Window(start=time(14), end=time(18))),) * 5
        + ((), (WHOLE_DAY,)),
        outside_usual_hours=True,
    )
    assert str(split) == "Mon–Fri 09:00–12:00 and 14:00–18:00, Sun 00:00–24:00"
