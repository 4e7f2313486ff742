"""Who or what has answered: a state machine fed with evidence, one piece at a time.

Three kinds of evidence count: what the carrier's answering machine detection says, what the
line sounds like (`listening`), and the words of each utterance (`announcements`). Words count
most, a beep next, the carrier's guess least; time decides where nothing else does.

Pure: times are seconds of any one clock, nothing is awaited and nothing is sent.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from opendeep_app.models import AnswerState
from opendeep_app.voice import announcements
from opendeep_app.voice.listening import Sound

#: From "nobody knows yet" (None) onwards; the drawing in docs/voice.md is this table.
MOVES: dict[AnswerState | None, frozenset[AnswerState]] = {
    None: frozenset(AnswerState),
    AnswerState.SILENCE: frozenset(AnswerState) - {AnswerState.SILENCE},
    AnswerState.SCREENING: frozenset(AnswerState) - {AnswerState.SCREENING, AnswerState.SILENCE},
    AnswerState.MENU: frozenset(AnswerState) - {AnswerState.MENU, AnswerState.SILENCE},
    AnswerState.HOLD: frozenset(AnswerState) - {AnswerState.HOLD, AnswerState.SILENCE},
    # People put through, and are put through, to machines.
    AnswerState.HUMAN: frozenset(
        {
            AnswerState.HOLD,
            AnswerState.MENU,
            AnswerState.SCREENING,
            AnswerState.VOICEMAIL,
            AnswerState.MAILBOX_FULL,
        }
    ),
    # Somebody picks up while the machine talks.
    AnswerState.VOICEMAIL: frozenset({AnswerState.HUMAN, AnswerState.MAILBOX_FULL}),
    AnswerState.MAILBOX_FULL: frozenset(),
}

SHORT_SECONDS = 2.4
"""People answer in less; Twilio's detection draws the same line by default
(twilio.com/docs/voice/answering-machine-detection, MachineDetectionSpeechThreshold)."""
PAUSE_SECONDS = 1.2
"""A pause inside an announcement is shorter (the same, MachineDetectionSpeechEndThreshold)."""
ANNOUNCEMENT_SECONDS = 6.0
"""Who speaks so long without asking anything may be a machine of an unknown kind."""
DOUBT_SECONDS = 3.0
"""How long a carrier's guess, or a long announcement, waits for something better to go by."""
WORDS_SECONDS = 2.5
"""How long the words of an utterance are waited for."""
QUIET_SECONDS = 6.0
"""Silence from which nobody seems to be there."""


class CarrierGuess(StrEnum):
    """Twilio's `AnsweredBy` (twilio.com/docs/voice/answering-machine-detection)."""

    HUMAN = "human"
    MACHINE_START = "machine_start"
    MACHINE_END_BEEP = "machine_end_beep"
    MACHINE_END_SILENCE = "machine_end_silence"
    MACHINE_END_OTHER = "machine_end_other"
    FAX = "fax"
    UNKNOWN = "unknown"


GREETING_OVER = frozenset(
    {
        CarrierGuess.MACHINE_END_BEEP,
        CarrierGuess.MACHINE_END_SILENCE,
        CarrierGuess.MACHINE_END_OTHER,
    }
)
_LISTENS = frozenset({None, AnswerState.SILENCE, AnswerState.VOICEMAIL})
_UNSURE = frozenset({None, AnswerState.SILENCE})
_WAITS_FOR_PERSON = frozenset(
    {None, AnswerState.SILENCE, AnswerState.SCREENING, AnswerState.MENU, AnswerState.HOLD}
)


@dataclass
class Answering:
    """What is believed of one call, and when to look again although nothing happens."""

    began: float
    state: AnswerState | None = None
    #: The voicemail records what is said from here on.
    recording: bool = False
    #: A fax machine or modem has answered.
    fax: bool = False
    _speaking_since: float | None = field(default=None, init=False)
    _quiet_since: float = field(init=False)
    #: How long the last utterance was, and until when its words are waited for.
    _spoke_seconds: float = field(default=0.0, init=False)
    _words_by: float | None = field(default=None, init=False)
    _person_at: float | None = field(default=None, init=False)
    _machine_at: float | None = field(default=None, init=False)
    _heard: bool = field(default=False, init=False)
    #: Whoever comes back from hold is the person who went.
    _met: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._quiet_since = self.began

    @property
    def due(self) -> float | None:
        """When time alone will decide something."""
        times = [self._words_by, self._person_at, self._machine_at]
        if self.state is None and self._speaking_since is None:
            times.append(self._quiet_since + QUIET_SECONDS)
        return min((time for time in times if time is not None), default=None)

    def look(self, now: float) -> None:
        """Decides what time alone decides."""
        if self._words_by is not None and now >= self._words_by:
            # An utterance without words: its length has to do.
            self._words_by = None
            if self.state in _WAITS_FOR_PERSON:
                short = self._spoke_seconds <= SHORT_SECONDS
                self._person_at = now if short else now + DOUBT_SECONDS
        if self._person_at is not None and now >= self._person_at:
            self._person_at = None
            self._move(AnswerState.HUMAN)
        if self._machine_at is not None and now >= self._machine_at:
            self._machine_at = None
            self._move(AnswerState.VOICEMAIL)
        quiet = self.state is None and self._speaking_since is None
        if quiet and now >= self._quiet_since + QUIET_SECONDS:
            self._move(AnswerState.SILENCE)

    # Evidence

    def carrier_says(self, guess: CarrierGuess, now: float) -> None:
        """The carrier's own detection has come to a result."""
        self.look(now)
        if guess is CarrierGuess.FAX:
            self.fax = True
        elif guess in GREETING_OVER and self.state in _LISTENS:
            self._move(AnswerState.VOICEMAIL)
            self.recording = True
        elif guess is CarrierGuess.MACHINE_START and self.state in _UNSURE:
            self._machine_at, self._person_at = now + DOUBT_SECONDS, None
        elif guess is CarrierGuess.HUMAN and self.state in _UNSURE and not self._words_come:
            # It takes menus for people too: who has not been heard yet gets time to speak.
            self._person_at = now if self._heard else now + DOUBT_SECONDS
            self.look(now)

    def sounds_like(self, sound: Sound, now: float) -> None:
        """Something was heard that is no speech, or is."""
        self.look(now)
        match sound:
            case Sound.FAX:
                self.fax = self.state in _UNSURE
            case Sound.BEEP if self.state is AnswerState.VOICEMAIL or (
                self.state in _UNSURE and (self._heard or self._machine_at is not None)
            ):
                self._move(AnswerState.VOICEMAIL)
                self.recording = True
            case Sound.MUSIC if self.state is not AnswerState.VOICEMAIL:
                self._move(AnswerState.HOLD)

    def speech_began(self, now: float) -> None:
        """Somebody or something begins to speak."""
        self.look(now)
        self._speaking_since, self._heard = now, True
        self._person_at = self._words_by = None

    def speech_stopped(self, now: float) -> None:
        """They have stopped; their words will follow."""
        self.look(now)
        if self._speaking_since is not None:
            self._spoke_seconds = now - self._speaking_since
            self._words_by = now + WORDS_SECONDS
        self._speaking_since, self._quiet_since = None, now

    def words(self, text: str, now: float) -> None:
        """The words of an utterance; empty for a noise."""
        self._words_by = None
        self.look(now)
        kind = announcements.machine(text)
        if kind is not None and not (self.state is AnswerState.HUMAN and text.endswith("?")):
            self._move(kind)
        elif text and (self.state in _WAITS_FOR_PERSON or self.state is AnswerState.VOICEMAIL):
            self._person_speaks(text, now)

    def key_pressed(self, now: float) -> None:
        """Only people press keys."""
        self.look(now)
        self._move(AnswerState.HUMAN)

    @property
    def _words_come(self) -> bool:
        """Whether an utterance is being spoken or read, which will say more than any guess."""
        return self._speaking_since is not None or self._words_by is not None

    def _person_speaks(self, text: str, now: float) -> None:
        """These words are no machine's that we know."""
        unsure = self.state in _UNSURE and announcements.expects_reply(text)
        if unsure or text.endswith("?") or self._met:
            self._move(AnswerState.HUMAN)
        elif self.state is not AnswerState.VOICEMAIL and self._speaking_since is None:
            long = self._spoke_seconds > ANNOUNCEMENT_SECONDS or self._machine_at is not None
            self._person_at = self._quiet_since + (DOUBT_SECONDS if long else PAUSE_SECONDS)
            self.look(now)

    def _move(self, state: AnswerState) -> None:
        if state in MOVES[self.state]:
            self.state = state
            self._person_at = self._machine_at = None
            if state is not AnswerState.HOLD:
                self._met = state is AnswerState.HUMAN
