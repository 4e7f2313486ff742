"""The `opendeep` command. Errors are one clear line on standard error and exit code 2.

Everything heavy is imported by the subcommand that needs it, so that help comes at once.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from opendeep_app.errors import OpenDeepError, SetupError

if TYPE_CHECKING:
    from opendeep_app.config import Settings
    from opendeep_app.db import UnitOfWork

FAILED = 2
INTERRUPTED = 130
MOST_WORKERS = 64

Result = TypeVar("Result")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one subcommand; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except OpenDeepError as error:
        print(f"opendeep: {error.message}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"opendeep: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="opendeep",
        description="OpenDeep makes phone calls for you.",
        epilog="Settings come from the environment or a .env file; the README lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(run=_help_or_version, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], about: str) -> _Parser:
        sub: _Parser = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        sub.set_defaults(run=run)
        _add_data_dir(sub)
        return sub

    up = command("up", _up, "Start everything on this machine and keep it running.")
    _add_port(up, "--web-port", "port of the pages and the REST API (default 3000)")
    _add_port(up, "--gateway-port", "port that the phone provider reaches (default 8080)")
    up.add_argument(
        "--workers", type=_worker_count, default=1, metavar="N", help="worker processes (default 1)"
    )

    web = command("web", _web, "Serve the pages and the REST API.")
    _add_port(web, "--web-port", "port to listen on (default 3000)")
    web.add_argument("--build-only", action="store_true", help="build the page and stop")
    gateway = command("gateway", _gateway, "Serve the phone provider's webhooks and media streams.")
    _add_port(gateway, "--gateway-port", "port to listen on (default 8080)")
    command("practice-line", _practice_line, "Serve a phone network and a model to practise with.")
    command("migrate", _migrate, "Bring the database to this version.")
    doctor = command("doctor", _doctor, "Check everything that OpenDeep needs.")
    _add_port(doctor, "--web-port", "port of the pages that is to be checked (default 3000)")
    _add_port(doctor, "--gateway-port", "port of the gateway that is to be checked (default 8080)")

    user = command("user", _help, "Manage users.")
    add = _subcommand(user, "add", _user_add, "Add a user.")
    add.add_argument("email", metavar="EMAIL")
    add.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input"
    )
    api_key = command("api-key", _help, "Manage API keys.")
    create = _subcommand(api_key, "create", _api_key_create, "Print a new API key for a user.")
    create.add_argument("email", metavar="EMAIL")
    return parser


def _subcommand(
    parent: _Parser, name: str, run: Callable[[argparse.Namespace], int], about: str
) -> _Parser:
    parent.set_defaults(parser=parent)
    actions = parent.add_subparsers(title="commands", metavar="COMMAND")
    sub: _Parser = actions.add_parser(name, help=about, description=about, allow_abbrev=False)
    sub.set_defaults(run=run)
    _add_data_dir(sub)
    return sub


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    # No default, as a default of the subcommand would replace what was given before it.
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="where OpenDeep keeps its data",
        default=argparse.SUPPRESS,
    )


def _add_port(parser: argparse.ArgumentParser, option: str, about: str) -> None:
    parser.add_argument(option, type=_port, metavar="PORT", help=about, default=argparse.SUPPRESS)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65535")
    return int(text)


def _worker_count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 1 and {MOST_WORKERS}")
    return int(text)


def _settings(chosen: argparse.Namespace) -> "Settings":
    """The settings, with what was given on the command line before the environment."""
    from opendeep_app.config import Settings

    names = ("data_dir", "web_port", "gateway_port")
    given = {name: getattr(chosen, name, None) for name in names}
    settings = Settings.load(**{name: value for name, value in given.items() if value is not None})
    if settings.web_port == settings.gateway_port:
        raise SetupError(
            f"Port {settings.web_port} cannot serve both the web and the gateway. "
            "Choose another with --web-port or --gateway-port."
        )
    return settings


def _help_or_version(chosen: argparse.Namespace) -> int:
    if chosen.version:
        from importlib.metadata import version

        print(f"opendeep {version('opendeep')}")
        return 0
    return _help(chosen)


def _help(chosen: argparse.Namespace) -> int:
    """A command without its subcommand is a mistake: show what there is."""
    chosen.parser.print_help(sys.stderr)
    return FAILED


def _up(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    from opendeep_app.supervisor.up import up

    return up(settings, chosen.workers)


def _web(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    from opendeep_app import web
    from opendeep_app.supervisor import ports

    if chosen.build_only:
        web.prepare(settings, print)
        return 0
    ports.require(settings.host, settings.web_port, "--web-port")
    web.serve(settings)
    return 0


def _gateway(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    from opendeep_app.supervisor import ports

    ports.require(settings.host, settings.gateway_port, "--gateway-port")
    from opendeep_app.voice import server

    server.serve(settings)
    return 0


def _practice_line(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    from opendeep_app.supervisor import ports

    ports.require(settings.host, settings.practice_port, "OPENDEEP_PRACTICE_PORT")
    import uvloop

    from opendeep_app.practice import server

    uvloop.run(server.serve(settings))
    return 0


def _migrate(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    _prepare_directory(settings)
    from opendeep_app import migrations

    before = migrations.upgrade(settings.database_url)
    head = migrations.state(settings.database_url).head
    print(
        f"The database is at {head}"
        + ("." if before.at_head else f", from {before.current or 'new'}.")
    )
    return 0


def _doctor(chosen: argparse.Namespace) -> int:
    from opendeep_app.doctor import examine

    return examine(lambda: _settings(chosen))


def _user_add(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    password = _read_password(from_stdin=chosen.password_stdin)
    from opendeep_app.services import accounts

    async def add(uow: "UnitOfWork") -> str:
        return (await accounts.create_user(uow, chosen.email, password)).email

    print(f"Added {_in_transaction(settings, add)}.")
    return 0


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise SetupError("Give the password on standard input, with --password-stdin.")
    from getpass import getpass

    return getpass("Password: ")


def _api_key_create(chosen: argparse.Namespace) -> int:
    settings = _settings(chosen)
    from opendeep_app.errors import NotFound
    from opendeep_app.services import accounts

    async def create(uow: "UnitOfWork") -> str:
        user = await accounts.find_user(uow.session, chosen.email)
        if user is None:
            raise NotFound(f"There is no user {chosen.email}. Add them with opendeep user add.")
        return await accounts.create_api_key(uow, user.id, "command line")

    print(_in_transaction(settings, create))
    return 0


def _prepare_directory(settings: "Settings") -> None:
    if settings.database_url.startswith("sqlite"):
        from opendeep_app.supervisor import directory

        directory.open_directory(settings.data_dir)


def _in_transaction(
    settings: "Settings", work: "Callable[[UnitOfWork], Awaitable[Result]]"
) -> Result:
    """Runs `work` in one unit of work on a database that is sure to be up to date."""
    from opendeep_app import migrations
    from opendeep_app.bus import Bus
    from opendeep_app.db import Database

    _prepare_directory(settings)
    before = migrations.state(settings.database_url)
    if not before.at_head:
        if before.current is not None and before.known:
            raise SetupError("The database is from an older version: run opendeep migrate first.")
        migrations.upgrade(settings.database_url)

    async def run() -> Result:
        bus = Bus(settings.redis_url)
        db = Database(settings.database_url, bus, policy=settings.policy)
        try:
            async with db.unit_of_work() as uow:
                return await work(uow)
        finally:
            await db.close()
            await bus.close()

    return asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())
