"""What a carrier keeps of a recorded call: both sides, a channel each, as a WAV file."""

import struct
from dataclasses import dataclass, field

from opendeep_app.practice.sound import SAMPLES_PER_SECOND, linear

CHANNELS = 2
BYTES_PER_SAMPLE = 2


_PCM = [struct.pack("<h", linear(code)) for code in range(256)]
_LOW = bytes(pair[0] for pair in _PCM)
_HIGH = bytes(pair[1] for pair in _PCM)


@dataclass
class Recorder:
    """Takes both directions of a line, in step with each other."""

    recipient: bytearray = field(default_factory=bytearray)
    caller: bytearray = field(default_factory=bytearray)

    def take(self, recipient: bytes, caller: bytes) -> None:
        """The same moments of both sides, in µ-law."""
        self.recipient += recipient
        self.caller += caller

    @property
    def seconds(self) -> int:
        """How long it has recorded, in whole seconds as the carrier counts them."""
        return round(len(self.recipient) / SAMPLES_PER_SECOND)

    def wav(self) -> bytes:
        """16-bit linear, 8 kHz: the recipient on the left, the caller on the right."""
        size = len(self.recipient) * CHANNELS * BYTES_PER_SAMPLE
        frame = CHANNELS * BYTES_PER_SAMPLE
        samples = bytearray(size)
        for channel, codes in enumerate((self.recipient, self.caller)):
            samples[channel * 2 :: frame] = codes.translate(_LOW)
            samples[channel * 2 + 1 :: frame] = codes.translate(_HIGH)
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, CHANNELS, SAMPLES_PER_SECOND,
            SAMPLES_PER_SECOND * frame, frame, BYTES_PER_SAMPLE * 8, b"data", size,
        )  # fmt: skip
        return head + bytes(samples)
