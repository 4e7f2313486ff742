"""Unit: one call's session, with scripted ends and virtual time."""

import asyncio
import json

import pytest

from opendeep_app.bus import AnswerGiven, CarrierEnded, HangUp
from opendeep_app.errors import CarrierError
from opendeep_app.models import EndedBy, InfoRequestStatus, Speaker
from opendeep_app.voice import heartbeat, tones
from opendeep_app.voice import session as session_module
from opendeep_app.voice.phases import Phase
from tests.fixtures.virtual_time import VirtualTime
from tests.fixtures.voices import FakeSocket, Stage, stage

__all__ = ["stage"]

# The hook that will replace this fixture one day applies to all tests or none.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    return VirtualTime()


LONGEST = 900
GOODBYE = ("end_call", {"reason": "The table is booked.", "outcome": "goal_met"})
QUESTION = ("request_user_info", {"question": "Which name?", "timeout_seconds": 30})


def now() -> float:
    return asyncio.get_running_loop().time()


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
    for _ in range(session_module.MOST_FAILED_RESPONSES):
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
    for _ in range(session_module.MOST_SILENCES):
        assert stage.at(Phase.TALKING)
        stage.model.emit("input_audio_buffer.timeout_triggered", item_id="x")
        await stage.settle()
    assert stage.at(Phase.SAYING_GOODBYE)
    assert "end_call" in stage.model.told[0]


async def test_no_call_lasts_for_ever(stage: Stage) -> None:
    await stage.begin()
    await asyncio.sleep(LONGEST - session_module.WRAP_UP_SECONDS + 1)
    assert stage.at(Phase.SAYING_GOODBYE)
    await stage.over()
    assert now() < LONGEST


async def test_a_goodbye_lets_the_recipient_finish_first(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await stage.settle()
    saying = asyncio.create_task(stage.session.say_goodbye("Time is up.", "Time was up."))
    await asyncio.sleep(1)
    assert not stage.model.told
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u1")
    await saying
    assert stage.model.told[0].startswith("Time is up.")
    assert stage.model.sent[-1]["type"] == "response.create"


# Faults


@pytest.mark.parametrize("refusal", [ConnectionRefusedError(), TimeoutError()])
async def test_without_a_model_the_carrier_apologises(stage: Stage, refusal: Exception) -> None:
    stage.model.refusal = refusal
    await stage.begin()
    assert await stage.over() == (EndedBy.SYSTEM, session_module.UNREACHABLE)
    assert session_module.SORRY in stage.telephony.programs[0]
    assert not stage.telephony.hung_up, "the carrier was cut off in its apology"


async def test_when_not_even_the_carrier_listens_the_call_is_hung_up(stage: Stage) -> None:
    stage.telephony.failure = CarrierError("it did not answer")
    await stage.begin()
    stage.model.hang_up()
    stage.model.hang_up()
    assert await stage.over() == (EndedBy.SYSTEM, session_module.UNREACHABLE)
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
    assert await stage.over() == (EndedBy.SYSTEM, session_module.UNREACHABLE)
    assert session_module.SORRY in stage.telephony.programs[0]


async def test_a_model_that_cannot_be_replaced_in_time_is_apologised_for(stage: Stage) -> None:
    await stage.begin()
    lost_at = now()
    stage.model.slow = 10
    stage.model.hang_up()
    await stage.over()
    assert now() - lost_at == pytest.approx(session_module.RECONNECT_SECONDS)
    assert session_module.SORRY in stage.telephony.programs[0]


async def test_an_answer_reaches_the_model_that_took_over(stage: Stage) -> None:
    await ask(stage)
    stage.model.sent.clear()
    stage.model.hang_up()
    await stage.settle()
    items = [event["item"] for event in stage.model.of("conversation.item.create")]
    assert (items[0]["type"], items[0]["name"]) == ("function_call", "request_user_info")
    stage.answer("Lovelace")
    stage.bus.queue.put_nowait(AnswerGiven(call_id="call", info_request_id="q0"))
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


# Functions


async def test_what_is_remembered_is_not_asked_again(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond(("request_user_info", {"question": "remembered"}))
    await stage.settle()
    [output] = stage.model.outputs
    assert (output["status"], output["answer"]) == ("answered", "Ada.")
    assert stage.questions == {}
    assert stage.phase is Phase.TALKING
    assert stage.model.sent[-1]["type"] == "response.create"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("order_pizza", {}, "no function order_pizza"),
        ("send_dtmf", {"digits": "call me"}, "digits"),
        ("end_call", {"reason": "Done."}, "outcome"),
        ("reschedule_call", {"when": "some day"}, "not a time"),
        ("request_user_info", {"question": "refused"}, "Nothing can be asked"),
    ],
)
async def test_the_model_learns_what_was_wrong(
    stage: Stage, name: str, arguments: dict[str, str], words: str
) -> None:
    await stage.begin()
    stage.model.respond((name, arguments))
    await stage.settle()
    [output] = stage.model.outputs
    assert output["status"] == "error" and words in output["error"]
    assert stage.writes("function")[0][:2] == (name, False)
    assert stage.model.sent[-1]["type"] == "response.create"


async def test_a_time_is_understood_where_the_recipient_is(stage: Stage) -> None:
    await stage.begin()
    stage.model.respond(("reschedule_call", {"when": "tomorrow at nine", "reason": "busy"}))
    await stage.settle()
    assert stage.model.outputs == [
        {"status": "noted", "their_local_time": "Wednesday 17 June 09:00"}
    ]
    assert stage.writes("rescheduled")[0][0].isoformat() == "2026-06-17T13:00:00+00:00"


# Questions


async def ask(stage: Stage) -> None:
    await stage.begin()
    await stage.say()
    stage.model.respond(QUESTION)
    await stage.settle()
    assert stage.at(Phase.WAITING)


async def test_an_answer_goes_into_the_call(stage: Stage) -> None:
    await ask(stage)
    await asyncio.sleep(5.5)
    stage.answer("Lovelace")
    stage.bus.queue.put_nowait(AnswerGiven(call_id="call", info_request_id="q0"))
    stage.model.respond()
    await stage.settle()
    [output] = stage.model.outputs
    assert (output["status"], output["answer"]) == ("answered", "Lovelace")
    assert stage.model.sent[-1]["type"] == "response.create"
    assert stage.at(Phase.TALKING)


async def test_an_answer_whose_command_was_lost_is_found_soon(stage: Stage) -> None:
    await ask(stage)
    asked_at = now()
    stage.answer("Lovelace")
    while not stage.model.outputs:
        await asyncio.sleep(0.1)
    assert now() - asked_at <= 2.2


async def test_an_answer_waits_for_the_response_under_way(stage: Stage) -> None:
    await ask(stage)
    stage.model.emit("response.created", response={})
    await stage.settle()
    before = len(stage.model.of("response.create"))
    stage.answer("Lovelace")
    stage.bus.queue.put_nowait(AnswerGiven(call_id="call", info_request_id="q0"))
    await stage.settle()
    assert stage.model.outputs and len(stage.model.of("response.create")) == before
    stage.model.emit("response.done", response={"status": "completed", "output": []})
    await stage.settle()
    assert len(stage.model.of("response.create")) == before + 1


async def test_waiting_is_never_dead_air(stage: Stage) -> None:
    await ask(stage)
    asked_at, heard_at = now(), []
    while stage.phase is Phase.WAITING:
        told = len(stage.model.told)
        await asyncio.sleep(0.5)
        if len(stage.model.told) > told and stage.phase is Phase.WAITING:
            heard_at.append(now() - asked_at)
            await stage.say(f"cue{len(heard_at)}")
    assert heard_at == pytest.approx([2, 10, 25], abs=0.6)
    assert len({*stage.model.told[:3]}) == 3, "the same words again and again"


async def test_no_cue_talks_into_a_conversation(stage: Stage) -> None:
    await ask(stage)
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await asyncio.sleep(12)
    assert not stage.model.told


async def test_silence_while_waiting_is_no_reason_to_leave(stage: Stage) -> None:
    await ask(stage)
    for _ in range(session_module.MOST_SILENCES + 1):
        stage.model.emit("input_audio_buffer.timeout_triggered", item_id="x")
    await stage.settle()
    assert stage.at(Phase.WAITING)


async def test_nobody_answers_in_time(stage: Stage) -> None:
    await ask(stage)
    await asyncio.sleep(31)
    assert stage.questions["q0"].status is InfoRequestStatus.EXPIRED
    assert stage.model.outputs == [{"status": "nobody_replied"}]
    assert "end_call" in stage.model.told[-1]
    assert stage.at(Phase.SAYING_GOODBYE)
    ended_by, reason = await stage.over()
    assert (ended_by, reason) == (EndedBy.AGENT, "The question was not answered in time.")
    assert now() == pytest.approx(30 + session_module.GOODBYE_SECONDS, abs=1)


async def test_an_answer_at_the_last_moment_wins_or_loses_but_not_both(stage: Stage) -> None:
    await ask(stage)
    [question] = stage.questions.values()
    await asyncio.sleep((question.deadline_at - stage.session.deps.clock()).total_seconds() - 0.01)
    stage.answer("Lovelace")
    await asyncio.sleep(1)
    assert [output["status"] for output in stage.model.outputs] == ["answered"]
    assert stage.at(Phase.TALKING)


async def test_more_time_is_given_when_the_row_says_so(stage: Stage) -> None:
    await ask(stage)
    [question] = stage.questions.values()
    await asyncio.sleep(20)
    question.deadline_at += question.deadline_at - question.asked_at
    await asyncio.sleep(20)
    assert stage.at(Phase.WAITING)
    await asyncio.sleep(21)
    assert stage.at(Phase.SAYING_GOODBYE)


async def test_a_database_that_is_away_does_not_end_the_wait(stage: Stage) -> None:
    await ask(stage)
    stage.db.failures = 2
    await asyncio.sleep(5)
    stage.answer("Lovelace")
    await asyncio.sleep(3)
    assert stage.model.outputs[0]["status"] == "answered"


async def test_asking_the_same_again_is_answered_at_once(stage: Stage) -> None:
    await ask(stage)
    stage.model.emit("response.created", response={})
    again = {
        "type": "function_call",
        "status": "completed",
        "name": QUESTION[0],
        "call_id": "another",
        "arguments": json.dumps(QUESTION[1]),
    }
    stage.model.emit("response.done", response={"status": "completed", "output": [again]})
    await stage.settle()
    assert [output["status"] for output in stage.model.outputs] == ["pending"]
    assert len(stage.questions) == 1


async def test_everything_ends_with_the_call(stage: Stage) -> None:
    others = asyncio.all_tasks()
    await ask(stage)
    stage.session.detach(stage.socket.stream)
    await stage.over()
    assert asyncio.all_tasks() <= others
