"""Integration: whole calls on the practice line, through the real clients and over real sockets."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from tests.integration.practice_bridge import SETTINGS, Bridge, practice_line, until

AGREED = "Sure, that works for us. You're all set."
ANSWERED = ["initiated", "ringing", "in-progress", "completed"]


@pytest.fixture
async def line() -> AsyncIterator[Bridge]:
    async with practice_line() as bridge:
        yield bridge


async def observed(line: Bridge) -> Any:
    """What the practice line saw at the recipients' end."""
    auth = (SETTINGS.account_sid, SETTINGS.auth_token)
    async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
        response = await client.get(f"http://{line.practice}/practice/calls")
    return response.json()


def said(line: Bridge, speaker: str) -> list[str]:
    return [text for who, text in line.transcript if who == speaker]


def outcome(line: Bridge) -> str:
    name, arguments = line.functions[-1]
    assert name == "end_call"
    return arguments


async def test_a_recipient_agrees(line: Bridge) -> None:
    sid = await line.call("+12025550101")
    assert await line.ended(sid) == ANSWERED
    assert "goal_met" in outcome(line)
    assert "Sure, that works for us. You're all set." in said(line, "recipient")
    (call,) = (await observed(line))["calls"]
    assert call["rings"] == 1
    # The goodbye arrived as audio, not only in the model's words.
    assert [text for text in call["heard"] if text] == said(line, "agent")
    assert line.forged == 0


async def test_a_question_is_answered_while_they_wait(line: Bridge) -> None:
    line.answer = "10 December 1815"
    sid = await line.call("+12025550140")
    async with asyncio.timeout(10):
        await line.asked.wait()
    await until(lambda: "Sure, take your time." in said(line, "recipient"))
    await until(lambda: "Are you still there?" in said(line, "recipient"))
    await until(lambda: any("still here" in text for text in said(line, "agent")))
    line.answer_given.set()
    assert await line.ended(sid) == ANSWERED
    (call,) = (await observed(line))["calls"]
    assert any("10 December 1815" in text for text in call["heard"])
    assert "goal_met" in outcome(line)


async def test_someone_impatient_hangs_up_while_waiting(line: Bridge) -> None:
    sid = await line.call("+12025550150")
    assert await line.ended(sid) == ANSWERED
    assert line.asked.is_set()
    assert [name for name, _ in line.functions] == ["request_user_info"]


async def test_who_calls_back_with_the_answer_is_not_asked_for_more(line: Bridge) -> None:
    line.facts = "- May I have the date of birth, please?: 10 December 1815"
    sid = await line.call("+12025550140")
    assert await line.ended(sid) == ANSWERED
    assert [name for name, _ in line.functions] == ["end_call"]
    assert "goal_met" in outcome(line)


async def test_busy_then_no_answer_then_agreement(line: Bridge) -> None:
    statuses = [await line.ended(await line.call("+12025550120")) for _ in range(3)]
    assert statuses == [["initiated", "busy"], ["initiated", "ringing", "no-answer"], ANSWERED]
    assert (await observed(line))["rings"] == {"+12025550120": 2}


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        ("+12025550130", "voicemail"),
        ("+12025550160", "callback_requested"),
        ("+12025550165", "do_not_call"),
        ("+12025550178", "goal_met"),
        ("+12025550180", "goal_met"),
        ("+12025550182", "goal_met"),
        ("+12025550184", "goal_met"),
        ("+12025550186", "declined"),
        ("+12025550188", "wrong_number"),
        ("+12025550197", "declined"),
    ],
)
async def test_people(line: Bridge, number: str, wanted: str) -> None:
    sid = await line.call(number)
    assert await line.ended(sid) == ANSWERED
    assert wanted in outcome(line)


async def test_a_phone_menu_is_steered_by_keys(line: Bridge) -> None:
    sid = await line.call("+12025550170")
    assert await line.ended(sid) == ANSWERED
    (call,) = (await observed(line))["calls"]
    assert call["digits"] == "1"
    assert line.streams == 2
    assert "goal_met" in outcome(line)


async def test_two_questions_are_asked_one_after_the_other(line: Bridge) -> None:
    line.answer = "4711"
    line.answer_given.set()
    sid = await line.call("+12025550155")
    assert await line.ended(sid) == ANSWERED
    # The brief says "Mornings only", so that only the first has to be asked.
    assert [name for name, _ in line.functions] == ["request_user_info", "end_call"]


async def test_a_hang_up_in_the_middle_of_a_sentence(line: Bridge) -> None:
    sid = await line.call("+12025550175")
    assert await line.ended(sid) == ANSWERED
    assert line.functions == []


async def test_an_interruption_cuts_the_agent_short(line: Bridge) -> None:
    sid = await line.call("+12025550184")
    await line.ended(sid)
    kinds = [str(event.type) for event in line.events]
    assert "conversation.item.truncated" in kinds or any(
        event.type == "response.done" and event.response.status == "cancelled"
        for event in line.events
    )


async def test_a_missed_call_is_returned(line: Bridge) -> None:
    await line.ended(await line.call("+12025550195"))
    await until(lambda: line.functions, 20)
    assert "goal_met" in outcome(line)
    calls = (await observed(line))["calls"]
    assert [call["direction"] for call in calls] == ["outbound-api", "inbound"]


async def test_status_callbacks_are_numbered_signed_and_complete(line: Bridge) -> None:
    sid = await line.call(
        "+12025550101",
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"http://{line.address}/twilio/amd",
    )
    await line.ended(sid)
    forms = line.statuses[sid]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert forms[-1]["SipResponseCode"] == "200"
    assert int(forms[-1]["CallDuration"]) >= 1
    assert line.machine == ["human"]
    assert line.forged == 0


@pytest.mark.parametrize("damage", ["drop", "swap", "alter"])
async def test_damaged_audio_is_not_understood(line: Bridge, damage: str) -> None:
    """One broken frame of the recipient's first words, and the agent has to ask again."""
    broken = False

    def tamper(message: dict[str, Any]) -> Sequence[dict[str, Any]]:
        nonlocal broken
        audio = base64.b64decode(message["media"]["payload"])
        frames = [audio[start : start + 160] for start in range(0, len(audio), 160)]
        loud = [at for at, frame in enumerate(frames) if frame.count(0xFF) < 80]
        if broken or len(loud) < 2:
            return [message]
        broken = True
        first = loud[0]
        if damage == "drop":
            del frames[first]
        elif damage == "swap":
            frames[first], frames[first + 1] = frames[first + 1], frames[first]
        else:
            frames[first] = frames[first][:-1] + bytes([frames[first][-1] ^ 1])
        payloads = [base64.b64encode(frame).decode() for frame in frames]
        return [{**message, "media": {**message["media"], "payload": each}} for each in payloads]

    line.tamper = tamper
    sid = await line.call("+12025550188")
    await line.ended(sid)
    assert said(line, "recipient")[0] == ""
    assert any("Could you say that again" in text for text in said(line, "agent"))


async def test_many_calls_at_once_do_not_mix(line: Bridge) -> None:
    numbers = [f"+1{area}5550101" for area in (202, 212, 312, 415, 503, 602, 617, 702, 713, 808)]
    sids = await asyncio.gather(*(line.call(number) for number in numbers))
    for sid in sids:
        assert await line.ended(sid) == ANSWERED
    for call in (await observed(line))["calls"]:
        assert call["problems"] == []
        # Whether they come to say goodbye depends on how soon the caller hangs up.
        assert call["said"] in ([AGREED], [AGREED, "Goodbye."])
