"""The phone provider, through Twilio's own client.

Facts about the API are from twilio.com/docs/voice/api and twilio.com/docs/api/errors.
"""

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import aiohttp
import httpx
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from opendeep_app.clock import uptime
from opendeep_app.config import Settings
from opendeep_app.errors import CarrierError, TooLate

T = TypeVar("T")

#: Twilio answers within 15 s or not at all; its asynchronous client has no deadline of its own.
DEADLINE_SECONDS = 15
RING_SECONDS = 45
STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]

#: What no call can help: the account's set-up. Tasks wait for it, as for other trouble.
SET_UP = {
    20003: "it refuses the credentials; check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    20005: "the account is not active",
    21210: "the number that calls come from is not verified; check OPENDEEP_FROM_NUMBER",
    21212: "the number that calls come from is not valid; check OPENDEEP_FROM_NUMBER",
    21213: "no number is set that calls come from; check OPENDEEP_FROM_NUMBER",
}
#: What is wrong with a call itself, where a few words say it.
WORDS = {
    21211: "The phone provider says that this number is not valid.",
    21214: "The phone provider cannot reach this number.",
    21215: "Calls to this country are not enabled at the phone provider.",
    21216: "The phone provider does not allow calls to this number.",
    21217: "The phone provider says that this number is not valid.",
    21219: "A trial account may only call verified numbers.",
}
CALL_NOT_IN_PROGRESS = 21220
NO_SUCH_RESOURCE = 20404


@dataclass(frozen=True)
class CarrierCall:
    """A call as the carrier lists it; `created_at` is None until the carrier has dated it."""

    sid: str
    status: str
    created_at: datetime | None
    duration_seconds: int | None = None
    answered_by: str | None = None


@dataclass
class _Asking:
    """A request for a call; `sent` as soon as any of it may have left this process."""

    not_after: float
    sent: bool = False


_asking: ContextVar[_Asking | None] = ContextVar("asking", default=None)


async def _before_writing(*_: object) -> None:
    """Lets a request for a call go only in time.

    aiohttp calls this in the same step in which it hands the bytes to the kernel, so between
    the look at the clock and the write there is no wait and no system call.
    """
    asking = _asking.get()
    if asking is None:
        return
    if uptime() > asking.not_after:
        raise TooLate
    asking.sent = True


class Telephony:
    """Places and changes calls. Every method raises `CarrierError` when the carrier does not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._http: AsyncTwilioHttpClient | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        # Retries stay off: this client would repeat a POST that may have placed a call.
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(_before_writing)
        self._http = AsyncTwilioHttpClient(trace_configs=[trace])
        self._client = Client(
            settings.twilio_account_sid, settings.twilio_auth_token, http_client=self._http
        )
        if settings.twilio_api_url:
            self._client.api.base_url = settings.twilio_api_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def create_call(self, call_id: str, phone_number: str, not_after: float) -> str:
        """Asks the carrier to ring a number (E.164), once; returns the call's SID.

        The callbacks carry `call_id`, which is how a call whose answer got lost is found again.
        After `not_after` (by `clock.uptime`) nothing is sent any more: raises `TooLate`, however
        long this process was suspended, wherever.
        """
        asking = _Asking(not_after)
        mark = _asking.set(asking)
        base, settings = self._settings.public_url, self._settings

        detection = {}
        if settings.machine_detection != "off":
            # Asynchronous, because whoever answers must not wait for the result.
            detection = {
                "machine_detection": settings.machine_detection,
                "async_amd": "true",
                "async_amd_status_callback": f"{base}/twilio/amd/{call_id}",
            }

        async def create() -> CallInstance:
            return await self._api.calls.create_async(
                **detection,
                to=phone_number,
                from_=settings.from_number,
                url=f"{base}/twilio/voice/{call_id}",
                status_callback=f"{base}/twilio/status/{call_id}",
                status_callback_event=STATUS_EVENTS,
                timeout=RING_SECONDS,
            )

        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return str((await create()).sid)
        except TwilioException as error:
            raise _carrier_error(error) from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            if asking.sent:
                raise CarrierError("it did not answer", maybe_placed=True) from error
            if uptime() > not_after:
                raise TooLate from error
            raise CarrierError("it cannot be reached") from error
        finally:
            _asking.reset(mark)

    async def send_text(self, phone_number: str, body: str) -> tuple[str, int]:
        """Sends a text (at most 1,600 characters) to a number (E.164), once.

        Returns its SID and of how many segments it is, each of which costs.
        """
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                message = await self._api.messages.create_async(
                    to=phone_number, from_=self._settings.from_number, body=body
                )
        except TwilioException as error:
            raise _carrier_error(error) from error
        except aiohttp.ClientConnectorError as error:
            raise CarrierError("it cannot be reached") from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            raise CarrierError("it did not answer", maybe_placed=True) from error
        return str(message.sid), int(message.num_segments or 1)

    async def hang_up(self, sid: str) -> None:
        """Ends a call in whatever state it is; one that is over already is left alone."""
        call = await self.fetch(sid)
        if call.status in ("queued", "ringing", "initiated"):
            await self._update(sid, status="canceled")
        elif call.status == "in-progress":
            await self._update(sid, status="completed")

    async def redirect(self, sid: str, twiml: str) -> None:
        """Replaces what the call is doing by other TwiML at once."""
        await self._update(sid, twiml=twiml)

    async def record(self, sid: str, call_id: str) -> None:
        """Records both sides of an answered call, a channel each, until it ends."""
        await self._ask(
            self._api.calls(sid).recordings.create_async(
                recording_channels="dual",
                recording_status_callback=f"{self._settings.public_url}/twilio/recording/{call_id}",
                recording_status_callback_event=["completed"],
            )
        )

    async def fetch_recording(self, recording_sid: str, path: Path) -> None:
        """Writes a finished recording into a file: WAV, with both channels."""
        base, settings = self._api.api.base_url, self._settings
        url = f"{base}/2010-04-01/Accounts/{settings.twilio_account_sid}/Recordings/{recording_sid}.wav"
        try:
            async with (
                httpx.AsyncClient(
                    auth=(settings.twilio_account_sid, settings.twilio_auth_token),
                    timeout=DEADLINE_SECONDS,
                    follow_redirects=True,
                ) as client,
                client.stream("GET", url, params={"RequestedChannels": "2"}) as response,
            ):
                if response.status_code != 200:
                    raise CarrierError("it has no such recording", code=response.status_code)
                with path.open("wb") as file:
                    path.chmod(0o600)
                    async for part in response.aiter_bytes():
                        file.write(part)
        except (httpx.HTTPError, OSError) as error:
            raise CarrierError("it did not hand over the recording") from error

    async def delete_recording(self, recording_sid: str) -> None:
        """Has the carrier delete its copy."""
        await self._ask(self._api.recordings(recording_sid).delete_async())

    async def fetch(self, sid: str) -> CarrierCall:
        """One call as the carrier has it now."""
        return _carrier_call(await self._ask(self._api.calls(sid).fetch_async()))

    async def recent_calls(self, phone_number: str, since: datetime) -> list[CarrierCall]:
        """Calls to a number (E.164) from ours, created since then (to the second); newest first."""
        # The list is filtered by day at the carrier, so the exact time is compared here.
        listed = await self._ask(
            self._api.calls.list_async(
                to=phone_number, from_=self._settings.from_number, limit=50, page_size=50
            )
        )
        calls = [_carrier_call(instance) for instance in listed]
        floor = since.replace(microsecond=0)
        return [call for call in calls if call.created_at is None or call.created_at >= floor]

    @property
    def _api(self) -> Client:
        if self._client is None:
            raise RuntimeError("Telephony is used outside of its context")
        return self._client

    async def _update(self, sid: str, **values: str) -> None:
        try:
            await self._ask(self._api.calls(sid).update_async(**values))
        except CarrierError as error:
            if error.code != CALL_NOT_IN_PROGRESS:
                raise

    async def _ask(self, request: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await request
        except TwilioException as error:
            raise _carrier_error(error) from error
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError) as error:
            raise CarrierError("it did not answer") from error


def _carrier_call(call: CallInstance) -> CarrierCall:
    created = call.date_created
    return CarrierCall(
        sid=str(call.sid),
        status=str(call.status),
        created_at=created.astimezone(UTC) if isinstance(created, datetime) else None,
        duration_seconds=int(call.duration) if call.duration else None,
        answered_by=call.answered_by,
    )


def _carrier_error(error: TwilioException) -> CarrierError:
    if not isinstance(error, TwilioRestException):
        return CarrierError("it answered with something unreadable", maybe_placed=True)
    code = int(error.code or 0)
    if error.status == 429:
        return CarrierError("it is receiving too many requests", code=code)
    if error.status >= 500:
        # Whether a failed request took effect is unknown; only looking tells.
        return CarrierError("it has a fault of its own", code=code, maybe_placed=True)
    if error.status == 401 or code in SET_UP:
        return CarrierError(SET_UP.get(code, SET_UP[20003]), code=code)
    if 400 <= error.status < 500:
        return CarrierError(
            WORDS.get(code, f"The phone provider refuses the call (error {code})."),
            code=code,
            permanent=True,
        )
    return CarrierError("it refused for the moment", code=code)
