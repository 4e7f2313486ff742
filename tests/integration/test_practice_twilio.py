"""Integration: the practice line's REST API as the real `twilio` client sees it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.integration.practice_bridge import SETTINGS, Bridge, practice_line, until


@pytest.fixture
async def line() -> AsyncIterator[Bridge]:
    async with practice_line() as bridge:
        yield bridge


async def refusal(line: Bridge, number: str, **options: str) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        await line.call(number, **options)
    return caught.value.status, caught.value.code


async def test_a_call_is_created_fetched_and_listed(line: Bridge) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    sids = [await line.call("+12025550110") for _ in range(3)]
    for sid in sids:
        await line.ended(sid)
    call = await line.twilio(lambda client: client.calls(sids[0]).fetch())
    assert (call.sid, call.to, call._from) == (sids[0], "+12025550110", SETTINGS.from_number)
    assert (call.status, call.duration, call.direction) == ("busy", "0", "outbound-api")
    assert call.date_created >= before.replace(microsecond=0)
    assert len(call.sid) == 34

    def listed(client: Client, **filters: object) -> list[str]:
        return [each.sid for each in client.calls.list(page_size=2, **filters)]

    assert (
        await line.twilio(lambda c: listed(c, to="+12025550110", start_time_after=before))
        == sids[::-1]
    )
    assert await line.twilio(lambda c: listed(c, to="+12025550111")) == []
    assert await line.twilio(lambda c: listed(c, start_time_before=before)) == []
    assert await line.twilio(lambda c: listed(c, status="completed")) == []


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("+12025550190", 400, 21211),
        ("12", 400, 21211),
        ("+12025550193", 503, 20503),
        ("+12025550194", 429, 20429),
    ],
)
async def test_refused_calls(line: Bridge, number: str, status: int, code: int) -> None:
    assert await refusal(line, number) == (status, code)


async def test_a_call_whose_receipt_is_lost_is_found_in_the_list(line: Bridge) -> None:
    assert await refusal(line, "+12025550199") == (503, 20503)
    (call,) = await line.twilio(lambda client: client.calls.list(to="+12025550199"))
    assert (await line.ended(call.sid))[-1] == "completed"


async def test_foreign_from_numbers_and_bad_credentials_are_refused(line: Bridge) -> None:
    def place(client: Client, from_: str) -> None:
        client.calls.create(to="+12025550101", from_=from_, twiml="<Response/>")

    with pytest.raises(TwilioRestException) as caught:
        await line.twilio(lambda client: place(client, "+12025550123"))
    assert caught.value.code == 21210
    stranger = Client(SETTINGS.account_sid, "wrong")
    stranger.api.base_url = f"http://{line.practice}"
    with pytest.raises(TwilioRestException) as caught:
        await asyncio.to_thread(place, stranger, SETTINGS.from_number)
    assert (caught.value.status, caught.value.code) == (401, 20003)


async def test_a_ringing_call_is_canceled(line: Bridge) -> None:
    sid = await line.call("+12025550115")
    await until(lambda: any(form["CallStatus"] == "ringing" for form in line.statuses[sid]))
    await line.twilio(lambda client: client.calls(sid).update(status="canceled"))
    assert await line.ended(sid) == ["initiated", "ringing", "canceled"]


async def test_a_call_in_progress_is_completed_and_then_cannot_be_changed(line: Bridge) -> None:
    sid = await line.call("+12025550140")
    await until(lambda: line.asked.is_set())
    await line.twilio(lambda client: client.calls(sid).update(status="completed"))
    assert (await line.ended(sid))[-1] == "completed"
    with pytest.raises(TwilioRestException) as caught:
        await line.twilio(lambda client: client.calls(sid).update(status="completed"))
    assert caught.value.code == 21220


async def test_a_call_ends_at_its_time_limit(line: Bridge) -> None:
    sid = await line.call("+12025550140", time_limit=20)
    assert (await line.ended(sid))[-1] == "completed"


async def test_it_rings_no_longer_than_asked(line: Bridge) -> None:
    sid = await line.call("+12025550130", timeout=5)
    assert (await line.ended(sid))[-1] == "no-answer"


async def test_spoken_twiml_is_heard(line: Bridge) -> None:
    program = '<Response><Say>Your table is ready.</Say><Play digits="w12"/><Pause length="20"/></Response>'
    call = await line.twilio(
        lambda client: client.calls.create(
            to="+12025550101", from_=SETTINGS.from_number, twiml=program
        )
    )

    async def heard() -> list[str]:
        auth = (SETTINGS.account_sid, SETTINGS.auth_token)
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            response = await client.get(f"http://{line.practice}/practice/calls")
        (seen,) = response.json()["calls"]
        assert seen["sid"] == call.sid
        return list(seen["heard"])

    async with asyncio.timeout(10):
        while await heard() != ["Your table is ready."]:
            await asyncio.sleep(0.05)


async def test_unusable_twiml_is_refused(line: Bridge) -> None:
    def place(client: Client) -> None:
        client.calls.create(to="+12025550101", from_=SETTINGS.from_number, twiml="<Nothing/>")

    with pytest.raises(TwilioRestException) as caught:
        await line.twilio(place)
    assert caught.value.code == 12100


async def test_messages(line: Bridge) -> None:
    def send(client: Client, body: str) -> str:
        message = client.messages.create(to="+12025550101", from_=SETTINGS.from_number, body=body)
        return str(message.sid)

    assert (await line.twilio(lambda client: send(client, "Hello"))).startswith("SM")
    with pytest.raises(TwilioRestException) as caught:
        await line.twilio(lambda client: send(client, "x" * 1601))
    assert caught.value.code == 21617
