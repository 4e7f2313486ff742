"""Unit: sound is taken out of a stream of frames, and nothing else is touched."""

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN

from opendeep_app.voice import realtime_codec, twilio_codec
from opendeep_app.voice.realtime_codec import AudioDelta
from opendeep_app.voice.twilio_codec import Audio, MalformedFrame
from opendeep_app.voice.wire import LONGEST, CarrierWire, ModelWire, Wire

AUDIO = base64.b64encode(bytes(range(160)))
MEDIA = (
    b'{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2",'
    b'"timestamp":"5","payload":"%b"},"streamSid":"MZ1"}' % AUDIO
)
DELTA = (
    b'{"type":"response.output_audio.delta","event_id":"event_1","response_id":"resp_1",'
    b'"item_id":"item_1","output_index":0,"content_index":0,"delta":"%b"}' % AUDIO
)
HEAD = b"GET / HTTP/1.1\r\nupgrade: websocket\r\n\r\n"


def test_the_frames_of_the_protocols_are_recognised() -> None:
    assert twilio_codec.sound(MEDIA) == AUDIO
    assert realtime_codec.sound(DELTA) == ("item_1", AUDIO)


@st.composite
def mutilated(draw: st.DrawFn, frame: bytes) -> bytes:
    """A frame with a piece of it replaced, or repeated elsewhere."""
    one, two = sorted(draw(st.tuples(*[st.integers(0, len(frame))] * 2)))
    piece = draw(st.sampled_from([frame[one:two], b'"', b"\\", b"\\u0022", b",", b"{}", b"0", b""]))
    at, until = sorted(draw(st.tuples(*[st.integers(0, len(frame))] * 2)))
    return frame[:at] + piece + frame[until:]


@given(mutilated(MEDIA))
def test_what_is_taken_for_the_recipients_sound_is_just_that(frame: bytes) -> None:
    payload = twilio_codec.sound(frame)
    try:
        event: object = twilio_codec.decode(frame)
    except MalformedFrame:
        event = None
    if payload is not None:
        assert event == Audio(payload)


@given(mutilated(DELTA))
def test_what_is_taken_for_the_agents_voice_is_just_that(event: bytes) -> None:
    if found := realtime_codec.sound(event):
        assert realtime_codec.decode(event) == AudioDelta(*found)


class Library(asyncio.Protocol):
    """The library's part of a connection: keeps what it is shown."""

    def __init__(self) -> None:
        self.shown = b""

    def data_received(self, data: bytes) -> None:
        self.shown += data


class PartlyTaken(Wire, Library):
    """Takes messages that begin with an S."""

    def __init__(self, masked: int) -> None:
        super().__init__()
        self._masked = masked
        self.taken: list[bytes] = []

    def _speaks_frames(self) -> bool:
        return True

    def _take(self, text: bytes) -> bool:
        if text.startswith(b"S"):
            self.taken.append(text)
        return text.startswith(b"S")


SIZES = st.sampled_from([0, 1, 124, 125, 126, 4000, LONGEST - 1, LONGEST, LONGEST + 1])
FRAMES = st.tuples(
    st.sampled_from([Opcode.TEXT, Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING]),
    st.booleans(),
    st.booleans(),
    SIZES,
)


@given(st.lists(FRAMES, max_size=8), st.booleans(), st.lists(st.integers(1, 5000), max_size=30))
def test_every_byte_is_either_taken_or_shown_in_its_order(
    frames: list[tuple[Opcode, bool, bool, int]], masked: bool, cuts: list[int]
) -> None:
    stream, shown, taken = HEAD, HEAD, []
    for opcode, whole, sound, size in frames:
        if opcode is Opcode.PING:
            whole, size = True, min(size, 124)
        text = (b"S" if sound else b"x") + b"y" * size
        data = Frame(opcode, text, whole).serialize(mask=masked)
        stream += data
        if opcode is Opcode.TEXT and whole and sound and len(text) <= LONGEST:
            taken.append(text)
        else:
            shown += data
    wire = PartlyTaken(0x80 if masked else 0)
    for cut in cuts:
        wire.data_received(stream[:cut])
        stream = stream[cut:]
    if stream:
        wire.data_received(stream)
    assert wire.taken == taken
    assert wire.shown == shown


def test_a_frame_that_is_masked_wrongly_is_the_librarys() -> None:
    wire, data = PartlyTaken(0x80), Frame(Opcode.TEXT, b"Sound").serialize(mask=False)
    wire.data_received(HEAD + data)
    assert (wire.taken, wire.shown) == ([], HEAD + data)


class Transport:
    """Keeps what is written; so many bytes wait to be sent."""

    def __init__(self, unsent: int = 0) -> None:
        self.written, self.unsent, self.aborted = b"", unsent, False

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True


def carrier_wire(transport: Transport, *, paused: bool = False) -> CarrierWire:
    wire = cast(Any, CarrierWire.__new__(CarrierWire))
    wire.transport, wire.disconnected, wire.close_sent = transport, False, False
    wire.writable, wire.read_paused = asyncio.Event(), False
    if not paused:
        wire.writable.set()
    return cast(CarrierWire, wire)


def model_wire(transport: Transport, *, paused: bool = False) -> ModelWire:
    wire = cast(Any, ModelWire.__new__(ModelWire))
    wire.transport, wire.protocol, wire.paused = transport, SimpleNamespace(state=OPEN), paused
    return cast(ModelWire, wire)


@pytest.mark.parametrize("size", [0, 125, 126, LONGEST, LONGEST + 1])
@pytest.mark.parametrize("make", [carrier_wire, model_wire])
def test_what_is_posted_is_one_frame(make: Any, size: int) -> None:
    transport = Transport()
    make(transport).post(b"x" * size)
    masked = make is model_wire
    rest = transport.written

    def read(count: int) -> Any:
        nonlocal rest
        found, rest = rest[:count], rest[count:]
        return found
        yield

    parsing = Frame.parse(read, mask=masked)
    with pytest.raises(StopIteration) as end:
        next(parsing)
    frame = end.value.value
    assert (frame.opcode, frame.fin, frame.data) == (Opcode.TEXT, True, b"x" * size)
    assert not rest


@pytest.mark.parametrize("make", [carrier_wire, model_wire])
def test_a_peer_that_does_not_read_is_given_up_and_never_waited_for(make: Any) -> None:
    little, much = Transport(unsent=2**20), Transport(unsent=2**20 + 1)
    make(little, paused=True).post(b"x")
    make(much, paused=True).post(b"x")
    assert (little.aborted, much.aborted) == (False, True)
    assert little.written


def test_sound_never_overtakes_what_was_not_dealt_with_yet() -> None:
    heard: list[bytes] = []
    played: list[tuple[str, bytes]] = []
    carrier = carrier_wire(Transport())
    carrier.hear = heard.append
    carrier.read_paused = True
    assert not carrier._take(MEDIA)
    carrier.read_paused = False
    assert carrier._take(MEDIA) and heard == [AUDIO]

    model = model_wire(Transport())
    model.play = lambda item, payload: played.append((item, payload))
    for busy in (
        {"get_in_progress": False, "frames": []},
        {"get_in_progress": True, "frames": [1]},
    ):
        cast(Any, model).recv_messages = SimpleNamespace(**busy)
        assert not model._take(DELTA)
    cast(Any, model).recv_messages = SimpleNamespace(get_in_progress=True, frames=[])
    assert model._take(DELTA) and played == [("item_1", AUDIO)]
    assert not model._take(json.dumps({"type": "response.done"}).encode())
