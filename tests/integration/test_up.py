"""`opendeep up` as people start, break and stop it."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from opendeep_app.supervisor import ports
from tests.fixtures.stacks import Stack, environment, opendeep

FREE_PORTS = [
    *("--web-port", str(ports.free("127.0.0.1"))),
    *("--gateway-port", str(ports.free("127.0.0.1"))),
]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Stack]:
    """A product that tests may break."""
    stack = Stack(tmp_path / "data")
    stack.start()
    yield stack
    if stack.process and stack.process.poll() is None:
        stack.stop()


def children(stack: Stack) -> dict[str, int]:
    """The process id of each part, by the last word of its command."""
    assert stack.process is not None
    table = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in table.splitlines()]
    return {
        args.split()[-1]: int(pid)
        for pid, parent, args in rows
        if int(parent) == stack.process.pid and "warden" not in args
    }


def gone(pids: list[int], seconds: float) -> bool:
    """Whether none of these processes is left after a while."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        left = subprocess.run(
            ["ps", "-o", "stat=", *(f"-p{pid}" for pid in pids)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        if all(state.startswith("Z") for state in left):
            return True
        sleep(0.1)
    return False


def wait_for(stack: Stack, pattern: str, seconds: float = 60) -> None:
    """Waits for a line that it prints."""
    deadline = monotonic() + seconds
    while not any(re.search(pattern, line) for line in stack.lines()):
        assert monotonic() < deadline, stack.report()
        sleep(0.05)


def refused(data_dir: Path, *arguments: str, **settings: str) -> str:
    """What a start that must fail says."""
    result = subprocess.run(
        opendeep("up", *arguments),
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_it_starts_survives_a_crash_and_stops(up: Stack) -> None:
    for url in (up.web_url, up.gateway_url):
        assert httpx.get(f"{url}/readyz").status_code == 200
    assert up.data_dir.stat().st_mode & 0o777 == 0o700
    assert "is already running" in refused(up.data_dir, "--web-port", "1", "--gateway-port", "2")

    before = children(up)
    os.kill(before["gateway"], signal.SIGKILL)
    wait_for(up, r"The gateway was ended by SIGKILL; starting it again in 0.5 s")
    up.wait_until_ready("gateway", times=2)
    assert httpx.get(f"{up.gateway_url}/readyz").status_code == 200
    assert children(up)["gateway"] != before["gateway"]

    os.kill(before["web"], signal.SIGKILL)
    up.wait_until_ready("web", times=2)
    assert httpx.get(f"{up.web_url}/readyz").status_code == 200

    left = list(children(up).values())
    assert up.stop() == 0
    assert gone(left, 1)
    stopped = [line.split()[1] for line in up.lines() if "■" in line]
    assert stopped == ["worker", "gateway", "web", "practice", "redis"]


def test_a_kill_leaves_nothing_behind_and_the_next_start_works(up: Stack) -> None:
    parts = children(up)
    redis = f"unixsocket:{up.data_dir / 'redis.sock'}"
    assert parts.keys() == {redis, "practice-line", "web", "gateway", "workers.WorkerSettings"}
    left = list(parts.values())
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    up.start()
    assert gone(left, 0.2)
    assert up.stop(signal.SIGINT) == 0


def test_a_second_interrupt_stops_at_once(up: Stack) -> None:
    left = list(children(up).values())
    os.kill(children(up)["gateway"], signal.SIGSTOP)  # it will not end by itself
    assert up.process is not None
    up.process.send_signal(signal.SIGINT)
    wait_for(up, "Stopping")
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(10) == 130
    assert gone(left, 1)


@pytest.mark.parametrize("option", ["--web-port", "--gateway-port"])
def test_a_taken_port_is_named_with_its_option(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path / "data", option, str(port))
    assert (
        said
        == f"opendeep: Port {port} is in use by another program. Choose another with {option}.\n"
    )


def test_half_set_credentials_stop_the_start(tmp_path: Path) -> None:
    said = refused(tmp_path / "data", OPENAI_API_KEY="sk-none")
    assert "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, OPENDEEP_FROM_NUMBER" in said
    assert not (tmp_path / "data").exists()


def test_an_unusable_data_directory_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be used: Not a directory" in refused(tmp_path / "file" / "data")


def test_a_redis_that_does_not_answer_stops_the_start(tmp_path: Path) -> None:
    said = refused(tmp_path / "data", *FREE_PORTS, OPENDEEP_REDIS_URL="redis://127.0.0.1:1")
    assert "OPENDEEP_REDIS_URL does not answer" in said


def test_a_database_that_does_not_answer_stops_the_start(tmp_path: Path) -> None:
    url = "postgresql+psycopg://ada:secret@127.0.0.1:1/calls"
    said = refused(tmp_path / "data", *FREE_PORTS, OPENDEEP_DATABASE_URL=url)
    assert "The database postgresql+psycopg://ada:***@127.0.0.1:1/calls cannot be opened" in said
