"""Unit: one call's session, with scripted ends and virtual time."""

import asyncio

import pytest

from opendeep_app.bus import CarrierEnded, HangUp, WrapUp
from opendeep_app.errors import CarrierError
from opendeep_app.models import EndedBy, Speaker
from opendeep_app.voice import conversation, heartbeat, tones
from opendeep_app.voice import session as session_module
from opendeep_app.voice.phases import Phase
from tests.fixtures.voice_ends import FakeSocket
from tests.fixtures.voices import GOODBYE, Stage, event_loop_policy, now, stage

__all__ = ["event_loop_policy", "stage"]

# The hook that will replace this fixture one day applies to all tests or none.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")

LONGEST = 900


# Beginning


async def test_the_agent_is_configured_and_speaks_first(stage: Stage) -> None:
    stage.start()
    await stage.settle()
    assert [event["type"] for event in stage.model.sent] == ["session.update"]
    assert stage.at(Phase.CONNECTING)
    stage.session.attach(stage.socket.stream)
    await stage.settle()
    assert [event["type"] for event in stage.model.sent] == ["session.update", "response.create"]
    assert stage.at(Phase.TALKING)


async def test_what_is_said_before_the_model_is_ready_is_not_lost(stage: Stage) -> None:
    stage.session.model.hear(b"AAAA")
    await stage.begin()
    stage.session.model.hear(b"BBBB")
    heard = [event["audio"] for event in stage.model.of("input_audio_buffer.append")]
    assert heard == ["AAAA", "BBBB"]


async def test_a_call_that_nobody_connects_ends(stage: Stage) -> None:
    stage.start()
    await stage.gone()
    assert now() == session_module.ATTACH_SECONDS
    assert stage.model.closed
    assert not stage.writes("closed"), "a session that never had the call closed it"


async def test_a_call_that_is_over_already_is_left_alone(stage: Stage) -> None:
    stage.alive = False
    await stage.begin()
    await stage.gone()
    assert stage.model.closed and stage.socket.closed
    assert not stage.writes("closed")


# Endings


async def test_the_line_is_cut_when_the_goodbye_was_heard(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.respond(GOODBYE)
    await asyncio.sleep(1)
    assert stage.at(Phase.SAYING_GOODBYE)
    assert not stage.socket.closed, "hung up into the goodbye"
    stage.played()
    assert await stage.over() == (EndedBy.AGENT, "The table is booked.")
    assert stage.writes("announced") == [(EndedBy.AGENT, "The table is booked.")]
    assert stage.socket.closed and stage.model.closed
    assert stage.telephony.hung_up == ["CA1"]


async def test_a_goodbye_whose_echo_never_comes_ends_all_the_same(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.respond(GOODBYE)
    await stage.over()
    assert now() == session_module.GOODBYE_SECONDS


async def test_the_same_function_call_is_carried_out_once(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.respond(GOODBYE)
    stage.model.respond(GOODBYE)
    await stage.settle()
    assert len(stage.writes("function")) == 1


async def test_the_recipient_hangs_up(stage: Stage) -> None:
    await stage.begin()
    stage.session.detach(stage.socket.stream)
    assert await stage.over() == (EndedBy.RECIPIENT, "The recipient hung up.")
    assert now() < 1
    assert stage.model.closed
    assert not stage.telephony.hung_up


async def test_last_words_are_waited_for_but_not_for_long(stage: Stage) -> None:
    await stage.begin()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    stage.session.detach(stage.socket.stream)
    await stage.settle()
    assert stage.model.of("input_audio_buffer.commit")
    stage.model.emit(
        "conversation.item.input_audio_transcription.completed", item_id="u1", transcript="But"
    )
    await stage.over()
    assert stage.writes("line") == [(Speaker.RECIPIENT, "But", 0)]
    assert now() < 1


async def test_words_that_never_come_do_not_hold_the_session(stage: Stage) -> None:
    await stage.begin()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    stage.session.detach(stage.socket.stream)
    await stage.over()
    assert now() == pytest.approx(session_module.LAST_WORDS_SECONDS)


async def test_the_carrier_says_that_it_is_over(stage: Stage) -> None:
    await stage.begin()
    stage.bus.queue.put_nowait(CarrierEnded(call_id="call"))
    assert await stage.over() == (EndedBy.RECIPIENT, "The recipient hung up.")


async def test_the_creator_hangs_up(stage: Stage) -> None:
    await stage.begin()
    stage.bus.queue.put_nowait(HangUp(call_id="call", reason="You stopped the task."))
    assert await stage.over() == (EndedBy.CREATOR, "You stopped the task.")
    assert stage.telephony.hung_up == ["CA1"]


async def test_a_call_that_was_ended_elsewhere_ends_with_the_next_heartbeat(stage: Stage) -> None:
    await stage.begin()
    stage.alive = False
    assert (await stage.over())[0] is EndedBy.SYSTEM
    assert now() == heartbeat.BEAT_SECONDS


async def test_a_database_that_is_away_for_a_moment_costs_nothing(stage: Stage) -> None:
    await stage.begin()
    stage.db.failures = 2
    stage.model.emit("response.output_audio_transcript.done", item_id="a1", transcript="Hello.")
    await asyncio.sleep(heartbeat.BEAT_SECONDS * 2.5)
    assert not stage.session.over
    assert len(stage.writes("line")) == 1


async def test_silence_is_met_with_patience_then_with_a_goodbye(stage: Stage) -> None:
    await stage.begin()
    for _ in range(conversation.MOST_SILENCES):
        assert stage.at(Phase.TALKING)
        stage.model.emit("input_audio_buffer.timeout_triggered", item_id="x")
        await stage.settle()
    assert stage.at(Phase.SAYING_GOODBYE)
    assert "end_call" in stage.model.told[0]


async def test_no_call_lasts_for_ever(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    await asyncio.sleep(LONGEST - session_module.WRAP_UP_SECONDS + 1)
    assert stage.at(Phase.SAYING_GOODBYE)
    await stage.over()
    assert now() < LONGEST


async def test_a_goodbye_lets_the_recipient_finish_first(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    stage.session.say_goodbye("Time is up.", "Time was up.")
    await asyncio.sleep(1)
    assert not stage.model.told
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")
    await stage.settle()
    assert stage.model.told[0].startswith("Time is up.")
    assert stage.model.sent[-1]["type"] == "response.create"


# Keys


async def test_keys_are_pressed_and_the_conversation_goes_on(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond(("send_dtmf", {"digits": "1w2#"}))
    await stage.settle()
    assert 'digits="1w2#"' in stage.telephony.programs[0]
    stage.session.detach(stage.socket.stream)
    await asyncio.sleep(1)
    assert not stage.session.over, "the planned end of a stream ended the call"
    stage.model.speak("ignored")
    await stage.settle()
    second = FakeSocket("MZ2")
    assert stage.session.attach(second.stream)
    await stage.settle()
    assert stage.model.outputs == [{"status": "pressed"}]
    stage.model.speak("a2")
    await stage.settle()
    assert second.events() == ["media", "mark"]
    stage.session.detach(second.stream)
    assert (await stage.over())[0] is EndedBy.RECIPIENT


async def test_keys_can_be_sent_as_sound(stage: Stage) -> None:
    stage.session.deps.settings.dtmf = "inband"
    await stage.begin()
    stage.model.speak()
    stage.model.respond(("send_dtmf", {"digits": "1#"}))
    await stage.settle()
    assert not stage.telephony.programs
    assert stage.socket.events()[-2:] == ["clear", "media"]
    assert stage.socket.sent[-1]["media"]["payload"].encode() == tones.keys("1#")
    assert stage.model.outputs == [{"status": "pressed"}]
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    assert stage.socket.events()[-1] == "media", "the menu's next word cut the keys off"


async def test_keys_that_cannot_be_pressed_are_reported_to_the_model(stage: Stage) -> None:
    stage.telephony.failure = CarrierError("it did not answer")
    await stage.begin()
    stage.model.respond(("send_dtmf", {"digits": "1"}))
    await stage.settle()
    assert "not pressed" in stage.model.outputs[0]["error"]
    stage.session.detach(stage.socket.stream)
    assert (await stage.over())[0] is EndedBy.RECIPIENT


async def test_a_line_that_does_not_come_back_is_lost(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond(("send_dtmf", {"digits": "1"}))
    assert (await stage.over())[0] is EndedBy.CARRIER


async def test_a_second_stream_that_nobody_asked_for_is_refused(stage: Stage) -> None:
    await stage.begin()
    assert not stage.session.attach(FakeSocket("MZ2").stream)


# What goes wrong


async def test_a_line_that_brings_not_even_silence_is_dead(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    await asyncio.sleep(60)
    assert not stage.session.over
    stage.line_lives, died_at = False, now()
    assert await stage.over() == (EndedBy.CARRIER, "The phone line went dead.")
    assert now() - died_at <= 2 * session_module.DEAD_LINE_SECONDS


async def test_a_goodbye_that_is_interrupted_ends_all_the_same(stage: Stage) -> None:
    await stage.begin()
    stage.model.speak()
    stage.model.respond(GOODBYE)
    await stage.settle()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    assert stage.socket.events()[-1] == "clear"
    assert await stage.over() == (EndedBy.AGENT, "The table is booked.")
    assert now() < session_module.GOODBYE_SECONDS


async def test_a_call_is_wrapped_up_on_command(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    reason = "The budget of this task ran out."
    stage.bus.queue.put_nowait(WrapUp(call_id="call", reason=reason))
    stage.bus.queue.put_nowait(WrapUp(call_id="call", reason="Once more."))
    await stage.settle()
    assert stage.at(Phase.SAYING_GOODBYE)
    [told] = stage.model.told
    assert "end_call" in told
    assert [line[1] for line in stage.writes("line")] == [reason]
    assert await stage.over() == (EndedBy.AGENT, reason)
