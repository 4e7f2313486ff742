"""A Realtime conversation: its items as they go over the wire, and what they mean to the mind."""

import json
from dataclasses import dataclass, replace
from typing import Any

from opendeep_app.practice import turns

NEARLY_ALL = 0.85
"""The share of a sentence after which it counts as heard although it was cut short."""


@dataclass
class Entry:
    """One item."""

    item: dict[str, Any]
    meaning: turns.Item | None
    audio_ms: int = 0

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.item["id"])

    @classmethod
    def from_client(cls, item: dict[str, Any]) -> "Entry":
        """An item that the client created. Raises `ValueError` for what the API does not take."""
        match item.get("type"):
            case "function_call_output":
                return cls(item, turns.Returned(str(item["call_id"]), str(item["output"])))
            case "function_call":
                arguments = json.loads(item.get("arguments") or "{}")
                return cls(item, turns.Called(str(item["call_id"]), str(item["name"]), arguments))
            case "message":
                return cls(item, _meaning(item["role"], item["content"]))
        raise ValueError(f"Invalid value: {item.get('type')!r}.")

    def truncate(self, end_ms: int) -> None:
        """Forgets what was said after `end_ms`, with the transcript, as the API does."""
        if not isinstance(self.meaning, turns.Said):
            return
        share = end_ms / self.audio_ms if self.audio_ms else 0.0
        if share < NEARLY_ALL:
            text = self.meaning.text[: int(len(self.meaning.text) * share)]
            self.meaning = replace(self.meaning, text=text, whole=False)
        self.audio_ms = end_ms
        for part in self.item["content"]:
            part["transcript"] = None


def _meaning(role: str, content: list[dict[str, Any]]) -> turns.Item:
    wanted = "output_text" if role == "assistant" else "input_text"
    if any(part.get("type") != wanted for part in content):
        raise ValueError(f"Invalid content: a {role} message takes {wanted}.")
    text = " ".join(str(part["text"]) for part in content)
    match role:
        case "assistant":
            return turns.Said(text)
        case "user":
            return turns.Heard(text)
        case "system":
            return turns.Told(text)
    raise ValueError(f"Invalid value: {role!r}.")


class Conversation:
    """The items of a session, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.counted_tokens = 0
        """Input tokens of the last response, which are cached for the next."""

    @property
    def last_id(self) -> str | None:
        """The id of the newest item."""
        return self._entries[-1].id if self._entries else None

    @property
    def meanings(self) -> list[turns.Item]:
        """What the mind gets to see."""
        return [entry.meaning for entry in self._entries if entry.meaning is not None]

    @property
    def heard_ms(self) -> int:
        """How much audio of the user's is in it."""
        return sum(
            entry.audio_ms for entry in self._entries if isinstance(entry.meaning, turns.Heard)
        )

    def add(self, entry: Entry) -> None:
        """Appends an item."""
        self._entries.append(entry)

    def remove(self, entry: Entry) -> None:
        """Deletes an item."""
        self._entries.remove(entry)

    def find(self, item_id: str) -> Entry | None:
        """The item with this id."""
        return next((entry for entry in self._entries if entry.id == item_id), None)
