"""What people on the practice line can do when the phone rings, and on the phone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait until the caller has said what they want, greeting into the silence after a while.

    Who only asks for a moment is told to go ahead.
    """

    greeting: str = "Hello?"
    patience: float = 4


@dataclass(frozen=True, slots=True)
class Say:
    """Say this once the caller is quiet."""

    text: str


@dataclass(frozen=True, slots=True)
class Announce:
    """A machine says this, whoever else is speaking."""

    text: str


@dataclass(frozen=True, slots=True)
class Attend:
    """A machine waits until the caller has said something, so many seconds at most."""

    patience: float = 8


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is heard for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask, wait while the caller looks it up, go on with the answer.

    Skipped when the caller already said something that matches `known`. With `patience`, hang up
    after so many seconds of waiting.
    """

    question: str
    known: str = ""
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """Read the menu out until `key` is pressed, three times at most."""

    prompt: str
    key: str


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Talk over the caller as soon as they begin."""

    text: str


@dataclass(frozen=True, slots=True)
class Slowly:
    """Say the parts with pauses of so many seconds between them."""

    parts: tuple[str, ...]
    pause: float


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone of a voicemail, which then records for a while."""

    seconds: float = 20


@dataclass(frozen=True, slots=True)
class Music:
    """Hold music."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CutOff:
    """Begin a sentence and hang up in the middle of it."""

    text: str


@dataclass(frozen=True, slots=True)
class Farewell:
    """Return the caller's goodbye and hang up if they do not."""

    text: str = "Goodbye."


Step = (
    Listen
    | Say
    | Announce
    | Attend
    | Wait
    | Ask
    | Menu
    | BargeIn
    | Slowly
    | Beep
    | Music
    | CutOff
    | Farewell
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Picks up after ringing and follows the script; hangs up at its end."""

    script: tuple[Step, ...]
    ring_seconds: float = 4
    machine: bool = False
    confirmed: bool = True
    """False: the API answers 503 although the call is placed."""


@dataclass(frozen=True, slots=True)
class Busy:
    """The line is engaged."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Rings until the network gives up; with `rings_back`, returns the call so many seconds later."""

    ring_seconds: float = 20
    rings_back: float | None = None
    script: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Fails:
    """The network cannot connect the call."""

    sip_code: int = 503


@dataclass(frozen=True, slots=True)
class Refused:
    """The API refuses to place the call at all."""

    status: int
    code: int
    message: str


Ring = Answers | Busy | NoAnswer | Fails | Refused
