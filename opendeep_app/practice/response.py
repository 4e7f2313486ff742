"""One response of the Realtime model: its events in order, with the audio of what is said."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable
from typing import Any, Literal, Protocol
from uuid import uuid4

from opendeep_app.practice import mind, sound, turns
from opendeep_app.practice.conversation import Conversation, Entry

Reason = Literal["turn_detected", "client_cancelled"]
CHUNK_MS = 200
FASTER_THAN_SPEECH = 8
"""How much faster than real time audio is generated."""
LETTERS_PER_TOKEN = 4
HEARD_MS_PER_TOKEN = 100
SPOKEN_MS_PER_TOKEN = 50


class Send(Protocol):
    """Sends one server event."""

    def __call__(self, type_: str, **fields: Any) -> Awaitable[None]:
        """Sends the event of this type with these fields."""


class Response:
    """Runs once, from `response.created` to `response.done`."""

    def __init__(
        self,
        send: Send,
        conversation: Conversation,
        session: dict[str, Any],
        options: dict[str, Any],
        speed: float,
    ) -> None:
        self.id = f"resp_{uuid4().hex[:20]}"
        self.audio_ms = 0
        """How much speech was generated."""
        self._send = send
        self._conversation = conversation
        self._session = session
        self._options = options
        self._speed = speed
        self._apart = options.get("conversation") == "none"
        self._interrupted = asyncio.Event()
        self._reason: Reason = "client_cancelled"
        self._output: list[dict[str, Any]] = []
        self._letters = 0

    def interrupt(self, reason: Reason) -> None:
        """Stops generating; the events that close the response still follow."""
        if not self._interrupted.is_set():
            self._reason = reason
            self._interrupted.set()

    async def run(self, thinking_seconds: float) -> None:
        """Thinks, speaks, calls functions, and reports it all."""
        await self._send("response.created", response=self._resource("in_progress"))
        await self._pause(thinking_seconds)
        reply = turns.Reply() if self._interrupted.is_set() else self._think()
        if reply.speech:
            await self._speak(reply.speech)
        for call in reply.calls:
            if not self._interrupted.is_set():
                await self._call(call)
        status = "cancelled" if self._interrupted.is_set() else "completed"
        done = self._resource(status)
        if status == "cancelled":
            done["status_details"] = {"type": "cancelled", "reason": self._reason}
        done["usage"] = self._usage()
        await self._send("response.done", response=done)
        remaining = {"name": "tokens", "limit": 40000, "remaining": 39000, "reset_seconds": 1.5}
        await self._send("rate_limits.updated", rate_limits=[remaining])

    def _think(self) -> turns.Reply:
        tools = self._options.get("tools") or self._session["tools"]
        choice = self._options.get("tool_choice", self._session["tool_choice"])
        declared = {
            tool["name"]: tool.get("parameters") or {}
            for tool in tools
            if tool["type"] == "function"
        }
        return mind.reply(
            self._session["instructions"] or "",
            {} if choice == "none" else declared,
            self._conversation.meanings,
            self._options.get("instructions") or "",
        )

    async def _speak(self, text: str) -> None:
        as_text = (
            self._options.get("output_modalities") or self._session["output_modalities"]
        ) == ["text"]
        item: dict[str, Any] = {
            "id": f"item_{uuid4().hex[:20]}",
            "object": "realtime.item",
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        entry = await self._begin(item, turns.Said("", whole=False))
        where = {
            "response_id": self.id,
            "item_id": item["id"],
            "output_index": len(self._output) - 1,
            "content_index": 0,
        }
        part: dict[str, Any] = (
            {"type": "text", "text": ""} if as_text else {"type": "audio", "transcript": ""}
        )
        await self._send("response.content_part.added", **where, part=part)
        said = await (self._write(text, where) if as_text else self._voice(text, where, entry))
        part = part | {"text" if as_text else "transcript": said}
        if as_text:
            await self._send("response.output_text.done", **where, text=said)
        else:
            await self._send("response.output_audio.done", **where)
            await self._send("response.output_audio_transcript.done", **where, transcript=said)
        await self._send("response.content_part.done", **where, part=part)
        kind = "output_text" if as_text else "output_audio"
        item["content"] = [{"type": kind, "text" if as_text else "transcript": said}]
        whole = not self._interrupted.is_set()
        entry.meaning = turns.Said(said, whole=whole)
        self._letters += len(said)
        await self._finish(item, whole=whole)

    async def _write(self, text: str, where: dict[str, Any]) -> str:
        await self._send("response.output_text.delta", **where, delta=text)
        return text

    async def _voice(self, text: str, where: dict[str, Any], entry: Entry) -> str:
        """Generates the audio, faster than it can be played; returns the part that was generated."""
        audio = sound.spoken(text) + sound.silence(100)
        size = CHUNK_MS * 8
        written = 0
        for start in range(0, len(audio), size):
            if self._interrupted.is_set():
                break
            chunk = audio[start : start + size]
            until = len(text) * (start + len(chunk)) // len(audio)
            if until > written:
                delta = text[written:until]
                await self._send("response.output_audio_transcript.delta", **where, delta=delta)
                written = until
            await self._send(
                "response.output_audio.delta", **where, delta=base64.b64encode(chunk).decode()
            )
            entry.audio_ms += len(chunk) // 8
            self.audio_ms += len(chunk) // 8
            await self._pause(CHUNK_MS / 1000 / FASTER_THAN_SPEECH / self._speed)
        return text[:written]

    async def _call(self, call: turns.FunctionCall) -> None:
        call_id = f"call_{uuid4().hex[:20]}"
        arguments = json.dumps(call.arguments, ensure_ascii=False)
        item: dict[str, Any] = {
            "id": f"item_{uuid4().hex[:20]}",
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "name": call.name,
            "call_id": call_id,
            "arguments": "",
        }
        await self._begin(item, turns.Called(call_id, call.name, call.arguments))
        where = {
            "response_id": self.id,
            "item_id": item["id"],
            "output_index": len(self._output) - 1,
            "call_id": call_id,
        }
        await self._send("response.function_call_arguments.delta", **where, delta=arguments)
        await self._send(
            "response.function_call_arguments.done", **where, name=call.name, arguments=arguments
        )
        item["arguments"] = arguments
        self._letters += len(arguments)
        await self._finish(item, whole=True)

    async def _begin(self, item: dict[str, Any], meaning: turns.Item) -> Entry:
        previous = self._conversation.last_id
        entry = Entry(item, meaning)
        self._output.append(item)
        await self._send(
            "response.output_item.added",
            response_id=self.id,
            output_index=len(self._output) - 1,
            item=item,
        )
        if not self._apart:
            self._conversation.add(entry)
            await self._send("conversation.item.added", previous_item_id=previous, item=item)
        return entry

    async def _finish(self, item: dict[str, Any], *, whole: bool) -> None:
        item["status"] = "completed" if whole else "incomplete"
        await self._send(
            "response.output_item.done",
            response_id=self.id,
            output_index=len(self._output) - 1,
            item=item,
        )
        if not self._apart:
            await self._send("conversation.item.done", previous_item_id=None, item=item)

    def _resource(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": self._output,
            "conversation_id": None if self._apart else "conv_practice",
            "output_modalities": self._session["output_modalities"],
            "metadata": self._options.get("metadata"),
            "usage": None,
        }

    def _usage(self) -> dict[str, Any]:
        """Tokens as the real model would roughly count them."""
        letters = len(self._session["instructions"] or "") + sum(
            len(getattr(meaning, "text", "")) for meaning in self._conversation.meanings
        )
        text_in, audio_in = (
            letters // LETTERS_PER_TOKEN,
            self._conversation.heard_ms // HEARD_MS_PER_TOKEN,
        )
        text_out, audio_out = (
            self._letters // LETTERS_PER_TOKEN,
            self.audio_ms // SPOKEN_MS_PER_TOKEN,
        )
        cached = min(self._conversation.counted_tokens, text_in)
        self._conversation.counted_tokens = text_in
        return {
            "total_tokens": text_in + audio_in + text_out + audio_out,
            "input_tokens": text_in + audio_in,
            "output_tokens": text_out + audio_out,
            "input_token_details": {
                "text_tokens": text_in,
                "audio_tokens": audio_in,
                "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": {
                    "text_tokens": cached,
                    "audio_tokens": 0,
                    "image_tokens": 0,
                },
            },
            "output_token_details": {"text_tokens": text_out, "audio_tokens": audio_out},
        }

    async def _pause(self, seconds: float) -> None:
        """Rests so long, or until interrupted."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._interrupted.wait()
