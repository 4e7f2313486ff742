"""Integration: whoever or whatever answers, over real sockets, from dialling to the outcome."""

from typing import Any

import pytest

from opendeep_app.models import (
    AnswerState,
    CallOutcome,
    EndedBy,
    Speaker,
    TaskEventType,
    TaskStatus,
    VoicemailPolicy,
)
from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.services import costs
from tests.fixtures.gateways import Exchange
from workers.calls import analyse_call

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

VOICEMAIL = "+12025550130"
FULL = "+12025550135"
SCREENING = "+12025550180"
HOLD = "+12025550182"
MENU = "+12025550170"
PERSON = "+12025550101"
SECRET: dict[str, Any] = {"goal": "Collect the test results.", "context": "Ada has the measles."}


async def believed(exchange: Exchange, call_id: str) -> list[AnswerState]:
    return [
        AnswerState(event.payload["state"])
        for event in await exchange.events(call_id)
        if event.type is TaskEventType.ANSWERER_KNOWN
    ]


async def until_person(exchange: Exchange, call_id: str) -> list[str]:
    """What the agent said before a person was believed to be there."""
    events = await exchange.events(call_id)
    met = [
        event.created_at
        for event in events
        if event.type is Event.ANSWERER_KNOWN and event.payload["state"] == AnswerState.HUMAN
    ]
    lines = [line for line in await exchange.lines(call_id) if line.speaker is Speaker.AGENT]
    return [line.text for line in lines if not met or line.created_at < met[0]]


def says_nothing_of_the_task(said: list[str]) -> bool:
    words = " ".join(said).lower()
    return not any(secret in words for secret in ("test results", "collect", "measles"))


async def test_a_voicemail_is_left_without_a_word_and_tried_again(exchange: Exchange) -> None:
    call_id = await exchange.dial(VOICEMAIL, **SECRET)
    call = await exchange.ended(call_id)
    assert (call.ended_by, call.outcome) == (EndedBy.AGENT, CallOutcome.FAILED_VOICEMAIL)
    assert call.answer_state is AnswerState.VOICEMAIL
    assert says_nothing_of_the_task(await exchange.said(call_id, Speaker.AGENT))
    assert await analyse_call({"deps": exchange.deps}, call_id) == "analysed"
    task = await exchange.task(call_id)
    assert task.status is TaskStatus.RETRY_SCHEDULED
    assert "Voicemail picked up" in task.next_action_reason


@pytest.mark.parametrize(
    ("policy", "most"),
    [(VoicemailPolicy.LEAVE_MESSAGE, 3), (VoicemailPolicy.LAST_ATTEMPT, 1)],
)
async def test_a_message_is_recorded_by_the_voicemail(
    exchange: Exchange, policy: VoicemailPolicy, most: int
) -> None:
    call_id = await exchange.dial(VOICEMAIL, voicemail_policy=policy, max_attempts=most, **SECRET)
    call = await exchange.ended(call_id)
    assert (call.outcome, call.end_reason) == (
        CallOutcome.FAILED_VOICEMAIL,
        "A voicemail took a message.",
    )
    [seen] = await exchange.heard()
    [message] = seen["recorded"]
    assert message.startswith("Hello, this is an AI assistant calling on behalf of")
    assert says_nothing_of_the_task([*seen["heard"], call.end_reason])


async def test_a_full_mailbox_takes_nothing(exchange: Exchange) -> None:
    call_id = await exchange.dial(FULL, voicemail_policy=VoicemailPolicy.LEAVE_MESSAGE, **SECRET)
    call = await exchange.ended(call_id)
    assert (call.outcome, call.end_reason) == (
        CallOutcome.FAILED_VOICEMAIL,
        "The mailbox is full.",
    )
    assert says_nothing_of_the_task(await exchange.said(call_id, Speaker.AGENT))


async def test_who_screens_calls_hears_who_calls_and_the_person_why(exchange: Exchange) -> None:
    call_id = await exchange.dial(SCREENING, **SECRET)
    await exchange.ended(call_id)
    states = await believed(exchange, call_id)
    assert states[0] is AnswerState.SCREENING and states[-1] is AnswerState.HUMAN
    before = await until_person(exchange, call_id)
    assert any("in person" in text for text in before)
    assert says_nothing_of_the_task(before)
    assert any("test results" in text for text in await exchange.said(call_id, Speaker.AGENT))


async def test_hold_is_waited_out_in_silence(exchange: Exchange) -> None:
    call_id = await exchange.dial(HOLD)
    call = await exchange.ended(call_id)
    assert AnswerState.HOLD in await believed(exchange, call_id)
    assert call.answer_state is AnswerState.HUMAN
    assert "Thank you for waiting. Yes, that works, you're all set." in await exchange.said(
        call_id, Speaker.RECIPIENT
    )


async def test_a_menu_hears_keys_and_no_words(exchange: Exchange) -> None:
    call_id = await exchange.dial(MENU, **SECRET)
    await exchange.ended(call_id)
    assert (await believed(exchange, call_id))[0] is AnswerState.MENU
    assert says_nothing_of_the_task(await until_person(exchange, call_id))
    [seen] = await exchange.heard()
    assert seen["digits"] == "1"


@pytest.mark.parametrize("exchange_settings", [{"dtmf": "inband"}], indirect=True)
async def test_a_menu_hears_keys_that_are_sent_as_sound(exchange: Exchange) -> None:
    call_id = await exchange.dial(MENU)
    call = await exchange.ended(call_id)
    [seen] = await exchange.heard()
    assert seen["digits"] == "", "the carrier pressed keys"
    assert call.answer_state is AnswerState.HUMAN
    assert any("Book a table" in text for text in seen["heard"])


async def test_a_person_hears_the_opening_then_why(exchange: Exchange) -> None:
    call_id = await exchange.dial(PERSON, **SECRET)
    call = await exchange.ended(call_id)
    assert await believed(exchange, call_id) == [AnswerState.HUMAN]
    opening, purpose = (await exchange.said(call_id, Speaker.AGENT))[:2]
    assert opening.endswith("Do you have a moment?") and says_nothing_of_the_task([opening])
    assert "Collect the test results" in purpose
    assert call.brief_version == "2" and call.answered_by in (None, "human")


async def test_a_call_knows_what_it_cost(exchange: Exchange) -> None:
    call_id = await exchange.dial(PERSON)
    call = await exchange.ended(call_id)
    assert call.usage["audio_output"] > 0 and call.usage["text_input"] > 0
    prices = exchange.deps.settings.policy.prices
    assert call.costs == {
        "model": costs.model_micros(call.usage, prices),
        "carrier": costs.carrier_micros(call.duration_seconds or 1, prices),
    }
    assert call.cost_micros == sum(call.costs.values())
    assert call.cost_micros < costs.worst_case_micros(900, prices)


async def test_the_carriers_detection_is_asked_for_and_heard(exchange: Exchange) -> None:
    call_id = await exchange.dial("+12025550132")
    await exchange.ended(call_id)
    assert (await exchange.call(call_id)).answered_by == "machine_start"
