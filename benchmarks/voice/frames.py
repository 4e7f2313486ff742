"""The least of a WebSocket that the two protocol ends need: one text message a frame, no library.

The ends must cost less than what is measured, or their own queues would be what is seen.
"""

import asyncio
import base64
import hashlib
import struct
from collections.abc import Callable
from typing import cast

from websockets.speedups import apply_mask

MASK = b"\x37\xfa\x21\x3d"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class End(asyncio.Protocol):
    """One end of a WebSocket: `on_text` and `on_closed` are called, `send` writes."""

    def __init__(self, request: str = "") -> None:
        #: What a client asks with; empty for a server.
        self._request = request
        self._open = False
        self._buffer = b""
        self.transport: asyncio.Transport
        self.closed = False
        self.opened = asyncio.get_running_loop().create_future()
        self.on_text: Callable[[bytes], None] = lambda _: None
        self.on_closed: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client asks at once."""
        self.transport = cast(asyncio.Transport, transport)
        if self._request:
            self.transport.write(self._request.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self.closed = True
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("the handshake was refused"))
        self.on_closed()

    def data_received(self, data: bytes) -> None:
        """Takes whole frames; what is left waits for more."""
        buffer = self._buffer + data if self._buffer else data
        if not self._open:
            buffer = self._shake_hands(buffer)
        position, end = 0, len(buffer)
        while self._open and end - position >= 2:
            code, length, start = buffer[position] & 15, buffer[position + 1], position + 2
            masked, length = length & 128, length & 127
            if length == 126:
                if end < start + 2:
                    break
                length, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            elif length == 127:
                if end < start + 8:
                    break
                length, start = int.from_bytes(buffer[start : start + 8], "big"), start + 8
            stop = start + length + (4 if masked else 0)
            if end < stop:
                break
            content = buffer[start + 4 : stop] if masked else buffer[start:stop]
            if masked:
                content = apply_mask(content, buffer[start : start + 4])
            position = stop
            if code == TEXT:
                self.on_text(content)
            elif code == CLOSE:
                self._write(CLOSE, content[:2])
                self.transport.close()
            elif code == PING:
                self._write(PONG, content)
        self._buffer = buffer[position:]

    def send(self, text: bytes) -> None:
        """Sends a text message."""
        self._write(TEXT, text)

    def close(self) -> None:
        """Says goodbye and closes."""
        self._write(CLOSE, b"\x03\xe8")
        self.transport.close()

    def _write(self, code: int, content: bytes) -> None:
        length, bit = len(content), 128 if self._request else 0
        if length < 126:
            head = struct.pack("!BB", 128 | code, bit | length)
        else:
            head = struct.pack("!BBH", 128 | code, bit | 126, length)
        if bit:
            content = MASK + apply_mask(content, MASK)
        self.transport.write(head + content)

    def _shake_hands(self, buffer: bytes) -> bytes:
        head, found, rest = buffer.partition(b"\r\n\r\n")
        if not found:
            return buffer
        if self._request:
            self._open = head.startswith(b"HTTP/1.1 101")
            if not self._open:
                self.transport.abort()
                return b""
        else:
            lines = [line.partition(b":") for line in head.split(b"\r\n")]
            [key] = [v.strip() for k, _, v in lines if k.lower() == b"sec-websocket-key"]
            accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._open = True
        self.opened.set_result(None)
        return rest


async def connect(host: str, port: int, path: str, headers: dict[str, str]) -> End:
    """An open client's end."""
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {base64.b64encode(b'0' * 16).decode()}\r\n"
        f"Sec-WebSocket-Version: 13\r\n{more}\r\n"
    )
    _, end = await asyncio.get_running_loop().create_connection(lambda: End(request), host, port)
    await end.opened
    return end
