"""Redis channels: all that a process hears come over one connection, which renews itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = structlog.get_logger()

RECONNECT_SECONDS = 0.5
OPEN_SECONDS = 2
CLOSE_SECONDS = 0.8
"""The end of a call waits for this, and must not wait for a Redis that hangs."""
#: A connection that listens to nothing would end. Nothing is published here.
SILENCE = b"opendeep:silence"


@dataclass
class _Channel:
    hear: Callable[[bytes], None]
    open: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


class Channels:
    """Who hears what; connects when the first channel is opened."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wanted: dict[bytes, _Channel] = {}
        self._subscribed: set[bytes] = set()
        self._leaving: dict[bytes, _Channel] = {}
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Ends the connection."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    @contextlib.asynccontextmanager
    async def hearing(self, name: str, hear: Callable[[bytes], None]) -> AsyncIterator[None]:
        """While open, what is published on a channel is passed to `hear`, which must not fail.

        Waits at either end until Redis has confirmed, so that a publisher is told the truth about
        who hears it; a Redis that says nothing is not waited for. A channel has one hearer.
        """
        channel, key = _Channel(hear), name.encode()
        self._wanted[key] = channel
        self._running = self._running or asyncio.create_task(self._run())
        self._changed.set()
        try:
            await _confirmed(channel.open, OPEN_SECONDS)
            yield
        finally:
            del self._wanted[key]
            if key in self._subscribed:
                self._leaving[key] = channel
                self._changed.set()
                await _confirmed(channel.closed, CLOSE_SECONDS)

    async def _run(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(SILENCE)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._follow(pubsub))
                        tasks.create_task(self._receive(pubsub))
            except* (RedisError, OSError):
                log.warning("redis_lost", retry_in_seconds=RECONNECT_SECONDS)
            # Nobody can be told anything any more.
            for channel in self._leaving.values():
                channel.closed.set()
            self._leaving.clear()
            self._subscribed.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self, pubsub: PubSub) -> None:
        """Subscribes to what is wanted, and to nothing else."""
        while True:
            self._changed.clear()
            if new := self._wanted.keys() - self._subscribed:
                self._subscribed |= new
                await pubsub.subscribe(*new)
            if gone := self._subscribed - self._wanted.keys():
                self._subscribed -= gone
                await pubsub.unsubscribe(*gone)
            await self._changed.wait()

    async def _receive(self, pubsub: PubSub) -> None:
        async for message in pubsub.listen():
            key = message["channel"]
            if message["type"] == "unsubscribe":
                if channel := self._leaving.pop(key, None):
                    channel.closed.set()
            elif channel := self._wanted.get(key):
                if message["type"] == "subscribe":
                    channel.open.set()
                else:
                    channel.hear(message["data"])


async def _confirmed(event: asyncio.Event, seconds: float) -> None:
    # Not `wait_for`: when both come at once, Python 3.11's forgets that it was cancelled.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
