"""The processes of a running product, and what they need; read from Linux' /proc."""

import contextlib
import os
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


def memory(pid: int) -> float:
    """Resident megabytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
