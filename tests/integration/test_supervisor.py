"""The supervisor, with real processes that are tiny."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from opendeep_app.errors import SetupError
from opendeep_app.supervisor import directory, ports
from opendeep_app.supervisor.console import Console
from opendeep_app.supervisor.parts import Log, Part
from opendeep_app.supervisor.supervise import PartFailed, Patience, Supervisor
from tests.fixtures import supervised

HURRIED = Patience(first_delay=0.05, longest_delay=0.2, steady=30)
STAYS = "print('ready', flush=True); import time; time.sleep(60)"
NEVER_READY = "import time; time.sleep(60)"
FAILS = "print('ready', flush=True); print('the disk is full', flush=True); raise SystemExit(7)"
FAILS_LATER = "print('ready', flush=True); import time; time.sleep(0.2); raise SystemExit(7)"
CONFIGURED_WRONGLY = "print('opendeep: Set the key first.'); raise SystemExit(2)"
FAILS_ONCE = """
import pathlib, sys, time
been_here = pathlib.Path(sys.argv[1])
print("ready", flush=True)
if not been_here.exists():
    been_here.touch()
    time.sleep(0.3)
    raise SystemExit(1)
time.sleep(60)
"""


class Terminal:
    """What was printed, and a supervisor that prints to it."""

    def __init__(self, patience: Patience = HURRIED) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.supervisor = Supervisor(Console(self.out, self.err), patience=patience)


def part(folder: Path, script: str, *arguments: str, **limits: float) -> Part:
    """The tiny part, with arguments for its script."""
    tiny = supervised.part(folder, "tiny", script, **limits)
    tiny.command.extend(arguments)
    return tiny


async def test_a_crashed_part_is_started_again_and_said_so(tmp_path: Path) -> None:
    terminal = Terminal()
    tiny = part(tmp_path, FAILS_ONCE, str(tmp_path / "been here"))
    async with terminal.supervisor as supervisor:
        await supervisor.start(tiny)
        while terminal.out.getvalue().count("✓ tiny") < 2:
            await asyncio.sleep(0.02)
    assert "The tiny stopped by itself (exit code 1); starting it again in 0.05 s." in (
        terminal.err.getvalue()
    )
    assert "■ tiny" in terminal.out.getvalue()


async def test_a_part_gives_way_to_what_people_wait_for(tmp_path: Path) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    says = "import os; print(os.getpid(), 'ready', flush=True); import time; time.sleep(60)"
    tiny = part(tmp_path, says, nice=3)
    async with Terminal().supervisor as supervisor:
        await supervisor.start(tiny)
        pid = int(tiny.log.said().split()[-2])
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(ours + 3, 19)


async def test_three_crashes_in_a_row_stop_everything_with_the_reason(tmp_path: Path) -> None:
    terminal = Terminal()
    with pytest.raises(PartFailed) as failure:
        async with terminal.supervisor as supervisor:
            await supervisor.start(part(tmp_path, FAILS))
            await supervisor.watch()
    assert "exit code 7), 3 times in a row" in failure.value.message
    assert "the disk is full" in failure.value.message
    assert str(tmp_path / "tiny.log") in failure.value.message
    assert terminal.err.getvalue().count("starting it again") == 2


async def test_a_part_that_ran_steadily_is_forgiven(tmp_path: Path) -> None:
    terminal = Terminal(Patience(first_delay=0.01, longest_delay=0.01, steady=0))
    async with terminal.supervisor as supervisor:
        await supervisor.start(part(tmp_path, FAILS_LATER))
        while terminal.err.getvalue().count("starting it again") < 5:
            await asyncio.sleep(0.02)


async def test_what_starting_again_cannot_help_is_said_at_once(tmp_path: Path) -> None:
    terminal = Terminal()
    with pytest.raises(PartFailed) as failure:
        async with terminal.supervisor as supervisor:
            await supervisor.start(part(tmp_path, CONFIGURED_WRONGLY))
    assert failure.value.setup
    assert failure.value.message == "Set the key first."
    assert "starting it again" not in terminal.err.getvalue()


async def test_a_part_that_never_gets_ready_counts_as_crashed(tmp_path: Path) -> None:
    terminal = Terminal()
    with pytest.raises(PartFailed) as failure:
        async with terminal.supervisor as supervisor:
            await supervisor.start(part(tmp_path, NEVER_READY, start_seconds=0.2))
    assert "was not ready after 0.2 s, 3 times in a row" in failure.value.message


async def test_a_failing_part_stops_the_others(tmp_path: Path) -> None:
    terminal = Terminal()
    stays = supervised.part(tmp_path, "stays", STAYS)
    with pytest.raises(PartFailed):
        async with terminal.supervisor as supervisor:
            await supervisor.start(stays)
            await supervisor.start(part(tmp_path, FAILS))
            await supervisor.watch()
    assert "■ stays" in terminal.out.getvalue()


async def test_parts_stop_layer_by_layer(tmp_path: Path) -> None:
    terminal = Terminal()
    layers = {"first": 0, "third": 2, "second": 1}
    async with terminal.supervisor as supervisor:
        for name, layer in layers.items():
            await supervisor.start(supervised.part(tmp_path, name, STAYS, layer=layer))
    stopped = [line.split()[1] for line in terminal.out.getvalue().splitlines() if "■" in line]
    assert stopped == ["third", "second", "first"]


async def test_a_part_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    terminal = Terminal()
    async with terminal.supervisor as supervisor:
        await supervisor.start(part(tmp_path, supervised.STUBBORN, stop_seconds=0.2))
    assert "took too long and was killed" in terminal.out.getvalue()


def test_delays_double_up_to_a_limit() -> None:
    patience = Patience(first_delay=1, longest_delay=5)
    assert [patience.delay(crashes) for crashes in (1, 2, 3, 4, 5)] == [1, 2, 4, 5, 5]


def test_a_large_log_is_set_aside_under_a_running_part(tmp_path: Path) -> None:
    log = Log(tmp_path / "x.log")
    file = log.begin()
    os.write(file, b"x" * 20_000_001)
    log.rotate()
    os.write(file, b"later")
    os.close(file)
    assert log.path.read_bytes() == b"later"
    assert log.said() == "later"
    assert (tmp_path / "x.log.1").stat().st_size > 20_000_000


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Starts a supervisor of its own process, which tests may kill."""
    running: list[subprocess.Popen[str]] = []

    def start(scene: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, supervised.__file__, str(tmp_path), scene],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        assert process.stdout is not None
        while (line := process.stdout.readline()).strip() != "up":
            assert line, "it did not start"
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("scene", supervised.SCENES)
def test_a_killed_supervisor_leaves_nothing_behind(
    tmp_path: Path, program: Callable[[str], "subprocess.Popen[str]"], scene: str
) -> None:
    process = program(scene)
    pids = family(tmp_path)
    assert all(alive(pid) for pid in pids)
    process.kill()
    process.wait()
    begun = monotonic()
    while any(alive(pid) for pid in pids):
        sleep(0.05)
        assert monotonic() - begun < 15
    # The next start waits for just that, so that it finds ports and files free.
    os.close(directory.lock(tmp_path))


def test_sigterm_stops_grandchildren_too(
    tmp_path: Path, program: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    process = program("family")
    pids = family(tmp_path)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not any(alive(pid) for pid in pids)


def test_two_cannot_use_one_directory(
    tmp_path: Path, program: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    process = program("family")
    assert directory.is_locked(tmp_path)
    with pytest.raises(SetupError, match=rf"already running in .*\(process {process.pid}\)"):
        directory.lock(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    assert not directory.is_locked(tmp_path)


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    tmp_path.chmod(0o755)
    with pytest.raises(SetupError, match="holds other files"):
        directory.open_directory(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_the_directory_is_private(tmp_path: Path) -> None:
    directory.open_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"cannot be used: Not a directory\. Choose another"):
        directory.open_directory(tmp_path / "file" / "data")


def test_a_taken_port_is_named_with_its_option() -> None:
    port = ports.free("127.0.0.1")
    ports.require("127.0.0.1", port, "--web-port")
    taken = pytest.raises(SetupError, match=rf"Port {port} is in use .* with --web-port")
    with socket.create_server(("127.0.0.1", port)), taken:
        ports.require("127.0.0.1", port, "--web-port")


def family(folder: Path) -> list[int]:
    """The processes that the parts have reported."""
    words = " ".join(log.read_text() for log in folder.glob("part *.log")).split()
    return [int(word) for word in words if word.isdigit() and int(word) > 1]


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
