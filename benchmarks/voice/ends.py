"""Both protocol ends of many calls in one process, so that one clock times what passes between.

The model's end returns every piece of the recipient's audio at once as audio of the agent's. A
piece carries its number, the time it was sent and a checksum: what arrives tells what was lost,
reordered or altered, and how long it took there and back.
"""

import asyncio
import base64
import random
import struct
import time
import zlib
from dataclasses import dataclass, field

import orjson

from benchmarks.voice.frames import End, connect

FRAME_SECONDS = 0.02
FRAME_BYTES = 160
DEAF_SECONDS = 0.5
"""How long a model stops reading; it cannot see the connection's end earlier."""
_HEAD = struct.Struct("!QQI")
_NOISE = random.Random(1).randbytes(FRAME_BYTES - _HEAD.size)
_FEW = (b'"input_audio_buffer.append"', b'"response.create"', b'"session.update"')


@dataclass
class Results:
    """What was seen while `counting`."""

    counting: bool = False
    latencies: list[float] = field(default_factory=list)
    lost: int = 0
    reordered: int = 0
    altered: int = 0
    clears: list[float] = field(default_factory=list)
    truncate_errors_ms: list[float] = field(default_factory=list)
    closings: list[float] = field(default_factory=list)


class ModelEnd:
    """A Realtime session: echoes what it hears, answers what it is asked, can be told to be rude."""

    def __init__(self, exchange: "Exchange") -> None:
        self.exchange = exchange
        self.end = End()
        self.end.on_text = self._received
        self.end.on_closed = self._closed
        self.call: Call | None = None
        self.item = 0
        self._met = False
        self._responses = 0

    def _received(self, text: bytes) -> None:
        if text.startswith(b'{"type":"input_audio_buffer.append","audio":"'):
            self._heard(text[45:-2])
            return
        event = orjson.loads(text)
        match event["type"]:
            case "input_audio_buffer.append":
                self._heard(event["audio"].encode())
            case "response.create":
                self.emit("response.created", response={})
                self.emit("response.done", response={"status": "completed", "output": []})
            case "session.update" if not self._met:
                self._met = True
                self.emit("session.created", session={})
            case "session.update":
                self.exchange.met += 1
            case "conversation.item.truncate":
                self._truncated(event["item_id"], event["audio_end_ms"])

    def _heard(self, payload: bytes) -> None:
        if self.call is None:
            number = _HEAD.unpack_from(base64.b64decode(payload))[2]
            self.call = self.exchange.calls[number]
            self.call.model = self
            self.emit("input_audio_buffer.speech_started", item_id="hello")
            self.emit("input_audio_buffer.speech_stopped")
            kind = "conversation.item.input_audio_transcription.completed"
            self.emit(kind, item_id="hello", transcript="Hello?")
            return
        if self.call.echoes:
            self.speak(payload)

    def speak(self, payload: bytes) -> None:
        """Sends base64 audio as a delta."""
        self.end.send(
            b'{"type":"response.output_audio.delta","event_id":"event_123456789012345678901",'
            b'"response_id":"resp_123456789012345678901","item_id":"item_%d","output_index":0,'
            b'"content_index":0,"delta":"%b"}' % (self.item, payload)
        )

    def emit(self, kind: str, **content: object) -> None:
        """Sends an event."""
        self.end.send(orjson.dumps({"type": kind, **content}))

    def _truncated(self, item_id: str, heard_ms: int) -> None:
        # What was echoed before may be cut as well; how much of it was played is not followed.
        if self.call is not None and item_id == f"item_{self.item}":
            self.call.truncated(heard_ms)

    def say_lines(self) -> None:
        """One sentence of either side has been written down."""
        kind = "conversation.item.input_audio_transcription.completed"
        self.emit(kind, item_id="user", transcript="I see, and what about the other one?")
        kind = "response.output_audio_transcript.done"
        self.emit(kind, item_id="agent", transcript="That one is fine as well, thank you.")

    def _closed(self) -> None:
        if self.call is not None:
            self.call.model_closed()


class Call:
    """One call's media end, and what its model's end has to do with it."""

    def __init__(self, exchange: "Exchange", number: int, call_id: str, token: str) -> None:
        self.exchange = exchange
        self.number = number
        self.parameters = {"call_id": call_id, "token": token}
        self.sid = f"MZ{number:032d}"
        self.model: ModelEnd | None = None
        self.end: End
        self.echoes = True
        self.ended_at = 0.0
        self._sequence = self._expected = 0
        self._played_by = self._sent_ms = 0.0
        self._generation = 0
        self._broke_in_at = 0.0
        #: What was played when the buffer was cleared, and what the bridge says of it; the two
        #: come on different sockets, in any order.
        self._heard_ms: float | None = None
        self._told_ms: int | None = None
        self.over = asyncio.Event()

    @property
    def echoed(self) -> bool:
        """Whether sound has come back: the bridge has found out who answered, and lets it pass."""
        return self._expected > 0

    async def start(self) -> None:
        """Opens the media socket and starts the stream."""
        exchange = self.exchange
        self.end = await connect("127.0.0.1", exchange.port, exchange.path, exchange.headers)
        self.end.on_text = self._received
        start = {"streamSid": self.sid, "callSid": f"CA{self.number:032d}"}
        self._send("connected", protocol="Call", version="1.0.0")
        self._send("start", start=start | {"customParameters": self.parameters})

    def speak(self) -> None:
        """Sends 20 ms."""
        head = _HEAD.pack(self._sequence, time.monotonic_ns(), self.number)
        self._sequence += 1
        checked = head + _NOISE[4:] + zlib.crc32(head).to_bytes(4, "big")
        self.end.send(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d",'
            b'"timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
            % (
                self._sequence, self._sequence, self._sequence * 20,
                base64.b64encode(checked), self.sid.encode(),
            )
        )  # fmt: skip

    def _received(self, text: bytes) -> None:
        message = orjson.loads(text)
        kind = message["event"]
        now = time.monotonic()
        if kind == "media":
            payload = base64.b64decode(message["media"]["payload"])
            self._played_by = max(now, self._played_by) + len(payload) / 8000
            if len(payload) == FRAME_BYTES:
                self._check(payload)
        elif kind == "mark":
            name, generation = message["mark"]["name"], self._generation
            delay = self._played_by - now
            loop = asyncio.get_running_loop()
            loop.call_later(max(0.0, delay), self._played, name, generation)
        elif kind == "clear":
            self._generation += 1
            if self._broke_in_at:
                self.exchange.results.clears.append(now - self._broke_in_at)
                self._broke_in_at = 0.0
                left_ms = max(0.0, self._played_by - now) * 1000
                self._heard_ms = max(0.0, self._sent_ms - left_ms)
                self._compare()
            self._played_by = now

    def _played(self, name: str, generation: int) -> None:
        if generation == self._generation and not self.end.closed:
            self._send("mark", mark={"name": name})

    def _check(self, payload: bytes) -> None:
        results = self.exchange.results
        sequence, sent_at, number = _HEAD.unpack_from(payload)
        head = payload[: _HEAD.size]
        if number != self.number or payload[-4:] != zlib.crc32(head).to_bytes(4, "big"):
            results.altered += 1
            return
        if results.counting:
            results.latencies.append((time.monotonic_ns() - sent_at) / 1e9)
            results.lost += max(0, sequence - self._expected)
            results.reordered += sequence < self._expected
        self._expected = max(self._expected, sequence + 1)

    # Breaking in

    def prepare_to_break_in(self) -> None:
        """The agent speaks two seconds at once, as models do, and is being played."""
        assert self.model is not None
        self.echoes = False
        self.model.item += 1
        self._sent_ms = 2000.0
        for _ in range(10):
            self.model.speak(base64.b64encode(b"\x7f" * 1600))

    def break_in(self) -> None:
        """The model notices that the recipient speaks."""
        assert self.model is not None
        self._broke_in_at = time.monotonic()
        self._heard_ms = self._told_ms = None
        self.model.emit("input_audio_buffer.speech_started", item_id=f"u{self._sequence}")

    def truncated(self, heard_ms: int) -> None:
        """The bridge says how much of the last utterance was heard."""
        self._told_ms = heard_ms
        self._compare()

    def _compare(self) -> None:
        if self._heard_ms is not None and self._told_ms is not None:
            self.exchange.results.truncate_errors_ms.append(abs(self._told_ms - self._heard_ms))
            self._heard_ms = self._told_ms = None

    # Ending

    def hang_up(self, *, kill: bool = False, model_deaf: bool = False) -> None:
        """Ends the media socket; `model_deaf` has the model stop reading just before."""
        if self.model is not None and model_deaf:
            self.model.end.transport.pause_reading()
        self.ended_at = time.monotonic()
        if kill:
            self.end.transport.abort()
        else:
            self._send("stop", stop={"callSid": "CA"})
            self.end.close()
        if model_deaf and self.model is not None:
            asyncio.get_running_loop().call_later(
                DEAF_SECONDS, self.model.end.transport.resume_reading
            )

    def model_closed(self) -> None:
        """The bridge has closed the model's session."""
        if self.ended_at:
            self.exchange.results.closings.append(time.monotonic() - self.ended_at)
        self.over.set()

    def _send(self, event: str, **content: object) -> None:
        self.end.send(orjson.dumps({"event": event, "streamSid": self.sid, **content}))


class Exchange:
    """All calls, and the clock that has them speak."""

    def __init__(self) -> None:
        self.results = Results()
        self.calls: list[Call] = []
        self.live: set[Call] = set()
        self.met = 0
        self.port = 0
        self.path = "/"
        self.headers: dict[str, str] = {}

    async def serve_model(self) -> asyncio.Server:
        """Listens as the model."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: ModelEnd(self).end, "127.0.0.1", 0, backlog=1024)

    async def begin(self, calls: list[tuple[str, str]]) -> list[Call]:
        """Starts calls of these ids and tokens, and waits until all are being talked to."""
        new = [
            Call(self, len(self.calls) + number, call_id, token)
            for number, (call_id, token) in enumerate(calls)
        ]
        self.calls += new
        await asyncio.gather(*(call.start() for call in new))
        self.live.update(new)
        async with asyncio.timeout(60):
            while not all(call.model for call in new):
                await asyncio.sleep(0.05)
        return new

    async def talk(self) -> None:
        """Has every live call speak every 20 ms, each at its own moment, until cancelled."""
        rounds, began = 0, time.monotonic()
        while True:
            calls = list(self.live)
            for number, call in enumerate(calls):
                due = began + (rounds + number / len(calls)) * FRAME_SECONDS
                delay = due - time.monotonic()
                if delay > 0.0005:
                    await asyncio.sleep(delay)
                if call in self.live and not call.end.closed:
                    call.speak()
                    if call.model is not None and not (rounds + number) % 200:
                        call.model.say_lines()
            rounds += 1
            delay = began + rounds * FRAME_SECONDS - time.monotonic()
            if delay < -1:
                began -= delay
            await asyncio.sleep(max(0.0, delay))
