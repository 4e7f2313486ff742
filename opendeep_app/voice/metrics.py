"""What the gateway counts, for Prometheus."""

from typing import Any

from prometheus_client import Counter, Gauge

LIVE_CALLS = Gauge("opendeep_live_calls", "Calls that this process holds")
CALLS = Counter(
    "opendeep_calls", "Calls that this process has held, by who ended them", ["ended_by"]
)
ANSWERS = Counter("opendeep_answers", "Who or what is believed to have answered", ["state"])
RECONNECTS = Counter(
    "opendeep_reconnects", "Times that a lost voice model was replaced in mid-call"
)
BARGE_INS = Counter("opendeep_barge_ins", "Times that a recipient broke in on the agent")
FRAMES = Counter("opendeep_frames", "Media frames by fate, where it is not to be relayed", ["fate"])
QUESTIONS = Counter("opendeep_questions", "Questions to creators by how they ended", ["end"])
FUNCTIONS = Counter("opendeep_functions", "Functions called by the model", ["name", "ok"])
FORGED = Counter("opendeep_forged_requests", "Requests whose signature is not the carrier's")
TOKENS = Counter("opendeep_tokens", "Tokens of the voice model", ["direction", "modality"])


def count_tokens(usage: dict[str, Any]) -> None:
    """Counts what a response has used, as its `response.done` says; cached input is part of input."""
    for direction in ("input", "output"):
        details = usage.get(f"{direction}_token_details") or {}
        for modality in ("text", "audio", "cached"):
            TOKENS.labels(direction, modality).inc(details.get(f"{modality}_tokens") or 0)
