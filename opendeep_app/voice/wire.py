"""WebSockets with a short cut for sound.

Sound comes as one short text frame for every 20 ms of every call and direction, and handling it
is nearly all that a gateway does. Such a frame is taken out of the stream, and another put into
it, without the libraries' queues, tasks and checks in between. The handshake, pings, fragments
and all other messages go to the libraries, byte by byte as they came. Decision 0008 says why.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import ClientConnection
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.speedups import apply_mask

from opendeep_app.voice import realtime_codec, twilio_codec

TEXT = 0x81
"""The first byte of a text message that is one frame (RFC 6455, 5.2)."""
MASKED = 0x80
LONGEST = 2**16 - 1
"""Bytes of the frames that can be taken; longer ones are no sound."""
MOST_UNSENT = 2**20
"""Bytes that may wait for a peer that does not read; more, and it is given up."""
HEAD_END = b"\r\n\r\n"


def _head(size: int, mask: int) -> bytes:
    if size < 126:
        return bytes((TEXT, mask | size))
    if size <= LONGEST:
        return bytes((TEXT, mask | 126, size >> 8, size & 0xFF))
    return bytes((TEXT, mask | 127)) + size.to_bytes(8, "big")


def _masks() -> Iterator[bytes]:
    # A new one for each frame, and none that can be foretold (RFC 6455, 5.3). To fetch many at a
    # time spares each frame a system call.
    while True:
        many = os.urandom(1024)
        for at in range(0, len(many), 4):
            yield many[at : at + 4]


_MASKS = _masks()


class Wire(asyncio.Protocol):
    """Divides what a library's connection receives into frames, and takes some of them.

    The library is always shown whole frames in their order, but for those that were taken.
    """

    #: Whether the other end masks its frames, as clients must.
    _masked = 0
    _shaking_hands = True
    #: What has come of the next frame's beginning.
    _rest = b""
    #: So many of the next bytes are the library's.
    _theirs = 0

    def data_received(self, data: bytes) -> None:
        """Takes what can be taken."""
        data = self._rest + data
        self._rest = b""
        if self._shaking_hands and not (data := self._shake_hands(data)):
            return
        at, size = 0, len(data)
        while at < size:
            if self._theirs:
                until = min(size, at + self._theirs)
                self._theirs -= until - at
                super().data_received(data[at:until])
                at = until
                continue
            if size - at < 2:
                break
            masked = data[at + 1] & MASKED
            start, length = at + 2, data[at + 1] & ~MASKED
            if length == 126:
                if size - at < 4:
                    break
                start, length = at + 4, data[at + 2] << 8 | data[at + 3]
            elif length == 127:
                if size - at < 10:
                    break
                start, length = at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
            begin = start + 4 if masked else start
            end = begin + length
            if data[at] != TEXT or length > LONGEST or masked != self._masked:
                self._theirs = end - at
                continue
            if end > size:
                break
            text = data[begin:end]
            if masked:
                text = apply_mask(text, data[start:begin])
            if not self._take(text):
                super().data_received(data[at:end])
            at = end
        self._rest = data[at:]

    def _shake_hands(self, data: bytes) -> bytes:
        """Leaves the handshake to the library; returns what comes behind it."""
        head, end, data = data.partition(HEAD_END)
        if not end and len(head) <= LONGEST:
            self._rest = head
            return b""
        self._shaking_hands = False
        if not end:
            self._theirs = sys.maxsize
        super().data_received(head + end)
        if not self._speaks_frames():
            self._theirs = sys.maxsize
        return data

    def _speaks_frames(self) -> bool:
        """Whether frames come behind the handshake, as far as it is known."""
        raise NotImplementedError

    def _take(self, text: bytes) -> bool:
        """Deals with a message, or leaves it to the library."""
        raise NotImplementedError


class CarrierWire(Wire, WebSocketsSansIOProtocol):
    """The server's end of a media stream; an application finds it as `socket.state.wire`."""

    _masked = MASKED
    #: Takes the recipient's sound (base64) from now on.
    hear: Callable[[bytes], None] | None = None

    def handle_connect(self, event: Request) -> None:
        """Shows itself to the application."""
        self.app_state = {**self.app_state, "wire": self}
        super().handle_connect(event)

    def post(self, text: bytes) -> None:
        """Sends a message at once; nothing if the stream is over."""
        if self.disconnected or self.close_sent:
            return
        self.transport.write(_head(len(text), 0) + text)
        if not self.writable.is_set() and self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.transport.abort()

    def _speaks_frames(self) -> bool:
        return True

    def _take(self, text: bytes) -> bool:
        # Nothing overtakes what the application has not read yet.
        if self.hear is None or self.read_paused:
            return False
        payload = twilio_codec.sound(text)
        if payload is None:
            return False
        self.hear(payload)
        return True


class ModelWire(Wire, ClientConnection):
    """The client's end of a Realtime session."""

    #: Takes the agent's voice (item, base64) from now on.
    play: Callable[[str, bytes], None] | None = None

    async def recv_bytes(self) -> bytes:
        """The next event that was not taken; raises `WebSocketException` at the end."""
        return await self.recv(decode=False)

    def post(self, text: bytes) -> None:
        """Sends an event at once; nothing if the session is over."""
        if self.protocol.state is not OPEN:
            return
        mask = next(_MASKS)
        self.transport.write(_head(len(text), MASKED) + mask + apply_mask(text, mask))
        if self.paused and self.transport.get_write_buffer_size() > MOST_UNSENT:
            self.transport.abort()

    def _speaks_frames(self) -> bool:
        return self.protocol.state is OPEN

    def _take(self, text: bytes) -> bool:
        # Nothing overtakes an event that is not dealt with yet.
        messages = self.recv_messages
        if self.play is None or not messages.get_in_progress or len(messages.frames):
            return False
        found = realtime_codec.sound(text)
        if found is None:
            return False
        self.play(*found)
        return True
