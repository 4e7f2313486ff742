"""What the line sounds like before anybody's words are known: beeps, fax tones, music, voices.

µ-law at 8 kHz. Everything is a sum over a table look-up, because it runs for every 20 ms frame
of every call whose answer is still in doubt; nothing runs for the others.

A tone is what predicts itself: for a pure sine x[n] + x[n-2] = 2 cos(ω) x[n-1], so one least
squares fit over a frame tells both that it is one and which (no bank of filters). Music and
voices differ in their gaps: the share of short pieces with less than half of the mean energy is
high in speech and low in music (Saunders, "Real-time discrimination of broadcast
speech/music", 1996).
"""

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from operator import add, mul

SAMPLES_PER_SECOND = 8000
FRAME = 160
"""Bytes of 20 ms."""
FRAME_SECONDS = FRAME / SAMPLES_PER_SECOND

SOUND = 100.0**2
"""Mean square of 16-bit samples from which a frame holds sound rather than a line's noise."""
PURE = 0.02
"""The share of a tone's energy that the prediction may miss."""
LONG_STEP = 4
"""Samples."""
BEEP_SECONDS, LONGEST_BEEP_SECONDS = 0.2, 2.5
BEEP_HERTZ = (350.0, 2050.0)
FAX_SECONDS = 1.0
FAX_HERTZ = (2050.0, 2150.0)
"""The answer tone of a fax or modem is 2100 Hz (ITU-T V.25)."""
SAME_TONE_HERTZ = 30.0
WINDOW = 100
"""Frames over which a texture is judged: two seconds."""
VOICE_FRAMES = 30
"""Frames of sound within the window from which it can be judged."""
EVERY = 10
"""Frames between two looks at the texture."""
GAPS = 0.2
"""The share of weak frames from which sound is a voice; music has fewer."""
MUSIC_SECONDS = 3.0
"""How long there must be nothing but music."""


class Sound(StrEnum):
    """What can be noticed on a line."""

    BEEP = "beep"
    FAX = "fax"
    MUSIC = "music"
    VOICE = "voice"


def _linear(code: int) -> int:
    """The 16-bit sample that a µ-law code stands for (ITU-T G.711)."""
    bits = ~code & 0xFF
    magnitude = (((bits & 0x0F) << 3) + 132 << (bits >> 4 & 7)) - 132
    return -magnitude if bits & 0x80 else magnitude


_LINEAR = [_linear(code) for code in range(256)]
_SQUARES = [sample * sample for sample in _LINEAR]


def energy(frame: bytes) -> float:
    """The mean square of a frame's samples."""
    return sum(map(_SQUARES.__getitem__, frame)) / len(frame)


def pitch(frame: bytes) -> float | None:
    """The frequency in hertz if the frame holds one pure tone and nothing else."""
    samples = [_LINEAR[code] for code in frame]
    once = _prediction(samples, 1)
    # Low tones of any number look alike from one sample to the next, but not over a longer step.
    if once is None or _prediction(samples, LONG_STEP) is None:
        return None
    return math.acos(once / 2) / math.tau * SAMPLES_PER_SECOND


def _prediction(x: list[int], step: int) -> float | None:
    """The a for which x[n] + x[n - 2 step] is a x[n - step], if there is one."""
    middle = x[step:-step]
    outer = list(map(add, x, x[2 * step :]))
    power = sum(map(mul, middle, middle))
    together = sum(map(mul, middle, outer))
    if not power or abs(together) > 2 * power:
        return None
    # What the best a misses: the sum of (outer - a middle) squared.
    missed = sum(map(mul, outer, outer)) - together * together / power
    return together / power if missed <= PURE * power else None


@dataclass
class _Tone:
    hertz: float
    seconds: float
    #: Whether another tone went before it, as in a melody.
    follows: bool
    #: Whether the last frame was loud and not of this tone.
    broken: bool = False


class Ear:
    """Listens to one line; feed it everything, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._tone: _Tone | None = None
        self._energies: deque[float] = deque(maxlen=WINDOW)
        self._since_look = 0
        self._music_seconds = 0.0

    def feed(self, audio: bytes) -> list[Sound]:
        """Takes the next audio; returns what was noticed in it, in order."""
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME
        self._rest = audio[whole:]
        noticed: list[Sound] = []
        for start in range(0, whole, FRAME):
            noticed += self._frame(audio[start : start + FRAME])
        return noticed

    def _frame(self, frame: bytes) -> list[Sound]:
        level = energy(frame)
        loud = level >= SOUND
        noticed = self._follow_tone(pitch(frame) if loud else None, loud=loud)
        self._energies.append(level)
        self._since_look += 1
        if self._since_look >= EVERY:
            self._since_look = 0
            noticed += self._texture()
        return noticed

    def _follow_tone(self, hertz: float | None, *, loud: bool) -> list[Sound]:
        tone = self._tone
        if tone and hertz and abs(hertz - tone.hertz) <= SAME_TONE_HERTZ:
            tone.seconds, tone.broken = tone.seconds + FRAME_SECONDS, False
            ripe = tone.seconds - FRAME_SECONDS < FAX_SECONDS <= tone.seconds
            return [Sound.FAX] if ripe and _within(tone.hertz, FAX_HERTZ) else []
        if tone and hertz is None and loud and not tone.broken:
            # The frame in which a tone ends or changes is none itself.
            tone.broken = True
            return []
        self._tone = _Tone(hertz, FRAME_SECONDS, follows=tone is not None) if hertz else None
        if tone is None or loud or tone.follows:
            return []
        long_enough = BEEP_SECONDS <= round(tone.seconds, 3) <= LONGEST_BEEP_SECONDS
        # Told at its end: what is said from here on is recorded.
        return [Sound.BEEP] if long_enough and _within(tone.hertz, BEEP_HERTZ) else []

    def _texture(self) -> list[Sound]:
        heard = [level for level in self._energies if level >= SOUND]
        if len(heard) < VOICE_FRAMES:
            self._music_seconds = 0.0
            return []
        mean = sum(heard) / len(heard)
        gaps = sum(level < mean / 2 for level in heard) / len(heard)
        if gaps >= GAPS:
            self._music_seconds = 0.0
            return [Sound.VOICE]
        if len(heard) < len(self._energies) * 0.9:
            return []
        before = self._music_seconds
        self._music_seconds += EVERY * FRAME_SECONDS
        return [Sound.MUSIC] if before < MUSIC_SECONDS <= self._music_seconds else []


def _within(hertz: float, band: tuple[float, float]) -> bool:
    return band[0] <= hertz <= band[1]
