"""Words inside µ-law audio.

An utterance is a burst of 8 kHz µ-law samples: a 16-sample preamble, then a length, a CRC-32
and the UTF-8 text at one nibble per sample, taken from sixteen µ-law codes that neither the
preamble nor the sounds of `sound.py` use. Each nibble lasts eight samples, so that a sentence
of 60 letters spans seven 20 ms frames. Nothing is corrected: one dropped, doubled, reordered or
altered byte and the utterance is lost, which is what makes the practice line a test of the
audio path.
"""

import zlib
from dataclasses import dataclass

PREAMBLE = bytes.fromhex("a828b030a828b030b030a828b030a828")
NIBBLES = bytes(range(0xA0, 0xA8)) + bytes(range(0x20, 0x28))
"""The µ-law code of each nibble: magnitudes from about 5900 to 8000, of either sign."""
MAX_BYTES = 4000
SAMPLES_PER_NIBBLE = 8

_HEADER = 6  # bytes: length and CRC-32

_HEX = b"0123456789abcdef"
_TO_SAMPLES = bytes.maketrans(_HEX, NIBBLES)
_TO_HEX = bytes(_HEX[NIBBLES.index(code)] if code in NIBBLES else ord("?") for code in range(256))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a burst said; `None` when it arrived damaged."""

    text: str | None


def encode(text: str) -> bytes:
    """The burst for `text`. Raises `ValueError` beyond 4000 bytes of UTF-8."""
    payload = text.encode()
    if len(payload) > MAX_BYTES:
        raise ValueError(f"an utterance is at most {MAX_BYTES} bytes")
    length = len(payload).to_bytes(2)
    checksum = zlib.crc32(length + payload).to_bytes(4)
    return PREAMBLE + _samples(length + checksum + payload)


class Demodulator:
    """Finds bursts in audio that arrives in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = b""
        self._receiving = False

    def feed(self, audio: bytes) -> list[Decoded]:
        """Takes the next piece of audio; returns the bursts that ended (or broke) in it."""
        self._buffer += audio
        found: list[Decoded] = []
        while True:
            if not self._receiving:
                start = self._buffer.find(PREAMBLE)
                if start < 0:
                    self._buffer = self._buffer[-(len(PREAMBLE) - 1) :]
                    return found
                self._buffer = self._buffer[start + len(PREAMBLE) :]
                self._receiving = True
            frame, complete = _frame(self._buffer)
            if frame is not None and not complete:
                return found
            self._receiving = False
            text = None if frame is None else _text(frame)
            if frame is not None and text is not None:
                self._buffer = self._buffer[_width(len(frame)) :]
            found.append(Decoded(text))


def _width(size: int) -> int:
    """How many samples this many bytes take."""
    return size * 2 * SAMPLES_PER_NIBBLE


def _samples(data: bytes) -> bytes:
    nibbles = data.hex().encode().translate(_TO_SAMPLES)
    stretched = bytearray(_width(len(data)))
    for offset in range(SAMPLES_PER_NIBBLE):
        stretched[offset::SAMPLES_PER_NIBBLE] = nibbles
    return bytes(stretched)


def _bytes(samples: bytes) -> bytes | None:
    """The whole bytes among the samples, or `None` when one sample is not what was sent."""
    samples = samples[: len(samples) - len(samples) % _width(1)]
    digits = samples[::SAMPLES_PER_NIBBLE].translate(_TO_HEX)
    if b"?" in digits:
        return None
    data = bytes.fromhex(digits.decode())
    return data if samples == _samples(data) else None


def _frame(buffer: bytes) -> tuple[bytes | None, bool]:
    """The frame that begins the buffer and whether all of it is there; `None` if it is damaged."""
    received = _bytes(buffer[: _width(_HEADER)])
    if received is None or len(received) < _HEADER:
        return received, False
    size = int.from_bytes(received[:2])
    if size > MAX_BYTES:
        return None, False
    end = _width(_HEADER + size)
    return _bytes(buffer[:end]), len(buffer) >= end


def _text(frame: bytes) -> str | None:
    """The text of a whole frame, or `None` when its checksum is wrong."""
    length, checksum, payload = frame[:2], frame[2:_HEADER], frame[_HEADER:]
    if zlib.crc32(length + payload).to_bytes(4) != checksum:
        return None
    return payload.decode()
