"""The wires between a recipient's telephone and the network, with the clock that moves them.

Both directions advance together, one 20 ms frame at a time, at real time divided by the speed.
The recipient side queues sound to be heard by the caller and is told what its ear notices; the
network side plays audio toward the recipient and takes frames from them.
"""

import asyncio
from collections import deque
from typing import Protocol

from opendeep_app.practice.keypad import Keypad
from opendeep_app.practice.recorder import Recorder
from opendeep_app.practice.sound import FRAME, SILENCE, Ear, SpeechStarted, SpeechStopped

FRAME_SECONDS = 0.02
SMALLEST_TICK = 0.01
"""Seconds between two looks at the clock; at high speed several frames are due at once and
travel in one message."""
MOST_FRAMES = 50
JITTER_SECONDS = 0.12
"""How long (wall clock) late audio is waited for before the recipient hears silence."""


class Listener(Protocol):
    """The far end of the recipient's voice: a media stream, while there is one."""

    def frame(self, audio: bytes) -> None:
        """Takes the next 20 ms (or a multiple of it) of what the recipient says."""

    def played(self, mark: str) -> None:
        """Everything that was played before this mark has been heard."""

    async def flush(self) -> None:
        """Sends what was taken."""


class Line:
    """One connected telephone line."""

    def __init__(self, speed: float) -> None:
        self.noticed: asyncio.Queue[SpeechStarted | SpeechStopped | str] = asyncio.Queue()
        """For the recipient: turns of speech from the caller, and digits as text."""
        self.ear = Ear(silence_ms=600)
        self.connected = asyncio.Event()
        """Set while somebody listens to the recipient."""
        self.heard: list[str] = []
        """What the recipient understood, in order; empty text for what was only noise."""
        self._speed = speed
        self._voice = bytearray()
        self._silent = asyncio.Event()
        self._silent.set()
        self._playout: deque[bytes | str] = deque()
        self._finished = asyncio.Event()
        self._finished.set()
        self._starving_since: float | None = None
        self._listener: Listener | None = None
        self.keypad: Keypad | None = None
        """Set while the recipient listens for keys in the caller's sound."""
        self.recorder: Recorder | None = None
        """Set while the call is recorded."""

    @property
    def listener(self) -> Listener | None:
        """Who listens to the recipient now."""
        return self._listener

    def connect(self, listener: Listener) -> None:
        """Lets someone listen to the recipient."""
        self._listener = listener
        self.connected.set()

    def disconnect(self) -> None:
        """Ends listening; what was still to be played is forgotten."""
        self._listener = None
        self.connected.clear()
        self.clear()

    async def speak(self, audio: bytes) -> None:
        """Lets the recipient make this sound; returns when it has been made."""
        self._voice += audio
        self._silent.clear()
        await self._silent.wait()

    def hush(self) -> None:
        """Ends the recipient's sound."""
        self._voice.clear()
        self._silent.set()

    def press(self, digits: str) -> None:
        """Lets the recipient hear keys pressed by the caller."""
        self.noticed.put_nowait(digits)

    def play(self, audio: bytes) -> None:
        """Queues audio for the recipient's ear."""
        self._playout.append(audio)
        self._finished.clear()

    def mark(self, name: str) -> None:
        """Reports this name to the listener once everything queued so far was heard."""
        self._playout.append(name)
        self._finished.clear()

    def clear(self) -> None:
        """Forgets what is still to be played and reports its marks at once."""
        for item in self._playout:
            if isinstance(item, str) and self._listener:
                self._listener.played(item)
        self._playout.clear()
        self._finished.set()

    def hung_up(self) -> None:
        """Ends the line in the middle of whatever is being said."""
        if stopped := self.ear.stop():
            self.heard.append(stopped.text)

    async def played_out(self) -> None:
        """Waits until everything queued has been heard."""
        await self._finished.wait()

    async def run(self) -> None:
        """Moves the frames until cancelled."""
        loop = asyncio.get_running_loop()
        pace = FRAME_SECONDS / self._speed
        clock = loop.time()
        while True:
            await asyncio.sleep(max(SMALLEST_TICK, clock + pace - loop.time()))
            frames = int((loop.time() - clock) / pace)
            if frames > MOST_FRAMES:
                # An overloaded machine makes calls slower, not broken.
                frames, clock = MOST_FRAMES, loop.time() - MOST_FRAMES * pace
            clock += frames * pace
            if not frames:
                continue
            size = frames * FRAME
            played = self._listen(size, loop.time())
            voice = self._next_voice(size)
            if self.keypad is not None and (digits := self.keypad.feed(played)):
                self.press(digits)
            if self.recorder is not None:
                self.recorder.take(voice, played.ljust(size, SILENCE))
            if listener := self._listener:
                listener.frame(voice)
                await listener.flush()

    def _next_voice(self, size: int) -> bytes:
        if not self._voice:
            return SILENCE * size
        voice = bytes(self._voice[:size])
        del self._voice[:size]
        if not self._voice:
            self._silent.set()
        return voice.ljust(size, SILENCE)

    def _listen(self, size: int, now: float) -> bytes:
        """Lets the recipient hear what is to be played next, and returns it."""
        audio = self._next_played(size)
        if audio:
            self._starving_since = None
        elif self.ear.speaking:
            # The next piece of an utterance may just be late, as with any jitter buffer.
            self._starving_since = self._starving_since or now
            if now - self._starving_since < JITTER_SECONDS:
                return audio
        for event in self.ear.feed(audio or SILENCE * size):
            if isinstance(event, SpeechStopped):
                self.heard.append(event.text)
            self.noticed.put_nowait(event)
        return audio

    def _next_played(self, size: int) -> bytes:
        """Up to so many bytes of what is to be heard."""
        audio = b""
        while self._playout and len(audio) < size:
            item = self._playout.popleft()
            if isinstance(item, str):
                if self._listener:
                    self._listener.played(item)
                continue
            missing = size - len(audio)
            audio += item[:missing]
            if len(item) > missing:
                self._playout.appendleft(item[missing:])
        if not self._playout:
            self._finished.set()
        return audio
