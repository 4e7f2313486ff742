"""PostgreSQL crashes and comes back in the middle of calls: none is lost, none rings twice."""

import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from opendeep_app import migrations
from tests.fixtures.databases import PostgresServer
from tests.fixtures.gateways import Exchange, until
from tests.integration.test_exactly_once import (
    PATIENT,
    SWIFT,
    Workers,
    assert_rang_once_each,
    attempts,
    create,
    idle,
    rung,
    settled,
    workers,
)

__all__ = ["workers"]


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may crash."""
    with tempfile.TemporaryDirectory(prefix="od-pg-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def own_postgres_url(own_postgres: PostgresServer) -> str:
    own_postgres.execute("CREATE DATABASE opendeep")
    url = own_postgres.url("opendeep")
    migrations.upgrade(url)
    return url


@pytest.mark.parametrize("exchange_settings", [SWIFT | PATIENT], indirect=True, ids=[""])
@pytest.mark.parametrize("exchange_database", ["own_postgres_url"], indirect=True, ids=[""])
@pytest.mark.timeout(120)
async def test_a_database_that_crashes_twice_in_the_middle_of_twenty_tasks(
    exchange: Exchange, workers: Workers, own_postgres: PostgresServer
) -> None:
    workers.start()
    supervising = asyncio.create_task(workers.supervise())
    await create(exchange, 20, max_attempts=1)
    for count in (3, 10):
        await until(partial(rung, exchange, count), 40)
        await asyncio.to_thread(own_postgres.stop)
        with pytest.raises(DBAPIError):
            await idle(exchange)
        await asyncio.to_thread(own_postgres.go_on)
    await settled(exchange, 20, 40)
    await assert_rang_once_each(exchange)
    assert len(await attempts(exchange)) == 20
    supervising.cancel()
