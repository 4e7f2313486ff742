"""Integration: whole calls through the gateway, from dialling to the last written line."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from opendeep_app.models import (
    CallOutcome,
    EndedBy,
    InfoRequestStatus,
    Speaker,
    TaskStatus,
)
from opendeep_app.services import info_requests
from opendeep_app.voice import questions as questions_module
from opendeep_app.voice.phases import Phase
from tests.fixtures.gateways import Exchange, until

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

AGREEABLE = "+12025550101"
CLINIC = "+12025550140"
TWO_QUESTIONS = "+12025550155"
MENU = "+12025550170"
INTERRUPTER = "+12025550184"
BORN = "10 December 1815"


async def test_a_recipient_agrees(exchange: Exchange) -> None:
    call_id = await exchange.dial(AGREEABLE)
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.AGENT
    assert call.session_opened_at and call.session_closed_at and call.answered_at
    assert "<goal>Book a table.</goal>" in call.brief
    agent = await exchange.said(call_id, Speaker.AGENT)
    assert agent[0].startswith("Hello, this is an AI assistant calling on behalf of")
    recipient = await exchange.said(call_id, Speaker.RECIPIENT)
    assert "Sure, that works for us. You're all set." in recipient
    [seen] = await exchange.heard()
    # What was written is what arrived as sound, the goodbye included.
    assert [text for text in seen["heard"] if text] == agent
    [ended] = await exchange.functions(call_id)
    assert ended["name"] == "end_call"
    assert ended["arguments"]["outcome"] == "goal_met"


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("+12025550178", "goal_met"),
        ("+12025550180", "goal_met"),
        ("+12025550182", "goal_met"),
        ("+12025550186", "declined"),
        ("+12025550188", "wrong_number"),
        ("+12025550197", "declined"),
    ],
)
async def test_all_kinds_of_people(exchange: Exchange, number: str, outcome: str) -> None:
    call_id = await exchange.dial(number)
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.AGENT
    ended = (await exchange.functions(call_id))[-1]
    assert (ended["name"], ended["arguments"]["outcome"]) == ("end_call", outcome)


async def test_a_recipient_breaks_in(exchange: Exchange) -> None:
    call_id = await exchange.dial(INTERRUPTER)
    await exchange.ended(call_id)
    cut = [line for line in await exchange.lines(call_id) if line.heard_ms is not None]
    assert cut, "nothing was noted as cut short"
    assert all(line.speaker is Speaker.AGENT for line in cut)
    assert (await exchange.functions(call_id))[-1]["arguments"]["outcome"] == "goal_met"


async def test_the_conversation_survives_key_presses(exchange: Exchange) -> None:
    call_id = await exchange.dial(MENU)
    call = await exchange.ended(call_id)
    [seen] = await exchange.heard()
    assert seen["digits"] == "1"
    assert call.ended_by is EndedBy.AGENT
    pressed, ended = await exchange.functions(call_id)
    assert (pressed["name"], pressed["ok"]) == ("send_dtmf", True)
    assert ended["arguments"]["outcome"] == "goal_met"


async def test_who_wants_to_be_called_later_names_the_time(exchange: Exchange) -> None:
    call_id = await exchange.dial("+12025550160")
    call = await exchange.ended(call_id)
    assert call.callback_at is not None
    [noted, _] = await exchange.functions(call_id)
    assert (noted["name"], noted["ok"]) == ("reschedule_call", True)


async def test_a_question_is_answered_while_the_recipient_waits(exchange: Exchange) -> None:
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    await until(lambda: exchange.gateway.sessions[call_id].phase is Phase.WAITING)
    assert (await exchange.answer(question.id, BORN)).status is InfoRequestStatus.ANSWERED
    call = await exchange.ended(call_id)
    assert call.outcome is CallOutcome.ANSWERED
    [seen] = await exchange.heard()
    assert any(BORN in text for text in seen["heard"])


async def measurements(exchange: Exchange) -> dict[str, int]:
    """How many values each of the gateway's histograms holds."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(exchange.url + "/metrics")).text
    found = re.findall(r"^opendeep_(\w+)_seconds_count ([\d.]+)$", text, re.MULTILINE)
    return {name: int(float(value)) for name, value in found}


async def test_a_call_is_measured(exchange: Exchange) -> None:
    before = await measurements(exchange)
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    await exchange.answer(question.id, BORN)
    await exchange.ended(call_id)
    after = await measurements(exchange)
    more = {name: after[name] - before[name] for name in after}
    assert more["first_word"] == 1
    assert more["waiting"] == 1
    assert more["relay"] > 0
    assert more["reply"] > 0
    # What waits, for an answer or for the goodbye to be heard, is not a function's own time.
    assert more["function"] == 0
    await exchange.ended(await exchange.dial(MENU))
    assert (await measurements(exchange))["function"] > after["function"]


async def test_two_questions_one_after_the_other(exchange: Exchange) -> None:
    call_id = await exchange.dial(TWO_QUESTIONS)
    first = await exchange.question(call_id)
    await exchange.answer(first.id, "The number is 4711")
    second = await exchange.question(call_id, number=2)
    await exchange.answer(second.id, "Mornings are better")
    await exchange.ended(call_id)
    assert (await exchange.functions(call_id))[-1]["arguments"]["outcome"] == "goal_met"


async def test_an_answer_arrives_although_its_command_was_lost(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_: object) -> bool:
        return False

    monkeypatch.setattr(exchange.deps.bus, "send_command", lose)
    monkeypatch.setattr(questions_module, "LOOK_AGAIN_SECONDS", 0.3)
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    await exchange.answer(question.id, BORN)
    await exchange.ended(call_id)
    [seen] = await exchange.heard()
    assert any(BORN in text for text in seen["heard"])


@pytest.mark.parametrize("exchange_settings", [{"info_timeout_seconds": 5}], indirect=True)
async def test_a_question_answered_too_late_rings_back(exchange: Exchange) -> None:
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    call = await exchange.ended(call_id)
    assert call.outcome is CallOutcome.AWAITING_INFO
    assert call.ended_by is EndedBy.AGENT
    [seen] = await exchange.heard()
    assert "We will call you again" in seen["heard"][-1], "no polite goodbye was heard"
    assert (await exchange.task(call_id)).status is TaskStatus.PENDING_USER_INFO
    late = await exchange.answer(question.id, BORN)
    assert late.status is InfoRequestStatus.ANSWERED_LATE
    assert (await exchange.task(call_id)).status is TaskStatus.PENDING
    again = await exchange.dial_due()
    await exchange.ended(again)
    brief = (await exchange.call(again)).brief
    assert BORN in brief and "I called earlier" in brief
    assert (await exchange.functions(again))[-1]["arguments"]["outcome"] == "goal_met"


@pytest.mark.parametrize("exchange_settings", [{"info_timeout_seconds": 5}], indirect=True)
async def test_more_time_keeps_the_recipient_on_the_line(exchange: Exchange) -> None:
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    async with exchange.deps.db.unit_of_work() as uow:
        await info_requests.extend(uow, exchange.user_id, question.id)
    while exchange.deps.clock() < question.deadline_at + timedelta(seconds=0.5):
        await asyncio.sleep(0.1)
    assert (await exchange.answer(question.id, BORN)).status is InfoRequestStatus.ANSWERED
    assert (await exchange.ended(call_id)).outcome is CallOutcome.ANSWERED
    [seen] = await exchange.heard()
    assert any(BORN in text for text in seen["heard"])


async def test_postponing_says_goodbye_at_once(exchange: Exchange) -> None:
    call_id = await exchange.dial(CLINIC)
    question = await exchange.question(call_id)
    async with exchange.deps.db.unit_of_work() as uow:
        await info_requests.postpone(uow, exchange.user_id, question.id)
    call = await exchange.ended(call_id, seconds=15)
    assert (call.outcome, call.ended_by) == (CallOutcome.AWAITING_INFO, EndedBy.AGENT)
    assert exchange.deps.clock() < question.deadline_at
    [seen] = await exchange.heard()
    assert "We will call you again" in seen["heard"][-1], "no polite goodbye was heard"
    assert (await exchange.answer(question.id, BORN)).status is InfoRequestStatus.ANSWERED_LATE


async def test_many_calls_at_once_do_not_disturb_each_other(exchange: Exchange) -> None:
    areas = (202, 212, 303, 312, 404, 415, 503, 512, 602, 617, 702, 713)
    goals = {await exchange.dial(f"+1{area}5550101", f"Order {area}."): area for area in areas}
    await asyncio.gather(*(exchange.ended(call_id, 40) for call_id in goals))
    for call_id, area in goals.items():
        agent = await exchange.said(call_id, Speaker.AGENT)
        assert f"Order {area}" in agent[1]
        assert (await exchange.functions(call_id))[-1]["arguments"]["outcome"] == "goal_met"
