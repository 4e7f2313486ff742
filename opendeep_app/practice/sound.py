"""Audible µ-law sounds (8 kHz, one byte a sample) and the ear that listens for speech.

Amplitudes are 16-bit linear. Every sound stays below 4000, away from the modem's codes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from opendeep_app.practice import modem

SAMPLES_PER_SECOND = 8000
FRAME = 160
"""Bytes in a 20 ms frame, the size in which Twilio sends audio."""
FRAME_MS = 20
SILENCE = b"\xff"

SPEECH_THRESHOLD = 300
"""Amplitude from which a sample can be speech; hold music stays below it."""
MS_PER_LETTER = 60
LONGEST_SPEECH_MS = 4000
SHORTEST_SPEECH_MS = 400

DTMF_ROWS = (697, 770, 852, 941)
DTMF_COLUMNS = (1209, 1336, 1477, 1633)
DTMF_KEYS = "123A456B789C*0#D"


def to_mulaw(sample: int) -> int:
    """One 16-bit linear sample as a µ-law code (ITU-T G.711)."""
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF


def linear(code: int) -> int:
    """The 16-bit linear sample that a µ-law code stands for."""
    bits = ~code & 0xFF
    magnitude = (((bits & 0x0F) << 3) + 132 << (bits >> 4 & 7)) - 132
    return -magnitude if bits & 0x80 else magnitude


_QUIET = bytes(code for code in range(256) if abs(linear(code)) < SPEECH_THRESHOLD)


def silence(milliseconds: float) -> bytes:
    """Silence of this length."""
    return SILENCE * int(milliseconds * 8)


def spoken(text: str) -> bytes:
    """The sound of someone saying `text`: its burst, then babble for as long as speech takes."""
    length = min(max(len(text) * MS_PER_LETTER, SHORTEST_SPEECH_MS), LONGEST_SPEECH_MS)
    return modem.encode(text) + _loop(_babble(), length)


def beep() -> bytes:
    """The tone after which a voicemail records."""
    return _tone(400, 1000)


def dtmf(digits: str) -> bytes:
    """The keys' tones: 100 ms each, 100 ms apart."""
    return b"".join(_tone(100, *_dtmf_pair(digit)) + silence(100) for digit in digits)


def hold_music(milliseconds: float) -> bytes:
    """Soft music that no speech detector takes for a voice."""
    return _loop(_melody(), milliseconds)


def is_loud(frame: bytes) -> bool:
    """Whether a frame of about 20 ms holds speech or a tone."""
    return len(frame.translate(None, _QUIET)) * 8 > len(frame)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Someone began to speak, this long after the ear's first sample."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Someone stopped speaking. `text` is empty when nothing could be understood."""

    start_ms: int
    end_ms: int
    text: str


class Ear:
    """Turns audio into turns of speech, by its energy and the bursts inside it."""

    def __init__(self, silence_ms: int = 500) -> None:
        self.silence_ms = silence_ms
        """How long it must be quiet before a turn counts as over."""
        self.position_ms = 0
        self.speaking = False
        self._start_ms = 0
        self._last_loud_ms = 0
        self._rest = b""
        self._words: list[str] = []
        self._demodulator = modem.Demodulator()

    def feed(self, audio: bytes) -> list[SpeechStarted | SpeechStopped]:
        """Takes the next piece of audio, of any size; returns what was noticed in it."""
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME
        self._rest = audio[whole:]
        noticed: list[SpeechStarted | SpeechStopped] = []
        for start in range(0, whole, FRAME):
            frame = audio[start : start + FRAME]
            loud = is_loud(frame)
            self._words += (burst.text or "" for burst in self._demodulator.feed(frame))
            if loud and not self.speaking:
                self.speaking = True
                self._start_ms = self.position_ms
                noticed.append(SpeechStarted(self.position_ms))
            self.position_ms += FRAME_MS
            if loud:
                self._last_loud_ms = self.position_ms
            elif self.speaking and self.position_ms - self._last_loud_ms >= self.silence_ms:
                noticed.append(self._stop())
        return noticed

    def stop(self) -> SpeechStopped | None:
        """Ends the turn that is under way, if one is."""
        return self._stop() if self.speaking else None

    def _stop(self) -> SpeechStopped:
        self.speaking = False
        text = " ".join(word for word in self._words if word)
        self._words.clear()
        return SpeechStopped(self._start_ms, self._last_loud_ms, text)


def _samples(count: int, wave: Callable[[float], float]) -> bytes:
    return bytes(to_mulaw(round(wave(index / SAMPLES_PER_SECOND))) for index in range(count))


def _loop(pattern: bytes, milliseconds: float) -> bytes:
    count = int(milliseconds * 8)
    return (pattern * (count // len(pattern) + 1))[:count]


@cache
def _tone(milliseconds: int, *frequencies: int) -> bytes:
    level = 3000 / len(frequencies)
    return _samples(
        milliseconds * 8,
        lambda t: sum(level * math.sin(math.tau * frequency * t) for frequency in frequencies),
    )


@cache
def _babble() -> bytes:
    """One second of a voice-like hum in four syllables."""
    return _samples(
        SAMPLES_PER_SECOND,
        lambda t: (
            (900 + 500 * math.sin(math.tau * 4 * t))
            * (math.sin(math.tau * 140 * t) + 0.6 * math.sin(math.tau * 420 * t))
        ),
    )


@cache
def _melody() -> bytes:
    """Two seconds of a broken chord at an amplitude under the speech threshold."""
    notes = (262, 330, 392, 523)
    return _samples(
        2 * SAMPLES_PER_SECOND,
        lambda t: 0.8 * SPEECH_THRESHOLD * math.sin(math.tau * notes[int(t * 2) % 4] * t),
    )


def _dtmf_pair(digit: str) -> tuple[int, int]:
    row, column = divmod(DTMF_KEYS.index(digit), 4)
    return DTMF_ROWS[row], DTMF_COLUMNS[column]
