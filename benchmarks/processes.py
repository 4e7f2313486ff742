"""The processes of a running product, and what they need; read from Linux' /proc."""

import contextlib
from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """The processes below a process, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                found[int(folder.name)] = line
    return found


def started(pid: int) -> int:
    """When a process began, in ticks since the machine did; process ids begin again at some time."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def named(line: str) -> str:
    """Which part of the product a command line starts."""
    parts = ("arq", "gateway", "practice-line", "web", "redis")
    return next((part for part in parts if part in line), "other")


def memory(pid: int | str) -> float:
    """Megabytes of the process's own ("self" is this one).

    Not counted are pages of files, such as the mapped database, which the system drops when it
    needs the room (`RssAnon` in proc_pid_status(5)). One that has ended has none.
    """
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0
