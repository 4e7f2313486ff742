"""The conversation with the voice model: its sessions, one after the other, and what it does.

A session of the model's that is lost, or falls mute, while somebody is talked to is replaced
once; one that grows old is replaced at a quiet moment. The next is told what was said.
"""

import asyncio
import contextlib
import math
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from openai import OpenAIError
from websockets.exceptions import InvalidStatus, WebSocketException

from opendeep_app.models import Speaker
from opendeep_app.services import costs
from opendeep_app.voice import actions, brief, metrics, realtime_codec
from opendeep_app.voice.model import Connection
from opendeep_app.voice.phases import Phase
from opendeep_app.voice.realtime_codec import (
    AudioDelta,
    AudioDone,
    FunctionCalled,
    ModelEvent,
    Refused,
    ResponseFinished,
    Said,
    SilenceNoticed,
    SpeechStarted,
    SpeechStopped,
)

if TYPE_CHECKING:
    from opendeep_app.voice.session import CallSession

log = structlog.get_logger()

MOST_SILENCES = 4
MOST_FAILED_RESPONSES = 3
RECONNECT_SECONDS = 2
REMEMBERED_LINES = 40
OLD_SECONDS = 55 * 60
"""The API ends a session after 60 minutes; from this age on it is replaced when it is quiet."""

WAITS = ("request_user_info", "end_call")
"""The functions that wait for people; how long the others take is ours."""

UNREACHABLE = "The voice model could not be reached."
REFUSED: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The voice model did not accept our API key.",
    HTTPStatus.FORBIDDEN: "The voice model did not accept our API key.",
    HTTPStatus.TOO_MANY_REQUESTS: "The voice model takes no more calls: a limit is reached.",
}
OUT_OF_ORDER = "The voice model is out of order."

MODEL_TROUBLE = (OpenAIError, WebSocketException, OSError, TimeoutError)
"""How a session of the model's fails to open, or ends."""

Connect = Callable[[], AbstractAsyncContextManager[Connection]]


class Conversation:
    """One call's conversation; `run` returns when it cannot go on."""

    def __init__(self, session: "CallSession", connect: Connect) -> None:
        self._session = session
        self._connect = connect
        #: What the model has used, for the call's record.
        self.usage: Counter[str] = Counter()
        #: When each utterance began, and how much was heard of those that were cut short.
        self._offsets: dict[str, int] = {}
        self._heard_ms: dict[str, int] = {}
        #: The functions that were called, by the calls' ids.
        self._handled: dict[str, FunctionCalled] = {}
        #: What was said lately, for a model that takes over.
        self._said: deque[tuple[Speaker, str]] = deque(maxlen=REMEMBERED_LINES)
        self._silences = 0
        self._failed_responses = 0

    # Sessions of the model's

    async def run(self) -> str:
        """Opens a session, has the agent speak first, and replaces the session when need be.

        Returns why it cannot go on.
        """
        session = self._session
        begin: Callable[[], None] = self._begin
        within: float | None = None
        replaced = False
        while True:
            try:
                await self._follow(begin, within)
                begin, within = self._go_on, RECONNECT_SECONDS
                metrics.ROTATIONS.inc()
            except MODEL_TROUBLE as error:
                log.warning("model_lost", call_id=session.call_id, error=type(error).__name__)
                if replaced or not session.talks_to_person:
                    return _trouble(error)
                begin, within, replaced = self._take_up, RECONNECT_SECONDS, True
                session.measures.reconnects += 1
                metrics.RECONNECTS.inc()
            finally:
                session.model.lose()
                session.line.complete()

    async def _follow(self, begin: Callable[[], None], within: float | None) -> None:
        """One session, opened within so many seconds, until it is old; raises `MODEL_TROUBLE`."""
        session = self._session
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(within):
                connection = await stack.enter_async_context(self._connect())
            opened_at = _now()
            session.model.open(connection, session.reception.configuration())
            connection.play = self.play
            begin()
            async with contextlib.aclosing(session.model.events()) as events:
                async for event in events:
                    self._notice(event)
                    if _now() - opened_at >= OLD_SECONDS and session.quiet:
                        return

    def _begin(self) -> None:
        self._session.spawn(self._speak_first())

    async def _speak_first(self) -> None:
        await self._session.line.connected.wait()
        self._session.reception.greet()

    def _take_up(self) -> None:
        """Has a new session apologise for the gap and go on, if anything was said before it."""
        if self._said or self._session.questions.open:
            self._recall(brief.recap(self._said, lost=True))
            self._session.model.respond()
        else:
            self._session.reception.greet()

    def _go_on(self) -> None:
        """Has a new session go on as if it were the old one."""
        self._recall(brief.recap(self._said, lost=False))

    def _recall(self, recap: str) -> None:
        """Tells a new session where the conversation stands."""
        session = self._session
        asked = [each for each in self._handled.values() if each.name == "request_user_info"]
        if session.questions.open and asked:
            session.model.note(realtime_codec.function_call(asked[-1]))
        session.model.note(realtime_codec.system_message(recap))

    # What the model does

    def play(self, item_id: str, payload: bytes) -> None:
        """More of the agent's voice, in base64."""
        session = self._session
        session.model.gives_sound()
        if item_id not in self._offsets:
            self._offsets[item_id] = session.offset_ms
            session.measures.utterance_begins(_now(), session.offset_ms / 1000)
        session.line.play(item_id, payload)

    def _notice(self, event: ModelEvent) -> None:
        session = self._session
        session.reception.notice(event)
        match event:
            case AudioDelta(item_id, payload):
                self.play(item_id, payload)
            case AudioDone(item_id):
                session.line.complete(item_id)
            case SpeechStarted(item_id):
                self._offsets[item_id] = session.offset_ms
                self._silences = 0
                session.measures.recipient_speaks()
                self.interrupt()
            case SpeechStopped() if not session.reception.listening:
                session.measures.recipient_hushed(_now())
                session.model.expect_response()
            case Said(speaker, item_id, text, seconds):
                self.usage["transcribed_seconds"] += math.ceil(seconds)
                if text:
                    self._note(speaker, item_id, text)
            case ResponseFinished():
                self._on_response(event)
            case SilenceNoticed() if session.phase is Phase.TALKING:
                self._silences += 1
                if self._silences >= MOST_SILENCES:
                    why = "The recipient has not spoken for a long time."
                    session.say_goodbye(why, why)
            case Refused(code):
                log.warning("model_refused", call_id=session.call_id, code=code)
            case _:
                pass

    def _on_response(self, response: ResponseFinished) -> None:
        session = self._session
        session.line.complete()
        metrics.count_tokens(response.usage)
        self.usage.update(costs.used(response.usage))
        for function in response.functions:
            if function.call_id not in self._handled:
                self._handled[function.call_id] = function
                session.spawn(self._act(function))
        if response.status != "failed":
            self._failed_responses = 0
            return
        self._failed_responses += 1
        log.warning("response_failed", call_id=session.call_id, times=self._failed_responses)
        if self._failed_responses < MOST_FAILED_RESPONSES:
            session.spawn(self._try_again(0.5 * self._failed_responses))
        else:
            session.spawn(session.apologise("The voice model failed."))

    async def _act(self, function: FunctionCalled) -> None:
        began = _now()
        await actions.act(self._session, function)
        if function.name not in WAITS:
            self._session.measures.function_returned(_now() - began)

    async def _try_again(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._session.model.repeat()

    def interrupt(self) -> None:
        """Silences the agent and tells the model how much of it was heard."""
        session = self._session
        cut = session.line.interrupt()
        if not cut:
            return
        session.measures.barge_ins += 1
        session.measures.truncations += len(cut)
        metrics.BARGE_INS.inc()
        metrics.TRUNCATIONS.inc(len(cut))
        session.model.truncate(cut)
        for each in cut:
            self._heard_ms[each.item_id] = each.heard_ms
            session.scribe.truncate_line(each.item_id, each.heard_ms)

    def _note(self, speaker: Speaker, item_id: str, text: str) -> None:
        session = self._session
        self._said.append((speaker, text))
        offset = self._offsets.get(item_id, session.offset_ms)
        session.scribe.add_line(speaker, text, item_id, offset)
        if item_id in self._heard_ms:
            # Cut short before its words were known.
            session.scribe.truncate_line(item_id, self._heard_ms[item_id])


def _trouble(error: Exception) -> str:
    """Why there is no model, for the call's record."""
    if not isinstance(error, InvalidStatus):
        return UNREACHABLE
    status = error.response.status_code
    unknown = OUT_OF_ORDER if status >= HTTPStatus.INTERNAL_SERVER_ERROR else UNREACHABLE
    return REFUSED.get(status, unknown)


def _now() -> float:
    return asyncio.get_running_loop().time()
