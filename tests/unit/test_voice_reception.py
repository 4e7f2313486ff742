"""Unit: what the agent does with whoever answers, with scripted ends and virtual time."""

import asyncio
import base64
from typing import Any

import pytest

from opendeep_app.bus import MachineDetected
from opendeep_app.models import AnswerState, CallOutcome, EndedBy, VoicemailPolicy
from opendeep_app.practice import sound
from opendeep_app.voice import reception
from opendeep_app.voice.phases import Phase
from tests.fixtures.virtual_time import VirtualTime
from tests.fixtures.voices import Stage, briefing, set_up

# The hook that will replace this fixture one day applies to all tests or none.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


@pytest.fixture(scope="module")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    return VirtualTime()


GOAL = "Collect the test results."
VOICEMAIL = "Hi, you have reached Ada. Please leave a message after the tone."
SCREEN = "Please say your name and why you are calling."
MENU = "For appointments, press 1."


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.fixture
async def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A call that we make; an indirect parameter says more of its task."""
    told = briefing(goal=GOAL, **getattr(request, "param", {}))
    stage = set_up(monkeypatch, told)
    await stage.begin()
    stage.model.respond()
    yield stage
    if stage.running is not None and not stage.running.done():
        stage.session.finish(EndedBy.SYSTEM, "The test is over.")
        await stage.running


async def hear(stage: Stage, words: str, seconds: float = 1.0) -> None:
    """Somebody or something says this."""
    stage.model.emit("input_audio_buffer.speech_started", item_id="u")
    await asyncio.sleep(seconds)
    stage.model.emit("input_audio_buffer.speech_stopped", item_id="u")
    stage.model.emit(
        "conversation.item.input_audio_transcription.completed", item_id="u", transcript=words
    )
    await stage.settle()


async def play(stage: Stage, audio: bytes) -> None:
    """The line sounds like this."""
    for at in range(0, len(audio), sound.FRAME):
        stage.session.hear(base64.b64encode(audio[at : at + sound.FRAME]))
    await stage.settle()


def sessions(stage: Stage) -> list[dict[str, Any]]:
    return [event["session"] for event in stage.model.of("session.update")]


def replies(session: dict[str, Any]) -> bool:
    """Whether the server answers by itself what the recipient says."""
    return bool(session["audio"]["input"]["turn_detection"]["create_response"])


def asked(stage: Stage) -> list[dict[str, Any]]:
    return [event.get("response", {}) for event in stage.model.of("response.create")]


def heard_frames(stage: Stage) -> int:
    return len(stage.model.of("input_audio_buffer.append"))


def believed(stage: Stage) -> list[AnswerState]:
    return [state for (state,) in stage.writes("answerer")]


def outcome(stage: Stage) -> CallOutcome:
    [(_, _, outcome)] = stage.writes("closed")
    assert isinstance(outcome, CallOutcome)
    return outcome


def told_before_a_person(stage: Stage) -> str:
    """Everything that the model was sent so far."""
    return str(stage.model.sent)


async def test_the_opening_is_said_at_once_and_says_nothing_of_the_task(stage: Stage) -> None:
    [first] = asked(stage)
    assert "AI assistant calling on behalf of Ada Lovelace" in first["instructions"]
    assert not replies(sessions(stage)[0])
    assert now() < 0.3
    assert "test results" not in told_before_a_person(stage)


async def test_a_person_hears_why(stage: Stage) -> None:
    await hear(stage, "Yes?")
    assert believed(stage) == [AnswerState.HUMAN]
    assert GOAL in sessions(stage)[-1]["instructions"] and replies(sessions(stage)[-1])
    assert asked(stage)[-1] == {}
    assert not stage.session.reception.listening


@pytest.mark.parametrize("words", [VOICEMAIL, "We can't take your call right now."])
async def test_a_voicemail_is_left_and_tried_again(stage: Stage, words: str) -> None:
    await hear(stage, words, 4.0)
    assert await stage.over() == (EndedBy.AGENT, "A voicemail picked up.")
    assert outcome(stage) is CallOutcome.FAILED_VOICEMAIL
    assert "test results" not in told_before_a_person(stage)


@pytest.mark.parametrize(
    "stage",
    [
        {"voicemail_policy": VoicemailPolicy.LEAVE_MESSAGE},
        {"voicemail_policy": VoicemailPolicy.LAST_ATTEMPT, "max_attempts": 1},
    ],
    indirect=True,
)
async def test_a_message_is_left_after_the_beep(stage: Stage) -> None:
    await hear(stage, VOICEMAIL, 4.0)
    assert believed(stage) == [AnswerState.VOICEMAIL] and len(asked(stage)) == 1
    await play(stage, sound.silence(100) + sound.beep() + sound.silence(100))
    message = asked(stage)[-1]
    assert "on behalf of Ada Lovelace" in message["instructions"]
    assert message["tool_choice"] == "none"
    stage.model.speak("m1")
    stage.model.emit("response.output_audio.done", item_id="m1")
    stage.model.respond()
    await asyncio.sleep(1)
    assert not stage.socket.closed, "hung up into the message"
    stage.played()
    assert await stage.over() == (EndedBy.AGENT, "A voicemail took a message.")
    assert outcome(stage) is CallOutcome.FAILED_VOICEMAIL
    assert "test results" not in told_before_a_person(stage)


@pytest.mark.parametrize(
    "stage", [{"voicemail_policy": VoicemailPolicy.LAST_ATTEMPT, "max_attempts": 2}], indirect=True
)
async def test_no_message_is_left_while_attempts_remain(stage: Stage) -> None:
    await hear(stage, VOICEMAIL, 4.0)
    assert await stage.over() == (EndedBy.AGENT, "A voicemail picked up.")
    assert len(asked(stage)) == 1


@pytest.mark.parametrize(
    "stage", [{"voicemail_policy": VoicemailPolicy.LEAVE_MESSAGE}], indirect=True
)
async def test_a_voicemail_without_a_beep_gets_its_message_all_the_same(stage: Stage) -> None:
    await hear(stage, VOICEMAIL, 4.0)
    ended = now()
    while len(asked(stage)) < 2:
        await asyncio.sleep(0.1)
    assert now() - ended == pytest.approx(reception.BEEP_SECONDS, abs=0.2)


async def test_a_full_mailbox_is_left(stage: Stage) -> None:
    await hear(stage, "The mailbox is full. Goodbye.", 3.0)
    assert await stage.over() == (EndedBy.AGENT, "The mailbox is full.")
    assert outcome(stage) is CallOutcome.FAILED_VOICEMAIL


async def test_a_machine_that_screens_hears_who_calls_and_a_person_why(stage: Stage) -> None:
    await hear(stage, SCREEN, 4.0)
    assert "in person" in asked(stage)[-1]["instructions"]
    assert "test results" not in told_before_a_person(stage)
    stage.model.respond()
    await hear(stage, "Hello?")
    assert believed(stage) == [AnswerState.SCREENING, AnswerState.HUMAN]
    assert GOAL in sessions(stage)[-1]["instructions"]


async def test_a_menu_is_answered_with_keys_alone(stage: Stage) -> None:
    await hear(stage, MENU, 3.0)
    assert GOAL in sessions(stage)[-1]["instructions"] and not replies(sessions(stage)[-1])
    assert asked(stage)[-1] == {"output_modalities": ["text"], "tool_choice": "required"}
    stage.model.respond()
    await hear(stage, "For new patients, press 2.", 3.0)
    assert len(asked(stage)) == 3, "the second menu got no answer"
    stage.model.respond()
    await hear(stage, "Appointments, good morning, how can I help?", 2.0)
    assert believed(stage) == [AnswerState.MENU, AnswerState.HUMAN]
    assert replies(sessions(stage)[-1]) and asked(stage)[-1] == {}


async def test_nothing_is_sent_on_hold_until_a_voice_is_heard(stage: Stage) -> None:
    await hear(stage, "Hello?")
    stage.model.respond()
    await hear(stage, "One moment please, I am putting you on hold.", 2.0)
    assert not replies(sessions(stage)[-1])
    before = heard_frames(stage)
    await play(stage, sound.hold_music(20_000))
    assert heard_frames(stage) == before, "hold music was sent to the model"
    speech = sound.spoken("Thank you for waiting, I have found it.")
    await play(stage, speech)
    assert heard_frames(stage) >= before + len(speech) // sound.FRAME, "the first words were lost"
    await hear(stage, "Thank you for waiting, I have found it.")
    assert believed(stage)[-2:] == [AnswerState.HOLD, AnswerState.HUMAN]
    assert replies(sessions(stage)[-1]) and asked(stage)[-1] == {}


async def test_announcements_on_hold_do_not_end_it(stage: Stage) -> None:
    await play(stage, sound.hold_music(10_000))
    assert believed(stage) == [AnswerState.HOLD]
    await play(stage, sound.spoken("Your call is important to us. Please stay on the line."))
    await hear(stage, "Your call is important to us. Please stay on the line.", 3.0)
    before = heard_frames(stage)
    await play(stage, sound.hold_music(10_000))
    assert heard_frames(stage) == before
    assert believed(stage) == [AnswerState.HOLD] and len(asked(stage)) == 1


async def test_hold_is_not_waited_for_for_ever(stage: Stage) -> None:
    await play(stage, sound.hold_music(10_000))
    await asyncio.sleep(stage.session.deps.settings.hold_seconds + 1)
    assert "cannot hold any longer" in asked(stage)[-1]["instructions"]
    stage.model.respond()
    assert await stage.over() == (EndedBy.AGENT, "The call was on hold for too long.")
    assert outcome(stage) is CallOutcome.INCONCLUSIVE


async def test_silence_is_spoken_into_twice_and_left(stage: Stage) -> None:
    spoken_at = []
    while not stage.session.over:
        before = len(asked(stage))
        await asyncio.sleep(0.5)
        if len(asked(stage)) > before:
            spoken_at.append(now())
            stage.model.respond()
    assert spoken_at == pytest.approx([6, 14], abs=0.6)
    assert (await stage.over()) == (EndedBy.AGENT, "Nobody spoke.")
    assert outcome(stage) is CallOutcome.FAILED_NO_ANSWER


async def test_the_carriers_result_reaches_the_call(stage: Stage) -> None:
    guess = MachineDetected(call_id="call", answered_by="machine_end_beep")
    stage.bus.queue.put_nowait(guess)
    assert await stage.over() == (EndedBy.AGENT, "A voicemail picked up.")


async def test_a_result_that_nobody_knows_is_passed_over(stage: Stage) -> None:
    for answered_by in ("unknown", "a parrot"):
        stage.bus.queue.put_nowait(MachineDetected(call_id="call", answered_by=answered_by))
    await stage.settle()
    assert not believed(stage) and not stage.session.over


async def test_a_fax_is_not_called_again(stage: Stage) -> None:
    stage.bus.queue.put_nowait(MachineDetected(call_id="call", answered_by="fax"))
    assert await stage.over() == (EndedBy.AGENT, "A fax machine answered.")
    assert outcome(stage) is CallOutcome.FAILED_INVALID_NUMBER


async def test_a_machine_that_says_no_more_is_left(stage: Stage) -> None:
    await hear(stage, SCREEN, 4.0)
    stage.model.respond()
    assert await stage.over() == (EndedBy.AGENT, "No person could be reached.")
    assert outcome(stage) is CallOutcome.INCONCLUSIVE


async def test_a_creators_note_waits_for_a_person(stage: Stage) -> None:
    before = len(asked(stage))
    stage.session._take_note("Say that it is urgent.")
    await stage.settle()
    assert len(asked(stage)) == before
    await hear(stage, "Yes?")
    assert "urgent" in stage.model.told[-1] and len(asked(stage)) == before + 1


async def test_a_failed_opening_is_tried_again_word_for_word(stage: Stage) -> None:
    stage.model.respond(status="failed")
    await asyncio.sleep(1)
    assert len(asked(stage)) == 2 and asked(stage)[0] == asked(stage)[1]


async def test_nothing_of_a_reception_outlives_its_call(stage: Stage) -> None:
    await hear(stage, SCREEN, 4.0)
    stage.session.detach(stage.socket.stream)
    assert (await stage.over())[0] is EndedBy.RECIPIENT
    assert stage.at(Phase.ENDED)
    assert asyncio.all_tasks() == {asyncio.current_task()}
