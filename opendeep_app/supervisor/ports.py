"""TCP ports: whether they are free, in words that say what to do."""

import contextlib
import errno
import itertools
import os
import socket
from collections.abc import Collection

from opendeep_app.errors import SetupError

_NOT_EPHEMERAL = range(10_240, 32_768)
_turns = itertools.count(os.getpid() * 100)


def why_not(host: str, port: int) -> str | None:
    """Why nothing can listen there, or None when the port is free."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as listener:
            # Connections that linger after a restart do not count, as for the servers themselves.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        return (
            "is in use by another program"
            if in_use
            else f"cannot be opened on {host} ({error.strerror})"
        )
    return None


def require(host: str, port: int, option: str) -> None:
    """Raises `SetupError` naming the option to change when the port is not free."""
    if reason := why_not(host, port):
        raise SetupError(f"Port {port} {reason}. Choose another with {option}.")


def free(host: str, *, avoid: Collection[int] = ()) -> int:
    """Some free port, never the same twice, for a server that listens a little later.

    No system hands out ports from this range for outgoing connections (Linux: from 32768, others:
    from 49152), so none is taken meanwhile; processes that ask at the same time begin elsewhere.
    """
    candidates = (_NOT_EPHEMERAL[n % len(_NOT_EPHEMERAL)] for n in _turns)
    return next(port for port in candidates if port not in avoid and not why_not(host, port))


def local(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
