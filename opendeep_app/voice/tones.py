"""Keys as sound: the dual tones of a telephone's keypad (ITU-T Q.23), in base64 µ-law."""

import base64
import math
from functools import cache

SAMPLES_PER_MS = 8
TONE_MS, GAP_MS = 300, 100
"""Long enough for the deafest of phone menus."""
WAIT_MS = 500
LEVEL = 6000.0
"""The amplitude of each of the two tones, of 32767: about -15 dBm0."""
ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477)
KEYS = "123456789*0#"


def keys(digits: str) -> bytes:
    """The sound of these keys being pressed; `w` waits half a second."""
    return base64.b64encode(b"".join(map(_key, digits)))


@cache
def _key(digit: str) -> bytes:
    if digit == "w":
        return _silence(WAIT_MS)
    row, column = divmod(KEYS.index(digit), len(COLUMNS))
    low, high = (math.tau * hertz / 8000 for hertz in (ROWS[row], COLUMNS[column]))
    tone = bytes(
        _mulaw(round(LEVEL * (math.sin(low * n) + math.sin(high * n))))
        for n in range(TONE_MS * SAMPLES_PER_MS)
    )
    return tone + _silence(GAP_MS)


def _silence(milliseconds: int) -> bytes:
    return b"\xff" * (milliseconds * SAMPLES_PER_MS)


def _mulaw(sample: int) -> int:
    """A 16-bit sample as a µ-law code (ITU-T G.711)."""
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF
