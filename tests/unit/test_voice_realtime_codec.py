"""Unit: the Realtime API's events as a handful of our own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter

from opendeep_app.models import Speaker
from opendeep_app.voice import functions, realtime_codec
from opendeep_app.voice.realtime_codec import (
    AudioDelta,
    AudioDone,
    FunctionCalled,
    Ignored,
    Refused,
    ResponseFinished,
    ResponseStarted,
    Said,
    SilenceNoticed,
    SpeechStarted,
    SpeechStopped,
)
from tests.unit.test_voice_twilio_codec import JSON

CALL = {
    "id": "item_f1",
    "type": "function_call",
    "status": "completed",
    "name": "end_call",
    "call_id": "call_1",
    "arguments": "{}",
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"type": "response.output_audio.delta", "item_id": "a1", "delta": "//8="},
            AudioDelta("a1", b"//8="),
        ),
        ({"type": "response.output_audio.delta", "item_id": "a1", "delta": '"}'}, Ignored()),
        ({"type": "response.output_audio.done", "item_id": "a1"}, AudioDone("a1")),
        (
            {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1, "item_id": "u1"},
            SpeechStarted("u1"),
        ),
        ({"type": "input_audio_buffer.speech_stopped", "item_id": "u1"}, SpeechStopped()),
        ({"type": "input_audio_buffer.timeout_triggered", "item_id": "u1"}, SilenceNoticed()),
        (
            {
                "type": "conversation.item.input_audio_transcription.completed",
                "item_id": "u1",
                "transcript": " Hi ",
            },
            Said(Speaker.RECIPIENT, "u1", "Hi"),
        ),
        (
            {
                "type": "conversation.item.input_audio_transcription.failed",
                "item_id": "u1",
                "error": {},
            },
            Said(Speaker.RECIPIENT, "u1", ""),
        ),
        (
            {
                "type": "response.output_audio_transcript.done",
                "item_id": "a1",
                "transcript": "Hello.",
            },
            Said(Speaker.AGENT, "a1", "Hello."),
        ),
        ({"type": "response.created", "response": {"id": "r1"}}, ResponseStarted()),
        (
            {
                "type": "response.done",
                "response": {"status": "failed", "output": [], "usage": None},
            },
            ResponseFinished("failed", (), {}),
        ),
        (
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "code": None, "event_id": None},
            },
            Refused("invalid_request_error", ""),
        ),
        (
            {"type": "error", "error": {"code": "session_expired", "event_id": "respond"}},
            Refused("session_expired", "respond"),
        ),
        ({"type": "rate_limits.updated", "rate_limits": []}, Ignored()),
        ({"type": "something.new"}, Ignored()),
    ],
)
def test_every_event(event: dict[str, Any], expected: object) -> None:
    assert realtime_codec.decode(json.dumps(event).encode()) == expected


def test_only_completed_function_calls_count() -> None:
    response = {
        "status": "completed",
        "output": [
            CALL,
            CALL | {"call_id": "call_2", "status": "incomplete"},
            {"type": "message", "status": "completed"},
        ],
        "usage": {"total_tokens": 3},
    }
    event = realtime_codec.decode(
        json.dumps({"type": "response.done", "response": response}).encode()
    )
    called = (FunctionCalled("call_1", "end_call", "{}"),)
    assert event == ResponseFinished("completed", called, {"total_tokens": 3})


@given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_garbage_is_ignored(data: bytes) -> None:
    assert realtime_codec.decode(data) == Ignored()


@given(
    st.sampled_from(
        [
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.done",
            "error",
            "input_audio_buffer.speech_started",
            "conversation.item.input_audio_transcription.completed",
        ]
    ),
    st.dictionaries(
        st.sampled_from(["item_id", "delta", "response", "error", "transcript"]),
        JSON | st.fixed_dictionaries({"status": JSON, "output": JSON, "code": JSON}),
    ),
)
def test_known_events_with_strange_content_never_crash(kind: str, content: dict[str, Any]) -> None:
    realtime_codec.decode(json.dumps({**content, "type": kind}).encode())


@pytest.mark.parametrize(
    "message",
    [
        realtime_codec.configure("Be kind.", functions.declarations(), "marin", 10_000),
        realtime_codec.append_audio(b"//8="),
        realtime_codec.end_turn(),
        realtime_codec.respond(),
        realtime_codec.system_message("Say “hello”."),
        realtime_codec.function_output("call_1", {"status": "pressed"}),
        realtime_codec.truncate("item_1", 320),
    ],
)
def test_what_we_send_fits_the_installed_types(message: str) -> None:
    TypeAdapter(RealtimeClientEvent).validate_json(message)


def test_a_session_is_mu_law_both_ways_with_words_for_both_sides() -> None:
    event = json.loads(realtime_codec.configure("Be kind.", [], "marin", 10_000))
    audio = event["session"]["audio"]
    assert audio["input"]["format"] == audio["output"]["format"] == {"type": "audio/pcmu"}
    assert audio["input"]["transcription"]
    assert audio["input"]["turn_detection"]["type"] == "server_vad"
    assert event["session"]["output_modalities"] == ["audio"]
