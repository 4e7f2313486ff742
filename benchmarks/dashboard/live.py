"""How soon many people see a change, and what their open tabs cost the web process.

    uv run python -m benchmarks.dashboard.live [--people 100] [--tabs-each 2] [--tasks 25]
        [--per-second 50] [--seconds 30]

The whole product with a database of its own. Another process, as a worker is one, changes tasks;
every tab is a bare client of the page's WebSocket, and one person's page is in a real Chromium.
"""

import argparse
import asyncio
import json
import re
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import bare_tabs
from benchmarks.figures import summary
from benchmarks.processes import children, memory, named
from benchmarks.questions.people import NUMBERS, Site, site
from opendeep_app.services import moving
from opendeep_app.services import tasks as task_service
from tests.fixtures.stacks import Stack

#: A task's time of change, as its row says it.
MARK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
SETTLE = 5.0
#: Reports the frame that shows a card's new time.
WATCH = """
() => {
  const now = () => (performance.timeOrigin + performance.now()) / 1000, seen = new Set();
  const look = () => {
    for (const time of document.querySelectorAll('[data-testid=task-card] time')) {
      const at = time.dateTime;
      if (!at || seen.has(at)) continue;
      seen.add(at);
      requestAnimationFrame(() => window.observed("shown", at, now()));
    }
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
  look();
}
"""


class Crowd:
    """People with tasks, and what was changed when."""

    def __init__(self, site: Site) -> None:
        self._site = site
        #: (user id, session) of everybody.
        self.people: list[tuple[str, str]] = []
        self._tasks: list[list[str]] = []
        #: What a changed row says → whose it is, and when the transaction began.
        self.changes: dict[str, tuple[str, float]] = {}
        self.late = 0.0

    async def join(self, person: tuple[str, str], tasks: int) -> None:
        """A person with so many tasks that wait for the day after tomorrow."""
        self.people.append(person)
        async with self._site.db.unit_of_work() as uow:
            later = uow.now + timedelta(days=2)
            own = [
                await task_service.create(
                    uow,
                    person[0],
                    task_service.NewTask(NUMBERS[place], "Ask about it.", not_before=later),
                )
                for place in range(tasks)
            ]
            self._tasks.append([task.id for task in own])

    async def change(self, number: int) -> None:
        """Moves the next call of somebody's task."""
        place = number % len(self.people)
        user_id, ids = self.people[place][0], self._tasks[place]
        task_id = ids[number // len(self.people) % len(ids)]
        began = time.time()
        async with self._site.db.unit_of_work() as uow:
            at = uow.now + timedelta(days=1, hours=1, microseconds=number + 1)
            task = await moving.move_call(uow, user_id, task_id, at, outside_hours=True)
            assert task.next_action_at is not None
            self.changes[task.next_action_at.isoformat()] = (user_id, began)

    async def keep_changing(self, per_second: float, seconds: float) -> None:
        """One change after the other at this pace; `late` is by how much it was missed."""
        began = time.monotonic()
        for number in range(round(per_second * seconds)):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self.change(number)
            self.late = max(self.late, time.monotonic() - due)


def merged(saw: dict[str, float], changes: Sequence[tuple[str, float]]) -> list[float]:
    """How late each change was seen; one that a later one of the same moment replaced is as late."""
    latencies, next_seen = [], None
    for mark, began in reversed(changes):
        next_seen = saw.get(mark, next_seen)
        if next_seen is not None:
            latencies.append(next_seen - began)
    return latencies


async def measure(site: Site, wanted: argparse.Namespace) -> dict[str, Any]:
    """Opens the tabs, changes tasks for so long, and looks at what they were told."""
    assert site.stack.process is not None
    parts = children(site.stack.process.pid).items()
    server = next(pid for pid, line in parts if named(line) == "web")
    # The server watches over the process that serves.
    web = max(children(server), key=memory)
    how = await bare_tabs.opening(site)
    crowd = Crowd(site)
    watcher = await site.person()
    await crowd.join((watcher.user_id, ""), wanted.tasks)
    for _ in range(wanted.people - 1):
        await crowd.join(await site.account(), wanted.tasks)
    await watcher.page.reload()
    await watcher.page.get_by_test_id("task-card").first.wait_for()
    await watcher.page.evaluate(WATCH)
    before, pings = memory(web), list[float]()
    async with bare_tabs.tabs(how, crowd.people[1:], wanted.tabs_each, MARK) as tabs:
        await asyncio.sleep(SETTLE)
        opened = memory(web)
        pinging = asyncio.create_task(bare_tabs.ping(site.stack.web_url, pings))
        await crowd.keep_changing(wanted.per_second, wanted.seconds)
        await asyncio.sleep(2)
        pinging.cancel()
        after = memory(web)
    latencies, missed = [], 0
    for tab in tabs:
        own = [
            (mark, at) for mark, (user_id, at) in crowd.changes.items() if user_id == tab.user_id
        ]
        found = merged(tab.seen, own)
        missed += len(own) - len(found)
        latencies += found
    shown = {mark: at for (what, mark), at in watcher.observed.times.items() if what == "shown"}
    own = [(m, at) for m, (user_id, at) in crowd.changes.items() if user_id == watcher.user_id]
    return {
        "tabs": len(tabs) + 1,
        "people": len(crowd.people),
        "changes": len(crowd.changes),
        "most_late_s": round(crowd.late, 2),
        "missed": missed,
        "change_to_tab": summary(latencies),
        "change_to_frame": summary(merged(shown, own)),
        "ping": summary(pings),
        "megabytes_before": round(before, 1),
        "megabytes_per_tab": round((opened - before) / max(1, len(tabs)), 2),
        "megabytes_per_tab_after": round((after - before) / max(1, len(tabs)), 2),
    }


async def main(wanted: argparse.Namespace) -> dict[str, Any]:
    """One product, one crowd."""
    with tempfile.TemporaryDirectory() as folder:
        async with site(Stack(Path(folder) / "data", {})) as running:
            return {"benchmark": "dashboard.live"} | await measure(running, wanted)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--tabs-each", type=int, default=2)
    parser.add_argument("--tasks", type=int, default=25, help="of each person")
    parser.add_argument("--per-second", type=float, default=50, help="changes")
    parser.add_argument("--seconds", type=float, default=30)
    print(json.dumps(asyncio.run(main(parser.parse_args()))))
