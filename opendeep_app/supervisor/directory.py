"""The data directory: private, writable, and used by one `opendeep up` at a time."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from opendeep_app.errors import SetupError

LOCK = "up.lock"
OURS = {LOCK, "secret", "opendeep.db", "logs"}
"""Names by which a directory that is not empty is recognised as OpenDeep's."""
LEFTOVERS_SECONDS = 10.0
"""How long parts of a supervisor that was killed may take to end (see `warden`)."""


def open_directory(path: Path) -> None:
    """Makes the directory, readable by its owner only; raises `SetupError` when it cannot be used."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()}
        if names and not names & OURS:
            raise SetupError(
                f"{path} holds other files. Choose an empty data directory with --data-dir or OPENDEEP_DATA_DIR."
            )
        path.chmod(0o700)
        (path / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error) from None


def lock(path: Path) -> int:
    """Claims the directory for this process; returns the open lock file.

    The lock ends with the last process that inherited the file. Raises `SetupError` when
    another `opendeep up` has it.
    """
    try:
        file = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    while not _try_lock(file):
        holder = _pid(file)
        if holder is None or _alive(holder) or time.monotonic() > deadline:
            os.close(file)
            who = f" (process {holder})" if holder else ""
            raise SetupError(
                f"OpenDeep is already running in {path}{who}. Stop it, or choose another --data-dir."
            )
        time.sleep(0.1)
    os.ftruncate(file, 0)
    os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def is_locked(path: Path) -> bool:
    """Whether an `opendeep up` is running in this directory."""
    try:
        file = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(file)
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _pid(file: int) -> int | None:
    text = os.pread(file, 32, 0).strip()
    return int(text) if text.isdigit() else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unusable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        f"The data directory {path} cannot be used: {error.strerror}. "
        "Choose another with --data-dir or OPENDEEP_DATA_DIR."
    )
