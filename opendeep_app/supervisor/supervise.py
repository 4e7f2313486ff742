"""Keeps parts running: starts them, restarts what crashes, gives up in good time, stops in order."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from opendeep_app.errors import OpenDeepError
from opendeep_app.supervisor import warden
from opendeep_app.supervisor.console import Console
from opendeep_app.supervisor.parts import Part, Process

POLL_SECONDS = 0.05
LOG_CHECK_SECONDS = 60
SETUP_ERROR = 2
"""A part's exit code that says: started again, it would fail the same way."""


class PartFailed(OpenDeepError):
    """A part does not stay up; `message` says which, why, and where to read more.

    `setup` is true when the part itself said that its installation or settings are at fault.
    """

    def __init__(self, message: str, *, setup: bool) -> None:
        super().__init__(message)
        self.setup = setup


@dataclass(frozen=True)
class Patience:
    """When a crashed part is restarted, and when no more (all in seconds)."""

    first_delay: float = 0.5
    longest_delay: float = 30
    steady: float = 10
    """A part that ran this long after it was ready has recovered: earlier crashes are forgotten."""
    crashes: int = 3
    """How many crashes in a row stop everything."""

    def delay(self, crashes: int) -> float:
        """How long to wait after this many crashes in a row."""
        return float(min(self.first_delay * 2 ** (crashes - 1), self.longest_delay))


class Supervisor:
    """The parts that run.

    Entered, it has a warden that outlives it (see `warden`); left, every part is stopped,
    the highest layer first. `lock` is an open file that the warden keeps open.
    """

    def __init__(
        self, console: Console, *, lock: int | None = None, patience: Patience | None = None
    ) -> None:
        self._console = console
        self._patience = patience or Patience()
        self._lock = lock
        self._parts: list[Part] = []
        self._processes: dict[str, Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._warden: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._warden = subprocess.Popen(  # noqa: ASYNC220  (outlives the loop on purpose)
            [sys.executable, "-I", "-S", str(Path(warden.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=() if self._lock is None else (self._lock,),
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        if self._warden and self._warden.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._warden.stdin.close()
            self._warden.wait()

    async def start(self, *parts: Part) -> None:
        """Starts these parts side by side; returns when all are ready, raises `PartFailed`."""
        self._parts += parts
        loop = asyncio.get_running_loop()
        ready: list[asyncio.Future[None]] = [loop.create_future() for _ in parts]
        self._keepers += [
            asyncio.create_task(self._keep(part, mark), name=part.name)
            for part, mark in zip(parts, ready, strict=True)
        ]
        everything = asyncio.gather(*ready)
        waited: list[asyncio.Future[Any]] = [everything, *self._keepers]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if not everything.done():
            everything.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await everything
            self._raise_failure()

    async def run_once(self, part: Part) -> None:
        """Runs a part that ends by itself; raises `PartFailed` when it does not end well."""
        begun = time.monotonic()
        self._console.begin(part.name)
        process = await self._spawn(part)
        try:
            async with asyncio.timeout(part.start_seconds):
                code = await process.wait()
        except TimeoutError:
            code = -signal.SIGKILL
        finally:
            self._forget(process)
        if code != 0:
            raise self._failure(part, _describe(code), setup=code == SETUP_ERROR)
        self._console.done(part.name, part.detail, time.monotonic() - begun)

    async def watch(self) -> None:
        """Returns never; raises `PartFailed` when a part does not stay up."""
        while True:
            await asyncio.wait(
                self._keepers, timeout=LOG_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            self._raise_failure()
            for part in self._parts:
                part.log.rotate()

    def kill(self) -> None:
        """Ends every part at once."""
        for process in self._processes.values():
            process.kill()

    def _raise_failure(self) -> None:
        for keeper in self._keepers:
            if keeper.done():
                keeper.result()

    async def _keep(self, part: Part, ready: asyncio.Future[None]) -> None:
        crashes = 0
        while True:
            begun = time.monotonic()
            self._console.begin(part.name)
            process = await self._spawn(part)
            trouble = await self._until_ready(process)
            if trouble is None:
                self._console.done(part.name, part.detail, time.monotonic() - begun)
                if not ready.done():
                    ready.set_result(None)
                up_since = time.monotonic()
                trouble = _describe(await process.wait())
                if time.monotonic() - up_since >= self._patience.steady:
                    crashes = 0
            self._forget(process)
            crashes += 1
            setup = process.code == SETUP_ERROR
            if setup or crashes >= self._patience.crashes:
                raise self._failure(part, f"{trouble}, {crashes} times in a row", setup=setup)
            delay = self._patience.delay(crashes)
            self._console.warn(f"The {part.name} {trouble}; starting it again in {delay:g} s.")
            await asyncio.sleep(delay)

    @staticmethod
    def _failure(part: Part, trouble: str, *, setup: bool) -> PartFailed:
        if setup and (reason := part.log.tail(1)):
            return PartFailed(reason.removeprefix("opendeep: "), setup=True)
        words = part.log.tail() or "(none)"
        return PartFailed(
            f"The {part.name} {trouble}. Its last words, from {part.log.path}:\n{words}",
            setup=setup,
        )

    async def _spawn(self, part: Part) -> Process:
        process = await Process.start(part)
        self._processes[part.name] = process
        self._tell_warden(f"+{process.pid}")
        return process

    async def _until_ready(self, process: Process) -> str | None:
        """Waits; returns what went wrong, or None when the part is ready."""
        deadline = process.started + process.part.start_seconds
        while time.monotonic() < deadline:
            if process.code is not None:
                return _describe(process.code)
            if await process.part.ready(process.part.log):
                return None
            await asyncio.sleep(POLL_SECONDS)
        process.kill()
        await process.wait()
        return f"was not ready after {process.part.start_seconds:g} s"

    def _forget(self, process: Process) -> None:
        process.kill()  # a crashed part may have left children, which would hold its port
        self._tell_warden(f"-{process.pid}")
        del self._processes[process.part.name]

    def _tell_warden(self, line: str) -> None:
        if self._warden and self._warden.stdin:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._warden.stdin.fileno(), f"{line}\n".encode())

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        while self._processes:
            running = list(self._processes.values())
            last = max(process.part.layer for process in running)
            await asyncio.gather(
                *(self._stop_one(process) for process in running if process.part.layer == last)
            )

    async def _stop_one(self, process: Process) -> None:
        name, begun = process.part.name, time.monotonic()
        self._console.begin(name, stopping=True)
        in_time = await process.stop()
        self._forget(process)
        self._console.stopped(name, time.monotonic() - begun, in_time=in_time)


def _describe(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return f"stopped by itself (exit code {code})"
