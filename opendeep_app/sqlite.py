"""SQLite behind an event loop: whoever holds the write lock is quick, and waits for nobody.

`aiosqlite` gives each connection a thread, and goes there and back for a cursor, its statement,
its rows and its end. Each way waits for a core where cores are busy, and everybody else for the
write lock meanwhile. Here a statement that may take its time visits the thread once, and one
within a writing transaction is run where it is: those are short. Decision 0017 says why.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from enum import Enum, auto
from typing import Any, Self

import aiosqlite
from sqlalchemy import Connection as EngineConnection
from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_SECONDS = 15
#: One writes, the others read. Each is a thread and two megabytes; more of them than cores only
#: wait for each other, and none is held while its holder waits for anything else.
CONNECTIONS = 3
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    # Lists and searches touch pages all over a large file; mapped, each costs no system call.
    f"mmap_size = {8 << 30}",
    # What is read comes from there, so each connection's own cache (KiB) holds only what it writes.
    "cache_size = -512",
)

Rows = list[tuple[Any, ...]]
#: What SQLAlchemy asks of a cursor: description, rowcount, lastrowid, and the rows.
Done = tuple[Any, int, int | None, Rows]


def create_engine(url: URL) -> AsyncEngine:
    """An engine on a file of SQLite's."""
    [path], options = url.get_dialect()().create_connect_args(url)

    def opened() -> sqlite3.Connection:
        # The driver must not begin transactions by itself: whether to take the write lock at
        # once is decided in _begin.
        connection = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, **options)
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    async def connect() -> aiosqlite.Connection:
        return await Connection(opened)

    engine = create_async_engine(
        url,
        async_creator=connect,
        pool_size=CONNECTIONS,
        max_overflow=0,
        # Parameters are what people typed and said; errors, which are logged, go without them.
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: EngineConnection) -> None:
    # A transaction that will write takes the lock first: upgrading a read transaction fails
    # at once with SQLITE_BUSY when another writer came in between (sqlite.org/isolation.html).
    if connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        driver = connection.connection.driver_connection
        assert isinstance(driver, Connection)
        driver.transaction = Transaction.TO_READ


class Transaction(Enum):
    """How far a connection's transaction is."""

    NONE = auto()
    #: One that only reads begins with its first statement, as SQLite's own do.
    TO_READ = auto()
    READING = auto()
    WRITING = auto()


class Connection(aiosqlite.Connection):
    """A connection whose thread waits for the write lock, for the disk, and for long reading."""

    def __init__(self, opened: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(opened, iter_chunk_size=64)
        self._thread.daemon = True
        self.transaction = Transaction.NONE

    def cursor(self) -> "Cursor":  # type: ignore[override]
        """For one statement after the other."""
        return Cursor(self)

    async def run(self, how: str, statement: str, values: Iterable[Any]) -> Done:
        """Executes a statement and takes all of its rows."""
        if self.transaction is Transaction.WRITING and how == "execute":
            # Others of this loop's have their turn, but no other thread or process.
            await asyncio.sleep(0)
            return _run(self._conn, how, statement, values, begins=False)
        begins = self.transaction is Transaction.TO_READ
        if begins:
            self.transaction = Transaction.READING
        elif self.transaction is Transaction.NONE:
            self.transaction = Transaction.WRITING
        done: Done = await self._execute(  # type: ignore[no-untyped-call]
            _run, self._conn, how, statement, values, begins=begins
        )
        return done

    async def commit(self) -> None:
        """Keeps what has been written."""
        await super().commit()
        self.transaction = Transaction.NONE

    async def rollback(self) -> None:
        """Ends what has begun, if anything has; who only read does not wait for it."""
        if self.transaction is Transaction.READING:
            self._tx.put_nowait((None, self._conn.rollback))
        elif self.transaction is Transaction.WRITING:
            await super().rollback()
        self.transaction = Transaction.NONE


class Cursor:
    """A statement's outcome, as SQLAlchemy asks drivers for it."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: Rows = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement."""
        await self._run("execute", statement, values)

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Runs a statement once for each of the values."""
        await self._run("executemany", statement, values)

    async def fetchall(self) -> Rows:
        """The rows, which came with the statement."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open any more."""

    async def _run(self, how: str, statement: str, values: Iterable[Any]) -> None:
        done = await self._connection.run(how, statement, values)
        self.description, self.rowcount, self.lastrowid, self._rows = done


def _run(
    connection: sqlite3.Connection, how: str, statement: str, values: Iterable[Any], *, begins: bool
) -> Done:
    with closing(connection.cursor()) as cursor:
        if begins:
            cursor.execute("BEGIN")
        getattr(cursor, how)(statement, values)
        rows = cursor.fetchall()
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
