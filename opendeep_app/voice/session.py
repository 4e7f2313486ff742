"""One live call: a state machine (`phases`) between the recipient's `Line` and the voice `Model`.

The session owns every task, timer and socket of its call and ends them with it.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import structlog

from opendeep_app.bus import (
    AnswerGiven,
    CarrierEnded,
    ExtendWait,
    HangUp,
    MachineDetected,
    WaitEnded,
    Whisper,
    WrapUp,
)
from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError
from opendeep_app.models import EndedBy, Speaker
from opendeep_app.services import budgets, calls, costs
from opendeep_app.services.calls import CallBriefing
from opendeep_app.voice import brief, metrics, realtime_codec, tones, twiml
from opendeep_app.voice.conversation import Connect, Conversation
from opendeep_app.voice.line import Line, Stream
from opendeep_app.voice.measures import Measures
from opendeep_app.voice.model import Model
from opendeep_app.voice.phases import MOVES, Phase
from opendeep_app.voice.questions import QuestionLoop
from opendeep_app.voice.reception import Reception
from opendeep_app.voice.scribe import DATABASE_TROUBLE, Scribe

log = structlog.get_logger()

ATTACH_SECONDS = 20
POLITE_PAUSE_SECONDS = 4
GOODBYE_SECONDS = 20
LAST_WORDS_SECONDS = 0.8
SETTLE_SECONDS = 4
WRAP_UP_SECONDS = 45
WRITE_SECONDS = 5
DEAD_LINE_SECONDS = 10
"""The carrier sends sound all the time; a stream that has brought none for so long, and up to
twice, is dead."""

SORRY = "I am sorry, I have a technical problem and cannot go on. Goodbye."


class _CallOver(Exception):
    """Ends the session's task group."""


class CallSession:
    """Bridges one call; `run` returns when the call is over and everything is written."""

    def __init__(
        self, deps: Dependencies, briefing: CallBriefing, gateway_id: str, connect: Connect
    ) -> None:
        self.deps = deps
        self.call_id = briefing.call.id
        self.time_zone = briefing.task.time_zone
        self.phase = Phase.CONNECTING
        self.line = Line()
        self.model = Model()
        self.questions = QuestionLoop(self)
        self.reception = Reception(self, briefing)
        self.conversation = Conversation(self, connect)
        self.measures = Measures()
        self._brief = brief.write(briefing)
        self._max_seconds = briefing.task.max_call_seconds
        self._records = briefing.task.record_call
        self._gateway_id = gateway_id
        self.scribe = Scribe(deps.db, self.call_id)
        self._tasks: asyncio.TaskGroup | None = None
        self._over = asyncio.Event()
        self._end = (EndedBy.SYSTEM, "The call ended unexpectedly.")
        #: The carrier says the last words and hangs up.
        self._handed_over = False
        self._began: float | None = None

    # The life of the session

    async def run(self) -> None:
        """Holds the call from its first ring to its last written word."""
        writer = asyncio.create_task(self.scribe.run())
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for part in (
                    self._talk(),
                    self._attend(),
                    self._take_commands(),
                    self._limit(),
                    self._mind_line(),
                    self.reception.run(),
                ):
                    self.spawn(part)
                await self._over.wait()
                await self._last_words()
                raise _CallOver
        except* _CallOver:
            pass
        finally:
            self._enter(Phase.ENDED)
            try:
                await self._leave()
            finally:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)

    @property
    def over(self) -> bool:
        """Whether the call is ending or has ended."""
        return self._over.is_set()

    @property
    def holds_call(self) -> bool:
        """Whether the call is this session's and goes on."""
        return self.scribe.ours and not self._over.is_set()

    def ended_elsewhere(self) -> None:
        """Somebody else has recorded the call's end."""
        self.finish(EndedBy.SYSTEM, "The call was ended elsewhere.")

    def finish(self, ended_by: EndedBy, reason: str) -> None:
        """Ends the call; only the first reason counts."""
        if not self._over.is_set():
            self._end = (ended_by, reason)
            self._over.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs something beside the talk; it ends with the session at the latest."""
        if self._tasks is None or self._over.is_set():
            work.close()
        else:
            self._tasks.create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("session_part_failed", call_id=self.call_id)
            self.finish(EndedBy.SYSTEM, "The agent met an internal fault.")

    def _enter(self, phase: Phase) -> bool:
        """Moves on if there is a way."""
        allowed = phase in MOVES[self.phase]
        if allowed:
            self.phase = phase
        return allowed

    async def _talk(self) -> None:
        await self.apologise(await self.conversation.run())

    async def _attend(self) -> None:
        """Takes the call as soon as somebody is on the line, then follows what it costs."""
        try:
            async with asyncio.timeout(ATTACH_SECONDS):
                await self.line.connected.wait()
        except TimeoutError:
            self.finish(EndedBy.CARRIER, "The call was not connected to the agent.")
            return
        self._began = asyncio.get_running_loop().time()
        self._enter(Phase.TALKING)
        if not await self.scribe.open(self._gateway_id, self._brief):
            self.finish(EndedBy.SYSTEM, "The call was over already.")
            return
        if self._records:
            self.spawn(self._record())
        await self._settle()

    async def _settle(self) -> None:
        """Keeps the call's record of what it has cost: tokens and minutes begun."""
        settled: tuple[dict[str, int], int] | None = None
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            so_far = dict(self.conversation.usage), self.offset_ms // 60_000
            if so_far == settled:
                continue
            with contextlib.suppress(*DATABASE_TROUBLE):
                async with self.deps.db.unit_of_work() as uow:
                    await costs.settle(uow, self.call_id, so_far[0])
                    await budgets.watch(uow, self.call_id)
                settled = so_far

    async def _record(self) -> None:
        try:
            await self.deps.telephony.record(self.line.call_sid, self.call_id)
        except CarrierError as error:
            log.warning("not_recorded", call_id=self.call_id, code=error.code)

    async def _limit(self) -> None:
        """Wraps up before the longest time a call may take."""
        await self.line.connected.wait()
        await asyncio.sleep(self._max_seconds - WRAP_UP_SECONDS)
        reason = "The call reached its longest allowed time."
        self.say_goodbye("The call has lasted very long and has to end now.", reason)
        await asyncio.sleep(WRAP_UP_SECONDS)
        self.finish(EndedBy.SYSTEM, reason)

    async def _mind_line(self) -> None:
        """Ends the call when its stream is up but brings nothing, not even silence."""
        seen = 0
        while True:
            await self.line.connected.wait()
            await asyncio.sleep(DEAD_LINE_SECONDS)
            if self.line.connected.is_set() and self.measures.frames == seen:
                self.finish(EndedBy.CARRIER, "The phone line went dead.")
            seen = self.measures.frames

    async def _take_commands(self) -> None:
        async with self.deps.bus.commands(self.call_id) as commands:
            async for command in commands:
                match command:
                    case HangUp(reason=reason):
                        self.finish(EndedBy.CREATOR, reason)
                    case WrapUp(reason=reason) if self.phase is not Phase.SAYING_GOODBYE:
                        self.scribe.add_line(Speaker.SYSTEM, reason, "", self.offset_ms)
                        self.say_goodbye("The call has to end now.", reason)
                    case Whisper(text=text):
                        self._take_note(text)
                    case MachineDetected(answered_by=answered_by):
                        self.reception.carrier_says(answered_by)
                    case CarrierEnded():
                        self._line_is_dead()
                    case AnswerGiven() | ExtendWait() | WaitEnded():
                        self.questions.hear(command)

    async def _last_words(self) -> None:
        """Waits a moment for what the recipient said just before the line went dead."""
        if self._end[0] is EndedBy.RECIPIENT:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self.model.last_words()

    async def _leave(self) -> None:
        ended_by, reason = self._end
        self.scribe.close(
            ended_by,
            reason,
            self.reception.outcome,
            self.conversation.usage,
            self.measures.record(),
        )
        with contextlib.suppress(OSError):
            await self.line.close()
        if not await self.scribe.finish(WRITE_SECONDS):
            log.error("call_not_written", call_id=self.call_id)
        if self.line.call_sid and ended_by is not EndedBy.RECIPIENT and not self._handed_over:
            # Closing the stream ends the call; asking makes sure of it.
            with contextlib.suppress(CarrierError):
                await self.deps.telephony.hang_up(self.line.call_sid)
        metrics.CALLS.labels(ended_by.value).inc()
        log.info("session_ended", call_id=self.call_id, ended_by=ended_by.value)

    # The recipient's side

    def attach(self, stream: Stream) -> bool:
        """A media stream is up: the first, or the next one after keys were pressed."""
        attached = not self._over.is_set() and self.line.attach(stream)
        if attached:
            self.measures.stream_begins()
        return attached

    def detach(self, stream: Stream, *, broken: bool = False) -> None:
        """A media stream is over; unless we are moving to the next, so is the call."""
        if self.line.detach(stream):
            if broken:
                self.finish(EndedBy.CARRIER, "The phone line sent something unreadable.")
            self._line_is_dead()

    def _line_is_dead(self) -> None:
        if self.phase is Phase.SAYING_GOODBYE:
            self.finish(EndedBy.AGENT, "The agent said goodbye.")
        self.finish(EndedBy.RECIPIENT, "The recipient hung up.")

    def hear(self, payload: bytes) -> None:
        """The recipient's audio, in base64."""
        if self.reception.listening:
            self.reception.hear(payload)
        else:
            self.model.hear(payload)
        self.measures.frame_relayed()

    def key_pressed(self, digit: str) -> None:
        """The recipient pressed a key, which the model cannot hear."""
        if self.phase is Phase.ENDED:
            return
        text = f"The recipient pressed the key {digit}."
        self.scribe.add_line(Speaker.SYSTEM, text, "", self.offset_ms)
        self.reception.key_pressed()
        self._inform(text)

    def _inform(self, text: str) -> None:
        """Tells the model something; it speaks of it unless nobody is there to be spoken to."""
        message = realtime_codec.system_message(text)
        (self.model.note if self.reception.listening else self.model.tell)(message)

    def _take_note(self, text: str) -> None:
        """The creator tells the agent something; one that says goodbye already hears no more."""
        if self.phase in (Phase.TALKING, Phase.WAITING):
            self.scribe.add_line(Speaker.SYSTEM, f"Your note: {text}", "", self.offset_ms)
            self._inform(brief.note(text))

    # What functions and questions need

    @property
    def quiet(self) -> bool:
        """Whether a person is there and nobody is speaking or about to, at this moment."""
        if self.reception.listening:
            return False
        return not (self.model.responding or self.model.recipient_speaks) and self.line.silent

    @property
    def talks_to_person(self) -> bool:
        """Whether somebody is in a conversation with the agent."""
        return self.phase in (Phase.TALKING, Phase.WAITING) and not self.reception.listening

    @property
    def offset_ms(self) -> int:
        """Milliseconds since the recipient's line was connected."""
        now = asyncio.get_running_loop().time()
        return 0 if self._began is None else round((now - self._began) * 1000)

    def asked(self) -> None:
        """The creator has a question to answer."""
        self._enter(Phase.WAITING)

    def answered(self) -> None:
        """A question of the creator's is answered."""
        if self.phase is Phase.WAITING and not self.questions.open:
            self._enter(Phase.TALKING)

    def say_goodbye(self, why: str, reason: str, message: str = "") -> None:
        """Has the agent say a fitting goodbye; ends the call even if it never does.

        `why` is for the model, `reason` is what the call's record says if it does not end the
        call itself, `message` is what the recipient may be told.
        """
        if self.phase is Phase.CONNECTING:
            self.finish(EndedBy.SYSTEM, reason)
        if self.expect_goodbye(reason):
            words = f"You may use these words: {message}\n" if message else ""
            text = f"{words}{why}\nApologise in one sentence, say goodbye and call end_call."
            self.spawn(self._tell_politely(text))

    async def _tell_politely(self, text: str) -> None:
        """Lets the recipient finish speaking first."""
        await self.model.wait_for_turn(POLITE_PAUSE_SECONDS)
        self.model.tell(realtime_codec.system_message(text))

    def expect_goodbye(self, reason: str) -> bool:
        """The agent is to say goodbye now, and the call ends even if it never does."""
        entered = self._enter(Phase.SAYING_GOODBYE)
        if entered:
            self.spawn(self._end_after_goodbye(reason))
        return entered

    async def _end_after_goodbye(self, reason: str) -> None:
        await asyncio.sleep(GOODBYE_SECONDS)
        self.finish(EndedBy.AGENT, reason)

    async def hang_up_when_heard(self, reason: str) -> None:
        """Ends the call once everything the agent said was played."""
        self._enter(Phase.SAYING_GOODBYE)
        async with self.deps.db.unit_of_work() as uow:
            await calls.announce_end(uow, self.call_id, EndedBy.AGENT, reason)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.line.played_out()
        self.finish(EndedBy.AGENT, reason)

    async def press_keys(self, digits: str) -> None:
        """Presses keys, as sound or by the carrier on a new stream; raises `CarrierError`."""
        if self.deps.settings.dtmf == "inband":
            self.line.play_tones(tones.keys(digits))
            return
        program = twiml.connect_stream(self.deps.settings, self.call_id, self.line.streams, digits)
        try:
            await self.line.move(lambda sid: self.deps.telephony.redirect(sid, program))
        except TimeoutError:
            self.finish(EndedBy.CARRIER, "The line was lost while keys were pressed.")

    async def apologise(self, reason: str) -> None:
        """Without a model the carrier says a last sentence, for the recipient's sake."""
        if self._handed_over or self.phase is Phase.SAYING_GOODBYE:
            return
        self._handed_over = True
        await self.line.connected.wait()
        program = twiml.say_and_hang_up(SORRY)
        try:
            await self.line.leave(lambda sid: self.deps.telephony.redirect(sid, program))
        except CarrierError as error:
            self._handed_over = False
            log.warning("apology_failed", call_id=self.call_id, code=error.code)
        self.finish(EndedBy.SYSTEM, reason)
