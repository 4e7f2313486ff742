"""Unit: what the model's functions do, and how the creator is asked, with scripted ends and virtual time."""

import asyncio
import json

import pytest

from opendeep_app.models import EndedBy, InfoRequestStatus
from opendeep_app.voice import conversation
from opendeep_app.voice import session as session_module
from opendeep_app.voice.phases import Phase
from tests.fixtures.voices import (
    QUESTION,
    Stage,
    event_loop_policy,
    now,
    stage,
)

__all__ = ["event_loop_policy", "stage"]

# The hook that will replace this fixture one day applies to all tests or none.
pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture")


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


async def test_an_answer_goes_into_the_call(stage: Stage) -> None:
    await stage.ask()
    await asyncio.sleep(5.5)
    stage.answer("Lovelace")
    stage.model.respond()
    await stage.settle()
    [output] = stage.model.outputs
    assert (output["status"], output["answer"]) == ("answered", "Lovelace")
    assert stage.model.sent[-1]["type"] == "response.create"
    assert stage.at(Phase.TALKING)


async def test_an_answer_that_was_told_is_not_looked_up(stage: Stage) -> None:
    await stage.ask()
    stage.db.failures = 1000
    stage.answer("Lovelace")
    await stage.settle()
    stage.db.failures = 0
    assert [output["answer"] for output in stage.model.outputs] == ["Lovelace"]


async def test_an_answer_whose_command_was_lost_is_found_soon(stage: Stage) -> None:
    await stage.ask()
    asked_at = now()
    stage.answer("Lovelace", told=False)
    while not stage.model.outputs:
        await asyncio.sleep(0.1)
    assert now() - asked_at <= 2.2


async def test_an_answer_waits_for_the_response_under_way(stage: Stage) -> None:
    await stage.ask()
    stage.model.emit("response.created", response={})
    await stage.settle()
    before = len(stage.model.of("response.create"))
    stage.answer("Lovelace")
    await stage.settle()
    assert stage.model.outputs and len(stage.model.of("response.create")) == before
    stage.model.emit("response.done", response={"status": "completed", "output": []})
    await stage.settle()
    assert len(stage.model.of("response.create")) == before + 1


async def test_waiting_is_never_dead_air(stage: Stage) -> None:
    await stage.ask()
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
    await stage.ask()
    stage.model.emit("input_audio_buffer.speech_started", item_id="u1")
    await asyncio.sleep(12)
    assert not stage.model.told


async def test_silence_while_waiting_is_no_reason_to_leave(stage: Stage) -> None:
    await stage.ask()
    for _ in range(conversation.MOST_SILENCES + 1):
        stage.model.emit("input_audio_buffer.timeout_triggered", item_id="x")
    await stage.settle()
    assert stage.at(Phase.WAITING)


async def test_nobody_answers_in_time(stage: Stage) -> None:
    await stage.ask()
    await asyncio.sleep(31)
    assert stage.questions["q0"].status is InfoRequestStatus.EXPIRED
    assert stage.model.outputs == [{"status": "nobody_replied"}]
    assert "end_call" in stage.model.told[-1]
    assert stage.at(Phase.SAYING_GOODBYE)
    ended_by, reason = await stage.over()
    assert (ended_by, reason) == (EndedBy.AGENT, "The question was not answered in time.")
    assert now() == pytest.approx(30 + session_module.GOODBYE_SECONDS, abs=1)


async def test_an_answer_at_the_last_moment_wins_or_loses_but_not_both(stage: Stage) -> None:
    await stage.ask()
    [question] = stage.questions.values()
    await asyncio.sleep((question.deadline_at - stage.session.deps.clock()).total_seconds() - 0.01)
    stage.answer("Lovelace", told=False)
    await asyncio.sleep(1)
    assert [output["status"] for output in stage.model.outputs] == ["answered"]
    assert stage.at(Phase.TALKING)


async def test_more_time_is_given_when_the_row_says_so(stage: Stage) -> None:
    stage.model.obliging = True
    await stage.ask()
    [question] = stage.questions.values()
    await asyncio.sleep(20)
    question.deadline_at += question.deadline_at - question.asked_at
    await asyncio.sleep(20)
    assert stage.at(Phase.WAITING)
    await asyncio.sleep(21)
    assert stage.at(Phase.SAYING_GOODBYE)


async def test_a_database_that_is_away_does_not_end_the_wait(stage: Stage) -> None:
    await stage.ask()
    stage.db.failures = 2
    await asyncio.sleep(5)
    stage.answer("Lovelace", told=False)
    await asyncio.sleep(3)
    assert stage.model.outputs[0]["status"] == "answered"


async def test_asking_the_same_again_is_answered_at_once(stage: Stage) -> None:
    await stage.ask()
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
    await stage.ask()
    stage.session.detach(stage.socket.stream)
    await stage.over()
    assert asyncio.all_tasks() <= others
