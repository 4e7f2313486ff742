"""Ends every part when the supervisor itself is gone, however it went.

A tiny process of its own that reads process groups from a pipe (`+123` joins, `-123` leaves).
The pipe closes when the supervisor exits, even by SIGKILL; what is still running is then asked
to stop and, after a while, killed. Process groups reach grandchildren too and exist on every
Unix, which parent-death signals do not. While it works it holds the data directory's lock
(inherited), so that the next start waits for the last part to be gone.

Runs as a plain script, without the package: it must be small and start at once.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 5.0


def _running(groups: set[int]) -> set[int]:
    alive = set()
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, 0)
            alive.add(group)
    return alive


def _signal(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def main() -> None:
    """Watches until the pipe closes, then ends what is left."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    groups = _running(groups)
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = _running(groups)
    _signal(groups, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    main()
