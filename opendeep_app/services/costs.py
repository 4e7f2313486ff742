"""What calls cost: tokens by modality and minutes on the line, at the prices of the settings.

Money is counted in micros, millionths of a US dollar: a price in dollars for a million tokens
is the same number of micros for one.
"""

from collections.abc import Mapping
from typing import Any

from opendeep_app.db import UnitOfWork
from opendeep_app.models import Call
from opendeep_app.policy import Prices

HEARD_TOKENS_PER_SECOND = 10
SPOKEN_TOKENS_PER_SECOND = 20
"""developers.openai.com/api/docs/guides/realtime-costs: a token is 100 ms of what the model
hears, and 50 ms of what it says."""
BRIEF_TOKENS = 3000
SHORTEST_TURN_SECONDS = 5


def used(response: Mapping[str, Any]) -> dict[str, int]:
    """The tokens of one response by modality, as its `usage` says; cached input is apart."""
    heard = response.get("input_token_details") or {}
    cached = heard.get("cached_tokens_details") or {}
    said = response.get("output_token_details") or {}
    tokens: dict[str, int] = {}
    for modality in ("text", "audio"):
        known = _count(cached, modality)
        tokens[f"{modality}_cached"] = known
        tokens[f"{modality}_input"] = max(0, _count(heard, modality) - known)
        tokens[f"{modality}_output"] = _count(said, modality)
    return {name: count for name, count in tokens.items() if count}


def model_micros(usage: Mapping[str, int], prices: Prices) -> int:
    """What the voice model costs for these tokens and seconds of transcription."""
    tokens = sum(
        usage.get(f"{modality}_{kind}", 0) * float(getattr(prices, f"{modality}_{kind}"))
        for modality in ("text", "audio")
        for kind in ("input", "cached", "output")
    )
    transcription = usage.get("transcribed_seconds", 0) / 60 * prices.transcription_minute * 1e6
    return round(tokens + transcription)


def carrier_micros(seconds: float, prices: Prices) -> int:
    """What an answered call costs that lasts so long: minutes begun count as whole ones."""
    minutes = -(-seconds // 60)
    return round((minutes * prices.carrier_minute + prices.carrier_call) * 1e6)


def worst_case_micros(max_call_seconds: int, prices: Prices) -> int:
    """More than a call of at most so many seconds can cost.

    As if both sides spoke all the time, in the shortest turns, and the model read everything
    said before, from its cache, at each of them.
    """
    turns = max_call_seconds // SHORTEST_TURN_SECONDS + 1
    heard = max_call_seconds * HEARD_TOKENS_PER_SECOND
    spoken = max_call_seconds * SPOKEN_TOKENS_PER_SECOND
    usage = {
        "text_input": BRIEF_TOKENS,
        "text_cached": BRIEF_TOKENS * turns,
        "text_output": spoken // 2,
        "audio_input": heard,
        "audio_cached": (heard + spoken) * turns // 2,
        "audio_output": spoken,
        "transcribed_seconds": max_call_seconds,
    }
    return model_micros(usage, prices) + carrier_micros(max_call_seconds, prices)


async def settle(uow: UnitOfWork, call_id: str, usage: Mapping[str, int] | None = None) -> None:
    """Writes what a call has cost so far; `usage` is everything that its model has used.

    While it lasts, the carrier's share is that of the time since the answer.
    """
    call = await uow.session.get_one(Call, call_id)
    if usage is not None:
        call.usage = dict(usage)
    costs = {"model": model_micros(call.usage, uow.policy.prices), "carrier": 0}
    if call.answered_at is not None:
        seconds: float | None = call.duration_seconds
        if seconds is None:
            seconds = (uow.now - call.answered_at).total_seconds()
        costs["carrier"] = carrier_micros(max(1, seconds), uow.policy.prices)
    call.costs, call.cost_micros = costs, sum(costs.values())
    await uow.session.flush()


def _count(details: Mapping[str, Any], modality: str) -> int:
    return int(details.get(f"{modality}_tokens") or 0)
