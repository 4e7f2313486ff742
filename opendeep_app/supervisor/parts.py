"""A part of OpenDeep that runs as a process of its own, and how one sees that it is ready."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from opendeep_app.supervisor import ports

LARGEST_LOG = 20_000_000
"""Bytes after which a log is set aside as `NAME.log.1`, replacing the previous one."""


class Log:
    """The file that receives everything a part prints."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def begin(self) -> int:
        """Opens the file for a new run of the part; returns its descriptor."""
        self.rotate()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(file, f"--- started {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode())
        self._start = os.fstat(file).st_size
        return file

    def rotate(self) -> None:
        """Sets the file aside when it is large; the running part goes on writing to the emptied one."""
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_size > LARGEST_LOG:
                self.path.with_name(self.path.name + ".1").write_bytes(self.path.read_bytes())
                os.truncate(self.path, 0)
                self._start = 0

    def said(self) -> str:
        """What the part has printed since it was started."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(self._start)
            return file.read(100_000).decode(errors="replace")
        return ""

    def tail(self, lines: int = 8) -> str:
        """The last lines printed since the part was started."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._start, size - 10_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        return ""


Ready = Callable[[Log], Awaitable[bool]]


#: Every thread that talks to SQLite would have the C library reserve memory of its own, 25 MB in
#: all; only one of a Python process's threads allocates at a time anyway (mallopt(3), M_ARENA_MAX).
FRUGAL = {"MALLOC_ARENA_MAX": "1"}


async def _at_once(_log: Log) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Part:
    """What to run and what to expect of it."""

    name: str
    command: list[str]
    log: Log
    ready: Ready = _at_once
    environment: Mapping[str, str] = field(default_factory=dict)
    layer: int = 0
    """Parts of a higher layer are stopped first, those of one layer together."""
    detail: str = ""
    """What the person should know about it once it runs, for example its address."""
    nice: int = 0
    """How far it gives way to the other parts where there are not cores enough for all (nice(2))."""
    start_seconds: float = 60
    stop_seconds: float = 10


class Process:
    """One run of a part, in a process group of its own."""

    def __init__(self, part: Part, child: asyncio.subprocess.Process) -> None:
        self.part = part
        self.started = time.monotonic()
        self._child = child

    @classmethod
    async def start(cls, part: Part) -> "Process":
        """Starts the part; its output goes to its log."""
        file = part.log.begin()
        try:
            child = await asyncio.create_subprocess_exec(
                *part.command,
                env={**FRUGAL, **os.environ, **part.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                process_group=0,  # Ctrl-C reaches the supervisor only, which then asks in order
            )
        finally:
            os.close(file)
        if part.nice:
            ours = os.getpriority(os.PRIO_PROCESS, 0)
            # Before it has threads, which inherit this. It may have ended already.
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, child.pid, ours + part.nice)
        return cls(part, child)

    @property
    def pid(self) -> int:
        """The process and its group."""
        return self._child.pid

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal, None while it runs."""
        return self._child.returncode

    async def wait(self) -> int:
        """Waits for the end; returns the exit code."""
        return await self._child.wait()

    async def stop(self) -> bool:
        """Asks it to stop and waits as long as it may take; False if it had to be killed."""
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        try:
            await asyncio.wait_for(self._child.wait(), self.part.stop_seconds)
        except TimeoutError:
            return False
        finally:
            self.kill()
            await self._child.wait()
        return True

    def kill(self) -> None:
        """Ends whatever is left of the process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def answers_http(host: str, port: int, path: str = "/readyz") -> Ready:
    """Ready once this address answers 200."""

    async def ready(_log: Log) -> bool:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        try:
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection(ports.local(host), port)
                try:
                    writer.write(request.encode())
                    status = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return status.split()[1:2] == [b"200"]

    return ready


def prints(text: str) -> Ready:
    """Ready once it has printed this."""

    async def ready(log: Log) -> bool:
        return text in log.said()

    return ready
