"""How much of the agent's voice has really been heard.

The model speaks faster than real time and Twilio buffers what we send, so sent is not heard.
The buffer runs empty at a time that can be foretold from what was sent; marks sent behind the
audio, which come back when it was played, correct the forecast.
"""

from collections import deque
from dataclasses import dataclass, field

SAMPLES_PER_SECOND = 8000
MARK_SAMPLES = SAMPLES_PER_SECOND
"""So much audio lies between two marks of one utterance: a second of it."""


@dataclass
class _Utterance:
    number: int
    item_id: str
    #: Samples sent, those in front of the last mark, and those that a mark has confirmed.
    sent: int = 0
    marked: int = 0
    played: int = 0
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

    A mark's name is `generation:utterance:samples`, all numbers. Clearing begins a new
    generation, so that marks which the clearing itself returns are not taken for played audio.
    Times are seconds of any one clock.
    """

    _generation: int = 0
    _count: int = 0
    _utterances: deque[_Utterance] = field(default_factory=deque)
    #: When all that was sent will have been played.
    _empty_at: float = 0.0
    _dropped: set[str] = field(default_factory=set)

    @property
    def idle(self) -> bool:
        """Whether marks have confirmed that everything sent was played."""
        return not self._utterances or (
            len(self._utterances) == 1 and self._utterances[0].played >= self._utterances[0].sent
        )

    def sent(self, item_id: str, samples: int, now: float) -> bool:
        """Audio of an item is sent; False if it is to be dropped."""
        if item_id in self._dropped:
            return False
        last = self._utterances[-1] if self._utterances else None
        if last is None or last.item_id != item_id:
            self._count += 1
            last = _Utterance(self._count, item_id)
            self._utterances.append(last)
            self._forget_played()
        last.sent, last.complete = last.sent + samples, False
        self._empty_at = max(self._empty_at, now) + samples / SAMPLES_PER_SECOND
        return True

    def mark(self) -> str | None:
        """The mark to be sent now: behind an utterance's first audio, each second, and its end."""
        last = self._utterances[-1] if self._utterances else None
        if last is None or last.marked == last.sent:
            return None
        if last.marked and not last.complete and last.sent - last.marked < MARK_SAMPLES:
            return None
        last.marked = last.sent
        return f"{self._generation}:{last.number}:{last.sent}"

    def complete(self, item_id: str | None = None) -> None:
        """No more audio of this item, or of any, will come."""
        for utterance in self._utterances:
            if item_id is None or utterance.item_id == item_id:
                utterance.complete = True
        self._forget_played()

    def marked(self, name: str, now: float) -> None:
        """A mark came back; those of other generations, utterances or makers say nothing."""
        parts = name.split(":")
        # No number of ours has more digits, and Python refuses to read very long ones.
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 12 for p in parts):
            return
        generation, number, played = map(int, parts)
        numbers = [utterance.number for utterance in self._utterances]
        if generation != self._generation or number not in numbers:
            return
        while self._utterances[0].number != number:
            self._utterances.popleft()
        first = self._utterances[0]
        if first.played <= played <= first.sent:
            first.played = played
            left = sum(utterance.sent for utterance in self._utterances) - played
            self._empty_at = now + left / SAMPLES_PER_SECOND
        self._forget_played()

    def interrupted(self, now: float) -> list[CutShort]:
        """The recipient broke in: what they did not hear to its end, and will not any more."""
        cut: list[CutShort] = []
        unheard = max(0, round((self._empty_at - now) * SAMPLES_PER_SECOND))
        for utterance in reversed(self._utterances):
            heard = max(utterance.played, utterance.sent - unheard)
            unheard -= utterance.sent - heard
            if not utterance.complete or heard < utterance.sent:
                cut.insert(0, CutShort(utterance.item_id, heard * 1000 // SAMPLES_PER_SECOND))
                self._dropped.add(utterance.item_id)
        self.restart()
        return cut

    def restart(self) -> None:
        """Nothing that was sent so far will be played any more."""
        self._generation += 1
        self._utterances.clear()
        self._empty_at = 0.0

    def _forget_played(self) -> None:
        """An utterance that was heard to its end is of no more interest."""
        while self._utterances:
            first = self._utterances[0]
            followed = len(self._utterances) > 1 or first.complete
            if not followed or first.played < first.sent:
                return
            self._utterances.popleft()
