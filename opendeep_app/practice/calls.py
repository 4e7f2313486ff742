"""One phone call, from the network's point of view."""

import asyncio
import contextlib
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import urljoin
from uuid import uuid4

import structlog

from opendeep_app.practice import scripts, sound, twiml
from opendeep_app.practice.line import Line
from opendeep_app.practice.media import StreamIds, StreamProtocolError, open_stream
from opendeep_app.practice.recipient import Recipient
from opendeep_app.practice.recorder import Recorder
from opendeep_app.practice.webhooks import Webhooks

log = structlog.get_logger(__name__)

Status = Literal[
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
]
FINAL: frozenset[Status] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_EVENT_OF: dict[Status, str] = {
    "initiated": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
}
_SIP: dict[Status, int] = {
    "completed": 200,
    "busy": 486,
    "no-answer": 487,
    "canceled": 487,
    "failed": 503,
}

DIALLING_SECONDS = 0.6
BUSY_SECONDS = 2.0
DETECTION_SECONDS = 2.5
LONGEST_CALL_SECONDS = 4 * 3600
LONGEST_PROGRAM = 50
"""Verbs a call may run through: ends a document that redirects to itself."""


def new_sid(prefix: str) -> str:
    """A Twilio-like id: two letters and 32 hexadecimal digits."""
    return prefix + uuid4().hex


def rfc2822(at: datetime | None) -> str | None:
    """A time as Twilio writes it."""
    return format_datetime(at) if at else None


@dataclass(frozen=True, slots=True)
class Order:
    """What a call was asked to do: the form of `POST /Calls.json`, in types."""

    to: str
    from_: str
    url: str | None = None
    twiml: str | None = None
    status_callback: str | None = None
    status_events: frozenset[str] = frozenset({"completed"})
    timeout: float = 60
    time_limit: float = LONGEST_CALL_SECONDS
    machine_detection: str | None = None
    amd_callback: str | None = None
    send_digits: str = ""
    direction: Literal["outbound-api", "inbound"] = "outbound-api"


@dataclass(eq=False)
class Call:
    """A call and all its tasks; every one of them ends with `run`."""

    order: Order
    account_sid: str
    ring: scripts.Answers | scripts.Busy | scripts.NoAnswer | scripts.Fails
    speed: float
    webhooks: Webhooks
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: Status = "queued"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    answered_by: str | None = None
    rings: int = 0
    digits: str = ""
    problems: list[str] = field(default_factory=list)
    recording_sid: str = ""
    recording_callback: str = ""
    recording: bytes = b""
    """A WAV file, once the call has ended."""

    def __post_init__(self) -> None:
        self.line = Line(self.speed)
        script = () if isinstance(self.ring, scripts.Busy | scripts.Fails) else self.ring.script
        self.recipient = Recipient(script, self.line, self.speed)
        self._callbacks: asyncio.Queue[tuple[str, dict[str, str]] | None] = asyncio.Queue()
        self._sequence = 0
        self._ending = asyncio.Event()
        self._cancelled = False
        self._redirected = asyncio.Event()
        self._program: list[twiml.Verb] = []

    @property
    def duration(self) -> int:
        """Whole seconds (wall clock) from answer to end, 0 when it was not answered."""
        if not self.answered or not self.ended:
            return 0
        return max(1, round((self.ended - self.answered).total_seconds()))

    async def run(self) -> None:
        """Lives the whole call."""
        sender = asyncio.create_task(self._send_callbacks())
        try:
            await self._connect()
        except Exception:
            log.exception("practice call broke", call_sid=self.sid)
            self.problems.append("the practice line broke")
        finally:
            if self.status not in FINAL:
                self._set("completed" if self.answered else "canceled")
            self._callbacks.put_nowait(None)
            await sender

    def hang_up(self) -> None:
        """Ends the call: canceled before it was answered, completed afterwards."""
        self._cancelled = self.answered is None
        self._ending.set()

    def record(self, callback: str) -> str:
        """Records both sides from now to the end, which the callback is told of; the SID."""
        self.recording_sid, self.recording_callback = new_sid("RE"), callback
        self.line.recorder = Recorder()
        return self.recording_sid

    def _keep_recording(self) -> None:
        recorder, self.line.recorder = self.line.recorder, None
        if recorder is None:
            return
        self.recording = recorder.wav()
        form = {
            "AccountSid": self.account_sid,
            "CallSid": self.sid,
            "RecordingSid": self.recording_sid,
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{self.account_sid}"
            f"/Recordings/{self.recording_sid}",
            "RecordingStatus": "completed",
            "RecordingDuration": str(recorder.seconds),
            "RecordingChannels": "2",
            "RecordingSource": "StartCallRecordingAPI",
            "RecordingTrack": "both",
        }
        if self.recording_callback:
            self._callbacks.put_nowait((self.recording_callback, form))

    async def redirect(self, *, url: str | None, document: str | None) -> None:
        """Replaces the running program at once. Raises `InvalidTwimlError`."""
        self._program = twiml.parse(document) if document else [twiml.Redirect(url or "")]
        self._redirected.set()

    async def _connect(self) -> None:
        ring = self.ring
        if self.order.direction == "inbound" and isinstance(
            ring, scripts.Answers | scripts.NoAnswer
        ):
            self._set("ringing")
            await self._talk(None)
            return
        await self._wait(DIALLING_SECONDS)
        self.started = datetime.now(UTC)
        self._set("initiated")
        if self._ending.is_set():
            self._set("canceled")
            return
        match ring:
            case scripts.Busy():
                await self._wait(BUSY_SECONDS)
                self._set("canceled" if self._cancelled else "busy")
            case scripts.Fails(sip_code):
                await self._wait(BUSY_SECONDS)
                self._set("canceled" if self._cancelled else "failed", sip_code)
            case scripts.NoAnswer():
                await self._ring(min(ring.ring_seconds, self.order.timeout))
                self._set("canceled" if self._cancelled else "no-answer")
            case scripts.Answers():
                await self._ring(min(ring.ring_seconds, self.order.timeout))
                if self._cancelled:
                    self._set("canceled")
                elif ring.ring_seconds > self.order.timeout:
                    self._set("no-answer")
                else:
                    await self._talk(ring)

    async def _ring(self, seconds: float) -> None:
        self.rings += 1
        self._set("ringing")
        await self._wait(seconds)

    async def _talk(self, ring: scripts.Answers | None) -> None:
        """From the answer to the end: the recipient, the wires and the program side by side."""
        self.answered = datetime.now(UTC)
        self._set("in-progress")
        wires = asyncio.create_task(self.line.run())
        parts: list[Coroutine[Any, Any, object]] = [
            self._run_program(),
            self.recipient.run(),
            self._ending.wait(),
            self._wait(self.order.time_limit),
        ]
        parties = [asyncio.create_task(part) for part in parts]
        detection = asyncio.create_task(self._detect(machine=bool(ring and ring.machine)))
        try:
            done, _ = await asyncio.wait(parties, return_when=asyncio.FIRST_COMPLETED)
            for party in done:
                party.result()
        finally:
            for task in (*parties, detection, wires):
                task.cancel()
            await asyncio.gather(*parties, detection, wires, return_exceptions=True)
            self.line.hung_up()
            self._set("completed")
            self._keep_recording()

    async def _run_program(self) -> None:
        """Executes TwiML verb by verb; a redirect from outside replaces what is running."""
        if self.order.twiml and not self.order.url:
            self._program = twiml.parse(self.order.twiml)
        else:
            self._program = [twiml.Redirect(self.order.url or "")]
        if self.order.send_digits:
            await self._press(self.order.send_digits)
        for _ in range(LONGEST_PROGRAM):
            if not self._program:
                return
            verb = self._program.pop(0)
            self._redirected.clear()
            running = asyncio.create_task(self._execute(verb))
            redirected = asyncio.create_task(self._redirected.wait())
            try:
                await asyncio.wait((running, redirected), return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
            except (twiml.InvalidTwimlError, StreamProtocolError) as error:
                self.problems.append(str(error))
                log.warning("practice call program failed", call_sid=self.sid, reason=str(error))
                return
            finally:
                for task in (running, redirected):
                    task.cancel()
                await asyncio.gather(running, redirected, return_exceptions=True)

    async def _execute(self, verb: twiml.Verb) -> None:
        match verb:
            case twiml.Say(text):
                self.line.play(sound.spoken(text))
                await self.line.played_out()
            case twiml.Play(digits):
                await self._press(digits)
            case twiml.Pause(seconds):
                await self._rest(seconds)
            case twiml.Redirect(url):
                await self._fetch(url)
            case twiml.Stream():
                await self._stream(verb)
            case twiml.Hangup() | twiml.Reject():
                self._program.clear()

    async def _fetch(self, url: str) -> None:
        body = await self.webhooks.post(url, self._form())
        if body is None:
            raise twiml.InvalidTwimlError("the address of the document did not answer")
        self._program = twiml.parse(body)

    async def _stream(self, verb: twiml.Stream) -> None:
        ids = StreamIds(self.account_sid, self.sid, new_sid("MZ"))
        signature = self.webhooks.signature(verb.url)
        async with open_stream(verb.url, signature, self.line, ids, verb.parameters) as stream:
            if stream is None:
                self.problems.append("the media socket was refused")
            else:
                await stream.receive()
        if verb.action:
            await self._fetch(urljoin(self.order.url or verb.action, verb.action))

    async def _press(self, digits: str) -> None:
        for digit in digits:
            await self._rest({"w": 0.5, "W": 1.0}.get(digit, 0.2))
            if digit not in "wW":
                self.digits += digit
        keys = digits.replace("w", "").replace("W", "")
        if keys:
            self.line.press(keys)

    async def _detect(self, *, machine: bool) -> None:
        """Answering machine detection, reported to its callback."""
        mode = self.order.machine_detection
        if not mode:
            return
        seconds = DETECTION_SECONDS * (3 if machine and mode == "DetectMessageEnd" else 1)
        await self._rest(seconds)
        machine_word = "machine_end_beep" if mode == "DetectMessageEnd" else "machine_start"
        self.answered_by = machine_word if machine else "human"
        if self.order.amd_callback:
            form = {
                "CallSid": self.sid,
                "AccountSid": self.account_sid,
                "AnsweredBy": self.answered_by,
                "MachineDetectionDuration": str(int(seconds * 1000)),
            }
            self._callbacks.put_nowait((self.order.amd_callback, form))

    def _set(self, status: Status, sip_code: int | None = None) -> None:
        """Moves the call on and queues the callback for it, if one was asked for."""
        if self.status in FINAL:
            return
        self.status = status
        if status in FINAL:
            self.ended = datetime.now(UTC)
        if (
            not self.order.status_callback
            or _EVENT_OF.get(status, "completed") not in self.order.status_events
        ):
            return
        form = self._form() | {
            "Timestamp": format_datetime(datetime.now(UTC)),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
        }
        self._sequence += 1
        if status in FINAL:
            form["SipResponseCode"] = str(sip_code or _SIP[status])
            form["CallDuration"] = str(self.duration)
            form["Duration"] = str(-(-self.duration // 60))
        if self.answered_by:
            form["AnsweredBy"] = self.answered_by
        self._callbacks.put_nowait((self.order.status_callback, form))

    def _form(self) -> dict[str, str]:
        return {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "From": self.order.from_,
            "To": self.order.to,
            "Caller": self.order.from_,
            "Called": self.order.to,
            "CallStatus": self.status,
            "ApiVersion": "2010-04-01",
            "Direction": self.order.direction,
        }

    async def _send_callbacks(self) -> None:
        while callback := await self._callbacks.get():
            await self.webhooks.post(*callback)

    async def _wait(self, seconds: float) -> None:
        """Rests so long, or until the call is to end."""
        await _within(self._ending.wait(), seconds / self.speed)

    async def _rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


async def _within(waiting: Awaitable[object], seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting
