"""A migrated throwaway database of either kind, for as long as a benchmark runs."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from opendeep_app import migrations
from tests.fixtures.databases import PostgresServer

KINDS = ("sqlite", "postgresql")


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of a new database; PostgreSQL writes its log without syncing it to disk."""
    with tempfile.TemporaryDirectory(prefix="od-bench-", ignore_cleanup_errors=True) as directory:
        if kind == "sqlite":
            url = f"sqlite:///{directory}/opendeep.db"
            migrations.upgrade(url)
            yield url
            return
        server = PostgresServer(Path(directory))
        server.start()
        try:
            server.execute("CREATE DATABASE opendeep")
            url = server.url("opendeep")
            migrations.upgrade(url)
            yield url
        finally:
            server.stop()
