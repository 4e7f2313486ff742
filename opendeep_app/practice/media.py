"""One bidirectional media stream, from Twilio's side of the socket.

Frames, counters and their string types follow Twilio's Media Streams documentation; see
<https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from opendeep_app.practice.line import Line

log = structlog.get_logger(__name__)

BYTES_PER_MS = 8


class StreamProtocolError(Exception):
    """The other side sent something that Twilio would not accept (its error 31951)."""


@dataclass(frozen=True, slots=True)
class StreamIds:
    """Who this stream belongs to."""

    account_sid: str
    call_sid: str
    stream_sid: str


class MediaStream:
    """Carries a line's audio over a media socket, both ways."""

    def __init__(self, socket: ClientConnection, line: Line, ids: StreamIds) -> None:
        self._socket = socket
        self._line = line
        self._ids = ids
        self._outbox: list[str] = []
        self._sequence = 0
        self._chunk = 0
        self._sent = 0

    def frame(self, audio: bytes) -> None:
        """Takes 20 ms of the recipient's sound, or a multiple of it."""
        self._chunk += 1
        self._sequence += 1
        timestamp = self._sent // BYTES_PER_MS
        self._sent += len(audio)
        payload = base64.b64encode(audio).decode()
        self._outbox.append(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{timestamp}",'
            f'"payload":"{payload}"}},"streamSid":"{self._ids.stream_sid}"}}'
        )

    def played(self, mark: str) -> None:
        """Echoes a mark whose audio was heard, or flushed by a clear."""
        self._append("mark", {"mark": {"name": mark}})

    async def flush(self) -> None:
        """Sends what was taken; a socket that closed meanwhile loses it, as on the real line."""
        messages, self._outbox = self._outbox, []
        try:
            for message in messages:
                await self._socket.send(message)
        except ConnectionClosed:
            pass

    async def start(self, parameters: dict[str, str]) -> None:
        """Introduces the stream."""
        ids = self._ids
        self._outbox.append('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        self._append(
            "start",
            {
                "start": {
                    "accountSid": ids.account_sid,
                    "streamSid": ids.stream_sid,
                    "callSid": ids.call_sid,
                    "tracks": ["inbound"],
                    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                    "customParameters": parameters,
                }
            },
        )
        await self.flush()

    async def receive(self) -> None:
        """Acts on what the other side sends, until it closes the socket."""
        try:
            async for message in self._socket:
                await self._act(message)
        except ConnectionClosed:
            pass

    async def stop(self) -> None:
        """Says that the stream is over."""
        ids = self._ids
        self._append("stop", {"stop": {"accountSid": ids.account_sid, "callSid": ids.call_sid}})
        await self.flush()

    async def _act(self, message: str | bytes) -> None:
        try:
            data = orjson.loads(message)
            event, stream_sid = data["event"], data["streamSid"]
            if isinstance(message, bytes) or stream_sid != self._ids.stream_sid:
                raise StreamProtocolError("a binary frame or a wrong streamSid")
            if event == "media":
                self._line.play(base64.b64decode(data["media"]["payload"], validate=True))
            elif event == "mark":
                self._line.mark(data["mark"]["name"])
            elif event == "clear":
                self._line.clear()
                await self.flush()
            else:
                raise StreamProtocolError(f"unknown event {event!r}")
        except (ValueError, KeyError, TypeError) as error:
            raise StreamProtocolError(str(error)) from error

    def _append(self, event: str, content: dict[str, object]) -> None:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), **content}
        self._outbox.append(orjson.dumps({**message, "streamSid": self._ids.stream_sid}).decode())


@asynccontextmanager
async def open_stream(
    url: str, signature: str, line: Line, ids: StreamIds, parameters: dict[str, str]
) -> AsyncIterator[MediaStream | None]:
    """Opens the media socket and attaches the line to it; yields `None` when it is refused."""
    try:
        socket = await connect(
            url,
            additional_headers={"x-twilio-signature": signature},
            compression=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
            open_timeout=10,
            close_timeout=1,
        )
    except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
        log.warning("practice media socket refused", reason=type(error).__name__)
        yield None
        return
    stream = MediaStream(socket, line, ids)
    try:
        await stream.start(parameters)
        line.connect(stream)
        yield stream
    finally:
        line.disconnect()
        await stream.stop()
        await socket.close()
