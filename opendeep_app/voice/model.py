"""The voice model's side of a call: what it hears and is told, and when it may speak."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from openai import OpenAIError
from websockets.exceptions import WebSocketException

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
ACTIVE_ALREADY = "conversation_already_has_active_response"


class Connection(Protocol):
    """As much of the `openai` client's Realtime connection as we use: no event is ever parsed twice."""

    async def send_raw(self, data: str) -> None:
        """Sends one event."""

    async def recv_bytes(self) -> bytes:
        """Receives one event."""


class Model:
    """One Realtime session.

    One response at a time may be under way. What asks for another while one is, or while the
    recipient speaks, gets its turn afterwards: the server itself responds to what was said.
    A connection that closes at this moment is noticed where it is read.
    """

    def __init__(self) -> None:
        #: Set once the model is configured and hears the recipient.
        self.ready = asyncio.Event()
        self._connection: Connection | None = None
        self._hushed = asyncio.Event()
        self._hushed.set()
        self._early: deque[str] = deque(maxlen=EARLY_FRAMES)
        self._responding = False
        #: The last request for a response, and the one to be sent when its turn has come.
        self._request = ""
        self._wanted = ""
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
        """Whether a response is being made or has been asked for."""
        return self._responding

    async def open(self, connection: Connection, configuration: str) -> None:
        """Configures a new session and lets it hear what has been said so far."""
        self._connection = connection
        self._responding, self._wanted = False, ""
        self._hushed.set()
        self._unread.clear()
        self._all_read.set()
        await self.note(configuration)
        while self._early:
            await self.note(realtime_codec.append_audio(self._early.popleft()))
        self.ready.set()

    def lose(self) -> None:
        """The connection is gone; what is said meanwhile is kept for the next."""
        self.ready.clear()
        self._connection = None

    async def hear(self, payload: str) -> None:
        """Passes the recipient's audio (base64 µ-law) on, untouched."""
        if self.ready.is_set():
            await self.note(realtime_codec.append_audio(payload))
        else:
            self._early.append(payload)

    async def events(self) -> AsyncIterator[ModelEvent]:
        """What the model does, until the connection closes; then raises `WebSocketException`."""
        assert self._connection is not None
        while True:
            event = realtime_codec.decode(await self._connection.recv_bytes())
            await self._follow(event)
            yield event

    async def note(self, *messages: str) -> None:
        """Sends events that ask for no response."""
        if self._connection is not None:
            with contextlib.suppress(WebSocketException, OpenAIError):
                for message in messages:
                    await self._connection.send_raw(message)

    async def tell(self, *messages: str) -> None:
        """Sends events and asks for a response to them."""
        await self.note(*messages)
        await self.respond()

    async def respond(self) -> None:
        """Asks for a response; while another is being made, for one after it."""
        if self.recipient_speaks:
            # The server responds by itself to what they say, knowing all it was told.
            self._wanted = ""
        else:
            await self._ask(realtime_codec.respond())

    async def say(self, instructions: str) -> None:
        """Has the model follow these instructions and no others in its next response."""
        await self._ask(realtime_codec.say(instructions))

    async def choose(self) -> None:
        """Has the model call a function without saying anything."""
        await self._ask(realtime_codec.choose())

    async def repeat(self) -> None:
        """Asks once more for what was asked for last."""
        await self._ask(self._request or realtime_codec.respond())

    async def _ask(self, request: str) -> None:
        if self._responding:
            self._wanted = request
        else:
            self._responding, self._request, self._wanted = True, request, ""
            await self.note(request)

    async def wait_for_turn(self, seconds: float) -> None:
        """Lets the recipient finish speaking, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hushed.wait()

    async def truncate(self, cut: list[CutShort]) -> None:
        """Tells the model how much of its utterances was really heard."""
        await self.note(*(realtime_codec.truncate(each.item_id, each.heard_ms) for each in cut))

    async def last_words(self) -> None:
        """Has what the recipient said just before hanging up written down, and waits for it."""
        if self.recipient_speaks:
            await self.note(realtime_codec.end_turn())
        await self._all_read.wait()

    async def _follow(self, event: ModelEvent) -> None:
        match event:
            case SpeechStarted(item_id):
                self._hushed.clear()
                self._unread.add(item_id)
                self._all_read.clear()
            case SpeechStopped():
                self._hushed.set()
            case Said(Speaker.RECIPIENT, item_id):
                self._unread.discard(item_id)
                if not self._unread:
                    self._all_read.set()
            case ResponseStarted():
                self._responding = True
            case ResponseFinished():
                self._responding = False
            case Refused(code, event_id) if event_id == RESPOND:
                # Somebody else's response is under way: the server's own, to what was said.
                self._responding = code == ACTIVE_ALREADY
                self._wanted = self._request if self._responding else ""
            case _:
                return
        if self._wanted and not self._responding:
            plain = self._wanted == realtime_codec.respond()
            await (self.respond() if plain else self._ask(self._wanted))
