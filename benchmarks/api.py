"""How long a page of tasks takes over REST, whatever is asked for, among a million tasks.

uv run python -m benchmarks.api DATABASE_URL [--rounds 300]

The database is one that `benchmarks.seed` has filled; a key for its user is added. Requests are
made up: any statuses, times, words, sort and page, `limit=50`. The API runs in this process
without a network; the floor is a read that finds nothing, through the same doors.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from sqlalchemy import event
from starlette.applications import Starlette

from benchmarks.figures import ratio, summary
from benchmarks.seed import EMAIL, FIRST, LAST
from opendeep_app.api.app import build_api
from opendeep_app.bus import Bus
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.essentials import Essentials
from opendeep_app.models import TaskStatus
from opendeep_app.repositories.tasks import Sort
from opendeep_app.routes import everything_below
from opendeep_app.services import accounts
from tests.fixtures.redis_servers import running_redis

SEED = 20261123
DETAILS = "/api/tasks/details"
FLOOR = "/api/do-not-call"


@dataclass
class Statements:
    """What the database was asked: how often, and how long it took."""

    count: int = 0
    seconds: float = 0
    began: list[float] = field(default_factory=list)

    def follow(self, db: Database) -> None:
        """Begins to count."""
        engine = db._engine.sync_engine
        event.listen(
            engine, "before_cursor_execute", lambda *_: self.began.append(time.monotonic())
        )
        event.listen(engine, "after_cursor_execute", self._after)

    def _after(self, *_: Any) -> None:
        self.count += 1
        self.seconds += time.monotonic() - self.began.pop()

    def take(self) -> tuple[int, float]:
        """What there was since the last time."""
        found = self.count, self.seconds
        self.count, self.seconds = 0, 0
        return found


def wishes(chance: random.Random, *, words: bool) -> dict[str, Any]:
    """A filter and sort that somebody might ask for."""
    query: dict[str, Any] = {"limit": 50, "sort": chance.choice(list(Sort)).value}
    if chance.random() < 0.6:
        statuses = list(TaskStatus)
        query["status"] = [each.value for each in chance.sample(statuses, chance.randint(1, 4))]
    now = datetime.now(UTC)
    if chance.random() < 0.3:
        query["created_after"] = (now - timedelta(days=chance.randint(1, 200))).isoformat()
    if chance.random() < 0.3:
        query["created_before"] = (now - timedelta(days=chance.randint(0, 150))).isoformat()
    if words:
        some = [chance.choice(FIRST), chance.choice(LAST), f"555 {chance.randint(1000, 9999)}"]
        query["q"] = chance.choice([some[0], " ".join(some[:2]), some[2]])
    return query


async def measure(url: str, redis_url: str, rounds: int) -> dict[str, Any]:
    """The figures of one database."""
    with tempfile.TemporaryDirectory(prefix="od-bench-") as directory:
        settings = Settings.load(
            _env_file=None, data_dir=Path(directory), api_requests_per_minute=10**9
        )
        bus = Bus(redis_url)
        db = Database(url, bus)
        deps = Essentials(settings, db, bus, db.clock)
        async with db.unit_of_work() as uow:
            user = await accounts.find_user(uow.session, EMAIL)
            assert user is not None
            key = await accounts.create_api_key(uow, user.id)
        app = Starlette(routes=[everything_below("/api", build_api(deps))])
        transport = httpx.ASGITransport(app=cast(Any, app))
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://api", headers=headers
        ) as client:
            figures = await _requests(client, db, rounds)
        await db.close()
        await bus.close()
    return figures


async def _requests(client: httpx.AsyncClient, db: Database, rounds: int) -> dict[str, Any]:
    chance, statements = random.Random(SEED), Statements()
    statements.follow(db)

    async def ask(path: str, parameters: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        statements.take()
        began = time.monotonic()
        response = await client.get(path, params=parameters)
        took = time.monotonic() - began
        assert response.status_code == 200, response.text
        return took, response.json()

    await ask(DETAILS, {"limit": 50})
    floor = [(await ask(FLOOR, {}))[0] for _ in range(rounds)]
    figures: dict[str, Any] = {}
    for name, words in (("details", False), ("search", True)):
        whole, inside, most = [], [], 0
        for _ in range(rounds):
            query = wishes(chance, words=words)
            # Counts are kept for two seconds; what is measured here is their computation too.
            for _page in range(2):
                took, answer = await ask(DETAILS, query)
                number, seconds = statements.take()
                whole.append(took)
                inside.append(seconds)
                most = max(most, number)
                if answer["next_cursor"] is None:
                    break
                query = {**query, "cursor": answer["next_cursor"]}
        figures[name] = {**summary(whole), "in_database": summary(inside), "most_statements": most}
    figures["floor"] = summary(floor)
    figures["details_to_floor"] = ratio(figures["details"], figures["floor"])
    return figures


@contextmanager
def redis() -> Iterator[str]:
    """A Redis for the run."""
    with (
        tempfile.TemporaryDirectory(prefix="od-") as directory,
        running_redis(Path(directory) / "redis.sock") as url,
    ):
        yield url


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser(description="Pages of tasks over REST.")
    parser.add_argument("database")
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    with redis() as redis_url:
        figures = asyncio.run(measure(given.database, redis_url, given.rounds))
    sys.stdout.write(json.dumps({"benchmark": "api", **figures}) + "\n")


if __name__ == "__main__":
    main()
