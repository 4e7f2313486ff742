"""Twilio Media Streams frames as a handful of typed events, and back.

The facts are from twilio.com/docs/voice/media-streams/websocket-messages. Audio stays in the
base64 that it came in: µ-law at 8 kHz, 8 samples of a byte each a millisecond, on both sides of
the bridge.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

# Both are written verbatim into other JSON texts, so they must be nothing else.
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}").fullmatch
_SID = re.compile(r"[A-Za-z0-9]{1,64}").fullmatch

# The frame that comes fifty times a second, as Twilio writes it.
_SOUND = re.compile(
    rb'\{"event":"media"(?:,"(?:sequenceNumber|streamSid)":"\w*")*,"media":\{'
    rb'(?:"(?:track|chunk|timestamp)":"\w*",)*"payload":"([A-Za-z0-9+/]*={0,2})"\}'
    rb'(?:,"(?:sequenceNumber|streamSid)":"\w*")*\}'
).fullmatch


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The stream is up; `parameters` are those of our TwiML."""

    stream_sid: str
    call_sid: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Audio:
    """What the recipient's side sounds like, in base64."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """All audio before this mark was played, or cleared."""

    name: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The recipient pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The stream is over."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A frame that asks for nothing; `known` is false when the protocol has grown it since."""

    known: bool = True


StreamEvent = StreamStarted | Audio | MarkPlayed | KeyPressed | StreamStopped | Ignored


class MalformedFrame(ValueError):
    """The other end does not speak the protocol."""


def sound(frame: bytes) -> bytes | None:
    """The audio of a frame that is obviously nothing else; `decode` finds the same."""
    found = _SOUND(frame)
    return None if found is None else found[1]


def decode(frame: str | bytes) -> StreamEvent:
    """One frame as an event; raises `MalformedFrame` for anything that is not of the protocol."""
    try:
        message = orjson.loads(frame)
        kind = message["event"]
        if kind == "media":
            return Audio(_checked(_BASE64, message["media"]["payload"]).encode())
        return _decode_rare(kind, message)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise MalformedFrame(type(error).__name__) from None


def _decode_rare(kind: object, message: dict[str, Any]) -> StreamEvent:
    match kind:
        case "mark":
            return MarkPlayed(str(message["mark"]["name"]))
        case "start":
            start = message["start"]
            return StreamStarted(
                _checked(_SID, start["streamSid"]),
                _checked(_SID, start["callSid"]),
                {str(k): str(v) for k, v in start.get("customParameters", {}).items()},
            )
        case "dtmf":
            return KeyPressed(str(message["dtmf"]["digit"]))
        case "stop":
            return StreamStopped()
    return Ignored(known=kind == "connected")


def _checked(pattern: Callable[[str], object], text: str) -> str:
    if pattern(text) is None:
        raise MalformedFrame("a field holds something else than it should")
    return text


def media(stream_sid: str, payload: bytes) -> bytes:
    """Audio to be played after what is buffered already; `payload` is base64 µ-law."""
    return b'{"event":"media","streamSid":"%b","media":{"payload":"%b"}}' % (
        stream_sid.encode(),
        payload,
    )


def mark(stream_sid: str, name: str) -> bytes:
    """Asks to be told when everything sent before has been played."""
    return f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":"{name}"}}}}'.encode()


def clear(stream_sid: str) -> bytes:
    """Drops what is buffered; the marks in it come back at once."""
    return f'{{"event":"clear","streamSid":"{stream_sid}"}}'.encode()


def samples(payload: bytes) -> int:
    """How many samples base64 µ-law audio holds, a byte each."""
    return len(payload) * 3 // 4 - payload.count(b"=", -2)
