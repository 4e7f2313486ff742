"""One OpenAI Realtime session (GA event shapes), spoken over a WebSocket.

What it knows of the world is the session's instructions, the conversation's items and the µ-law
audio that is appended to it. `mind.py` decides what is said; this module is the protocol around
it: voice activity, turns, responses with their events in order, interruptions, errors, usage.
"""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from opendeep_app.practice import session_settings, sound, turns
from opendeep_app.practice.conversation import Conversation, Entry
from opendeep_app.practice.response import Response
from opendeep_app.practice.session_settings import DEFAULT_VAD, SESSION_SECONDS, ClientError

Event = dict[str, Any]
Observer = Callable[[str, str], None]
"""Told "called" or "returned" and the function call's id, as these cross the socket."""
THINKING_SECONDS = 0.3


class RealtimeSession:
    """A session from `session.created` until either side closes the socket."""

    def __init__(
        self, socket: WebSocket, model: str, speed: float, observe: Observer | None = None
    ) -> None:
        self._socket = socket
        self._observe = observe or (lambda _what, _function_call_id: None)
        self._speed = speed
        self._conversation = Conversation()
        self._ear = sound.Ear(DEFAULT_VAD["silence_duration_ms"])
        self._spoken_item = ""
        self._idle_from_ms = 0
        self._response: Response | None = None
        self._response_owed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = session_settings.initial(model)
        self._handlers: dict[str, Callable[[Event], Awaitable[None]]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.truncate": self._truncate,
            "conversation.item.retrieve": self._retrieve,
            "conversation.item.delete": self._delete,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def run(self) -> None:
        """Serves the session; every response ends with it."""
        await self.send("session.created", session=self._session)
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                while True:
                    await self._receive()
        except TimeoutError:
            await self._error(
                "session_expired", "Your session hit the maximum duration of 60 minutes."
            )
            await self._socket.close(1001, "Your session hit the maximum duration of 60 minutes.")
        except WebSocketDisconnect:
            pass
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, type_: str, **fields: Any) -> None:
        """Sends a server event; a client that is gone misses it."""
        event = {"type": type_, "event_id": f"event_{uuid4().hex[:20]}", **fields}
        if type_ == "response.function_call_arguments.done":
            self._observe("called", fields["call_id"])
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send(
                {"type": "websocket.send", "text": orjson.dumps(event).decode()}
            )

    async def _receive(self) -> None:
        text = await self._socket.receive_text()
        event_id = None
        try:
            event = orjson.loads(text)
            event_id = event.get("event_id")
            handler = self._handlers.get(event.get("type", ""))
            if handler is None:
                raise ClientError("invalid_value", f"Invalid value: {event.get('type')!r}.", "type")
            await handler(event)
        except ClientError as error:
            await self._error(error.code, error.message, error.param, event_id)
        except orjson.JSONDecodeError:
            await self._error("invalid_json", "The message is not JSON.")
        except (KeyError, TypeError, AttributeError) as error:
            await self._error(
                "missing_required_parameter",
                f"Missing or malformed parameter: {error}.",
                None,
                event_id,
            )

    async def _error(
        self, code: str, message: str, param: str | None = None, event_id: str | None = None
    ) -> None:
        error = {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": param,
            "event_id": event_id,
        }
        await self.send("error", error=error)

    # The session

    @property
    def _vad(self) -> Event | None:
        detection: Event | None = self._session["audio"]["input"]["turn_detection"]
        return detection

    async def _update(self, event: Event) -> None:
        session_settings.update(self._session, event["session"])
        if self._vad:
            self._ear.silence_ms = (
                self._vad.get("silence_duration_ms") or DEFAULT_VAD["silence_duration_ms"]
            )
        await self.send("session.updated", session=self._session)

    # What is heard

    async def _append(self, event: Event) -> None:
        try:
            audio = base64.b64decode(event["audio"], validate=True)
        except binascii.Error:
            raise ClientError("invalid_value", "Invalid 'audio': not base64.", "audio") from None
        noticed = self._ear.feed(audio)
        vad = self._vad
        if vad is None:
            return
        for each in noticed:
            if isinstance(each, sound.SpeechStarted):
                await self._speech_started(each, vad)
            else:
                await self._speech_stopped(each, vad)
        await self._check_idle(vad)

    async def _speech_started(self, started: sound.SpeechStarted, vad: Event) -> None:
        self._spoken_item = f"item_{uuid4().hex[:20]}"
        begin = max(0, started.at_ms - vad.get("prefix_padding_ms", 0))
        await self.send(
            "input_audio_buffer.speech_started", audio_start_ms=begin, item_id=self._spoken_item
        )
        if vad.get("interrupt_response", True) and self._response:
            self._response.interrupt("turn_detected")

    async def _speech_stopped(self, stopped: sound.SpeechStopped, vad: Event) -> None:
        await self.send(
            "input_audio_buffer.speech_stopped",
            audio_end_ms=stopped.end_ms + self._ear.silence_ms,
            item_id=self._spoken_item,
        )
        await self._take_turn(stopped, self._spoken_item)
        if vad.get("create_response", True):
            self._respond_soon()

    async def _take_turn(self, stopped: sound.SpeechStopped, item_id: str) -> None:
        """Commits what was said as an item and transcribes it."""
        transcript = stopped.text
        milliseconds = stopped.end_ms - stopped.start_ms
        item = _heard_item(item_id)
        previous = self._conversation.last_id
        await self.send("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        self._conversation.add(Entry(item, turns.Heard(transcript), milliseconds))
        await self._announce(item, previous)
        if self._session["audio"]["input"]["transcription"]:
            item["content"][0]["transcript"] = transcript
            where = {"item_id": item_id, "content_index": 0}
            kind = "conversation.item.input_audio_transcription"
            if transcript:
                await self.send(f"{kind}.delta", **where, delta=transcript)
            usage = {"type": "duration", "seconds": milliseconds / 1000}
            await self.send(f"{kind}.completed", **where, transcript=transcript, usage=usage)

    async def _check_idle(self, vad: Event) -> None:
        """After a long silence on both sides, gives the model a turn."""
        # The client's own patience: wall-clock time, however fast the practice line's clock.
        limit = (vad.get("idle_timeout_ms") or 0) * self._speed
        now = self._ear.position_ms
        if self._ear.speaking or self._response:
            self._idle_from_ms = max(self._idle_from_ms, now)
        elif limit and now - self._idle_from_ms >= limit:
            item_id = f"item_{uuid4().hex[:20]}"
            await self.send(
                "input_audio_buffer.timeout_triggered",
                audio_start_ms=self._idle_from_ms,
                audio_end_ms=now,
                item_id=item_id,
            )
            self._idle_from_ms = now
            item = _heard_item(item_id)
            previous = self._conversation.last_id
            self._conversation.add(Entry(item, turns.Idle()))
            await self.send(
                "input_audio_buffer.committed", previous_item_id=previous, item_id=item_id
            )
            await self._announce(item, previous)
            self._respond_soon()

    async def _commit(self, _: Event) -> None:
        stopped = self._ear.stop()
        if stopped is None:
            raise ClientError(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer is empty.",
            )
        await self._take_turn(stopped, self._spoken_item or f"item_{uuid4().hex[:20]}")

    async def _clear(self, _: Event) -> None:
        self._ear.stop()
        await self.send("input_audio_buffer.cleared")

    # The conversation

    async def _create_item(self, event: Event) -> None:
        item: Event = {
            "id": f"item_{uuid4().hex[:20]}",
            "object": "realtime.item",
            "status": "completed",
        }
        item |= {key: value for key, value in event["item"].items() if value is not None}
        if item.get("type") == "function_call_output":
            self._observe("returned", str(item.get("call_id")))
        try:
            entry = Entry.from_client(item)
        except ValueError as error:
            raise ClientError("invalid_value", str(error), "item") from None
        previous = self._conversation.last_id
        self._conversation.add(entry)
        await self._announce(item, previous)

    async def _announce(self, item: Event, previous: str | None) -> None:
        for step in ("added", "done"):
            await self.send(f"conversation.item.{step}", previous_item_id=previous, item=item)

    async def _truncate(self, event: Event) -> None:
        entry = self._entry(event["item_id"])
        end_ms = event["audio_end_ms"]
        if not isinstance(entry.meaning, turns.Said):
            raise ClientError(
                "invalid_value", "Only the assistant's messages can be truncated.", "item_id"
            )
        if end_ms > entry.audio_ms:
            raise ClientError(
                "invalid_value",
                f"Audio content of {entry.audio_ms}ms is already shorter than {end_ms}ms",
                "audio_end_ms",
            )
        entry.truncate(end_ms)
        await self.send(
            "conversation.item.truncated",
            item_id=event["item_id"],
            content_index=event.get("content_index", 0),
            audio_end_ms=end_ms,
        )

    async def _retrieve(self, event: Event) -> None:
        await self.send("conversation.item.retrieved", item=self._entry(event["item_id"]).item)

    async def _delete(self, event: Event) -> None:
        self._conversation.remove(self._entry(event["item_id"]))
        await self.send("conversation.item.deleted", item_id=event["item_id"])

    def _entry(self, item_id: str) -> Entry:
        entry = self._conversation.find(item_id)
        if entry is None:
            raise ClientError(
                "item_not_found", f"Item with item_id '{item_id}' not found.", "item_id"
            )
        return entry

    # Responses

    async def _create_response(self, event: Event) -> None:
        options = event.get("response") or {}
        if self._response and options.get("conversation") != "none":
            raise ClientError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._response.id}.",
            )
        self._start_response(options)

    async def _cancel_response(self, event: Event) -> None:
        wanted = event.get("response_id")
        if self._response is None or wanted not in (None, self._response.id):
            raise ClientError(
                "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        self._response.interrupt("client_cancelled")

    def _respond_soon(self) -> None:
        """Answers a turn: at once, or when the response under way has ended."""
        if self._response:
            self._response_owed = True
        else:
            self._start_response({})

    def _start_response(self, options: Event) -> None:
        response = Response(self.send, self._conversation, self._session, options, self._speed)
        apart = options.get("conversation") == "none"
        if not apart:
            self._response = response
        task = asyncio.create_task(self._carry_out(response, apart=apart))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, response: Response, *, apart: bool) -> None:
        await response.run(THINKING_SECONDS / self._speed)
        if apart:
            return
        self._response = None
        self._idle_from_ms = self._ear.position_ms + response.audio_ms
        if self._response_owed:
            self._response_owed = False
            self._start_response({})


def _heard_item(item_id: str) -> Event:
    return {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_audio", "transcript": None}],
    }
