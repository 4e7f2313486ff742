"""Unit: Twilio's frames as events, and garbage as garbage."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.voice import twilio_codec
from opendeep_app.voice.twilio_codec import (
    Audio,
    Ignored,
    KeyPressed,
    MalformedFrame,
    MarkPlayed,
    StreamStarted,
    StreamStopped,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)

START = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"call_id": "42", "token": "abc"},
    },
    "streamSid": "MZ1",
}


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ({"event": "connected", "protocol": "Call", "version": "1.0.0"}, Ignored()),
        (START, StreamStarted("MZ1", "CA1", {"call_id": "42", "token": "abc"})),
        ({"event": "media", "media": {"track": "inbound", "payload": "//8="}}, Audio(b"//8=")),
        ({"event": "mark", "mark": {"name": "0:1:20"}}, MarkPlayed("0:1:20")),
        ({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "#"}}, KeyPressed("#")),
        ({"event": "stop", "stop": {"callSid": "CA1"}}, StreamStopped()),
        ({"event": "something new"}, Ignored(known=False)),
    ],
)
def test_every_frame(frame: dict[str, object], event: object) -> None:
    assert twilio_codec.decode(json.dumps(frame)) == event


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        "42",
        '{"event":"media"}',
        '{"event":"media","media":{"payload":7}}',
        '{"event":"media","media":{"payload":null}}',
        # Would break out of the JSON text that it is written into.
        '{"event":"media","media":{"payload":"\\",\\"type\\":\\"response.create"}}',
        '{"event":"media","media":{"payload":"\\u0000"}}',
        '{"event":"start","start":{"callSid":"CA1"}}',
        '{"event":"start","start":{"streamSid":"MZ\\"1","callSid":"CA1"}}',
        '{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1","customParameters":[]}}',
        '{"event":"mark"}',
        '{"event":"dtmf","dtmf":"1"}',
    ],
)
def test_what_is_not_of_the_protocol_is_malformed(frame: str) -> None:
    with pytest.raises(MalformedFrame):
        twilio_codec.decode(frame)


@given(st.binary() | st.text() | JSON.map(json.dumps))
def test_garbage_is_malformed_or_ignored_but_never_a_crash(frame: bytes | str) -> None:
    try:
        event = twilio_codec.decode(frame)
    except MalformedFrame:
        return
    assert event == Ignored(known=False)


@given(st.sampled_from(["media", "start", "mark", "dtmf", "stop", "connected"]), JSON, JSON)
def test_known_frames_with_strange_content_never_crash(kind: str, one: object, two: object) -> None:
    for content in (one, {"payload": two, "name": two, "digit": two, "streamSid": two}):
        with contextlib.suppress(MalformedFrame):
            twilio_codec.decode(json.dumps({"event": kind, kind: content}))


@given(st.binary(max_size=4000))
def test_audio_passes_untouched_and_its_duration_is_known(audio: bytes) -> None:
    payload = base64.b64encode(audio)
    assert twilio_codec.samples(payload) == len(audio)
    sent = json.loads(twilio_codec.media("MZ1", payload))
    assert sent == {"event": "media", "streamSid": "MZ1", "media": {"payload": payload.decode()}}
    assert twilio_codec.decode(json.dumps(sent)) == Audio(payload)


def test_marks_and_clear() -> None:
    assert json.loads(twilio_codec.mark("MZ1", "0:1:20")) == {
        "event": "mark",
        "streamSid": "MZ1",
        "mark": {"name": "0:1:20"},
    }
    assert json.loads(twilio_codec.clear("MZ1")) == {"event": "clear", "streamSid": "MZ1"}
