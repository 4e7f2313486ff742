"""The voice model's side of a call: what it hears and is told, and when it may speak."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from opendeep_app.models import Speaker
from opendeep_app.voice import realtime_codec
from opendeep_app.voice.playback import CutShort
from opendeep_app.voice.realtime_codec import (
    RESPOND,
    ModelEvent,
    Refused,
    ResponseFinished,
    ResponseStarted,
    Said,
    SpeechStarted,
    SpeechStopped,
)

EARLY_FRAMES = 250
"""What the recipient says before the model is ready is kept: five seconds of 20 ms frames."""
MUTE_SECONDS = 10.0
"""A model that owes a response and has been silent for so long, and up to twice, is mute."""
ACTIVE_ALREADY = "conversation_already_has_active_response"


class Connection(Protocol):
    """As much of a Realtime connection as we use (`wire.ModelWire`)."""

    play: Callable[[str, bytes], None] | None
    """Takes the agent's voice (item, base64) without an event."""

    def post(self, text: bytes) -> None:
        """Sends one event; nothing if the connection is closed, which is noticed in reading."""

    async def recv_bytes(self) -> bytes:
        """Receives one event."""


class Model:
    """One Realtime session.

    One response at a time may be under way. What asks for another while one is, or while the
    recipient speaks, gets its turn afterwards: the server itself responds to what was said.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._hushed = asyncio.Event()
        self._hushed.set()
        self._early: deque[bytes] = deque(maxlen=EARLY_FRAMES)
        self._responding = False
        #: Whether the server is to respond by itself, and whether anything has come lately.
        self._expecting = False
        self._active = False
        #: The last request for a response, and the one to be sent when its turn has come.
        self._request = b""
        self._wanted = b""
        #: Utterances of the recipient whose words have not come yet.
        self._unread: set[str] = set()
        self._all_read = asyncio.Event()
        self._all_read.set()

    @property
    def recipient_speaks(self) -> bool:
        """Whether the recipient is speaking at this moment."""
        return not self._hushed.is_set()

    @property
    def responding(self) -> bool:
        """Whether a response is being made, has been asked for or is to be expected."""
        return self._responding or self._expecting

    def open(self, connection: Connection, configuration: bytes) -> None:
        """Configures a new session and lets it hear what has been said so far."""
        self._connection = connection
        self._responding = self._expecting = False
        self._wanted = b""
        self._hushed.set()
        self._unread.clear()
        self._all_read.set()
        self.note(configuration)
        while self._early:
            self.note(realtime_codec.append_audio(self._early.popleft()))

    def lose(self) -> None:
        """The connection is gone; what is said meanwhile is kept for the next."""
        self._connection = None

    def hear(self, payload: bytes) -> None:
        """Passes the recipient's audio (base64 µ-law) on, untouched."""
        if self._connection is not None:
            self._connection.post(realtime_codec.append_audio(payload))
        else:
            self._early.append(payload)

    async def events(self) -> AsyncGenerator[ModelEvent, None]:
        """What the model does, until the connection closes; then raises `WebSocketException`.

        Raises `TimeoutError` when the model falls mute.
        """
        assert self._connection is not None
        while True:
            try:
                async with asyncio.timeout(MUTE_SECONDS):
                    data = await self._connection.recv_bytes()
            except TimeoutError:
                if (self._responding or self._expecting) and not self._active:
                    raise
                self._active = False
                continue
            self._active = True
            event = realtime_codec.decode(data)
            self._follow(event)
            yield event

    def gives_sound(self) -> None:
        """Sound has come, which is no event."""
        self._active = True

    def expect_response(self) -> None:
        """The recipient has finished, so the server is to respond by itself."""
        self._expecting = self._active = True

    def note(self, *messages: bytes) -> None:
        """Sends events that ask for no response."""
        if self._connection is not None:
            for message in messages:
                self._connection.post(message)

    def tell(self, *messages: bytes) -> None:
        """Sends events and asks for a response to them."""
        self.note(*messages)
        self.respond()

    def respond(self) -> None:
        """Asks for a response; while another is being made, for one after it."""
        if self.recipient_speaks:
            # The server responds by itself to what they say, knowing all it was told.
            self._wanted = b""
        else:
            self._ask(realtime_codec.respond())

    def say(self, instructions: str) -> None:
        """Has the model follow these instructions and no others in its next response."""
        self._ask(realtime_codec.say(instructions))

    def choose(self) -> None:
        """Has the model call a function without saying anything."""
        self._ask(realtime_codec.choose())

    def repeat(self) -> None:
        """Asks once more for what was asked for last."""
        self._ask(self._request or realtime_codec.respond())

    def _ask(self, request: bytes) -> None:
        if self._responding:
            self._wanted = request
        else:
            self._responding, self._request, self._wanted = True, request, b""
            self._active = True
            self.note(request)

    async def wait_for_turn(self, seconds: float) -> None:
        """Lets the recipient finish speaking, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hushed.wait()

    def truncate(self, cut: list[CutShort]) -> None:
        """Tells the model how much of its utterances was really heard."""
        self.note(*(realtime_codec.truncate(each.item_id, each.heard_ms) for each in cut))

    async def last_words(self) -> None:
        """Has what the recipient said just before hanging up written down, and waits for it."""
        if self.recipient_speaks:
            self.note(realtime_codec.end_turn())
        await self._all_read.wait()

    def _follow(self, event: ModelEvent) -> None:
        match event:
            case SpeechStarted(item_id):
                self._hushed.clear()
                self._expecting = False
                self._unread.add(item_id)
                self._all_read.clear()
            case SpeechStopped():
                self._hushed.set()
            case Said(Speaker.RECIPIENT, item_id):
                self._unread.discard(item_id)
                if not self._unread:
                    self._all_read.set()
            case ResponseStarted():
                self._responding, self._expecting = True, False
            case ResponseFinished():
                self._responding = False
            case Refused(code, event_id) if event_id == RESPOND:
                # Somebody else's response is under way: the server's own, to what was said.
                self._responding = code == ACTIVE_ALREADY
                self._wanted = self._request if self._responding else b""
            case _:
                return
        if self._wanted and not self._responding:
            plain = self._wanted == realtime_codec.respond()
            if plain:
                self.respond()
            else:
                self._ask(self._wanted)
