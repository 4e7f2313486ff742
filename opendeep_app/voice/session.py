"""One live call: a state machine between the recipient's line and the voice model.

    CONNECTING ──stream──▶ TALKING ◀──answer── WAITING (for the creator)
                              │ └────ask────────▲ │ no answer in time
                              ▼                   ▼
                              SAYING_GOODBYE ──▶ ENDED

The session owns every task, timer and socket of its call and ends them with it. Audio never
waits for the database: what was said is written by one writer, in order, behind the talk.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from openai import AsyncOpenAI, OpenAIError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import WebSocketException

from opendeep_app.bus import AnswerGiven, CarrierEnded, ExtendWait, HangUp
from opendeep_app.db import UnitOfWork
from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError, OpenDeepError
from opendeep_app.models import EndedBy, Speaker
from opendeep_app.services import calls
from opendeep_app.services.calls import CallBriefing
from opendeep_app.voice import (
    actions,
    brief,
    functions,
    metrics,
    realtime_codec,
    twilio_codec,
    twiml,
)
from opendeep_app.voice.playback import Playback
from opendeep_app.voice.questions import QuestionLoop
from opendeep_app.voice.realtime_codec import (
    AudioDelta,
    FunctionCalled,
    ModelEvent,
    Refused,
    ResponseFinished,
    ResponseStarted,
    Said,
    SilenceNoticed,
    SpeechStarted,
)

log = structlog.get_logger()

VOICE = "marin"
IDLE_MS = 10_000
ATTACH_SECONDS = 20
GOODBYE_SECONDS = 20
LAST_WORDS_SECONDS = 0.8
HEARTBEAT_SECONDS = 4
MAX_CALL_SECONDS = 900
WRAP_UP_SECONDS = 45
MOST_SILENCES = 4
WRITE_SECONDS = 5

Write = Callable[[UnitOfWork], Awaitable[object]]


class Phase(StrEnum):
    """Where the conversation stands."""

    CONNECTING = "connecting"
    TALKING = "talking"
    WAITING = "waiting"
    SAYING_GOODBYE = "saying_goodbye"
    ENDED = "ended"


@dataclass(frozen=True)
class Stream:
    """One media stream of the call: Twilio's socket, as far as the session needs it."""

    sid: str
    call_sid: str
    send: Callable[[str], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


class CallSession:
    """Bridges one call; `run` returns when the call is over and everything is written."""

    def __init__(self, deps: Dependencies, briefing: CallBriefing, gateway_id: str) -> None:
        self.deps = deps
        self.call_id = briefing.call.id
        self.time_zone = briefing.task.time_zone
        self.phase = Phase.CONNECTING
        self.questions = QuestionLoop(self)
        self._brief = brief.write(briefing)
        self._gateway_id = gateway_id
        self._model: AsyncRealtimeConnection | None = None
        self._model_ready = asyncio.Event()
        self._stream: Stream | None = None
        self._attached = asyncio.Event()
        self._moving = False
        self._playback = Playback()
        self._played = asyncio.Event()
        self._over = asyncio.Event()
        self._end = (EndedBy.SYSTEM, "The call ended unexpectedly.")
        self._tasks: set[asyncio.Task[None]] = set()
        self._writes: asyncio.Queue[Write] = asyncio.Queue()
        self._handled: set[str] = set()
        self._responding = False
        self._response_wanted = False
        self._unheard = 0
        self._heard_all = asyncio.Event()
        self._silences = 0
        self._opened = False
        self._began = 0.0

    # The life of the session

    async def run(self) -> None:
        """Holds the call from its first ring to its last written word."""
        writer = asyncio.create_task(self._write_all())
        try:
            settings = self.deps.settings
            async with (
                AsyncOpenAI(
                    api_key=settings.openai_api_key,
                    base_url=settings.openai_base_url or None,
                ) as client,
                client.realtime.connect(
                    model=settings.realtime_model,
                    websocket_connection_options={"compression": None},
                ) as model,
            ):
                await self._converse(model)
        except (OpenAIError, WebSocketException, OSError, TimeoutError) as error:
            log.warning("model_unreachable", call_id=self.call_id, error=type(error).__name__)
            self.finish(EndedBy.SYSTEM, "The voice model could not be reached.")
        finally:
            self.phase = Phase.ENDED
            await self._leave(writer)

    def finish(self, ended_by: EndedBy, reason: str) -> None:
        """Ends the call; only the first reason counts."""
        if not self._over.is_set():
            self._end = (ended_by, reason)
            self._over.set()

    async def _converse(self, model: AsyncRealtimeConnection) -> None:
        self._model = model
        tools = functions.declarations()
        await model.send_raw(realtime_codec.configure(self._brief, tools, VOICE, IDLE_MS))
        self._model_ready.set()
        for part in (self._hear_model(), self._take_commands(), self._begin(), self._limit()):
            self.spawn(part)
        await self._over.wait()
        if self._unheard and self._end[0] is EndedBy.RECIPIENT:
            await self._last_words()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self) -> None:
        """Speaks first as soon as somebody is on the line, then keeps saying that we live."""
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                await self._attached.wait()
        except TimeoutError:
            self.finish(EndedBy.CARRIER, "The call was not connected to the agent.")
            return
        self._began = asyncio.get_running_loop().time()
        self.phase = Phase.TALKING
        await self.respond()
        async with self.deps.db.unit_of_work() as uow:
            self._opened = await calls.session_opened(
                uow, self.call_id, self._gateway_id, self._brief
            )
        if not self._opened:
            self.finish(EndedBy.SYSTEM, "The call was over already.")
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            with contextlib.suppress(OSError):
                async with self.deps.db.unit_of_work() as uow:
                    if not await calls.heartbeat(uow, self.call_id):
                        self.finish(EndedBy.SYSTEM, "The call was ended elsewhere.")

    async def _limit(self) -> None:
        """Wraps up before the longest time a call may take."""
        await self._attached.wait()
        await asyncio.sleep(MAX_CALL_SECONDS - WRAP_UP_SECONDS)
        await self.say_goodbye("The call has lasted very long.")
        await asyncio.sleep(WRAP_UP_SECONDS)
        self.finish(EndedBy.SYSTEM, "The call reached its longest allowed time.")

    async def _leave(self, writer: asyncio.Task[None]) -> None:
        ended_by, reason = self._end
        if self._opened:
            self.write(lambda uow: calls.session_closed(uow, self.call_id, ended_by, reason))
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(Exception):
                await stream.close()
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._writes.join()
        except TimeoutError:
            log.error("call_not_written", call_id=self.call_id)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        if stream is not None and ended_by is not EndedBy.RECIPIENT:
            # Closing the stream ends the call; asking makes sure of it.
            with contextlib.suppress(CarrierError):
                await self.deps.telephony.hang_up(stream.call_sid)
        log.info("session_ended", call_id=self.call_id, ended_by=ended_by.value)

    async def _last_words(self) -> None:
        """Waits a moment for what was said just before the line went dead."""
        if self._model is not None:
            with contextlib.suppress(TimeoutError, WebSocketException):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._model.send_raw('{"type":"input_audio_buffer.commit"}')
                    await self._heard_all.wait()

    # The recipient's side

    async def attach(self, stream: Stream) -> None:
        """A media stream is up: the first, or the next one after keys were pressed."""
        self._stream, self._moving = stream, False
        self._playback = Playback(generation=self._playback.generation + 1)
        self._attached.set()

    async def detach(self, stream: Stream) -> None:
        """A media stream is over; unless we are moving to the next, so is the call."""
        if self._stream is not stream or self._moving:
            return
        if self.phase is Phase.SAYING_GOODBYE:
            self.finish(EndedBy.AGENT, "The agent said goodbye.")
        self.finish(EndedBy.RECIPIENT, "The recipient hung up.")

    async def hear(self, payload: str) -> None:
        """Passes the recipient's audio on, untouched."""
        if self._model is not None and self._model_ready.is_set():
            with contextlib.suppress(WebSocketException):
                await self._model.send_raw(realtime_codec.append_audio(payload))

    def mark_played(self, name: str) -> None:
        """Twilio has played everything before this mark."""
        self._playback.marked(name)
        if self._playback.idle:
            self._played.set()

    # The model's side

    async def _hear_model(self) -> None:
        assert self._model is not None
        try:
            while True:
                await self._on_model(realtime_codec.decode(await self._model.recv_bytes()))
        except WebSocketException:
            self.finish(EndedBy.SYSTEM, "The connection to the voice model was lost.")

    async def _on_model(self, event: ModelEvent) -> None:
        match event:
            case AudioDelta(item_id, payload):
                await self._speak(item_id, payload)
            case SpeechStarted():
                self._unheard += 1
                self._heard_all.clear()
                self._silences = 0
                await self._interrupt()
            case Said(speaker, item_id, text):
                self._note(speaker, item_id, text)
            case ResponseStarted():
                self._responding = True
            case ResponseFinished(_, called, _):
                self._responding = False
                for function in called:
                    self._call(function)
                if self._response_wanted:
                    await self.respond()
            case SilenceNoticed():
                self._silences += self.phase is not Phase.WAITING
                if self._silences >= MOST_SILENCES:
                    await self.say_goodbye("The recipient has not spoken for a long time.")
            case Refused(code):
                log.warning("model_refused", call_id=self.call_id, code=code)
                if code == "conversation_already_has_active_response":
                    self._responding = self._response_wanted = True
            case _:
                pass

    async def _speak(self, item_id: str, payload: str) -> None:
        stream = self._stream
        if stream is None or self._moving:
            return
        mark = self._playback.sent(item_id, twilio_codec.duration_ms(payload))
        if mark is None:
            metrics.FRAMES.labels("late").inc()
            return
        self._played.clear()
        await stream.send(twilio_codec.media(stream.sid, payload))
        await stream.send(twilio_codec.mark(stream.sid, mark))

    async def _interrupt(self) -> None:
        heard = self._playback.interrupted()
        if heard is None or self._stream is None or self._model is None:
            return
        metrics.BARGE_INS.inc()
        item_id, heard_ms = heard
        await self._stream.send(twilio_codec.clear(self._stream.sid))
        await self._model.send_raw(realtime_codec.truncate(item_id, heard_ms))
        self._played.set()
        self.write(lambda uow: calls.truncate_line(uow, self.call_id, item_id, heard_ms))

    def _note(self, speaker: Speaker, item_id: str, text: str) -> None:
        if speaker is Speaker.RECIPIENT:
            self._unheard = max(0, self._unheard - 1)
            if not self._unheard:
                self._heard_all.set()
        if text:
            offset = self.offset_ms
            self.write(
                lambda uow: calls.add_line(uow, self.call_id, speaker, text, item_id, offset)
            )

    # What the functions need

    @property
    def offset_ms(self) -> int:
        """Milliseconds since the recipient's line was connected."""
        now = asyncio.get_running_loop().time()
        return round((now - self._began) * 1000) if self._began else 0

    @property
    def quiet(self) -> bool:
        """Whether nobody is speaking at this moment."""
        return not self._responding and self._playback.idle and not self._unheard

    async def tell(self, *messages: str) -> None:
        """Sends events to the model and asks for a response."""
        if self._model is not None:
            for message in messages:
                await self._model.send_raw(message)
            await self.respond()

    async def note(self, message: str) -> None:
        """Sends an event to the model that asks for no response."""
        if self._model is not None:
            await self._model.send_raw(message)

    async def respond(self) -> None:
        """Asks for a response; while another is being made, for one after it."""
        if self._responding:
            self._response_wanted = True
        elif self._model is not None:
            self._responding, self._response_wanted = True, False
            await self._model.send_raw(realtime_codec.respond())

    def asked(self) -> None:
        """The creator has a question to answer."""
        self.phase = Phase.WAITING

    def answered(self) -> None:
        """A question of the creator's is answered."""
        if self.phase is Phase.WAITING and not self.questions.open:
            self.phase = Phase.TALKING

    async def say_goodbye(self, why: str, message: str = "") -> None:
        """Has the agent say a fitting goodbye; ends the call even if it never does."""
        if self.phase in (Phase.SAYING_GOODBYE, Phase.ENDED):
            return
        self.phase = Phase.SAYING_GOODBYE
        self.spawn(self._end_after_goodbye(why))
        explain = f"You may use these words: {message}\n" if message else ""
        text = f"{explain}{why}\nApologise in one sentence, say goodbye and call end_call."
        await self.tell(realtime_codec.system_message(text))

    async def _end_after_goodbye(self, why: str) -> None:
        await asyncio.sleep(GOODBYE_SECONDS)
        self.finish(EndedBy.AGENT, why)

    async def hang_up_when_heard(self, reason: str) -> None:
        """Ends the call once everything the agent said was played."""
        self.phase = Phase.SAYING_GOODBYE
        async with self.deps.db.unit_of_work() as uow:
            await calls.announce_end(uow, self.call_id, EndedBy.AGENT, reason)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while not self._playback.idle:
                    self._played.clear()
                    await self._played.wait()
        self.finish(EndedBy.AGENT, reason)

    async def press_keys(self, digits: str) -> None:
        """Plays tones and comes back on a new stream; raises `CarrierError`."""
        stream = self._stream
        if stream is None:
            raise CarrierError("The line is not connected.")
        await stream.send(twilio_codec.clear(stream.sid))
        self._moving = True
        self._attached.clear()
        program = twiml.connect_stream(self.deps.settings, self.call_id, digits)
        try:
            await self.deps.telephony.redirect(stream.call_sid, program)
            async with asyncio.timeout(ATTACH_SECONDS):
                await self._attached.wait()
        except TimeoutError:
            self.finish(EndedBy.CARRIER, "The line was lost while keys were pressed.")
        finally:
            self._moving = False

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside the talk; it ends with the session at the latest."""
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except WebSocketException:
            self.finish(EndedBy.SYSTEM, "The connection to the voice model was lost.")
        except Exception:
            log.exception("session_part_failed", call_id=self.call_id)
            self.finish(EndedBy.SYSTEM, "The agent met an internal fault.")

    # Functions, commands, writing

    def _call(self, function: FunctionCalled) -> None:
        if function.call_id not in self._handled:
            self._handled.add(function.call_id)
            self.spawn(actions.act(self, function))

    async def _take_commands(self) -> None:
        async with self.deps.bus.commands(self.call_id) as commands:
            async for command in commands:
                match command:
                    case AnswerGiven() | ExtendWait():
                        self.questions.look_again(command.info_request_id)
                    case HangUp(reason=reason):
                        self.finish(EndedBy.CREATOR, reason)
                    case CarrierEnded():
                        self.finish(EndedBy.RECIPIENT, "The recipient hung up.")

    def write(self, write: Write) -> None:
        """Writes to the database behind the talk, in order."""
        self._writes.put_nowait(write)

    async def _write_all(self) -> None:
        while True:
            write = await self._writes.get()
            try:
                async with self.deps.db.unit_of_work() as uow:
                    await write(uow)
            except OpenDeepError as error:
                log.warning("write_refused", call_id=self.call_id, error=type(error).__name__)
            except Exception:
                log.exception("write_failed", call_id=self.call_id)
            finally:
                self._writes.task_done()
