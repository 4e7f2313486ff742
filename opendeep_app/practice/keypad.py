"""Hears keys pressed as sound: what a phone menu does when no carrier tells it of them."""

import math
from operator import mul

from opendeep_app.practice.sound import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS, FRAME, linear

LEAST_SHARE = 0.35
"""Of a frame's energy, for each of the two tones."""
LEAST_ENERGY = 200.0**2
SHORTEST_FRAMES = 3

_LINEAR = [linear(code) for code in range(256)]
_WAVES = {
    hertz: [
        [wave(math.tau * hertz * n / 8000) for n in range(FRAME)] for wave in (math.cos, math.sin)
    ]
    for hertz in (*DTMF_ROWS, *DTMF_COLUMNS)
}


class Keypad:
    """Listens for keys in µ-law audio of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._key = ""
        self._frames = 0

    def feed(self, audio: bytes) -> str:
        """Takes the next audio; returns the keys that were recognised in it."""
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME
        self._rest = audio[whole:]
        pressed = ""
        for start in range(0, whole, FRAME):
            key = _key_in(audio[start : start + FRAME])
            self._frames = self._frames + 1 if key == self._key else 1
            self._key = key
            if self._frames == SHORTEST_FRAMES:
                pressed += key
        return pressed


def _key_in(frame: bytes) -> str:
    """The key whose tones a frame holds; empty for none."""
    samples = [_LINEAR[code] for code in frame]
    energy = sum(map(mul, samples, samples)) / FRAME
    if energy < LEAST_ENERGY:
        return ""
    row, low = max(((hertz, _share(samples, hertz)) for hertz in DTMF_ROWS), key=lambda e: e[1])
    column, high = max(
        ((hertz, _share(samples, hertz)) for hertz in DTMF_COLUMNS), key=lambda e: e[1]
    )
    if min(low, high) < LEAST_SHARE * energy:
        return ""
    return DTMF_KEYS[DTMF_ROWS.index(row) * 4 + DTMF_COLUMNS.index(column)]


def _share(samples: list[int], hertz: int) -> float:
    """The mean square that a tone contributes (one bin of a Fourier transform)."""
    real, imaginary = (sum(map(mul, samples, wave)) for wave in _WAVES[hertz])
    return float(2 * (real * real + imaginary * imaginary) / FRAME**2)
