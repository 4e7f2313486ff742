"""Typed messages over Redis: notices to dashboards, commands to live calls, jobs to workers.

Redis only carries. Losing any of these messages costs time, never truth: pages re-read on a
timer, a live call re-reads its question's row, and the sweep enqueues overdue jobs again.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, cast

import structlog
from arq import ArqRedis
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from redis.exceptions import RedisError

from opendeep_app.channels import Channels

log = structlog.get_logger()

NOTICES = "opendeep:notices"
COUNTERS = "opendeep:counters"


class Topic(StrEnum):
    """What part of a task a notice is about."""

    TASK = "task"
    TRANSCRIPT = "transcript"
    INFO_REQUEST = "info_request"
    #: Not of a task: a webhook, or what was sent to it.
    WEBHOOK = "webhook"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1


class Notice(_Message):
    """Something of a user's has changed; carries ids only, so that nothing private travels."""

    user_id: str
    topic: Topic
    task_id: str | None = None
    call_id: str | None = None
    info_request_id: str | None = None


class AnswerGiven(_Message):
    """The creator has answered in time, as the row says by now: put the answer into the call."""

    kind: Literal["answer_given"] = "answer_given"
    call_id: str
    info_request_id: str
    answer: str


class ExtendWait(_Message):
    """The creator needs more time: read the new deadline from the row."""

    kind: Literal["extend_wait"] = "extend_wait"
    call_id: str
    info_request_id: str


class WaitEnded(_Message):
    """The creator answers later, so the recipient need not wait: read the row, say goodbye."""

    kind: Literal["wait_ended"] = "wait_ended"
    call_id: str
    info_request_id: str


class Whisper(_Message):
    """A note of the creator's to the agent, for the rest of this call."""

    kind: Literal["whisper"] = "whisper"
    call_id: str
    text: str


class HangUp(_Message):
    """End the call now; `reason` says on whose wish."""

    kind: Literal["hang_up"] = "hang_up"
    call_id: str
    reason: str


class WrapUp(_Message):
    """Say goodbye and end the call; `reason` is what its record says."""

    kind: Literal["wrap_up"] = "wrap_up"
    call_id: str
    reason: str


class MachineDetected(_Message):
    """The carrier's answering machine detection has come to a result."""

    kind: Literal["machine_detected"] = "machine_detected"
    call_id: str
    answered_by: str


class CarrierEnded(_Message):
    """The carrier says that the call is over, in case its media socket does not."""

    kind: Literal["carrier_ended"] = "carrier_ended"
    call_id: str


Command = Annotated[
    AnswerGiven
    | ExtendWait
    | WaitEnded
    | Whisper
    | HangUp
    | WrapUp
    | MachineDetected
    | CarrierEnded,
    Field(discriminator="kind"),
]
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


def _call_channel(call_id: str) -> str:
    return f"opendeep:call:{call_id}"


class Bus:
    """One process's connection to Redis; connects on first use and reconnects by itself."""

    def __init__(self, redis_url: str) -> None:
        #: The connection pool, also arq's. It does not retry: a commit must not wait for a Redis
        #: that is away, and what it would have carried is repaired.
        self.redis = cast(ArqRedis, ArqRedis.from_url(redis_url, socket_connect_timeout=1))
        self._channels = Channels(self.redis)
        # Published with each notice, so that a process knows its own when they come back.
        self._name = secrets.token_hex(8).encode()
        self._hearers: dict[object, Callable[[Notice], None]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Closes every connection."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        await self._channels.close()
        await self.redis.aclose(close_connection_pool=True)

    async def enqueue(
        self,
        job: str,
        *args: str,
        job_id: str | None = None,
        defer_until: datetime | None = None,
    ) -> None:
        """Queues a job; with a `job_id` at most one such job waits at any time."""
        await self.redis.enqueue_job(job, *args, _job_id=job_id, _defer_until=defer_until)

    async def count(self, name: str, **labels: str) -> None:
        """Counts something for Prometheus; without Redis it goes uncounted.

        Workers have no port to be asked on, so the gateway shows what they count.
        """
        shown = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        with contextlib.suppress(RedisError, OSError):
            field = f"opendeep_{name}_total{{{shown}}}"
            await cast(Awaitable[int], self.redis.hincrby(COUNTERS, field, 1))

    async def counters(self) -> dict[str, int]:
        """Everything counted by `count`, by its name in Prometheus' notation."""
        try:
            counted = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(COUNTERS))
        except (RedisError, OSError):
            return {}
        return {name.decode(): int(value) for name, value in sorted(counted.items())}

    async def publish_notice(self, notice: Notice) -> None:
        """Tells this process's hearers at once, and every other process over Redis."""
        self._tell(notice)
        await self.redis.publish(
            NOTICES, b"%b %b" % (self._name, notice.model_dump_json(exclude_none=True).encode())
        )

    async def send_command(self, command: Command) -> bool:
        """Sends a command to the process that holds the call; False when none does."""
        return bool(
            await self.redis.publish(_call_channel(command.call_id), command.model_dump_json())
        )

    @contextlib.contextmanager
    def hearing(self, hear: Callable[[Notice], None]) -> Iterator[None]:
        """While open, every notice is passed to `hear`, which must be quick and not fail.

        All hearers of a process share one subscription. What this process publishes itself
        they hear at once, with Redis or without.
        """
        me = object()
        self._hearers[me] = hear
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            del self._hearers[me]

    async def _listen(self) -> None:
        async with self._channels.hearing(NOTICES, self._take_notice):
            await asyncio.Event().wait()

    def _take_notice(self, data: bytes) -> None:
        sender, _, text = data.partition(b" ")
        if sender == self._name:
            return
        try:
            self._tell(Notice.model_validate_json(text))
        except ValidationError:
            log.warning("notice_rejected")

    def _tell(self, notice: Notice) -> None:
        for hear in tuple(self._hearers.values()):
            hear(notice)

    @contextlib.asynccontextmanager
    async def commands(self, call_id: str) -> AsyncIterator[AsyncIterator[Command]]:
        """Commands for one call; while the context is open this process holds the call."""
        queue: asyncio.Queue[Command] = asyncio.Queue()

        def take(data: bytes) -> None:
            try:
                queue.put_nowait(_COMMAND.validate_json(data))
            except ValidationError:
                log.warning("command_rejected", call_id=call_id)

        async def drain() -> AsyncIterator[Command]:
            while True:
                yield await queue.get()

        async with self._channels.hearing(_call_channel(call_id), take):
            yield drain()
