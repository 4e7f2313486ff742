"""Phone numbers as people type them: read, or refused with a sentence, never with a crash."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opendeep_app.errors import InvalidInput
from opendeep_app.services.phone_numbers import PhoneNumber, international, parse, refusal


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+1 202 555 0143", None, "+12025550143"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("  +1-202-555-0143 ", None, "+12025550143"),
        ("tel:+1-202-555-0143", None, "+12025550143"),
        ("030 901820", "DE", "+4930901820"),
        ("+49 (0)30 901820", None, "+4930901820"),
        ("＋１ ２０２ ５５５ ０１４３", None, "+12025550143"),
        ("+١٢٠٢٥٥٥٠١٤٣", None, "+12025550143"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
    ],
)
def test_any_notation_is_read(text: str, region: str | None, e164: str) -> None:
    assert parse(text, region).e164 == e164


@pytest.mark.parametrize("text", ["+1911", "+44999", "+49112", "+61000", "+44 112"])
def test_emergency_numbers_are_refused_as_such(text: str) -> None:
    with pytest.raises(InvalidInput, match="never calls emergency numbers"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "region"), [("911", "US"), ("112", "DE"), ("999", "GB"), ("000", "AU")]
)
def test_emergency_numbers_are_refused_as_dialled_at_home(text: str, region: str) -> None:
    with pytest.raises(InvalidInput, match="never calls emergency numbers"):
        parse(text, region)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Enter the number"),
        ("   ", "Enter the number"),
        ("2025550143", "Start with \\+ and the country code"),
        ("+999 123 456", "Start with \\+ and the country code"),
        ("+1 202 555 014", "too short"),
        ("+1 202 555 01433333", "too long"),
        ("+1 202 055 0143", "No such number"),
        ("+1 900 555 0143", "premium-rate"),
        ("+49 900 1 234567", "premium-rate"),
        ("+49 180 1 234567", "shared-cost"),
        ("+1 202 555 0143 ext. 7", "Leave the extension out"),
        ("+1 202 555 0143;ext=7", "Leave the extension out"),
        ("call me maybe", "does not look like a phone number"),
        ("+", "does not look like a phone number"),
        ("+1 " + "2" * 60, "too long"),
        ("\x00", "does not look like a phone number"),
        ("+1²025550143", "."),
        ("🙂", "does not look like a phone number"),
    ],
)
def test_what_cannot_be_called_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        parse(text)
    assert refused.value.field == "phone_number"


def test_shared_cost_numbers_are_called_only_where_that_is_wanted() -> None:
    number = parse("+49 180 1 234567", shared_cost=True).e164
    assert refusal(number, shared_cost=True) is None
    assert "shared-cost" in (refusal(number) or "")
    with pytest.raises(InvalidInput, match="premium-rate"):
        parse("+1 900 555 0143", shared_cost=True)


@given(
    st.text(max_size=60) | st.from_regex(r"\+?[0-9 ()\-.;extp#*]{1,30}", fullmatch=True),
    st.sampled_from([None, "US", "DE", "us", "XX", "", "001"]),
)
@example("\ud800", None)
@example("+1 202 555 0143\n+1 202 555 0144", None)
def test_garbage_is_refused_and_nothing_else_is_raised(text: str, region: str | None) -> None:
    try:
        number = parse(text, region)
    except InvalidInput as refused:
        assert refused.field == "phone_number"
        assert refused.message
    else:
        assert_complete(number)


@given(st.integers(200, 989), st.integers(0, 99))
def test_every_practice_number_is_read_back_as_it_is_shown(area: int, persona: int) -> None:
    text = f"+1{area}55501{persona:02}"
    try:
        number = parse(text)
    except InvalidInput:
        return
    assert number.e164 == text
    assert parse(number.international) == number
    assert international(number.e164) == number.international


def test_a_number_knows_its_country_and_clock() -> None:
    number = parse("+1 212 555 0143")
    assert (number.country, number.country_name, number.flag) == ("US", "United States", "🇺🇸")
    assert number.time_zone == "America/New_York"


def test_an_international_service_has_no_flag() -> None:
    number = parse("+800 1234 5678")
    assert number.country == "001"
    assert number.flag == ""


def assert_complete(number: PhoneNumber) -> None:
    assert number.e164.startswith("+")
    assert number.e164[1:].isascii()
    assert number.e164[1:].isdigit()
    assert len(number.e164) <= 20
    assert number.time_zone
    assert len(number.time_zone) <= 64
    assert parse(number.e164) == number
