"""TCP ports: whether they are free, in words that say what to do."""

import contextlib
import errno
import socket

from opendeep_app.errors import SetupError


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


def free(host: str, *, avoid: set[int] = frozenset()) -> int:  # type: ignore[assignment]
    """Some free port."""
    while True:
        with contextlib.closing(socket.socket()) as listener:
            listener.bind((host, 0))
            port: int = listener.getsockname()[1]
        if port not in avoid:
            return port


def local(host: str) -> str:
    """The address under which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
