"""What the gateway counts, for Prometheus."""

from typing import Any

from prometheus_client import Counter, Gauge, Histogram

LIVE_CALLS = Gauge("opendeep_live_calls", "Calls that this process holds")
CALLS = Counter(
    "opendeep_calls", "Calls that this process has held, by who ended them", ["ended_by"]
)
ANSWERS = Counter("opendeep_answers", "Who or what is believed to have answered", ["state"])
RECONNECTS = Counter(
    "opendeep_reconnects", "Times that a lost voice model was replaced in mid-call"
)
ROTATIONS = Counter(
    "opendeep_rotations", "Times that a voice model's session was renewed because of its age"
)
TRUNCATIONS = Counter("opendeep_truncations", "Utterances of the agent's that were cut short")
BARGE_INS = Counter("opendeep_barge_ins", "Times that a recipient broke in on the agent")
FRAMES = Counter("opendeep_frames", "Media frames by fate, where it is not to be relayed", ["fate"])
QUESTIONS = Counter("opendeep_questions", "Questions to creators by how they ended", ["end"])
FUNCTIONS = Counter("opendeep_functions", "Functions called by the model", ["name", "ok"])
FORGED = Counter("opendeep_forged_requests", "Requests whose signature is not the carrier's")
TOKENS = Counter("opendeep_tokens", "Tokens of the voice model", ["direction", "modality"])

RELAY_LATENCY = Histogram(
    "opendeep_relay_seconds",
    "How late a recipient's frame is passed on, against the promptest of its stream",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1),
)
FIRST_WORD = Histogram(
    "opendeep_first_word_seconds",
    "From the connected line to the agent's first sound",
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
REPLY = Histogram(
    "opendeep_reply_seconds",
    "From the recipient's last sound to the agent's next",
    buckets=(0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
FUNCTION_ROUND_TRIP = Histogram(
    "opendeep_function_seconds",
    "From a function call of the model's to its output",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
)
WAITING = Histogram(
    "opendeep_waiting_seconds",
    "How long questions to creators were open",
    buckets=(1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300),
)


def count_tokens(usage: dict[str, Any]) -> None:
    """Counts what a response has used, as its `response.done` says; cached input is part of input."""
    for direction in ("input", "output"):
        details = usage.get(f"{direction}_token_details") or {}
        for modality in ("text", "audio", "cached"):
            TOKENS.labels(direction, modality).inc(details.get(f"{modality}_tokens") or 0)
