"""The only process that Twilio reaches: webhooks, the media socket, and the calls it holds."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator

from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import NotFound
from opendeep_app.models import CallStatus, EndedBy
from opendeep_app.services import calls, recordings, ring_backs, text_messages
from opendeep_app.services.calls import CarrierStatus
from opendeep_app.voice import heartbeat, metrics, realtime_client, twilio_codec, twiml
from opendeep_app.voice.line import Stream
from opendeep_app.voice.session import CallSession
from opendeep_app.voice.wire import CarrierWire

log = structlog.get_logger()

DRAIN_SECONDS = 20
APOLOGY_SECONDS = 8
NORMAL = 1000
POLICY_VIOLATION = 1008
CANNOT_ACCEPT = 1003

NOT_NOW = "I am sorry, I cannot talk at the moment. We will call you again. Goodbye."
NOTHING_OPEN = (
    "Thank you for calling. This is an AI assistant that makes phone calls for other people. "
    "There is nothing open for your number at the moment. Goodbye."
)
LARGEST_FORM = 64 * 1024
RECORDING_SID = re.compile(r"RE[0-9a-f]{32}").fullmatch

Form = dict[str, str]
Handler = Callable[[str, Form], Awaitable[Response]]


class Gateway:
    """The calls that this process holds, and the doors through which Twilio comes in."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.draining = False
        self._id = secrets.token_hex(8)
        self.sessions: dict[str, CallSession] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._validator = RequestValidator(deps.settings.twilio_auth_token)
        self.connect = realtime_client.connector(deps.settings)

    def routes(self) -> list[Route | WebSocketRoute]:
        """Everything the gateway serves."""

        def hook(path: str, handler: Handler) -> Route:
            return Route(path, self._signed(handler), methods=["POST"])

        return [
            hook("/twilio/voice/{call_id}", self._voice),
            hook("/twilio/status/{call_id}", self._status),
            hook("/twilio/amd/{call_id}", self._machine_detection),
            hook("/twilio/recording/{call_id}", self._recording),
            hook("/twilio/inbound", self._inbound),
            hook("/twilio/sms", self._sms),
            WebSocketRoute(twiml.MEDIA_PATH, self._media),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
        ]

    async def drain(self) -> None:
        """Takes no new calls, lets live ones finish, then has the agent apologise and leave."""
        self.draining = True
        if await self._idle(DRAIN_SECONDS):
            return
        reason = "The agent's service was shut down."
        for session in self.sessions.values():
            session.say_goodbye("You have to leave for technical reasons.", reason)
        if not await self._idle(APOLOGY_SECONDS):
            for session in list(self.sessions.values()):
                session.finish(EndedBy.SYSTEM, "The agent's service was shut down.")
            await self._idle(APOLOGY_SECONDS)

    async def _idle(self, seconds: float) -> bool:
        """Whether every call is over within so many seconds."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        return not self._running

    # Webhooks

    async def _voice(self, call_id: str, form: Form) -> Response:
        """The recipient has picked up: what shall the carrier do?"""
        session = await self._session(call_id)
        if session is None:
            return _xml(twiml.say_and_hang_up(NOT_NOW) if self.draining else twiml.hang_up())
        return _xml(twiml.connect_stream(self.deps.settings, call_id, session.line.streams))

    async def _status(self, call_id: str, form: Form) -> Response:
        sip_code, duration = form.get("SipResponseCode", ""), form.get("CallDuration", "")
        error_code = form.get("ErrorCode", "")
        status = CarrierStatus(
            sid=form.get("CallSid", ""),
            status=form.get("CallStatus", ""),
            duration_seconds=int(duration) if duration.isdigit() else None,
            sip_code=int(sip_code) if sip_code.isdigit() else None,
            error_code=int(error_code) if error_code.isdigit() else None,
            answered_by=form.get("AnsweredBy"),
        )
        try:
            async with self.deps.db.unit_of_work() as uow:
                await calls.on_carrier_status(uow, call_id, status)
        except NotFound:
            log.warning("status_of_unknown_call")
        return Response(status_code=204)

    async def _machine_detection(self, call_id: str, form: Form) -> Response:
        """The carrier's answering machine detection has come to a result."""
        with contextlib.suppress(NotFound):
            async with self.deps.db.unit_of_work() as uow:
                await calls.machine_detected(uow, call_id, form.get("AnsweredBy", ""))
        return Response(status_code=204)

    async def _inbound(self, _: str, form: Form) -> Response:
        """Somebody rings us: the agent answers if a task of theirs is open."""
        if self.draining:
            return _xml(twiml.say_and_hang_up(NOT_NOW))
        async with self.deps.db.unit_of_work() as uow:
            call = await ring_backs.match(uow, form.get("From", ""), form.get("CallSid", ""))
        session = None if call is None else await self._session(call.id)
        if call is None or session is None:
            log.info("caller_turned_away", call_sid=form.get("CallSid", ""))
            return _xml(twiml.say_and_hang_up(NOTHING_OPEN))
        log.info("rang_back", call_id=call.id)
        return _xml(twiml.connect_stream(self.deps.settings, call.id, session.line.streams))

    async def _sms(self, _: str, form: Form) -> Response:
        """A creator replies to a question that was sent to their phone."""
        async with self.deps.db.unit_of_work() as uow:
            reply = await text_messages.receive(
                uow, form.get("From", ""), form.get("Body", ""), form.get("OptOutType", "")
            )
        return _xml(twiml.message(reply))

    async def _recording(self, call_id: str, form: Form) -> Response:
        """A recording is finished, and to be fetched."""
        sid, seconds = form.get("RecordingSid", ""), form.get("RecordingDuration", "")
        if form.get("RecordingStatus") == "completed" and RECORDING_SID(sid):
            with contextlib.suppress(NotFound):
                async with self.deps.db.unit_of_work() as uow:
                    await recordings.ready(
                        uow, call_id, sid, int(seconds) if seconds.isdigit() else 0
                    )
        return Response(status_code=204)

    def _signed(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Lets only requests through that bear the carrier's signature over our public URL."""

        async def checked(request: Request) -> Response:
            length = request.headers.get("content-length", "")
            if not length.isdigit() or int(length) > LARGEST_FORM:
                return _problem(413, "Not a form of the carrier's", "The body is too large.")
            form = {key: str(value) for key, value in (await request.form()).items()}
            url = self.deps.settings.public_url + request.url.path
            if request.url.query:
                url += f"?{request.url.query}"
            if not self._authentic(url, form, request.headers.get("x-twilio-signature", "")):
                return _problem(
                    403,
                    "Not signed by the carrier",
                    "X-Twilio-Signature does not fit this request. If it came from Twilio, "
                    "check TWILIO_AUTH_TOKEN and OPENDEEP_PUBLIC_URL.",
                )
            return await handler(request.path_params.get("call_id", ""), form)

        return checked

    def _authentic(self, url: str, form: Form, signature: str) -> bool:
        if self._validator.validate(url, form, signature):
            return True
        metrics.FORGED.inc()
        return False

    # The media socket

    async def _media(self, socket: WebSocket) -> None:
        signature = socket.headers.get("x-twilio-signature", "")
        if not self._authentic(twiml.media_url(self.deps.settings), {}, signature):
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        session: CallSession | None = None
        stream: Stream | None = None
        broken = False
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                event = twilio_codec.decode(message.get("text") or message.get("bytes") or b"")
                match event:
                    case twilio_codec.Audio(payload) if session is not None:
                        session.hear(payload)
                    case twilio_codec.MarkPlayed(name) if session is not None:
                        session.line.mark_played(name)
                    case twilio_codec.StreamStarted() if session is None:
                        session = await self._session_for(event)
                        stream = _stream(socket, event)
                        if session is None or not session.attach(stream):
                            session = None
                            await stream.close(POLICY_VIOLATION)
                            return
                        socket.state.wire.hear = session.hear
                    case twilio_codec.KeyPressed(digit) if session is not None:
                        session.key_pressed(digit)
                    case twilio_codec.StreamStopped():
                        return
                    case twilio_codec.Ignored(known=False):
                        metrics.FRAMES.labels("unknown").inc()
                    case _:
                        pass
        except twilio_codec.MalformedFrame:
            metrics.FRAMES.labels("malformed").inc()
            broken = True
            with contextlib.suppress(RuntimeError):
                await socket.close(CANNOT_ACCEPT)
        except WebSocketDisconnect:
            pass
        finally:
            if session is not None and stream is not None:
                session.detach(stream, broken=broken)

    async def _session_for(self, start: twilio_codec.StreamStarted) -> CallSession | None:
        call_id = start.parameters.get("call_id", "")
        held = self.sessions.get(call_id)
        number = 0 if held is None else held.line.streams
        token = twiml.stream_token(self.deps.settings, call_id, number)
        if not secrets.compare_digest(start.parameters.get("token", "").encode(), token.encode()):
            metrics.FORGED.inc()
            return None
        return await self._session(call_id)

    async def _session(self, call_id: str) -> CallSession | None:
        """The session that holds the call, begun if need be; None when the call is over."""
        if held := self.sessions.get(call_id):
            return held
        if self.draining:
            return None
        try:
            async with self.deps.db.reading() as reading:
                briefing = await calls.load_briefing(reading, call_id)
        except NotFound:
            return None
        wanted = (CallStatus.DIALLING, CallStatus.RINGING, CallStatus.ANSWERED)
        if briefing.call.status not in wanted or briefing.task.status.terminal:
            return None
        if call_id not in self.sessions:
            self.sessions[call_id] = CallSession(self.deps, briefing, self._id, self.connect)
            task = asyncio.create_task(self._hold(self.sessions[call_id]))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return self.sessions[call_id]

    async def _hold(self, session: CallSession) -> None:
        metrics.LIVE_CALLS.inc()
        try:
            await session.run()
        except Exception:
            log.exception("session_failed", call_id=session.call_id)
        finally:
            metrics.LIVE_CALLS.dec()
            self.sessions.pop(session.call_id, None)

    # For operators

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, _: Request) -> Response:
        if self.draining:
            return JSONResponse({"status": "draining"}, status_code=503)
        try:
            async with self.deps.db.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return JSONResponse({"status": "no database"}, status_code=503)
        return JSONResponse({"status": "ready", "calls": len(self.sessions)})

    async def _metrics(self, _: Request) -> Response:
        counters = await self.deps.bus.counters()
        workers = "".join(f"{name} {value}\n" for name, value in counters.items())
        return Response(generate_latest() + workers.encode(), media_type=CONTENT_TYPE_LATEST)


def build_app(deps: Dependencies) -> Starlette:
    """The gateway as an ASGI application; `app.state.gateway` is the `Gateway`."""
    gateway = Gateway(deps)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        beating = asyncio.create_task(heartbeat.beat(deps.db, gateway.sessions))
        yield
        for session in list(gateway.sessions.values()):
            session.finish(EndedBy.SYSTEM, "The agent's service was shut down.")
        await gateway._idle(APOLOGY_SECONDS)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)

    app = Starlette(routes=gateway.routes(), lifespan=lifespan)
    app.state.gateway = gateway
    return app


def _stream(socket: WebSocket, start: twilio_codec.StreamStarted) -> Stream:
    async def close(code: int = NORMAL) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(code)

    wire: CarrierWire = socket.state.wire
    return Stream(start.stream_sid, start.call_sid, wire.post, close)


def _problem(status: int, title: str, detail: str) -> Response:
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def _xml(body: str) -> Response:
    return Response(body, media_type="application/xml")
