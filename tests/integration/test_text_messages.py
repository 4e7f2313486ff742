"""Questions by text message: sent once, when no tab has answered, and answered from anywhere."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from opendeep_app.errors import CarrierError
from opendeep_app.models import AccessToken, InfoRequestStatus, TextMessage, TextStatus, User
from opendeep_app.services import accounts, info_requests, text_messages
from opendeep_app.services.text_messages import Outgoing
from tests.fixtures.gateways import Exchange
from tests.fixtures.lives import Life, add_user
from workers.text_messages import sweep_texts, text_question

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

MOBILE = "+12025550199"
WEB = "https://opendeep.example"
HALF = 15
Status = InfoRequestStatus


@pytest.fixture
async def texted(life: Life) -> Life:
    """A creator with a mobile number."""
    await give_number(life, life.user_id)
    return life


async def give_number(life: Life, user_id: str) -> None:
    async with life.db.unit_of_work() as uow:
        await accounts.update_profile(
            uow, user_id, name="Ada", time_zone="UTC", mobile_number=MOBILE
        )


async def ask(life: Life, question: str = "Which name?", *suggestions: str, key: str = "f1") -> str:
    """A question in a live call, that of the one task that is due or goes on."""
    call_id = await life.talk()
    async with life.db.unit_of_work() as uow:
        request = await info_requests.ask(uow, call_id, key, question, suggestions=[*suggestions])
    return request.id


async def claim(life: Life, question_id: str) -> Outgoing | None:
    async with life.db.unit_of_work() as uow:
        return await text_messages.claim(uow, question_id, WEB)


async def texting(life: Life, question: str = "Which name?", *suggestions: str, to: str) -> str:
    """A question about a new task that has been sent; returns its id."""
    await life.create(to, contact_name="Dr. Weber")
    question_id = await ask(life, question, *suggestions)
    life.clock.advance(seconds=HALF)
    assert await claim(life, question_id)
    return question_id


async def reply(life: Life, body: str, opt_out: str = "") -> str:
    async with life.db.unit_of_work() as uow:
        return await text_messages.receive(uow, MOBILE, body, opt_out)


async def test_a_question_is_sent_at_half_of_its_time_and_once(texted: Life) -> None:
    task_id = await texted.create(contact_name="Dr. Weber")
    call_id = await texted.talk()
    async with texted.db.unit_of_work() as uow:
        request = await info_requests.ask(
            uow, call_id, "f1", "Which day?", suggestions=["Mo", "Tu"]
        )
        [job] = [job for job in uow.jobs if job.name == "text_question"]
        assert job.defer_until == text_messages.due_at(request)
    texted.clock.advance(seconds=HALF - 1)
    assert await claim(texted, request.id) is None
    texted.clock.advance(seconds=1)
    claims = await asyncio.gather(*(claim(texted, request.id) for _ in range(4)))
    [text] = [one for one in claims if one]
    assert text.phone_number == MOBILE
    for words in ("Dr. Weber", "Which day?", "1) Mo", "2) Tu", "within 15 s", f"{WEB}/answer/"):
        assert words in text.body
    assert (await texted.events(task_id)).count("info_texted") == 1
    async with texted.db.reading() as session:
        [stored] = await session.scalars(select(TextMessage))
        [link] = await session.scalars(select(AccessToken))
    token = text.body.rpartition("/")[2]
    assert token not in link.token_hash and len(link.token_hash) == 64
    assert stored.status is TextStatus.SENDING
    await texted.check()


@pytest.mark.parametrize("settled", ["answered", "expired", "stopped", "no number"])
async def test_what_is_settled_or_unwanted_is_not_sent(texted: Life, settled: str) -> None:
    await texted.create()
    question_id = await ask(texted)
    texted.clock.advance(seconds=HALF)
    match settled:
        case "answered":
            await texted.answer(question_id)
        case "expired":
            texted.clock.advance(seconds=HALF)
        case "stopped":
            await reply(texted, "stop")
        case _:
            async with texted.db.unit_of_work() as uow:
                (await uow.session.get_one(User, texted.user_id)).mobile_number = None
    assert await claim(texted, question_id) is None


async def test_what_the_carrier_surely_did_not_take_is_sent_again(texted: Life) -> None:
    question_id = await texting(texted, to="+12025550143")

    async def fail(**how: Any) -> None:
        async with texted.db.unit_of_work() as uow:
            [text] = await uow.session.scalars(select(TextMessage))
            await text_messages.failed(uow, text.id, CarrierError("no", **how))

    await fail()
    assert await claim(texted, question_id)
    await fail(maybe_placed=True)
    assert await claim(texted, question_id) is None


async def test_a_number_means_the_suggestion(texted: Life) -> None:
    question_id = await texting(texted, "Which day?", "Monday", "Tuesday", to="+12025550143")
    assert "Which day?” is in the call" in await reply(texted, " 2. ")
    question = await texted.question(question_id)
    assert (question.answer, question.answered_via) == ("Tuesday", "text")


async def test_where_answers_are_numbers_a_number_is_itself(texted: Life) -> None:
    question_id = await texting(texted, "How many?", "2", "4", to="+12025550143")
    await reply(texted, "2")
    assert (await texted.question(question_id)).answer == "2"


async def test_with_several_open_the_code_or_else_the_latest_counts(texted: Life) -> None:
    first = await texting(texted, "First?", to="+12025550143")
    second = await texting(texted, "Second?", to="+13125550143")
    texted.clock.advance(seconds=1)
    assert "First?" in await reply(texted, "q1: The first.")
    assert "Second?" in await reply(texted, "The second.")
    answers = [(await texted.question(one)).answer for one in (first, second)]
    assert answers == ["The first.", "The second."]
    # Delivered again, it is thanked for again; another answer comes too late.
    assert "is in the call" in await reply(texted, "The second.")
    assert "answered already: “The second.”" in await reply(texted, "Another.")


async def test_a_late_reply_rings_back_and_says_so(texted: Life) -> None:
    question_id = await texting(texted, to="+12025550143")
    question = await texted.question(question_id)
    texted.clock.advance(seconds=HALF)
    assert await texted.expire(question_id)
    await texted.close(question.call_id)
    assert "we ring Dr. Weber back" in await reply(texted, "Ada.")
    assert (await texted.question(question_id)).status is Status.ANSWERED_LATE
    await texted.check()


async def test_stop_start_and_help_are_honoured(texted: Life) -> None:
    question_id = await texting(texted, to="+12025550143")
    assert "Reply STOP" in await reply(texted, "Help!")
    assert "no more texts" in await reply(texted, "Stop.")
    async with texted.db.reading() as session:
        assert (await session.get_one(User, texted.user_id)).texts_stopped_at is not None
    assert "again" in await reply(texted, "yes")
    assert await reply(texted, "whatever", opt_out="STOP") == ""
    assert await reply(texted, "START", opt_out="START") == ""
    assert (await texted.question(question_id)).status is Status.OPEN
    # Without a stop before, "yes" is an answer.
    await reply(texted, "Yes")
    assert (await texted.question(question_id)).answer == "Yes"
    assert await reply(texted, "Hello?") != ""


async def test_strangers_and_former_owners_of_a_number_answer_nothing(texted: Life) -> None:
    question_id = await texting(texted, to="+12025550143")
    async with texted.db.unit_of_work() as uow:
        assert await text_messages.receive(uow, "+12025550111", "Ada.") == ""
        (await uow.session.get_one(User, texted.user_id)).mobile_number = None
    await give_number(texted, await add_user(texted.db, "eve@example.com"))
    assert await reply(texted, "Eve.") == text_messages.NOTHING_OPEN
    assert (await texted.question(question_id)).status is Status.OPEN


@pytest.mark.parametrize("body", ["", "\x00", "x" * 1601 * 2])
async def test_an_unusable_reply_is_refused_in_words(texted: Life, body: str) -> None:
    question_id = await texting(texted, to="+12025550143")
    assert await reply(texted, body)
    assert (await texted.question(question_id)).status is Status.OPEN


async def test_from_the_call_to_the_phone_and_back_over_the_line(exchange: Exchange) -> None:
    deps, settings = exchange.deps, exchange.deps.settings
    async with deps.db.unit_of_work() as uow:
        await accounts.update_profile(
            uow, exchange.user_id, name="Ada", time_zone="UTC", mobile_number=MOBILE
        )
    call_id = await exchange.dial("+12025550140", info_timeout_seconds=60)
    question = await exchange.question(call_id)
    assert await sweep_texts({"deps": deps}) == 0
    async with deps.db.unit_of_work() as uow:
        due = await uow.session.get_one(type(question), question.id)
        due.asked_at = uow.now - (question.deadline_at - question.asked_at) / 2
    assert await text_question({"deps": deps}, question.id)
    assert not await text_question({"deps": deps}, question.id)
    async with httpx.AsyncClient(
        base_url=settings.twilio_api_url,
        auth=(settings.twilio_account_sid, settings.twilio_auth_token),
        trust_env=False,
    ) as phone:
        [message] = (await phone.get("/practice/calls")).json()["messages"]
        assert message["to"] == MOBILE and "date of birth" in message["body"]
        form = {"From": MOBILE, "Body": "The third of May 1980"}
        [back] = (await phone.post("/practice/messages", data=form)).json()["replies"]
        assert "is in the call" in back["body"]
        async with deps.db.reading() as session:
            [text] = await session.scalars(select(TextMessage))
        assert (text.status, text.carrier_sid) == (TextStatus.SENT, message["sid"])
        assert text.cost_micros == int(message["num_segments"]) * settings.text_segment_micros
        await phone.post("/practice/messages", data={"From": MOBILE, "Body": "STOP"})
    with pytest.raises(CarrierError) as refused:
        await deps.telephony.send_text(MOBILE, "Hello")
    assert refused.value.code == text_messages.STOPPED_AT_CARRIER
    await exchange.ended(call_id)
    assert any(
        "third of May 1980" in text for call in await exchange.heard() for text in call["heard"]
    )
