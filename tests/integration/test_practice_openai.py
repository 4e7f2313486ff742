"""Integration: the practice model as the real `openai` client sees it."""

import base64
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import pytest
import uvicorn
from openai import AsyncOpenAI, AuthenticationError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, ConfigDict
from websockets.exceptions import InvalidStatus

from opendeep_app.practice import sound
from opendeep_app.practice.server import server_config
from tests.integration.practice_bridge import BRIEF, SETTINGS, TOOLS, serving


@pytest.fixture
async def openai() -> AsyncIterator[AsyncOpenAI]:
    config: uvicorn.Config = server_config(SETTINGS, "127.0.0.1", 0)
    async with (
        serving(config) as address,
        AsyncOpenAI(api_key=SETTINGS.api_key, base_url=f"http://{address}/v1") as client,
    ):
        yield client


@pytest.fixture
async def model(openai: AsyncOpenAI) -> AsyncIterator[AsyncRealtimeConnection]:
    async with openai.realtime.connect(model="gpt-realtime-2.1") as connection:
        assert (await connection.recv()).type == "session.created"
        await update(connection, instructions=BRIEF.format(facts=""), tools=TOOLS)
        yield connection


async def send(model: AsyncRealtimeConnection, event: Any) -> None:
    """Sends an event as it is, whatever the client's types say."""
    await model.send(event)


async def update(model: AsyncRealtimeConnection, **changes: Any) -> None:
    await send(model, {"type": "session.update", "session": {"type": "realtime", **changes}})
    await collect(model, "session.updated")


async def collect(model: AsyncRealtimeConnection, last: str) -> list[RealtimeServerEvent]:
    """Every event up to and including the first of this type."""
    events: list[RealtimeServerEvent] = []
    while not events or events[-1].type != last:
        events.append(await model.recv())
    return events


async def say(model: AsyncRealtimeConnection, text: str) -> None:
    audio = sound.spoken(text) + sound.silence(700)
    for start in range(0, len(audio), 160):
        await model.input_audio_buffer.append(
            audio=base64.b64encode(audio[start : start + 160]).decode()
        )


def kinds(events: list[RealtimeServerEvent]) -> list[str]:
    return [str(event.type) for event in events]


async def error_of(model: AsyncRealtimeConnection) -> tuple[str | None, str | None]:
    event = (await collect(model, "error"))[-1]
    assert event.type == "error"
    return event.error.code, event.error.event_id


async def test_a_spoken_response_has_its_events_in_order(model: AsyncRealtimeConnection) -> None:
    await model.response.create()
    events = await collect(model, "rate_limits.updated")
    once = list(dict.fromkeys(kinds(events)))
    assert once == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        "rate_limits.updated",
    ]
    audio = b"".join(
        base64.b64decode(event.delta)
        for event in events
        if event.type == "response.output_audio.delta"
    )
    ear = sound.Ear()
    ear.feed(audio)
    heard = ear.stop()
    assert heard is not None
    assert heard.text == "Hello, this is an AI assistant calling on behalf of Ada Lovelace."
    written = "".join(
        event.delta for event in events if event.type == "response.output_audio_transcript.delta"
    )
    assert written == heard.text
    done = next(event for event in events if event.type == "response.done")
    assert done.response.status == "completed"
    assert done.response.usage is not None
    usage = done.response.usage
    assert (usage.total_tokens or 0) == (usage.input_tokens or 0) + (usage.output_tokens or 0) > 0


async def test_what_is_said_becomes_a_turn_and_is_answered(model: AsyncRealtimeConnection) -> None:
    await update(model, audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    await model.response.create()
    await collect(model, "response.done")
    await say(model, "May I have the date of birth, please?")
    events = await collect(model, "response.done")
    turn = [
        kind
        for kind in kinds(events)
        if kind.startswith(("input_audio", "conversation.item.input"))
    ]
    assert turn == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]
    call = next(e for e in events if e.type == "response.function_call_arguments.done")
    assert call.name == "request_user_info"
    await model.conversation.item.create(
        item={
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": '{"answer": "1815"}',
        }
    )
    await model.response.create()
    said = next(
        event
        for event in await collect(model, "response.done")
        if event.type == "response.output_audio_transcript.done"
    )
    assert "1815" in said.transcript


async def test_speech_interrupts_a_response(model: AsyncRealtimeConnection) -> None:
    await model.response.create()
    await collect(model, "response.output_audio.delta")
    await say(model, "Hello? Who is this?")
    done = (await collect(model, "response.done"))[-1]
    assert done.type == "response.done"
    assert done.response.status == "cancelled"
    assert done.response.status_details is not None
    assert done.response.status_details.reason == "turn_detected"
    said = (await collect(model, "response.output_audio_transcript.done"))[-1]
    assert said.type == "response.output_audio_transcript.done"
    assert "on behalf of Ada Lovelace" in said.transcript


async def test_an_opening_that_was_not_heard_is_said_again(model: AsyncRealtimeConnection) -> None:
    await model.response.create()
    events = await collect(model, "response.done")
    item = next(event.item for event in events if event.type == "response.output_item.added")
    assert item.id
    await model.conversation.item.truncate(item_id=item.id, content_index=0, audio_end_ms=200)
    await collect(model, "conversation.item.truncated")
    await say(model, "Hello?")
    said = (await collect(model, "response.output_audio_transcript.done"))[-1]
    assert said.type == "response.output_audio_transcript.done"
    assert said.transcript.startswith("Hello, this is an AI assistant")


async def test_a_long_silence_gives_the_model_a_turn(model: AsyncRealtimeConnection) -> None:
    vad = {"type": "server_vad", "idle_timeout_ms": 5000}
    await update(model, audio={"input": {"turn_detection": vad}})
    await model.response.create()
    await collect(model, "response.done")
    await model.input_audio_buffer.append(audio=base64.b64encode(sound.silence(130_000)).decode())
    assert "input_audio_buffer.timeout_triggered" in kinds(await collect(model, "response.done"))


async def test_a_response_can_be_cancelled(model: AsyncRealtimeConnection) -> None:
    await model.response.create()
    await collect(model, "response.created")
    await model.response.create(event_id="evt_second")
    assert await error_of(model) == ("conversation_already_has_active_response", "evt_second")
    await model.response.cancel()
    done = (await collect(model, "response.done"))[-1]
    assert done.type == "response.done"
    assert done.response.status == "cancelled"
    await model.response.cancel(event_id="evt_late")
    assert await error_of(model) == ("response_cancel_not_active", "evt_late")


async def test_mistakes_become_error_events(model: AsyncRealtimeConnection) -> None:
    await model.input_audio_buffer.commit()
    assert (await error_of(model))[0] == "input_audio_buffer_commit_empty"
    await model.conversation.item.truncate(item_id="none", content_index=0, audio_end_ms=1)
    assert (await error_of(model))[0] == "item_not_found"
    await send(model, {"type": "no.such.event", "event_id": "evt_1"})
    assert await error_of(model) == ("invalid_value", "evt_1")
    await send(model, {"type": "session.update", "session": {"instructions": "x"}})
    assert (await error_of(model))[0] == "missing_required_parameter"
    await send(model, {"type": "input_audio_buffer.append", "audio": "!"})
    assert (await error_of(model))[0] == "invalid_value"


async def test_text_and_out_of_band_responses(model: AsyncRealtimeConnection) -> None:
    await model.response.create(
        response={"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "a"}}
    )
    events = await collect(model, "response.done")
    assert "conversation.item.added" not in kinds(events)
    done = events[-1]
    assert done.type == "response.done"
    assert done.response.metadata == {"topic": "a"}
    assert "response.output_text.done" in kinds(events)


async def test_a_wrong_key_is_refused(openai: AsyncOpenAI) -> None:
    stranger = openai.with_options(api_key="wrong")
    with pytest.raises(InvalidStatus) as caught:
        async with stranger.realtime.connect(model="gpt-realtime-2.1"):
            pass
    assert caught.value.response.status_code == 401
    with pytest.raises(AuthenticationError):
        await stranger.responses.create(model="gpt-5.2-mini", input="Hello")


class Outcome(StrEnum):
    GOAL_MET = "goal_met"
    INCONCLUSIVE = "inconclusive"


class Claim(BaseModel):
    field: str
    quote: str
    line: int


class Analysis(BaseModel):
    model_config = ConfigDict(extra="forbid")
    outcome: Outcome
    goal_met: bool
    answers: list[Claim]
    callback_when: str | None
    something_else: str


async def test_the_analysis_has_the_shape_that_was_asked_for(openai: AsyncOpenAI) -> None:
    response = await openai.responses.parse(
        model="gpt-5.2-mini",
        instructions="Analyse the call.",
        input="<goal>Book</goal>\n[1] agent: Hello, I am calling for Ada.\n[2] recipient: Sure, booked.",
        text_format=Analysis,
        store=False,
    )
    assert response.output_parsed == Analysis(
        outcome=Outcome.GOAL_MET,
        goal_met=True,
        answers=[Claim(field="agreed", quote="Sure, booked.", line=2)],
        callback_when=None,
        something_else="",
    )
    assert response.usage is not None
    assert response.usage.total_tokens > 0


async def test_text_without_a_schema(openai: AsyncOpenAI) -> None:
    response = await openai.responses.create(
        model="gpt-5.2-mini", input=[{"role": "user", "content": "[1] recipient: Hello"}]
    )
    assert response.output_text == "Nothing was said that settles it."
