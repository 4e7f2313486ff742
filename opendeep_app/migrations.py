"""Brings the database's tables to what this version needs (`opendeep migrate`)."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from opendeep_app.errors import SetupError

SCRIPTS = Path(__file__).resolve().parent.parent / "alembic"


@dataclass(frozen=True)
class State:
    """Where a database stands; `current` is None when it is empty."""

    current: str | None
    head: str
    known: bool
    """False when the database was migrated by a newer version of OpenDeep."""

    @property
    def at_head(self) -> bool:
        """Whether this version can work with the database as it is."""
        return self.current == self.head


def state(database_url: str) -> State:
    """Reads where the database stands; raises `SetupError` when it cannot be reached."""
    scripts = ScriptDirectory.from_config(_config(database_url))
    head = scripts.get_current_head() or ""
    known = {script.revision for script in scripts.walk_revisions()}
    try:
        engine = create_engine(database_url)
        try:
            with engine.connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        finally:
            engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise _unreachable(database_url, error) from None
    return State(current, head, current is None or current in known)


def upgrade(database_url: str) -> State:
    """Brings the database to the newest revision; returns where it stood before.

    Raises `SetupError` when it cannot be reached or belongs to a newer version.
    """
    before = state(database_url)
    if not before.known:
        raise SetupError(
            f"{_name(database_url)} was made by a newer version of OpenDeep "
            f"(revision {before.current}). Update OpenDeep, or use another database."
        )
    if not before.at_head:
        try:
            command.upgrade(_config(database_url), "head")
        except DBAPIError as error:
            raise SetupError(
                f"{_name(database_url)} could not be migrated: {_first_line(error)}"
            ) from error
    return before


def downgrade(database_url: str, revision: str) -> None:
    """Takes the database back to an older revision (`base` for an empty one)."""
    command.downgrade(_config(database_url), revision)


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def _name(database_url: str) -> str:
    """How messages call the database; never with its password."""
    url = make_url(database_url)
    if url.drivername.startswith("sqlite"):
        return f"The database {url.database}"
    return f"The database {url.render_as_string(hide_password=True)}"


def _unreachable(database_url: str, error: Exception) -> SetupError:
    try:
        name = _name(database_url)
    except SQLAlchemyError:
        name = "The database in OPENDEEP_DATABASE_URL"
    return SetupError(f"{name} cannot be opened: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
