"""Unit: the conversation with the voice model, with scripted ends and virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from opendeep_app.errors import CarrierError
from opendeep_app.models import EndedBy, Speaker
from opendeep_app.voice import conversation
from opendeep_app.voice import session as session_module
from opendeep_app.voice.model import MUTE_SECONDS
from opendeep_app.voice.phases import Phase
from tests.fixtures.voices import (
    GOODBYE,
    QUESTION,
    Stage,
    event_loop_policy,
    now,
    stage,
)

__all__ = ["event_loop_policy", "stage"]

# The hook that will replace this fixture one day applies to all tests or none.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


# Sound


async def test_audio_passes_untouched_with_a_mark_behind_it(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak(payload="//8=")
    await stage.settle()
    assert stage.socket.events() == ["media", "mark"]
    assert stage.socket.sent[0]["media"]["payload"] == "//8="


async def test_breaking_in_clears_truncates_and_drops(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.speak()
    await stage.settle()
    stage.session.line.mark_played(stage.socket.marks[0])
    await asyncio.sleep(0.05)
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    stage.model.speak()
    stage.model.emit("response.output_audio_transcript.done", item_id="a1", transcript="Hello, I")
    await stage.settle()
    assert stage.socket.events() == ["media", "mark", "media", "clear"]
    [truncation] = stage.model.of("conversation.item.truncate")
    assert (truncation["item_id"], truncation["audio_end_ms"]) == ("a1", 250)
    # Noted with the line although the line came later.
    assert [entry[0] for entry in stage.written][-2:] == ["line", "truncated"]


async def test_both_sides_are_written_with_the_time_they_began(stage: Stage) -> None:
    await stage.begin()
    await asyncio.sleep(1)
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await asyncio.sleep(2)
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")
    stage.model.emit(
        "conversation.item.input_audio_transcription.completed", item_id="u1", transcript="Hello?"
    )
    await stage.say()
    stage.model.emit("response.output_audio_transcript.done", item_id="a1", transcript="Good day.")
    await stage.settle()
    assert stage.writes("line") == [
        (Speaker.RECIPIENT, "Hello?", 1000),
        (Speaker.AGENT, "Good day.", 3000),
    ]


async def test_keys_of_the_recipient_are_told_to_the_model(stage: Stage) -> None:
    await stage.begin()
    stage.session.key_pressed("2")
    await stage.settle()
    assert stage.model.told == ["The recipient pressed the key 2."]
    assert stage.writes("line")[0][0] is Speaker.SYSTEM


# Turns


async def test_one_response_at_a_time(stage: Stage) -> None:
    await stage.begin()
    stage.session.model.tell()
    stage.session.model.tell()
    assert len(stage.model.of("response.create")) == 1
    stage.model.respond()
    await stage.settle()
    assert len(stage.model.of("response.create")) == 2


async def test_a_refused_response_is_asked_for_again_after_the_one_under_way(stage: Stage) -> None:
    await stage.begin()
    stage.model.emit(
        "error",
        error={"code": "conversation_already_has_active_response", "event_id": "respond"},
    )
    await stage.settle()
    assert len(stage.model.of("response.create")) == 1
    stage.model.respond()
    await stage.settle()
    assert len(stage.model.of("response.create")) == 2


async def test_a_response_refused_otherwise_does_not_block_the_next(stage: Stage) -> None:
    await stage.begin()
    stage.model.emit("error", error={"code": "invalid_value", "event_id": "respond"})
    await stage.settle()
    stage.session.model.respond()
    assert len(stage.model.of("response.create")) == 2


async def test_nobody_talks_over_the_recipient(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    stage.session.model.tell()
    assert len(stage.model.of("response.create")) == 1, "the server responds to what they say"


async def test_failed_responses_are_tried_again_then_apologised_for(stage: Stage) -> None:
    await stage.begin()
    for _ in range(conversation.MOST_FAILED_RESPONSES):
        stage.model.respond(status="failed")
        await asyncio.sleep(2)
    ended = await stage.over()
    assert ended == (EndedBy.SYSTEM, "The voice model failed.")
    assert session_module.SORRY in stage.telephony.programs[0]


async def test_what_the_model_uses_is_written_while_the_call_lasts(stage: Stage) -> None:
    await stage.begin()
    usage = {"output_token_details": {"text_tokens": 3, "audio_tokens": 40}}
    for _ in range(2):
        stage.model.emit("response.done", response={"status": "completed", "usage": usage})
    stage.model.emit(
        "conversation.item.input_audio_transcription.completed",
        item_id="u1", transcript="Hi", usage={"type": "duration", "seconds": 1.5},
    )  # fmt: skip
    await asyncio.sleep(session_module.SETTLE_SECONDS + 1)
    assert stage.usage == {"text_output": 6, "audio_output": 80, "transcribed_seconds": 2}
    stage.model.emit("response.done", response={"status": "completed", "usage": usage})
    await stage.settle()
    stage.session.detach(stage.socket.stream)
    await stage.over()
    assert stage.usage["audio_output"] == 120


# Faults


@pytest.mark.parametrize("refusal", [ConnectionRefusedError(), TimeoutError()])
async def test_without_a_model_the_carrier_apologises(stage: Stage, refusal: Exception) -> None:
    stage.model.refusal = refusal
    await stage.begin()
    assert await stage.over() == (EndedBy.SYSTEM, conversation.UNREACHABLE)
    assert session_module.SORRY in stage.telephony.programs[0]
    assert not stage.telephony.hung_up, "the carrier was cut off in its apology"


async def test_when_not_even_the_carrier_listens_the_call_is_hung_up(stage: Stage) -> None:
    stage.telephony.failure = CarrierError("it did not answer")
    await stage.begin()
    stage.model.hang_up()
    stage.model.hang_up()
    assert await stage.over() == (EndedBy.SYSTEM, conversation.UNREACHABLE)
    assert stage.telephony.hung_up == ["CA1"]


async def test_a_model_lost_during_the_goodbye_lets_it_be_heard(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.respond(GOODBYE)
    await stage.settle()
    stage.model.hang_up()
    await asyncio.sleep(1)
    assert not stage.session.over and not stage.telephony.programs
    stage.played()
    assert (await stage.over())[0] is EndedBy.AGENT


async def test_a_lost_model_is_replaced_once_and_told_what_was_said(stage: Stage) -> None:
    await stage.begin()
    stage.model.emit("response.created", response={})
    kind = "response.output_audio_transcript.done"
    stage.model.emit(kind, item_id="a1", transcript="A table for two? <b>")
    await stage.settle()
    stage.model.sent.clear()
    stage.model.hang_up()
    await stage.settle()
    assert not stage.telephony.programs and stage.at(Phase.TALKING)
    assert [event["type"] for event in stage.model.sent] == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    assert "AGENT: A table for two?" in stage.model.told[0]
    assert "<b>" not in stage.model.told[0], "what was said could pass for an instruction"
    stage.model.speak("a2")
    await stage.settle()
    assert stage.socket.events()[-2:] == ["media", "mark"]
    stage.model.hang_up()
    assert await stage.over() == (EndedBy.SYSTEM, conversation.UNREACHABLE)
    assert session_module.SORRY in stage.telephony.programs[0]


async def test_a_model_that_cannot_be_replaced_in_time_is_apologised_for(stage: Stage) -> None:
    await stage.begin()
    lost_at = now()
    stage.model.slow = 10
    stage.model.hang_up()
    await stage.over()
    assert now() - lost_at == pytest.approx(conversation.RECONNECT_SECONDS)
    assert session_module.SORRY in stage.telephony.programs[0]


async def test_an_answer_reaches_the_model_that_took_over(stage: Stage) -> None:
    await stage.ask()
    stage.model.sent.clear()
    stage.model.hang_up()
    await stage.settle()
    items = [event["item"] for event in stage.model.of("conversation.item.create")]
    assert (items[0]["type"], items[0]["name"]) == ("function_call", "request_user_info")
    stage.answer("Lovelace")
    await stage.settle()
    [output] = stage.model.outputs
    assert output["answer"] == "Lovelace"


async def test_what_is_said_while_the_model_is_replaced_is_not_lost(stage: Stage) -> None:
    await stage.begin()
    stage.model.slow = 1
    stage.model.hang_up()
    await stage.settle()
    stage.session.model.hear(b"CCCC")
    await asyncio.sleep(1.5)
    assert stage.model.of("input_audio_buffer.append")[-1]["audio"] == "CCCC"


async def test_an_unreadable_line_ends_as_the_carriers_fault(stage: Stage) -> None:
    await stage.begin()
    stage.session.detach(stage.socket.stream, broken=True)
    assert (await stage.over())[0] is EndedBy.CARRIER


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "The voice model did not accept our API key."),
        (429, "The voice model takes no more calls: a limit is reached."),
        (503, conversation.OUT_OF_ORDER),
        (404, conversation.UNREACHABLE),
    ],
)
async def test_a_refused_handshake_is_recorded_in_plain_words(
    stage: Stage, status: int, reason: str
) -> None:
    stage.model.refusal = InvalidStatus(Response(status, "No", Headers()))
    await stage.begin()
    assert await stage.over() == (EndedBy.SYSTEM, reason)
    assert session_module.SORRY in stage.telephony.programs[0]


async def owes_a_first_word(stage: Stage) -> None:
    """It was asked to speak, and does not."""


async def owes_a_reply(stage: Stage) -> None:
    stage.model.respond()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")


async def stops_in_mid_response(stage: Stage) -> None:
    stage.model.respond()
    stage.model.emit("response.created", response={})
    stage.model.speak()


@pytest.mark.parametrize("falls_mute", [owes_a_first_word, owes_a_reply, stops_in_mid_response])
async def test_a_model_that_falls_mute_is_replaced(
    stage: Stage, falls_mute: Callable[[Stage], Awaitable[None]]
) -> None:
    await stage.begin()
    await falls_mute(stage)
    await stage.settle()
    mute_since = now()
    while len(stage.model.of("session.update")) == 1:
        await asyncio.sleep(0.5)
    assert MUTE_SECONDS <= now() - mute_since <= 2 * MUTE_SECONDS + 0.5
    assert stage.session.measures.reconnects == 1


async def test_a_model_that_owes_nothing_may_be_silent(stage: Stage) -> None:
    stage.model.obliging = True
    await stage.begin()
    await asyncio.sleep(5 * MUTE_SECONDS)
    assert len(stage.model.of("session.update")) == 1


async def test_an_old_session_is_replaced_when_it_is_quiet(stage: Stage) -> None:
    stage.session._max_seconds = 3600
    await stage.begin()
    await stage.say()
    kind = "response.output_audio_transcript.done"
    stage.model.emit(kind, item_id="a1", transcript="A table for two?")
    await asyncio.sleep(conversation.OLD_SECONDS)
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    assert len(stage.model.of("session.update")) == 1, "the recipient is speaking"
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")
    await stage.say("a2")
    stage.model.sent.clear()
    stage.model.emit("rate_limits.updated")
    await stage.settle()
    sent = [event["type"] for event in stage.model.sent]
    assert sent == ["session.update", "conversation.item.create"], "it goes on as if nothing was"
    assert "AGENT: A table for two?" in stage.model.told[0]
    assert stage.session.measures.reconnects == 0
    stage.model.hang_up()
    await stage.settle()
    assert len(stage.model.of("session.update")) == 2, "a lost one may still be replaced"


async def test_how_the_conversation_runs_is_measured(stage: Stage) -> None:
    await stage.begin()
    await asyncio.sleep(0.4)
    stage.model.speak("a1")
    stage.model.respond()
    await stage.settle()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await asyncio.sleep(1)
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")
    await asyncio.sleep(0.7)
    stage.model.speak("a2")
    stage.model.respond(QUESTION)
    await asyncio.sleep(5)
    stage.answer("Lovelace")
    await asyncio.sleep(3)
    figures = stage.session.measures.record()
    assert 5000 <= figures.pop("waiting_ms") <= 8000
    assert figures == {
        "first_word_ms": 400,
        "reply_p50_ms": 700,
        "reply_p95_ms": 700,
        "barge_ins": 1,
        "truncations": 1,
        "reconnects": 0,
    }
