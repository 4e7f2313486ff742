"""How much of the agent's voice has really been heard.

The model speaks faster than real time and Twilio buffers what we send, so sent is not heard.
Marks sent with the audio come back when it was played; the last one tells.
"""

from dataclasses import dataclass


@dataclass
class Playback:
    """The agent's current utterance on its way to the recipient's ear.

    A mark's name is `generation:item:milliseconds`. Clearing begins a new generation, so that
    marks which the clearing itself returns are not taken for played audio.
    """

    item_id: str = ""
    sent_ms: int = 0
    played_ms: int = 0
    generation: int = 0
    _dropped: str = ""

    @property
    def idle(self) -> bool:
        """Whether everything sent has been played."""
        return self.played_ms >= self.sent_ms

    def sent(self, item_id: str, duration_ms: int) -> str | None:
        """Audio of an item is sent; returns the mark to send after it, None to drop the audio."""
        if item_id == self._dropped:
            return None
        if item_id != self.item_id:
            self.item_id, self.sent_ms, self.played_ms = item_id, 0, 0
        self.sent_ms += duration_ms
        return f"{self.generation}:{item_id}:{self.sent_ms}"

    def marked(self, name: str) -> None:
        """A mark came back; those of other generations, items or makers say nothing."""
        generation, _, rest = name.partition(":")
        item_id, _, played = rest.rpartition(":")
        if generation == str(self.generation) and item_id == self.item_id and played.isdigit():
            self.played_ms = max(self.played_ms, min(int(played), self.sent_ms))

    def interrupted(self) -> tuple[str, int] | None:
        """The recipient broke in: the item and the milliseconds heard of it; None if all was."""
        if not self.item_id or self.idle:
            return None
        heard = (self.item_id, self.played_ms)
        self._dropped = self.item_id
        self.item_id, self.sent_ms, self.played_ms = "", 0, 0
        self.generation += 1
        return heard
