"""How long people wait for the page: commit → visible, question → modal, answer → model.

    uv run python -m benchmarks.journey [--rounds 20]

Runs the whole product on the practice line with a real Chromium; every end of every interval
is read from the one clock of this machine.
"""

import argparse
import asyncio
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Page, async_playwright

from benchmarks import floor
from benchmarks.figures import ratio, summary
from benchmarks.questions.people import NUMBERS
from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.models import Task
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.services import accounts, tasks
from tests.fixtures.browsers import FLAGS, find_chromium
from tests.fixtures.stacks import Stack

#: Reports the frame after the first change that makes something visible, or a click.
WATCH = """
() => {
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const report = (what, id) => requestAnimationFrame(() => window.observed(what, id, now()));
  let question = "", statuses = {};
  const look = () => {
    for (const card of document.querySelectorAll('[data-testid=task-card]')) {
      const {taskId, status} = card.dataset;
      if (statuses[taskId] !== status) { statuses[taskId] = status; report(status, taskId); }
    }
    const modal = document.querySelector('[data-testid=info-modal]');
    const shown = modal && modal.checkVisibility() ? modal.dataset.questionId || "" : "";
    if (shown && shown !== question) report("modal", shown);
    question = shown;
  };
  new MutationObserver(look).observe(
    document, {subtree: true, childList: true, attributes: true});
  document.addEventListener("click", event => {
    if (event.target.closest('[data-testid=info-submit]'))
      window.observed("click", question, now());
  }, true);
  look();
}
"""


class Observed:
    """What the page reported, and when (seconds since the epoch)."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str], float] = {}
        self._news = asyncio.Event()

    def __call__(self, what: str, about: str, at: float) -> None:
        """Called by the page."""
        self.times[what, about] = at
        self._news.set()

    async def until(self, what: str, about: str) -> float:
        """The time of an observation, as soon as there is one."""
        async with asyncio.timeout(30):
            while (what, about) not in self.times:
                self._news.clear()
                await self._news.wait()
        return self.times[what, about]


async def commit_to_visible(
    db: Database, user_id: str, observed: Observed, rounds: int
) -> list[float]:
    """Holds and resumes a task that is not due and watches its card."""
    async with db.unit_of_work() as uow:
        wish = tasks.NewTask(
            "+12025550101", "A task to watch.", not_before=utc_now() + timedelta(days=1)
        )
        task = await tasks.create(uow, user_id, wish)
    latencies = []
    await observed.until("PENDING", task.id)
    for _ in range(rounds):
        observed.times.clear()
        async with db.unit_of_work() as uow:
            await tasks.hold(uow, user_id, task.id)
        latencies.append(await observed.until("ON_HOLD", task.id) - await _written(db, task.id))
        async with db.unit_of_work() as uow:
            await tasks.cancel(uow, user_id, task.id)
        await asyncio.sleep(0.3)
        async with db.unit_of_work() as uow:
            task = await tasks.create(uow, user_id, wish)
        await observed.until("PENDING", task.id)
        await asyncio.sleep(0.3)
    return latencies


async def questions(
    db: Database, user_id: str, page: Page, observed: Observed, line: httpx.AsyncClient, rounds: int
) -> tuple[list[float], list[float]]:
    """Calls people who ask what the agent cannot know, and answers in the modal."""
    to_modal, to_model = [], []
    for number in NUMBERS[:rounds]:
        async with db.unit_of_work() as uow:
            task = await tasks.create(uow, user_id, tasks.NewTask(number, "Move my check-up."))
        request = None
        async with asyncio.timeout(30):
            while request is None:
                await asyncio.sleep(0.02)
                async with db.reading() as session:
                    pending = await question_rows.pending(session, user_id)
                request = next((q for q in pending if q.task_id == task.id), None)
        shown = await observed.until("modal", request.id)
        await page.get_by_test_id("info-answer").fill("The third of May 1980")
        await page.get_by_test_id("info-submit").click()
        clicked = await observed.until("click", request.id)
        called, returned = await _function_times(line, request.function_call_id)
        to_modal.append(shown - called)
        to_model.append(returned - clicked)
        async with asyncio.timeout(30):
            while not await _over(db, task.id):
                await asyncio.sleep(0.05)
    return to_modal, to_model


async def _function_times(line: httpx.AsyncClient, function_call_id: str) -> tuple[float, float]:
    async with asyncio.timeout(30):
        while True:
            rows: list[dict[str, Any]] = (await line.get("/practice/functions")).json()
            times = {row["what"]: row["at"] for row in rows if row["call_id"] == function_call_id}
            if len(times) == 2:
                return times["called"], times["returned"]
            await asyncio.sleep(0.05)


async def _written(db: Database, task_id: str) -> float:
    async with db.reading() as session:
        return (await session.get_one(Task, task_id)).updated_at.timestamp()


async def _over(db: Database, task_id: str) -> bool:
    async with db.reading() as session:
        return (await session.get_one(Task, task_id)).status.terminal


async def main(rounds: int) -> dict[str, Any]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        stack.start()
        try:
            return await _measure(stack, rounds, Path(folder))
        finally:
            stack.stop()


async def _measure(stack: Stack, rounds: int, folder: Path) -> dict[str, Any]:
    settings = Settings.load(_env_file=None, data_dir=stack.data_dir).with_line()
    bus = Bus(stack.redis_url)
    db = Database(stack.database_url, bus)
    key = {"Authorization": f"Bearer {settings.openai_api_key}"}
    async with (
        async_playwright() as playwright,
        httpx.AsyncClient(base_url=stack.practice_url, headers=key) as line,
    ):
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(playwright.chromium.executable_path), args=FLAGS
        )
        floor_s = await floor.measure(browser, stack.redis_url, rounds, folder)
        page, observed = await browser.new_page(), Observed()
        await page.expose_function("observed", observed)
        await page.goto(stack.first_link)
        await page.get_by_test_id("new-task").first.wait_for()
        await page.evaluate(WATCH)
        async with db.reading() as session:
            user = await accounts.find_user(session, "owner@localhost")
        assert user is not None
        visible = await commit_to_visible(db, user.id, observed, rounds)
        modal, model = await questions(db, user.id, page, observed, line, rounds)
        await browser.close()
    await db.close()
    await bus.close()
    base = summary(floor_s)
    figures = {
        "commit_to_visible": summary(visible),
        "question_to_modal": summary(modal),
        "answer_to_model": summary(model),
    }
    against = {name: ratio(figure, base) for name, figure in figures.items()}
    return {"benchmark": "journey", "floor": base, **figures, "times_the_floor": against}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, choices=range(1, 33), metavar="1–32")
    print(json.dumps(asyncio.run(main(parser.parse_args().rounds))))
