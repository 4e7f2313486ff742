"""Twilio's REST API (2010-04-01), as far as the product uses it.

Fields, codes and formats follow Twilio's reference for the Call and Message resources.
"""

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

import phonenumbers
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from opendeep_app.practice import twiml
from opendeep_app.practice.calls import FINAL, LONGEST_CALL_SECONDS, Call, Order, rfc2822
from opendeep_app.practice.messages import Stopped
from opendeep_app.practice.network import CallRefusedError, Network
from opendeep_app.practice.scripts import Answers

Handler = Callable[[Request], Awaitable[Response]]

VERSION = "2010-04-01"
LARGEST_PAGE = 1000
LONGEST_TWIML = 4000
LONGEST_MESSAGE = 1600
PRICE_PER_MINUTE = 0.014
"""US dollars, the carrier's list price for a call within the USA."""


class ApiError(Exception):
    """Becomes Twilio's error body."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> JSONResponse:
        """The error as Twilio writes it."""
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return JSONResponse(body, self.status)


class TwilioApi:
    """The routes of the API over one network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[Route]:
        """Everything that is served under `/2010-04-01`, and the practice line's own view."""
        root = f"/{VERSION}/Accounts/{{account}}"
        return [
            Route(f"{root}/Calls.json", self._guarded(self._create_call), methods=["POST"]),
            Route(f"{root}/Calls.json", self._guarded(self._list_calls), methods=["GET"]),
            Route(f"{root}/Calls/{{sid}}.json", self._guarded(self._fetch_call), methods=["GET"]),
            Route(f"{root}/Calls/{{sid}}.json", self._guarded(self._update_call), methods=["POST"]),
            Route(
                f"{root}/Calls/{{sid}}/Recordings.json",
                self._guarded(self._start_recording),
                methods=["POST"],
            ),
            Route(f"{root}/Recordings/{{sid}}.wav", self._guarded(self._fetch_recording)),
            Route(
                f"{root}/Recordings/{{sid}}.json",
                self._guarded(self._delete_recording),
                methods=["DELETE"],
            ),
            Route(f"{root}/Messages.json", self._guarded(self._create_message), methods=["POST"]),
            Route("/practice/messages", self._guarded(self._reply), methods=["POST"]),
            Route("/practice/calls", self._guarded(self._observe), methods=["GET"]),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                self._authenticate(request)
                return await handler(request)
            except ApiError as error:
                return error.response()

        return guarded

    def _authenticate(self, request: Request) -> None:
        settings = self._network.settings
        expected = f"{settings.account_sid}:{settings.auth_token}".encode()
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        account = request.path_params.get("account", settings.account_sid)
        if not hmac.compare_digest(given, expected) or account != settings.account_sid:
            raise ApiError(401, 20003, "Authenticate")

    async def _create_call(self, request: Request) -> Response:
        async with request.form() as form:
            order = _order(form, set(self._network.settings.from_number.split(",")))
        try:
            call = self._network.place(order)
        except CallRefusedError as error:
            raise ApiError(error.status, error.code, error.message) from error
        if isinstance(call.ring, Answers) and not call.ring.confirmed:
            raise ApiError(503, 20503, "Service unavailable")
        return JSONResponse(_call_resource(call), 201)

    async def _fetch_call(self, request: Request) -> Response:
        return JSONResponse(_call_resource(self._call(request)))

    async def _update_call(self, request: Request) -> Response:
        call = self._call(request)
        async with request.form() as form:
            status, url, document = (_text(form, name) for name in ("Status", "Url", "Twiml"))
        if call.status in FINAL:
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if status in ("completed", "canceled"):
            if status == "completed" or call.answered is None:
                call.hang_up()
        elif status:
            raise ApiError(400, 21218, f"Invalid Status: {status}")
        elif call.answered is None:
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        else:
            _check_twiml(document)
            await call.redirect(url=url, document=document)
        return JSONResponse(_call_resource(call))

    async def _list_calls(self, request: Request) -> Response:
        query = request.query_params
        size = _number(query.get("PageSize"), 50, 1, LARGEST_PAGE)
        page = _number(query.get("Page"), 0, 0, 1_000_000)
        calls = [call for call in reversed(self._network.calls.values()) if _matches(call, query)]
        shown = calls[page * size : (page + 1) * size]
        last = len(calls) <= (page + 1) * size

        def page_uri(number: int) -> str:
            kept = {key: value for key, value in query.items() if key not in ("Page", "PageSize")}
            return f"{request.url.path}?{urlencode({**kept, 'PageSize': size, 'Page': number})}"

        body = {
            "calls": [_call_resource(call) for call in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(shown) - 1, 0),
            "first_page_uri": page_uri(0),
            "next_page_uri": None if last else page_uri(page + 1),
            "previous_page_uri": page_uri(page - 1) if page else None,
            "uri": page_uri(page),
        }
        return JSONResponse(body)

    async def _create_message(self, request: Request) -> Response:
        async with request.form() as form:
            to, from_, body = (_text(form, name) for name in ("To", "From", "Body"))
        to = _valid_number(to, 21211, "To")
        if not body:
            raise ApiError(400, 21602, "Message body is required.")
        if len(body) > LONGEST_MESSAGE:
            raise ApiError(
                400, 21617, "The concatenated message body exceeds the 1600 character limit"
            )
        try:
            message = self._network.messages.send(from_ or "", to, body)
        except Stopped:
            raise ApiError(400, 21610, "Attempt to send to unsubscribed recipient") from None
        return JSONResponse(message, 201)

    async def _reply(self, request: Request) -> Response:
        """Somebody replies: a text from their telephone to our number."""
        async with request.form() as form:
            from_, body = _text(form, "From"), _text(form, "Body")
        number = _valid_number(from_, 21212, "From")
        return JSONResponse({"replies": await self._network.messages.reply(number, body or "")})

    async def _observe(self, request: Request) -> Response:
        """What happened at the far end, for tests: rings, and what recipients heard and said."""
        wanted = request.query_params.get("To")
        calls = [
            {
                "sid": call.sid,
                "to": call.order.to,
                "from": call.order.from_,
                "direction": call.order.direction,
                "status": call.status,
                "rings": call.rings,
                "heard": call.line.heard,
                "said": call.recipient.said,
                "recorded": call.recipient.recorded,
                "digits": call.digits,
                "problems": call.problems,
            }
            for call in self._network.calls.values()
            if wanted in (None, call.order.to, call.order.from_)
        ]
        rings = self._network.rings()
        return JSONResponse(
            {"calls": calls, "rings": rings, "messages": self._network.messages.all}
        )

    async def _start_recording(self, request: Request) -> Response:
        call = self._call(request)
        async with request.form() as form:
            callback = _text(form, "RecordingStatusCallback") or ""
            channels = 2 if _text(form, "RecordingChannels") == "dual" else 1
        if call.status != "in-progress":
            raise ApiError(400, 21220, "Call is not in-progress. Cannot record.")
        body = {
            "sid": call.record(callback),
            "account_sid": call.account_sid,
            "call_sid": call.sid,
            "status": "in-progress",
            "channels": channels,
            "source": "StartCallRecordingAPI",
        }
        return JSONResponse(body, 201)

    async def _fetch_recording(self, request: Request) -> Response:
        return Response(self._recorded(request).recording, media_type="audio/x-wav")

    async def _delete_recording(self, request: Request) -> Response:
        self._recorded(request).recording = b""
        return Response(status_code=204)

    def _recorded(self, request: Request) -> Call:
        """The call that a recording is of."""
        sid = request.path_params["sid"]
        for call in self._network.calls.values():
            if call.recording_sid == sid and call.recording:
                return call
        raise ApiError(404, 20404, f"The requested resource {request.url.path} was not found")

    def _call(self, request: Request) -> Call:
        sid = request.path_params["sid"]
        call = self._network.calls.get(sid)
        if call is None:
            raise ApiError(404, 20404, f"The requested resource {request.url.path} was not found")
        return call


def _order(form: FormData, own_numbers: set[str]) -> Order:
    from_ = _text(form, "From")
    if not from_:
        raise ApiError(400, 21213, "No 'From' number is specified")
    to = _text(form, "To")
    if not to:
        raise ApiError(400, 21201, "No 'To' number is specified")
    to = _valid_number(to, 21211, "To")
    if from_ not in own_numbers:
        raise ApiError(
            400,
            21210,
            f"The source phone number provided, {from_}, is not yet verified for your account.",
        )
    url, document = _text(form, "Url"), _text(form, "Twiml")
    if not url and not document:
        raise ApiError(400, 21205, "Url parameter is required.")
    if url and not url.startswith(("http://", "https://")):
        raise ApiError(400, 21205, f"Url is not a valid URL: {url}")
    _check_twiml(document)
    events = frozenset(
        event for value in form.getlist("StatusCallbackEvent") for event in str(value).split()
    ) or frozenset({"completed"})
    detection = None if _text(form, "SendDigits") else _text(form, "MachineDetection")
    return Order(
        to=to,
        from_=from_,
        url=url,
        twiml=document,
        status_callback=_text(form, "StatusCallback"),
        status_events=events,
        timeout=_number(_text(form, "Timeout"), 60, 1, 600),
        time_limit=_number(_text(form, "TimeLimit"), LONGEST_CALL_SECONDS, 1, LONGEST_CALL_SECONDS),
        machine_detection=detection,
        amd_callback=_text(form, "AsyncAmdStatusCallback")
        if _text(form, "AsyncAmd") == "true"
        else None,
        send_digits=_text(form, "SendDigits") or "",
    )


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) and value else None


def _number(text: str | None, default: int, least: int, most: int) -> int:
    try:
        return min(max(int(text), least), most) if text else default
    except ValueError:
        return default


def _valid_number(text: str | None, code: int, field: str) -> str:
    try:
        number = phonenumbers.parse(text or "")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ApiError(400, code, f"Invalid '{field}' Phone Number: {text}")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _check_twiml(document: str | None) -> None:
    if document is None:
        return
    if len(document) > LONGEST_TWIML:
        raise ApiError(400, 21221, "Twiml exceeds the limit of 4000 characters")
    try:
        twiml.parse(document)
    except twiml.InvalidTwimlError as error:
        raise ApiError(400, 12100, f"Document parse failure: {error}") from error


def _matches(call: Call, query: QueryParams) -> bool:
    """Whether a call belongs into a list with these filters (a call not yet dialled counts by
    the time it was created)."""
    get = query.get
    began = call.started or call.created
    return all(
        (
            get("To") in (None, call.order.to),
            get("From") in (None, call.order.from_),
            get("Status") in (None, call.status),
            began >= _moment(get("StartTime>"), datetime.min),
            began < _moment(get("StartTime<"), datetime.max),
            get("StartTime") is None
            or began.date() == _moment(get("StartTime"), datetime.min).date(),
        )
    )


def _moment(text: str | None, default: datetime) -> datetime:
    if not text:
        return default.replace(tzinfo=UTC)
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 20001, f"Invalid date: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _call_resource(call: Call) -> dict[str, object]:
    order = call.order
    uri = f"/{VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    finished = call.status in FINAL
    minutes = -(-call.duration // 60)
    waited = (call.started - call.created) if call.started else timedelta(0)
    return {
        "sid": call.sid,
        "account_sid": call.account_sid,
        "api_version": VERSION,
        "to": order.to,
        "to_formatted": order.to,
        "from": order.from_,
        "from_formatted": order.from_,
        "phone_number_sid": None,
        "parent_call_sid": None,
        "group_sid": None,
        "trunk_sid": None,
        "status": "queued" if call.status == "initiated" else call.status,
        "direction": order.direction,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.ended or call.answered or call.started or call.created),
        "start_time": rfc2822(call.answered or call.started),
        "end_time": rfc2822(call.ended),
        "duration": str(call.duration) if finished else None,
        "price": f"-{minutes * PRICE_PER_MINUTE:.5f}" if finished else None,
        "price_unit": "USD",
        "answered_by": call.answered_by,
        "annotation": None,
        "caller_name": None,
        "forwarded_from": None,
        "queue_time": str(int(waited.total_seconds() * 1000)),
        "uri": f"{uri}.json",
        "subresource_uris": {
            name: f"{uri}/{name.title()}.json" for name in ("recordings", "streams")
        },
    }
