"""Measures the question loop; prints one JSON line. See docs/benchmarks.md."""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.databases import KINDS, database
from benchmarks.questions import loop, tabs
from benchmarks.questions.people import NUMBERS, Site, site
from tests.fixtures.stacks import Stack

PARTS = ("one", "many", "deadline", "tabs")
#: How fast people speak and listen: a crowd at its natural pace, one person hastily.
SPEED = {"one": "4"}


async def main(wanted: argparse.Namespace) -> dict[str, Any]:
    """All parts that are wanted, each with a fresh product."""
    measure: dict[str, Callable[[Site], Awaitable[dict[str, Any]]]] = {
        "one": lambda site: loop.answered(site, 1, wanted.rounds, 0),
        "many": lambda site: loop.answered(site, wanted.many, wanted.many_rounds, wanted.between),
        "deadline": lambda site: loop.unanswered(site, 3, wanted.seconds),
        "tabs": lambda site: tabs.load(
            site, wanted.people, wanted.tabs_each, wanted.per_second, wanted.load_seconds
        ),
    }
    found: dict[str, Any] = {"benchmark": "questions", "database": wanted.database}
    for part in wanted.parts:
        with database(wanted.database) as url, tempfile.TemporaryDirectory() as folder:
            given = {
                "OPENDEEP_DATABASE_URL": url,
                "OPENDEEP_PRACTICE_SPEED": SPEED.get(part, "1"),
            }
            async with site(Stack(Path(folder) / "data", given)) as running:
                found[part] = await measure[part](running)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=10, help="questions of one person in turn")
    parser.add_argument(
        "--many", type=int, default=10, choices=range(1, len(NUMBERS)), metavar="PEOPLE"
    )
    parser.add_argument("--many-rounds", type=int, default=4, help="of so many at once")
    parser.add_argument("--between", type=float, default=0.25, help="two calls or two answers")
    parser.add_argument("--seconds", type=int, default=60, help="of the countdown")
    parser.add_argument("--people", type=int, default=20, help="who are asked under load")
    parser.add_argument("--tabs-each", type=int, default=2)
    parser.add_argument("--per-second", type=float, default=5, help="questions under load")
    parser.add_argument("--load-seconds", type=float, default=15)
    print(json.dumps(asyncio.run(main(parser.parse_args()))))
