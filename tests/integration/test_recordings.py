"""Integration: recordings, from the carrier's two channels to the creator's ear."""

import io
import wave
from typing import Any, cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from opendeep_app import runtime
from opendeep_app.api.auth import COOKIE
from opendeep_app.api.recordings import recording
from opendeep_app.essentials import Essentials
from opendeep_app.models import Call
from opendeep_app.practice import modem, sound
from opendeep_app.services import accounts, recordings
from tests.fixtures.gateways import Exchange, until
from workers.recordings import fetch_recording, sweep_recordings

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

PERSON = "+12025550101"


async def recorded(exchange: Exchange) -> Call:
    """A call that the carrier has recorded."""
    call_id = await exchange.dial(PERSON, record_call=True)
    await exchange.ended(call_id)

    async def ready() -> bool:
        return (await exchange.call(call_id)).recording_sid is not None

    await until(ready)
    return await exchange.call(call_id)


async def at_the_carrier(exchange: Exchange, sid: str) -> int:
    """The status that the carrier answers when asked for a recording."""
    settings = exchange.deps.settings
    auth = (settings.twilio_account_sid, settings.twilio_auth_token)
    url = f"{settings.twilio_api_url}/2010-04-01/Accounts/{auth[0]}/Recordings/{sid}.wav"
    async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
        return (await client.get(url)).status_code


def heard_on(audio: bytes, channel: int) -> list[str]:
    """The words on one channel of a WAV file."""
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        samples = memoryview(file.readframes(file.getnframes())).cast("h")[channel::2]
        codes = bytes(map(sound.to_mulaw, samples.tolist()))
    return [burst.text for burst in modem.Demodulator().feed(codes) if burst.text]


async def test_both_sides_are_recorded_fetched_and_deleted_at_the_carrier(
    exchange: Exchange,
) -> None:
    call = await recorded(exchange)
    assert call.recording_seconds and call.recording_file is None
    assert await fetch_recording({"deps": exchange.deps}, call.id) == "stored"
    stored = await exchange.call(call.id)
    assert stored.recording_file == f"{call.id}.wav"
    path = recordings.directory(exchange.deps.settings) / stored.recording_file
    assert path.stat().st_mode & 0o077 == 0, "others can read it"
    audio = path.read_bytes()
    assert "Sure, that works for us. You're all set." in heard_on(audio, 0)
    assert "Wonderful, thank you very much. Goodbye." in heard_on(audio, 1)
    assert await at_the_carrier(exchange, call.recording_sid or "") == 404
    assert await fetch_recording({"deps": exchange.deps}, call.id) == "done before"


async def test_nothing_is_recorded_unless_asked_for(exchange: Exchange) -> None:
    call_id = await exchange.dial(PERSON)
    call = await exchange.ended(call_id)
    assert call.recording_sid is None
    assert await fetch_recording({"deps": exchange.deps}, call_id) == "done before"


async def test_a_recording_whose_job_was_lost_is_asked_for_again(exchange: Exchange) -> None:
    call = await recorded(exchange)
    assert await sweep_recordings({"deps": exchange.deps}) == 1
    async with exchange.deps.db.unit_of_work() as uow:
        # As when its time was up.
        (await uow.session.get_one(Call, call.id)).recording_seconds = None
    assert await sweep_recordings({"deps": exchange.deps}) == 0


@pytest.mark.parametrize("exchange_settings", [{"delete_carrier_recordings": False}], indirect=True)
async def test_the_carriers_copy_stays_if_configured(exchange: Exchange) -> None:
    call = await recorded(exchange)
    assert await fetch_recording({"deps": exchange.deps}, call.id) == "stored"
    assert await at_the_carrier(exchange, call.recording_sid or "") == 200


async def test_only_its_creator_hears_a_recording_and_any_part_of_it(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps = exchange.deps
    call_id = await exchange.dial(PERSON)
    await exchange.ended(call_id)
    (recordings.directory(deps.settings) / "a.wav").write_bytes(b"RIFF0123456789")
    async with deps.db.unit_of_work() as uow:
        await recordings.stored(uow, call_id, "a.wav")
        mine = await accounts.open_session(uow, exchange.user_id)
        other = await accounts.create_user(uow, "eve@example.com")
        theirs = await accounts.open_session(uow, other.id)
    here = Essentials(deps.settings, deps.db, deps.bus, deps.clock)
    monkeypatch.setattr(runtime, "_current", here)
    app = Starlette(routes=[Route("/api/calls/{call_id}/recording", recording)])
    transport = httpx.ASGITransport(app=cast(Any, app))

    async def ask(token: str = "", **headers: str) -> httpx.Response:
        cookies = {COOKIE: token} if token else None
        async with httpx.AsyncClient(
            transport=transport, base_url="http://web", cookies=cookies
        ) as client:
            return await client.get(f"/api/calls/{call_id}/recording", headers=headers)

    assert (await ask()).status_code == 401
    assert (await ask("made-up")).status_code == 401
    assert (await ask(theirs)).status_code == 404
    whole = await ask(mine)
    assert (whole.status_code, whole.content) == (200, b"RIFF0123456789")
    assert whole.headers["content-type"] == "audio/wav"
    assert "private" in whole.headers["cache-control"]
    part = await ask(mine, Range="bytes=4-6")
    assert (part.status_code, part.content) == (206, b"012")
    assert part.headers["content-range"] == "bytes 4-6/14"
