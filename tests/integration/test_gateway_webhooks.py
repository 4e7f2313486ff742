"""Integration: the gateway's doors, with real signatures over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import websockets
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection

from opendeep_app.models import CallOutcome, CallStatus, EndedBy
from opendeep_app.services import dialling, tasks
from opendeep_app.services.tasks import NewTask
from opendeep_app.voice import twiml
from tests.fixtures.gateways import Exchange, until

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

SID = "CA" + "0" * 32
STREAM = "MZ" + "0" * 32


def signature(exchange: Exchange, url: str, form: dict[str, str]) -> str:
    validator = RequestValidator(exchange.deps.settings.twilio_auth_token)
    return str(validator.compute_signature(url, form))


async def post(exchange: Exchange, path: str, **form: str) -> httpx.Response:
    """A webhook, signed as Twilio signs."""
    headers = {"X-Twilio-Signature": signature(exchange, exchange.url + path, form)}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(exchange.url + path, data=form, headers=headers)


async def get(exchange: Exchange, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(exchange.url + path)


async def dialled(exchange: Exchange) -> str:
    """A call that the carrier has accepted, though nobody rings; returns its id."""
    async with exchange.deps.db.unit_of_work() as uow:
        await tasks.create(uow, exchange.user_id, NewTask("+12025550101", "Book a table."))
    async with exchange.deps.db.unit_of_work() as uow:
        [call_id] = await dialling.claim_due(uow)
    async with exchange.deps.db.unit_of_work() as uow:
        await dialling.begin(uow, call_id)
    async with exchange.deps.db.unit_of_work() as uow:
        await dialling.confirm(uow, call_id, SID)
    return call_id


@contextlib.asynccontextmanager
async def media(exchange: Exchange, token: str | None = None) -> AsyncIterator[ClientConnection]:
    """A media socket whose upgrade is signed, or bears another signature."""
    url = twiml.media_url(exchange.deps.settings)
    headers = {"X-Twilio-Signature": token or signature(exchange, url, {})}
    async with websockets.connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


def start(exchange: Exchange, call_id: str, token: str | None = None, number: int = 0) -> str:
    token = token or twiml.stream_token(exchange.deps.settings, call_id, number)
    content = {
        "streamSid": STREAM,
        "callSid": SID,
        "customParameters": {"call_id": call_id, "token": token},
    }
    return json.dumps({"event": "start", "start": content, "streamSid": STREAM})


async def closing(socket: ClientConnection) -> int:
    """The code with which the gateway closes the socket."""
    async with asyncio.timeout(5):
        await socket.wait_closed()
    assert socket.close_code is not None
    return socket.close_code


PATHS = ["voice/x", "status/x", "amd/x", "recording/x", "inbound", "sms"]


@pytest.mark.parametrize("path", PATHS)
async def test_only_the_carrier_comes_in(exchange: Exchange, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for headers in ({}, {"X-Twilio-Signature": "forged"}):
            response = await client.post(
                f"{exchange.url}/twilio/{path}", data={"CallSid": SID}, headers=headers
            )
            assert response.status_code == 403
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["status"] == 403


async def test_a_signature_is_for_one_address_and_one_form(exchange: Exchange) -> None:
    form = {"CallSid": SID}
    signed = signature(exchange, f"{exchange.url}/twilio/sms", form)
    async with httpx.AsyncClient(trust_env=False) as client:
        for path, sent in (("inbound", form), ("sms", {"CallSid": "CA1"}), ("sms?a=1", form)):
            response = await client.post(
                f"{exchange.url}/twilio/{path}", data=sent, headers={"X-Twilio-Signature": signed}
            )
            assert response.status_code == 403


async def test_a_body_that_is_no_form_of_the_carriers_is_not_even_read(exchange: Exchange) -> None:
    response = await post(exchange, "/twilio/sms", Body="x" * 100_000)
    assert response.status_code == 413


async def test_an_answered_call_is_connected_to_the_media_socket(exchange: Exchange) -> None:
    call_id = await dialled(exchange)
    response = await post(exchange, f"/twilio/voice/{call_id}", CallSid=SID)
    assert response.headers["content-type"].startswith("application/xml")
    assert f'<Stream url="{exchange.url.replace("http", "ws", 1)}/twilio/media">' in response.text
    assert f'name="call_id" value="{call_id}"' in response.text
    # The model is being called already, before the stream is there.
    assert call_id in exchange.gateway.sessions


async def test_a_call_that_nobody_knows_is_hung_up(exchange: Exchange) -> None:
    response = await post(exchange, "/twilio/voice/unknown", CallSid=SID)
    assert "<Hangup" in response.text
    assert not exchange.gateway.sessions


async def test_who_calls_back_hears_a_friendly_word(exchange: Exchange) -> None:
    assert "<Say>" in (await post(exchange, "/twilio/inbound", CallSid=SID)).text
    stranger = await post(exchange, "/twilio/sms", MessageSid="SM1", From="+12025550199", Body="Hi")
    assert stranger.text.endswith("<Response />")


@pytest.mark.parametrize("path", ["amd", "recording"])
async def test_what_is_not_used_yet_is_taken(exchange: Exchange, path: str) -> None:
    assert (await post(exchange, f"/twilio/{path}/x", CallSid=SID)).status_code == 204


async def test_statuses_count_in_whatever_order_they_come(exchange: Exchange) -> None:
    call_id = await dialled(exchange)
    path = f"/twilio/status/{call_id}"
    for status in ("in-progress", "ringing", "initiated"):
        assert (await post(exchange, path, CallSid=SID, CallStatus=status)).status_code == 204
    assert (await exchange.call(call_id)).status is CallStatus.ANSWERED
    final = {"CallStatus": "completed", "CallDuration": "7", "SipResponseCode": "200"}
    await post(exchange, path, CallSid=SID, **final)
    await post(exchange, path, CallSid=SID, CallStatus="ringing")
    call = await exchange.call(call_id)
    assert (call.status, call.duration_seconds) == (CallStatus.ENDED, 7)
    assert call.outcome is CallOutcome.HUNG_UP_EARLY


@pytest.mark.parametrize("odd", [{}, {"CallStatus": "dancing"}, {"CallDuration": "soon"}])
async def test_odd_statuses_change_nothing(exchange: Exchange, odd: dict[str, str]) -> None:
    call_id = await dialled(exchange)
    response = await post(exchange, f"/twilio/status/{call_id}", CallSid=SID, **odd)
    assert response.status_code == 204
    assert (await exchange.call(call_id)).status.live
    assert (await post(exchange, "/twilio/status/unknown", CallSid=SID, **odd)).status_code == 204


async def test_an_unsigned_media_socket_is_refused(exchange: Exchange) -> None:
    with pytest.raises(websockets.InvalidStatus):
        async with media(exchange, token="forged"):
            pass


@pytest.mark.parametrize("token", ["forged", "é"])
async def test_a_stream_without_our_token_is_refused(exchange: Exchange, token: str) -> None:
    call_id = await dialled(exchange)
    async with media(exchange) as socket:
        await socket.send(start(exchange, call_id, token))
        assert await closing(socket) == 1008
    assert not exchange.gateway.sessions


async def test_a_stream_of_an_unknown_call_is_refused(exchange: Exchange) -> None:
    async with media(exchange) as socket:
        await socket.send(start(exchange, "unknown"))
        assert await closing(socket) == 1008


async def test_a_second_stream_does_not_take_the_first_ones_place(exchange: Exchange) -> None:
    call_id = await dialled(exchange)
    async with media(exchange) as first, media(exchange) as second:
        await first.send(start(exchange, call_id))
        assert json.loads(await first.recv())["event"] == "media"
        await second.send(start(exchange, call_id))
        assert await closing(second) == 1008
        assert not exchange.gateway.sessions[call_id].over
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.RECIPIENT


async def test_a_token_is_good_for_one_stream(exchange: Exchange) -> None:
    call_id = await dialled(exchange)
    async with media(exchange) as first, media(exchange) as thief, media(exchange) as second:
        await first.send(start(exchange, call_id))
        assert json.loads(await first.recv())["event"] == "media"
        line = exchange.gateway.sessions[call_id].line
        # As while keys are pressed, when another stream is waited for.
        line._moving = True
        await thief.send(start(exchange, call_id))
        assert await closing(thief) == 1008
        await second.send(start(exchange, call_id, number=1))
        await until(lambda: line.streams == 2)
    assert (await exchange.ended(call_id)).ended_by is EndedBy.RECIPIENT


@pytest.mark.parametrize("garbage", ["{", "[]", b"\xff\x00", '{"event":"media","media":{}}'])
async def test_garbage_closes_the_socket_and_ends_the_call(
    exchange: Exchange, garbage: Any
) -> None:
    call_id = await dialled(exchange)
    async with media(exchange) as socket:
        await socket.send(start(exchange, call_id))
        assert json.loads(await socket.recv())["event"] == "media"
        await socket.send(garbage)
        assert await closing(socket) == 1003
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.CARRIER


async def test_frames_of_a_later_protocol_are_passed_over(exchange: Exchange) -> None:
    call_id = await dialled(exchange)
    async with media(exchange) as socket:
        await socket.send('{"event":"connected","protocol":"Call","version":"2.0.0"}')
        await socket.send('{"event":"media","media":{"payload":"//8="}}')
        await socket.send(start(exchange, call_id))
        await socket.send('{"event":"hologram"}')
        assert json.loads(await socket.recv())["event"] == "media"
    metrics = (await get(exchange, "/metrics")).text
    assert 'opendeep_frames_total{fate="unknown"}' in metrics


async def test_operators_see_how_it_is(exchange: Exchange) -> None:
    assert (await get(exchange, "/healthz")).status_code == 200
    assert (await get(exchange, "/readyz")).json() == {"status": "ready", "calls": 0}
    assert "opendeep_live_calls 0.0" in (await get(exchange, "/metrics")).text
    exchange.gateway.draining = True
    assert (await get(exchange, "/readyz")).status_code == 503
    assert (await get(exchange, "/healthz")).status_code == 200


async def test_sessions_of_streams_that_never_come_do_not_stay(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opendeep_app.voice.session.ATTACH_SECONDS", 0.2)
    call_id = await dialled(exchange)
    await post(exchange, f"/twilio/voice/{call_id}", CallSid=SID)
    await until(lambda: not exchange.gateway.sessions)
    assert (await exchange.call(call_id)).status.live, "left to the carrier's word"
