"""The database: engines, read sessions and the one place that commits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import SQLModel

from opendeep_app import sqlite
from opendeep_app.bus import Bus, Command, Notice, Topic
from opendeep_app.clock import Clock, utc_now
from opendeep_app.models.base import storable
from opendeep_app.policy import Policy

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """A job to be queued after the commit; `job_id` keeps it from waiting twice."""

    name: str
    args: tuple[str, ...]
    job_id: str | None = None
    defer_until: datetime | None = None


@dataclass
class UnitOfWork:
    """One write transaction and what follows from it.

    `now` stays the same throughout, so that everything written together bears one time;
    `policy` holds the installation's rules.
    """

    session: AsyncSession
    now: datetime
    policy: Policy
    jobs: list[Job] = field(default_factory=list)
    notices: dict[Notice, None] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)

    def enqueue(
        self,
        name: str,
        *args: str,
        job_id: str | None = None,
        defer_until: datetime | None = None,
    ) -> None:
        """Queues a job once the transaction is committed."""
        self.jobs.append(Job(name, args, job_id, defer_until))

    def notify(self, user_id: str, topic: Topic, **ids: str | None) -> None:
        """Tells the user's dashboards once the transaction is committed; repeated notices are one."""
        self.notices[Notice(user_id=user_id, topic=topic, **ids)] = None

    async def add_unless_exists(self, row: SQLModel) -> bool:
        """Inserts a row; False, and nothing else happens, when a unique constraint forbids it.

        Of two transactions that insert the same, the second waits for the first to commit.
        """
        try:
            async with self.session.begin_nested():
                self.session.add(row)
        except IntegrityError:
            return False
        return True

    def command(self, command: Command) -> None:
        """Sends a command to a live call once the transaction is committed."""
        self.commands.append(command)


class Database:
    """Read sessions and units of work on SQLite or PostgreSQL."""

    def __init__(
        self, url: str, bus: Bus, clock: Clock = utc_now, policy: Policy | None = None
    ) -> None:
        self.clock = clock
        self.policy = policy or Policy()
        self._bus = bus
        self._engine = _create_engine(make_url(url))
        self._writing = self._engine.execution_options(writing=True)
        # SQLite has one writer at a time. Those of this process queue here, in order; left to
        # SQLite they would sleep and try again, several times slower and with no order at all.
        sqlite = self._engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock() if sqlite else contextlib.nullcontext()
        self._writers: set[asyncio.Task[object] | None] = set()
        # Between two statements PostgreSQL would show what others commit meanwhile.
        self._reading = (
            self._engine
            if sqlite
            else self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self._engine.dispose()

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent state and writes nothing."""
        async with AsyncSession(self._reading, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextlib.asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Jobs, notices and commands are sent after the commit and dropped on rollback. If
        Redis is away they are lost, which the sweep and the pages' re-checks repair. One inside
        another is a `RuntimeError`: the inner one would wait for the outer one for ever, or see
        nothing of what it wrote.
        """
        writer = asyncio.current_task()
        if writer in self._writers:
            raise RuntimeError("a unit of work begins inside another; pass the first one on")
        self._writers.add(writer)
        try:
            async with self._turn, AsyncSession(self._writing, expire_on_commit=False) as session:
                # The time of everything written is that at which SQLite's write lock was had, not
                # that at which the wait for it began.
                await session.connection()
                uow = UnitOfWork(session, self.clock(), self.policy)
                yield uow
                await session.commit()
        finally:
            self._writers.discard(writer)
        await self._send(uow)

    async def _send(self, uow: UnitOfWork) -> None:
        try:
            for command in uow.commands:
                await self._bus.send_command(command)
            for notice in uow.notices:
                await self._bus.publish_notice(notice)
            for job in uow.jobs:
                await self._bus.enqueue(
                    job.name, *job.args, job_id=job.job_id, defer_until=job.defer_until
                )
        except (RedisError, OSError) as error:
            log.warning(
                "after_commit_messages_lost",
                error=type(error).__name__,
                jobs=len(uow.jobs),
            )


def async_url(url: URL) -> URL:
    """The same database through its asynchronous driver."""
    return url.set(drivername="sqlite+aiosqlite") if url.drivername.startswith("sqlite") else url


def _create_engine(url: URL) -> AsyncEngine:
    engine = _connect(url)
    event.listen(engine.sync_engine, "before_cursor_execute", _clean, retval=True)
    return engine


def _clean(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> tuple[str, Any]:
    # What people type and models say ends here, so here it is made fit to be stored.
    return statement, storable(values)


def _connect(url: URL) -> AsyncEngine:
    if url.drivername.startswith("sqlite"):
        return sqlite.create_engine(async_url(url))
    # Parameters are what people typed and said; errors, which are logged, go without them.
    return create_async_engine(
        url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True
    )
