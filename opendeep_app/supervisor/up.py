"""What `opendeep up` starts, in which order, and what it tells the person."""

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from dataclasses import replace
from enum import IntEnum
from importlib.metadata import version
from typing import Any

from opendeep_app import web
from opendeep_app.adapters import embedded
from opendeep_app.config import Settings
from opendeep_app.doctor import redis_trouble
from opendeep_app.errors import SetupError
from opendeep_app.supervisor import directory, ports
from opendeep_app.supervisor.console import Console
from opendeep_app.supervisor.parts import Log, Part, answers_http, prints
from opendeep_app.supervisor.supervise import PartFailed, Supervisor

GIVEN_UP = 1
KILLED = 130
PAGE_BUILD_SECONDS = 600
"""The build may have to download packages; slow lines exist."""
CALLS_DRAIN_SECONDS = 75
"""A live call may be in the middle of a question."""
JOBS_DRAIN_SECONDS = 30
"""More than `WorkerSettings.job_completion_wait`."""
GIVES_WAY = 5
"""People hear the gateway and look at the pages; jobs, and the practice network, come after that."""


class Layer(IntEnum):
    """What rests on what. Parts stop from the last layer to the first."""

    CARRIER = 0
    LINE = 1
    WEB = 2
    """Below the gateway, so that questions can be answered while calls come to their end."""
    GATEWAY = 3
    WORKER = 4


def up(settings: Settings, workers: int) -> int:
    """Runs everything until a signal; returns the exit code. Raises `SetupError`."""
    directory.open_directory(settings.data_dir)
    lock = directory.lock(settings.data_dir)
    settings = _with_ports(settings)
    if not settings.embedded_redis and (trouble := redis_trouble(settings.redis_url)):
        raise SetupError(f"{trouble}.")
    return asyncio.run(_run(settings, workers, lock))


def _with_ports(settings: Settings) -> Settings:
    """The settings with ports that are free; only the practice line's may be chosen for the person."""
    ports.require(settings.host, settings.web_port, "--web-port")
    ports.require(settings.host, settings.gateway_port, "--gateway-port")
    taken = {settings.web_port, settings.gateway_port}
    if settings.practice_port in taken or ports.why_not(settings.host, settings.practice_port):
        return settings.model_copy(
            update={"practice_port": ports.free(settings.host, avoid=taken)},
        )
    return settings


async def _run(settings: Settings, workers: int, lock: int) -> int:
    console = Console()
    supervisor = Supervisor(console, lock=lock)
    serving = asyncio.create_task(_serve(supervisor, console, settings, workers))
    signals = 0

    def interrupted() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            console.close()
            console.say("\n  Stopping. Calls are brought to their end; Ctrl-C again ends them now.")
            serving.cancel()
        else:
            supervisor.kill()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupted)
    try:
        await serving
    except asyncio.CancelledError:
        return 0 if signals == 1 else KILLED
    except PartFailed as failure:
        if failure.setup:
            raise
        console.warn(failure.message)
        return GIVEN_UP
    finally:
        console.close()
    return 0


async def _serve(
    supervisor: Supervisor, console: Console, settings: Settings, workers: int
) -> None:
    begun = time.monotonic()
    line = "practice line: no real phone rings" if settings.practice else "live: real phones ring"
    console.say(f"\n  OpenDeep {version('opendeep')} · {line}\n", style="bold")

    async with supervisor:
        page = asyncio.create_task(_page(supervisor, settings))
        way_in: asyncio.Task[tuple[str, str]] | None = None
        try:
            await _together(supervisor.start(*_carriers(settings)), _database(console, settings))
            way_in = asyncio.create_task(asyncio.to_thread(_way_in, settings))
            await _together(
                _page_then_web(supervisor, settings, page),
                _gateway_then_workers(supervisor, settings, workers),
            )
            what, link = await way_in
        finally:
            await _cancel(page, *filter(None, [way_in]))
        console.say(f"\n  Ready in {time.monotonic() - begun:.1f} s. Ctrl-C stops everything.")
        console.say(f"  {what}\n")
        console.say(f"  {link}\n", style="bold cyan")
        await supervisor.watch()


async def _page_then_web(
    supervisor: Supervisor, settings: Settings, page: asyncio.Task[None]
) -> None:
    await page
    await supervisor.start(_web(settings))


async def _gateway_then_workers(supervisor: Supervisor, settings: Settings, workers: int) -> None:
    await supervisor.start(_gateway(settings))
    await supervisor.start(*(_worker(settings, number + 1) for number in range(workers)))


async def _together(*steps: Coroutine[Any, Any, None]) -> None:
    """Waits for all; when one fails, cancels the others and raises its error."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _cancel(*tasks)


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _database(console: Console, settings: Settings) -> None:
    begun = time.monotonic()
    console.begin("database")
    detail = await asyncio.to_thread(_migrate, settings)
    console.done("database", detail, time.monotonic() - begun)


def _migrate(settings: Settings) -> str:
    from opendeep_app import migrations  # heavy: imported beside the first parts' start

    before = migrations.upgrade(settings.database_url)
    kind = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    if before.current is None:
        return f"{kind}, new"
    return f"{kind}, up to date" if before.at_head else f"{kind}, migrated from {before.current}"


async def _page(supervisor: Supervisor, settings: Settings) -> None:
    if not (web.READY / web.build_key(settings.language)).exists():
        await supervisor.run_once(
            Part(
                name="page",
                command=_opendeep("web", "--build-only"),
                environment=settings.environment(),
                log=_log(settings, "page"),
                detail="built (only after an update)",
                start_seconds=PAGE_BUILD_SECONDS,
            )
        )


def _carriers(settings: Settings) -> list[Part]:
    """What the other parts need first."""
    parts = []
    if settings.embedded_redis:
        server = embedded.find_server()
        embedded.prepare(settings.redis_socket)

        async def answers(_log: Log) -> bool:
            return await embedded.answers(settings.redis_socket)

        parts.append(
            Part(
                name="redis",
                command=embedded.command(server, settings.redis_socket),
                ready=answers,
                log=_log(settings, "redis"),
                layer=Layer.CARRIER,
                detail=f"embedded ({server.name})",
            )
        )
    if settings.practice:
        practice = _server(
            settings, "practice line", "practice-line", settings.practice_port, Layer.LINE
        )
        # It needs nothing else, so that it is ready as soon as it is alive.
        alive = answers_http(settings.host, settings.practice_port, "/healthz")
        parts.append(replace(practice, ready=alive, nice=GIVES_WAY))
    return parts


def _gateway(settings: Settings) -> Part:
    part = _server(settings, "gateway", "gateway", settings.gateway_port, Layer.GATEWAY)
    return replace(part, stop_seconds=CALLS_DRAIN_SECONDS)


def _web(settings: Settings) -> Part:
    return _server(settings, "web", "web", settings.web_port, Layer.WEB)


def _server(settings: Settings, name: str, subcommand: str, port: int, layer: Layer) -> Part:
    return Part(
        name=name,
        command=_opendeep(subcommand),
        environment=settings.environment(),
        ready=answers_http(settings.host, port),
        log=_log(settings, subcommand),
        layer=layer,
        detail=f"http://{settings.host}:{port}",
    )


def _worker(settings: Settings, number: int) -> Part:
    return Part(
        name=f"worker {number}",
        command=[sys.executable, "-P", "-m", "arq", "workers.WorkerSettings"],
        environment=settings.environment(),
        ready=prints("Starting worker for"),
        log=_log(settings, f"worker-{number}"),
        layer=Layer.WORKER,
        nice=GIVES_WAY,
        detail="arq workers.WorkerSettings",
        stop_seconds=JOBS_DRAIN_SECONDS,
    )


def _opendeep(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "opendeep_app.cli", *arguments]


def _log(settings: Settings, name: str) -> Log:
    return Log(settings.data_dir / "logs" / f"{name}.log")


def _way_in(settings: Settings) -> tuple[str, str]:
    """How the first owner gets in: by a one-time link until they have a password."""
    from opendeep_app.bus import Bus  # heavy, like the migrations
    from opendeep_app.db import Database
    from opendeep_app.services import accounts

    async def ticket() -> str | None:
        bus = Bus(settings.redis_url)
        db = Database(settings.database_url, bus, policy=settings.policy)
        try:
            async with db.unit_of_work() as uow:
                owner = await accounts.owner(uow)
                if owner.password_hash:
                    return None
                return await accounts.issue_sign_in_link(uow, owner.id)
        finally:
            await db.close()
            await bus.close()

    if (token := asyncio.run(ticket())) is None:
        return "Open and sign in:", settings.web_url
    return (
        "Open this link to sign in; it works once, within a day:",
        f"{settings.web_url}/auth/enter?ticket={token}",
    )
