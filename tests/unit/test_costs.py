"""Unit: what calls cost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.config import Settings
from opendeep_app.policy import Prices
from opendeep_app.services import costs

PRICES = Prices()
RESPONSE = {
    "input_token_details": {
        "text_tokens": 1200,
        "audio_tokens": 500,
        "cached_tokens": 900,
        "cached_tokens_details": {"text_tokens": 800, "audio_tokens": 100},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 200},
}


def test_cached_tokens_are_not_paid_twice() -> None:
    assert costs.used(RESPONSE) == {
        "text_input": 400, "text_cached": 800, "text_output": 30,
        "audio_input": 400, "audio_cached": 100, "audio_output": 200,
    }  # fmt: skip


@pytest.mark.parametrize("usage", [{}, {"input_token_details": None}, {"total_tokens": 5}])
def test_a_response_that_says_nothing_of_its_tokens_costs_nothing(usage: dict[str, int]) -> None:
    assert costs.used(usage) == {}


def test_a_response_is_priced_by_modality() -> None:
    # 400 x 4 + 800 x 0.4 + 30 x 24 + 400 x 32 + 100 x 0.4 + 200 x 64 millionths of a dollar.
    assert costs.model_micros(costs.used(RESPONSE), PRICES) == 28_280
    assert costs.model_micros({"transcribed_seconds": 60}, PRICES) == 6_000


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 1), (60, 1), (61, 2), (600, 10)])
def test_minutes_begun_are_paid(seconds: int, minutes: int) -> None:
    prices = Prices(carrier_minute=0.01, carrier_call=0.002)
    assert costs.carrier_micros(seconds, prices) == minutes * 10_000 + 2_000


def test_prices_are_settings() -> None:
    settings = Settings.load(_env_file=None, price_audio_input=1.5, price_carrier_call=0)
    assert settings.policy.prices == replace(PRICES, audio_input=1.5, carrier_call=0)


turns = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=80)


@given(turns)
def test_no_conversation_costs_more_than_the_worst_case(turns: list[tuple[float, float]]) -> None:
    """Any dialogue, turn by turn, each reading everything said before from the cache."""
    usage = dict.fromkeys(("audio_input", "audio_cached", "audio_output", "text_cached"), 0.0)
    said = seconds = 0.0
    for listens, speaks in turns:
        pause = max(0.0, costs.SHORTEST_TURN_SECONDS - listens - speaks)
        seconds += listens + speaks + pause
        usage["audio_cached"] += said
        usage["text_cached"] += costs.BRIEF_TOKENS
        usage["audio_input"] += listens * costs.HEARD_TOKENS_PER_SECOND
        usage["audio_output"] += speaks * costs.SPOKEN_TOKENS_PER_SECOND
        said += listens * 10 + speaks * 20
    whole = {name: int(count) for name, count in usage.items()}
    paid = costs.model_micros(whole, PRICES) + costs.carrier_micros(seconds, PRICES)
    assert paid <= costs.worst_case_micros(int(seconds) + 1, PRICES)


def test_a_quarter_of_an_hour_has_a_known_ceiling() -> None:
    assert 2_000_000 < costs.worst_case_micros(900, PRICES) < 5_000_000
