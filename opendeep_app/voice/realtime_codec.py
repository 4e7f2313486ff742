"""OpenAI Realtime events as a handful of typed events, and our events as JSON.

The facts are from platform.openai.com/docs/api-reference/realtime (GA event shapes). Audio
deltas are by far the most frequent event and are read without building a model of them.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from opendeep_app.models import Speaker

RESPOND = "respond"
"""The `event_id` of our requests for a response, by which an `error` names them."""

# Forwarded verbatim inside another JSON text, so it must be nothing else.
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}").fullmatch

# The event that comes up to fifty times a second, as the API writes it.
_SOUND = re.compile(
    rb'\{"type":"response\.output_audio\.delta"(?:'
    rb',"(?:event_id|response_id)":"[\w-]*"|,"(?:output|content)_index":\d'
    rb'|,"item_id":"([\w-]+)"|,"delta":"([A-Za-z0-9+/]*={0,2})")+\}'
).fullmatch


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """More of the agent's voice, in base64 µ-law."""

    item_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class AudioDone:
    """All of an utterance's audio has been generated, or it was interrupted."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The recipient has begun to speak; their words will come as this item."""

    item_id: str


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The recipient has finished speaking."""


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one finished utterance; empty when they could not be made out.

    `transcribed_seconds` is what finding them is charged by.
    """

    speaker: Speaker
    item_id: str
    text: str
    transcribed_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class FunctionCalled:
    """The model calls one of our functions; `arguments` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The model begins a response."""


@dataclass(frozen=True, slots=True)
class ResponseFinished:
    """A response is over; `status` is completed, cancelled, failed or incomplete."""

    status: str
    functions: tuple[FunctionCalled, ...]
    usage: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SilenceNoticed:
    """Nobody has spoken for the configured idle time."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The API refused one of our events, the one with `event_id` if it had any."""

    code: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that asks for nothing."""


ModelEvent = (
    AudioDelta
    | AudioDone
    | SpeechStarted
    | SpeechStopped
    | Said
    | ResponseStarted
    | ResponseFinished
    | SilenceNoticed
    | Refused
    | Ignored
)

_IGNORED = Ignored()


def sound(data: bytes) -> tuple[str, bytes] | None:
    """The item and audio of an event that is obviously nothing else; `decode` finds the same."""
    found = _SOUND(data)
    if found is None or found[1] is None or found[2] is None:
        return None
    return found[1].decode(), found[2]


def decode(data: bytes) -> ModelEvent:
    """One server event; what is unknown or malformed is ignored, because the API may grow."""
    try:
        event = orjson.loads(data)
        kind = event["type"]
        if kind == "response.output_audio.delta":
            item_id, payload = str(event["item_id"]), event["delta"]
            return AudioDelta(item_id, payload.encode()) if _BASE64(payload) else _IGNORED
        return _decode_rare(kind, event)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _IGNORED


def _decode_rare(kind: str, event: dict[str, Any]) -> ModelEvent:
    match kind:
        case "input_audio_buffer.speech_started":
            return SpeechStarted(str(event["item_id"]))
        case "input_audio_buffer.speech_stopped":
            return SpeechStopped()
        case "input_audio_buffer.timeout_triggered":
            return SilenceNoticed()
        case "conversation.item.input_audio_transcription.completed":
            seconds = float((event.get("usage") or {}).get("seconds") or 0)
            item_id, words = str(event["item_id"]), event["transcript"].strip()
            return Said(Speaker.RECIPIENT, item_id, words, seconds)
        case "conversation.item.input_audio_transcription.failed":
            return Said(Speaker.RECIPIENT, str(event["item_id"]), "")
        case "response.output_audio.done":
            return AudioDone(str(event["item_id"]))
        case "response.output_audio_transcript.done":
            return Said(Speaker.AGENT, str(event["item_id"]), event["transcript"].strip())
        case "response.created":
            return ResponseStarted()
        case "response.done":
            response = event["response"]
            return ResponseFinished(
                str(response["status"]),
                tuple(_functions(response)),
                dict(response.get("usage") or {}),
            )
        case "error":
            error = event["error"]
            return Refused(
                str(error.get("code") or error.get("type")), str(error.get("event_id") or "")
            )
    return _IGNORED


def _functions(response: dict[str, Any]) -> list[FunctionCalled]:
    return [
        FunctionCalled(str(item["call_id"]), str(item["name"]), str(item["arguments"]))
        for item in response.get("output") or []
        if item.get("type") == "function_call" and item.get("status") == "completed"
    ]


def append_audio(payload: bytes) -> bytes:
    """What the recipient's side sounds like; `payload` is base64 µ-law."""
    return b'{"type":"input_audio_buffer.append","audio":"%b"}' % payload


def configure(
    instructions: str, tools: list[dict[str, Any]], voice: str, idle_ms: int | None
) -> bytes:
    """The session: µ-law both ways, the server finds the turns, both sides transcribed.

    Without `idle_ms`, the silence after which the model speaks up, it answers nothing by itself.
    """
    return _event(
        "session.update",
        session={
            "type": "realtime",
            "instructions": instructions,
            "output_modalities": ["audio"],
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "transcription": {"model": "gpt-transcribe"},
                    "noise_reduction": {"type": "near_field"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.5,
                        "prefix_padding_ms": 300,
                        "silence_duration_ms": 500,
                        "idle_timeout_ms": idle_ms,
                        "create_response": idle_ms is not None,
                        "interrupt_response": True,
                    },
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": voice},
            },
            "tools": tools,
            "tool_choice": "auto",
        },
    )


def respond() -> bytes:
    """Asks for a response."""
    return _event("response.create", event_id=RESPOND)


def say(instructions: str) -> bytes:
    """Asks for a response that follows these instructions only, and acts on nothing."""
    response = {"instructions": instructions, "tool_choice": "none"}
    return _event("response.create", event_id=RESPOND, response=response)


def choose() -> bytes:
    """Asks for a function call, and nothing that could be heard."""
    response = {"output_modalities": ["text"], "tool_choice": "required"}
    return _event("response.create", event_id=RESPOND, response=response)


def end_turn() -> bytes:
    """Ends the recipient's turn here, for the words that a hang-up cut off."""
    return _event("input_audio_buffer.commit")


def system_message(text: str) -> bytes:
    """Tells the model something that nobody said."""
    return _event(
        "conversation.item.create",
        item={
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": text}],
        },
    )


def function_call(function: FunctionCalled) -> bytes:
    """Puts a call of the model's into a session that did not see it, so that it can be answered."""
    return _event(
        "conversation.item.create",
        item={
            "type": "function_call",
            "call_id": function.call_id,
            "name": function.name,
            "arguments": function.arguments,
        },
    )


def function_output(call_id: str, output: dict[str, Any]) -> bytes:
    """What our function returned."""
    return _event(
        "conversation.item.create",
        item={
            "type": "function_call_output",
            "call_id": call_id,
            "output": orjson.dumps(output).decode(),
        },
    )


def truncate(item_id: str, heard_ms: int) -> bytes:
    """Tells the model how much of its utterance was really heard."""
    return _event(
        "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms
    )


def _event(kind: str, **fields: Any) -> bytes:
    return orjson.dumps({"type": kind, **fields})
