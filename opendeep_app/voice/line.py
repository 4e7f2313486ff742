"""The recipient's side of a call: Twilio's media streams, one after the other.

A call has one stream at a time. Pressing keys replaces it: Twilio ends the stream, plays the
tones and opens the next one (twilio.com/docs/voice/twiml/play, "digits"), and the conversation
goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from opendeep_app.voice import metrics, twilio_codec
from opendeep_app.voice.playback import CutShort, Playback

REATTACH_SECONDS = 20


@dataclass(frozen=True)
class Stream:
    """One media stream: Twilio's socket, as far as a session needs it."""

    sid: str
    call_sid: str
    send: Callable[[bytes], None]
    close: Callable[..., Awaitable[None]]


class Line:
    """What the recipient hears, across streams."""

    def __init__(self) -> None:
        #: Set while a stream is up.
        self.connected = asyncio.Event()
        #: The carrier's id of the call, once a stream was up.
        self.call_sid = ""
        #: How many streams there were, this one included.
        self.streams = 0
        self._stream: Stream | None = None
        self._moving = False
        self._playback = Playback()
        self._played = asyncio.Event()
        # To look for the loop again at every frame costs a system call (Python 3.11).
        self._now = asyncio.get_running_loop().time

    @property
    def silent(self) -> bool:
        """Whether everything the agent said has been played."""
        return self._playback.idle

    def attach(self, stream: Stream) -> bool:
        """Takes a stream: the first, or the one after keys were pressed; False for any other."""
        if self._stream is not None and not self._moving:
            return False
        self._stream, self._moving = stream, False
        self.call_sid = stream.call_sid
        self.streams += 1
        self.connected.set()
        return True

    def detach(self, stream: Stream) -> bool:
        """A stream is over; whether the call is over with it."""
        return self._stream is stream and not self._moving

    async def close(self) -> None:
        """Ends the stream, and with it a call that has nothing else to do."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    def play(self, item_id: str, payload: bytes) -> None:
        """Sends audio of the agent's; drops what belongs to an interrupted utterance."""
        stream = self._stream
        if stream is None or self._moving:
            return
        if self._playback.sent(item_id, twilio_codec.samples(payload), self._now()):
            stream.send(twilio_codec.media(stream.sid, payload))
            self._mark()
        else:
            metrics.FRAMES.labels("late").inc()

    def play_tones(self, payload: bytes) -> None:
        """Sends keys as sound, in place of what the agent still had to say; nothing cuts them off."""
        stream = self._stream
        if stream is None or self._moving:
            return
        stream.send(twilio_codec.clear(stream.sid))
        self._playback.restart()
        self._tell()
        stream.send(twilio_codec.media(stream.sid, payload))

    def complete(self, item_id: str | None = None) -> None:
        """No more audio of this utterance, or of any, will come."""
        self._playback.complete(item_id)
        self._mark()

    def mark_played(self, name: str) -> None:
        """Twilio has played everything before this mark."""
        self._playback.marked(name, self._now())
        self._tell()

    def interrupt(self) -> list[CutShort]:
        """Silences the agent; returns what of its utterances was heard."""
        cut = self._playback.interrupted(self._now())
        self._tell()
        if cut and self._stream is not None:
            self._stream.send(twilio_codec.clear(self._stream.sid))
        return cut

    async def played_out(self) -> None:
        """Waits until everything sent has been played, or was cut short."""
        while not self._playback.idle:
            self._played.clear()
            await self._played.wait()

    async def move(self, go: Callable[[str], Awaitable[None]]) -> None:
        """Lets `go` (given the call's SID) end this stream, and waits for the next one.

        Raises what `go` raises, the old stream still being up, and `TimeoutError` when no new
        stream comes.
        """
        stream = self._stream
        if stream is None or self._moving:
            raise TimeoutError
        stream.send(twilio_codec.clear(stream.sid))
        self._moving = True
        self._playback.restart()
        self._tell()
        self.connected.clear()
        try:
            await go(stream.call_sid)
        except BaseException:
            self._moving = False
            self.connected.set()
            raise
        async with asyncio.timeout(REATTACH_SECONDS):
            await self.connected.wait()

    async def leave(self, go: Callable[[str], Awaitable[None]]) -> None:
        """Lets `go` (given the call's SID) end this stream for good, so that its end is ours."""
        self._moving = True
        await go(self.call_sid)
        self._stream = None

    def _mark(self) -> None:
        """Asks to be told how far the recipient has heard, when it is time."""
        name = self._playback.mark()
        if name is not None and self._stream is not None:
            self._stream.send(twilio_codec.mark(self._stream.sid, name))

    def _tell(self) -> None:
        if self._playback.idle:
            self._played.set()
