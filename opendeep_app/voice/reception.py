"""Finds out who has answered, and does what fits: a person is talked to, a machine is handled.

`answering` decides from evidence; this brings it the evidence and acts on what it decides. Until
a person is believed to be there, the server notices turns but answers none of them, and the
model has been told nothing about the task, so that no machine can be told more.
"""

import asyncio
import base64
import contextlib
from collections import deque
from typing import TYPE_CHECKING

import structlog

from opendeep_app.models import AnswerState, CallOutcome, Direction, EndedBy, Speaker
from opendeep_app.models.tasks import VoicemailPolicy
from opendeep_app.services.calls import CallBriefing
from opendeep_app.voice import announcements, brief, functions, metrics, phrases, realtime_codec
from opendeep_app.voice.answering import Answering, CarrierGuess
from opendeep_app.voice.listening import Ear, Sound
from opendeep_app.voice.realtime_codec import (
    ModelEvent,
    ResponseFinished,
    Said,
    SpeechStarted,
    SpeechStopped,
)

if TYPE_CHECKING:
    from opendeep_app.voice.session import CallSession

log = structlog.get_logger()

VOICE = "marin"
IDLE_MS = 10_000
KEPT_FRAMES = 125
"""What is heard on hold before a voice is made out is kept: 2.5 seconds of 20 ms frames."""
ANYBODY_SECONDS = 8.0
"""Into silence the agent asks so often whether anybody is there, and then leaves."""
MOST_PROMPTS = 2
BEEP_SECONDS = 4.0
"""A voicemail that is quiet for so long records, beep or not."""
GREETING_SECONDS = 60.0
"""No announcement of a machine is longer."""
LAST_SENTENCE_SECONDS = 30.0
CLOCK_SECONDS = 0.001
"""A timer may go off this much before its time."""
STUCK_SECONDS = 45.0
"""How long a machine may go without saying anything."""

#: What comes of a call that ends while this has answered; a person's is for the analysis.
OUTCOMES: dict[AnswerState | None, CallOutcome] = {
    AnswerState.VOICEMAIL: CallOutcome.FAILED_VOICEMAIL,
    AnswerState.MAILBOX_FULL: CallOutcome.FAILED_VOICEMAIL,
    AnswerState.SILENCE: CallOutcome.FAILED_NO_ANSWER,
    AnswerState.SCREENING: CallOutcome.INCONCLUSIVE,
    AnswerState.MENU: CallOutcome.INCONCLUSIVE,
    AnswerState.HOLD: CallOutcome.INCONCLUSIVE,
}


class Reception:
    """One call's answer; `run` decides until the call ends."""

    def __init__(self, session: "CallSession", briefing: CallBriefing) -> None:
        self._session = session
        self._briefing = briefing
        self._language = briefing.task.language
        self._answering: Answering | None = None
        #: Whoever rings us is a person.
        inbound = briefing.call.direction is Direction.INBOUND
        self.state: AnswerState | None = AnswerState.HUMAN if inbound else None
        #: Whether somebody was there to talk to at any time.
        self._met = inbound
        self._changed = asyncio.Event()
        self._deadline: float | None = None
        self._ear = Ear()
        self._deaf = False
        self._kept: deque[bytes] = deque(maxlen=KEPT_FRAMES)
        self._prompts = 0
        #: The last sentence, after which the call is ended for this reason.
        self._leaving = ""
        self._menu_spoke = False

    @property
    def listening(self) -> bool:
        """Whether the line's sound matters: not while a person is talked to."""
        return self.state is not AnswerState.HUMAN

    @property
    def outcome(self) -> CallOutcome:
        """What the call comes to as far as who answered decides it."""
        if self._answering is not None and self._answering.fax:
            return CallOutcome.FAILED_INVALID_NUMBER
        if self._met and self.state is AnswerState.HOLD:
            return CallOutcome.ANSWERED
        return OUTCOMES.get(self.state, CallOutcome.ANSWERED)

    def configuration(self) -> bytes:
        """How the model's session is set up for whoever is on the line."""
        wanted = [wanted["field"] for wanted in self._briefing.task.findings_wanted]
        tools = functions.declarations(wanted)
        told = brief.reception
        if self.state in (AnswerState.HUMAN, AnswerState.MENU):
            told = brief.write
            if self._briefing.facts:
                self._session.scribe.note_facts([fact.id for fact in self._briefing.facts])
        if self.state is AnswerState.HUMAN:
            return realtime_codec.configure(told(self._briefing), tools, VOICE, IDLE_MS)
        return realtime_codec.configure(told(self._briefing), tools, VOICE, None)

    def greet(self) -> None:
        """The first words, at once: a person who rings us hears everything, others the opening."""
        if self.state is AnswerState.HUMAN:
            self._session.model.respond()
        else:
            self._say(brief.opening(self._briefing))

    # Evidence

    def hear(self, payload: bytes) -> None:
        """Takes the recipient's audio (base64 µ-law) and passes it on unless it is of no use."""
        for sound in self._ear.feed(base64.b64decode(payload)):
            if sound is Sound.VOICE:
                self._wake()
            elif self._answering is not None:
                self._answering.sounds_like(sound, _now())
                self._changed.set()
        if self._deaf:
            self._kept.append(payload)
        else:
            self._session.model.hear(payload)

    def carrier_says(self, answered_by: str) -> None:
        """The carrier's answering machine detection has come to a result."""
        with contextlib.suppress(ValueError):
            guess = CarrierGuess(answered_by)
            if self._answering is not None:
                self._answering.carrier_says(guess, _now())
                self._changed.set()

    def key_pressed(self) -> None:
        """The recipient has pressed a key."""
        if self._answering is not None:
            self._answering.key_pressed(_now())
            self._changed.set()

    def notice(self, event: ModelEvent) -> None:
        """Something that the model's session noticed."""
        answering = self._answering
        if answering is None:
            return
        match event:
            case SpeechStarted():
                answering.speech_began(_now())
            case SpeechStopped():
                answering.speech_stopped(_now())
            case Said(Speaker.RECIPIENT, _, text):
                answering.words(text, _now())
                self._menu_spoke = announcements.machine(text) is AnswerState.MENU
                if self.state is AnswerState.HOLD and answering.state is AnswerState.HOLD:
                    self._close_ears()
            case ResponseFinished() if self._leaving and not self._session.model.responding:
                self._session.spawn(self._session.hang_up_when_heard(self._leaving))
                return
            case _:
                return
        self._changed.set()

    # Decisions

    async def run(self) -> None:
        """Acts on every change of mind, and on the passing of time."""
        session = self._session
        await session.line.connected.wait()
        if self.state is AnswerState.HUMAN:
            session.scribe.note_answer(self.state)
        self._answering = answering = Answering(_now(), self.state)
        while True:
            times = [time for time in (answering.due, self._deadline) if time is not None]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(times, default=None)):
                    await self._changed.wait()
            self._changed.clear()
            answering.look(_now())
            if answering.fax:
                session.finish(EndedBy.AGENT, "A fax machine answered.")
            elif answering.state not in (None, self.state) and not self._leaving:
                self._enter(answering.state)
            elif self._deadline is not None and _now() >= self._deadline - CLOCK_SECONDS:
                self._deadline = None
                self._time_is_up()
            else:
                self._go_on()

    def _enter(self, state: AnswerState) -> None:
        """Somebody else is on the line now."""
        session, before = self._session, self.state
        self.state, self._deadline = state, _now() + STUCK_SECONDS
        session.scribe.note_answer(state)
        metrics.ANSWERS.labels(state.value.lower()).inc()
        log.info("answer_state", call_id=session.call_id, state=state.value)
        match state:
            case AnswerState.HUMAN:
                self._met, self._deadline = True, None
                self._open_ears()
                session.model.note(self.configuration())
                session.model.respond()
                return
            case AnswerState.MAILBOX_FULL:
                session.finish(EndedBy.AGENT, "The mailbox is full.")
            case AnswerState.VOICEMAIL if not self._leaves_message:
                session.finish(EndedBy.AGENT, "A voicemail picked up.")
            case AnswerState.HOLD:
                self._close_ears()
                self._deadline = _now() + session.deps.settings.hold_seconds
            case AnswerState.VOICEMAIL:
                self._deadline = _now() + GREETING_SECONDS
        if before is AnswerState.HUMAN or state is AnswerState.MENU:
            session.model.note(self.configuration())
        if state is AnswerState.SCREENING:
            self._say(brief.screening(self._briefing))
        elif state is AnswerState.SILENCE:
            self._prompt()
        self._go_on()

    def _go_on(self) -> None:
        """What has happened without changing who is there."""
        answering = self._answering
        assert answering is not None
        if self._leaving:
            return
        if self.state is AnswerState.MENU and self._menu_spoke:
            self._menu_spoke = False
            self._deadline = _now() + STUCK_SECONDS
            self._session.model.choose()
        elif self.state is AnswerState.VOICEMAIL and answering.recording:
            self._leave_message()
        elif self.state is AnswerState.VOICEMAIL:
            speaks = self._session.model.recipient_speaks
            self._deadline = _now() + (GREETING_SECONDS if speaks else BEEP_SECONDS)

    def _time_is_up(self) -> None:
        match self.state:
            case AnswerState.SILENCE if self._prompts < MOST_PROMPTS:
                self._prompt()
            case AnswerState.SILENCE:
                self._session.finish(EndedBy.AGENT, "Nobody spoke.")
            case AnswerState.VOICEMAIL if not self._leaving:
                self._leave_message()
            case AnswerState.HOLD if not self._leaving:
                words = phrases.phrases(self._language)
                self._deadline = _now() + LAST_SENTENCE_SECONDS
                self._leaving = "The call was on hold for too long."
                self._say(f"{words.held_too_long} {words.goodbye}")
            case _:
                reason = self._leaving or "No person could be reached."
                self._session.finish(EndedBy.AGENT, reason)

    @property
    def _leaves_message(self) -> bool:
        task, call = self._briefing.task, self._briefing.call
        last = call.attempt_number >= task.max_attempts
        policy = task.voicemail_policy
        return policy is VoicemailPolicy.LEAVE_MESSAGE or (
            last and policy is VoicemailPolicy.LAST_ATTEMPT
        )

    def _leave_message(self) -> None:
        self._close_ears()
        self._deadline = _now() + LAST_SENTENCE_SECONDS
        self._session.conversation.interrupt()
        self._leaving = "A voicemail took a message."
        self._say(brief.message(self._briefing))

    def _prompt(self) -> None:
        self._prompts += 1
        self._deadline = _now() + ANYBODY_SECONDS
        self._say(phrases.phrases(self._language).anybody)

    def _say(self, words: str) -> None:
        self._session.model.say(phrases.say_exactly(words, self._language))

    # What the model hears

    def _close_ears(self) -> None:
        """Nothing that is heard from here on costs anything."""
        self._deaf = True
        self._kept.clear()
        self._ear = Ear()

    def _wake(self) -> None:
        """A voice on hold: the model hears it from its beginning."""
        if self._deaf and self.state is AnswerState.HOLD and not self._leaving:
            self._open_ears()

    def _open_ears(self) -> None:
        self._deaf = False
        while self._kept:
            self._session.model.hear(self._kept.popleft())


def _now() -> float:
    return asyncio.get_running_loop().time()
