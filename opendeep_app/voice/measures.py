"""How one call's conversation runs, in figures: for its record, and for the process's histograms."""

import time
from collections.abc import Sequence
from typing import Any

from opendeep_app.voice import metrics

FRAME_SECONDS = 0.02
FRAMES_BETWEEN_SAMPLES = 50
DRIFT_SECONDS = 0.0005
"""How much two clocks may part between two samples, a second apart."""


class Measures:
    """One call's figures; times are seconds of any one clock."""

    def __init__(self) -> None:
        self.barge_ins = self.truncations = self.reconnects = 0
        #: Frames of the recipient's sound on the stream that is up.
        self.frames = 0
        self._streaming_since = 0.0
        #: How late the promptest frame came, by the carrier's pace.
        self._promptest = 0.0
        self._relay: list[float] = []
        self._first_word: float | None = None
        self._hushed_at: float | None = None
        self._replies: list[float] = []
        self._functions: list[float] = []
        self._waiting = 0.0

    def stream_begins(self) -> None:
        """The carrier begins to send its 50 frames a second."""
        self.frames = 0

    def frame_relayed(self) -> None:
        """One more frame of the recipient's was passed on.

        The carrier sends them at an even pace: what comes later than the promptest did has been
        waiting, on its way or for its turn here. One frame in fifty is looked at.
        """
        self.frames += 1
        if self.frames % FRAMES_BETWEEN_SAMPLES == 1:
            self._sample(time.monotonic())

    def _sample(self, now: float) -> None:
        if self.frames == 1:
            self._streaming_since, self._promptest = now, 0.0
        late = now - self._streaming_since - (self.frames - 1) * FRAME_SECONDS
        self._promptest = min(late, self._promptest + DRIFT_SECONDS)
        self._relay.append(late - self._promptest)
        metrics.RELAY_LATENCY.observe(late - self._promptest)

    def recipient_hushed(self, now: float) -> None:
        """The recipient has finished speaking, and is owed a reply."""
        self._hushed_at = now

    def recipient_speaks(self) -> None:
        """The recipient goes on before anybody replied."""
        self._hushed_at = None

    def utterance_begins(self, now: float, since_connected: float) -> None:
        """The first sound of something that the agent says."""
        if self._first_word is None:
            self._first_word = since_connected
            metrics.FIRST_WORD.observe(self._first_word)
        if self._hushed_at is not None:
            self._replies.append(now - self._hushed_at)
            metrics.REPLY.observe(now - self._hushed_at)
            self._hushed_at = None

    def function_returned(self, seconds: float) -> None:
        """The model has what one of our functions returned."""
        self._functions.append(seconds)
        metrics.FUNCTION_ROUND_TRIP.observe(seconds)

    def waited(self, seconds: float) -> None:
        """A question to the creator has been open for so long."""
        self._waiting += seconds
        metrics.WAITING.observe(seconds)

    def record(self) -> dict[str, Any]:
        """For the call's row: milliseconds and counts; what never happened is left out."""
        figures = {
            "relay_p50_ms": _at(self._relay, 0.5),
            "relay_p95_ms": _at(self._relay, 0.95),
            "reply_p50_ms": _at(self._replies, 0.5),
            "reply_p95_ms": _at(self._replies, 0.95),
            "function_ms": _at(self._functions, 0.5),
            "first_word_ms": None if self._first_word is None else _ms(self._first_word),
            "waiting_ms": _ms(self._waiting) or None,
            "barge_ins": self.barge_ins,
            "truncations": self.truncations,
            "reconnects": self.reconnects,
        }
        return {name: figure for name, figure in figures.items() if figure is not None}


def _at(seconds: Sequence[float], share: float) -> int | None:
    """A quantile in milliseconds; None of nothing."""
    ordered = sorted(seconds)
    return _ms(ordered[int(share * (len(ordered) - 1))]) if ordered else None


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
