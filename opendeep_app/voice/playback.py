"""How much of the agent's voice has really been heard.

The model speaks faster than real time and Twilio buffers what we send, so sent is not heard.
Marks sent with the audio come back when it was played; since the last one, the clock tells.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass
class _Utterance:
    number: int
    item_id: str
    sent_ms: int = 0
    #: All of its audio has been sent.
    complete: bool = False


@dataclass(frozen=True)
class CutShort:
    """An utterance of which the recipient heard only so many milliseconds."""

    item_id: str
    heard_ms: int


@dataclass
class Playback:
    """The agent's utterances on their way to the recipient's ear, in order.

    A mark's name is `generation:utterance:milliseconds`, all numbers. Clearing begins a new
    generation, so that marks which the clearing itself returns are not taken for played audio.
    Times are seconds of any one clock.
    """

    _generation: int = 0
    _count: int = 0
    _utterances: deque[_Utterance] = field(default_factory=deque)
    #: Milliseconds of the first utterance that were certainly played, and since when.
    _played_ms: int = 0
    _played_at: float = 0.0
    _dropped: set[str] = field(default_factory=set)

    @property
    def idle(self) -> bool:
        """Whether everything sent has been played."""
        first = self._utterances[0] if self._utterances else None
        return first is None or (len(self._utterances) == 1 and self._played_ms >= first.sent_ms)

    def sent(self, item_id: str, duration_ms: int, now: float) -> str | None:
        """Audio of an item is sent; returns the mark to send after it, None to drop the audio."""
        if item_id in self._dropped:
            return None
        if self.idle:
            self._played_at = now
        last = self._utterances[-1] if self._utterances else None
        if last is None or last.item_id != item_id:
            self._count += 1
            last = _Utterance(self._count, item_id)
            self._utterances.append(last)
            self._forget_played()
        last.sent_ms += duration_ms
        return f"{self._generation}:{last.number}:{last.sent_ms}"

    def complete(self, item_id: str) -> None:
        """No more audio of this item will come."""
        for utterance in self._utterances:
            if utterance.item_id == item_id:
                utterance.complete = True
        self._forget_played()

    def marked(self, name: str, now: float) -> None:
        """A mark came back; those of other generations, utterances or makers say nothing."""
        parts = name.split(":")
        # No number of ours has more digits, and Python refuses to read very long ones.
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 12 for p in parts):
            return
        generation, number, played_ms = map(int, parts)
        numbers = [utterance.number for utterance in self._utterances]
        if generation != self._generation or number not in numbers:
            return
        while self._utterances[0].number != number:
            self._utterances.popleft()
            self._played_ms = 0
        played_ms = min(played_ms, self._utterances[0].sent_ms)
        if played_ms >= self._played_ms:
            self._played_ms, self._played_at = played_ms, now
        self._forget_played()

    def interrupted(self, now: float) -> list[CutShort]:
        """The recipient broke in: what they did not hear to its end, and will not any more."""
        cut = []
        for utterance in self._utterances:
            if not (utterance.complete and self._heard(utterance, now) >= utterance.sent_ms):
                cut.append(CutShort(utterance.item_id, self._heard(utterance, now)))
                self._dropped.add(utterance.item_id)
        self.restart()
        return cut

    def restart(self) -> None:
        """Nothing that was sent so far will be played any more."""
        self._generation += 1
        self._utterances.clear()
        self._played_ms = 0

    def _heard(self, utterance: _Utterance, now: float) -> int:
        if utterance is not self._utterances[0]:
            return 0
        since = round((now - self._played_at) * 1000)
        return max(0, min(self._played_ms + since, utterance.sent_ms))

    def _forget_played(self) -> None:
        """An utterance that was heard to its end is of no more interest."""
        while self._utterances:
            first = self._utterances[0]
            followed = len(self._utterances) > 1 or first.complete
            if not followed or self._played_ms < first.sent_ms:
                return
            self._utterances.popleft()
            self._played_ms = 0
