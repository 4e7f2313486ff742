"""How long people wait for the dashboard, in Chromium, among many tasks.

    uv run python -m benchmarks.dashboard.browser [--tasks 100000] [--database FILE] [--rounds 20]

The whole product (`opendeep up`, SQLite) with a database filled by `benchmarks.seed`: either a
new one, or a copy of FILE. Times are taken within the page, from the input to the frame after
the change that it leads to.
"""

import argparse
import asyncio
import json
import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, async_playwright

from benchmarks.figures import summary
from benchmarks.seed import EMAIL, seed
from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.db import Database
from opendeep_app.models import Task, TaskStatus
from opendeep_app.services import accounts, tasks
from tests.fixtures.browsers import FLAGS, find_chromium
from tests.fixtures.stacks import Stack

STATUSES = {"completed": "COMPLETED", "failed": "FAILED", "on-hold": "ON_HOLD"}
"""Filters by status, and what their rows then are."""
PATIENCE = 30_000

#: Calls `done` with the milliseconds from the call until the frame that fulfils a condition.
UNTIL = """
([act, holds]) => new Promise(done => {
  const condition = new Function("return " + holds), began = performance.now();
  const check = () => {
    if (condition()) requestAnimationFrame(() => { watch.disconnect(); done(performance.now() - began); });
  };
  const watch = new MutationObserver(check);
  watch.observe(document, {subtree: true, childList: true, attributes: true});
  document.querySelector(act).click();
})
"""
EVERYTHING = "[data-testid=status-filter][data-status=all]"
CARDS = "[...document.querySelectorAll('[data-testid=task-card]')]"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


async def first_load(browser: Browser, storage: Any, url: str, rounds: int) -> dict[str, Any]:
    """A signed-in person's first visit, with nothing in the browser's cache."""
    painted, filled = [], []
    weight: Counter[str] = Counter()
    for _ in range(rounds):
        context = await browser.new_context(storage_state=storage)
        page = await context.new_page()
        weight = await _weighed(context, page)
        await page.goto(url)
        await page.get_by_test_id("task-card").first.wait_for(timeout=PATIENCE)
        filled.append(await page.evaluate("performance.now()") / 1000)
        painted.append(await page.evaluate(PAINTED) / 1000)
        await page.wait_for_load_state("networkidle")
        await context.close()
    return {
        "first_contentful_paint": summary(painted),
        "rows_painted": summary(filled),
        "transferred_kib": {kind: round(size / 1024) for kind, size in weight.most_common()},
    }


async def _weighed(context: BrowserContext, page: Page) -> Counter[str]:
    """Bytes on the wire by kind of resource, filled while the page loads."""
    session, kinds = await context.new_cdp_session(page), dict[str, str]()
    weight: Counter[str] = Counter()
    session.on("Network.responseReceived", lambda e: kinds.update({e["requestId"]: e["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda e: weight.update({kinds.get(e["requestId"], "Other"): int(e["encodedDataLength"])}),
    )
    await session.send("Network.enable")
    return weight


async def filters(page: Page, rounds: int) -> dict[str, Any]:
    """From the click on a status until only rows of that status are shown."""
    times = []
    for n in range(rounds):
        name, status = list(STATUSES.items())[n % len(STATUSES)]
        only = f"{CARDS}.length > 0 && {CARDS}.every(card => card.dataset.status === '{status}')"
        chip = f"[data-testid=status-filter][data-status={name}]"
        times.append(await page.evaluate(UNTIL, [chip, only]) / 1000)
        await page.evaluate(UNTIL, [EVERYTHING, f"!({only})"])
    return summary(times)


async def expansions(page: Page, rounds: int) -> dict[str, Any]:
    """From the click that opens a card until its timeline is there."""
    times = []
    for n in range(rounds):
        card = f"[data-testid=task-card]:nth-of-type({n + 1})"
        more = f"document.querySelector('{card} [data-testid=task-more] li')"
        times.append(await page.evaluate(UNTIL, [f"{card} [data-testid=task-expand]", more]) / 1000)
        await page.locator(f"{card} [data-testid=task-expand]").click()
        await page.locator(f"{card} [data-testid=task-more]").wait_for(state="hidden")
    return summary(times)


async def updates(page: Page, db: Database, user_id: str, changes: int) -> dict[str, Any]:
    """What a tab holds on to while the tasks that it shows change: heap and DOM, by quarters."""
    cdp = await page.context.new_cdp_session(page)
    waiting = "['PENDING', 'RETRY_SCHEDULED', 'ON_HOLD'].includes(card.dataset.status)"
    ids = await page.evaluate(f"{CARDS}.filter(card => {waiting}).map(card => card.dataset.taskId)")
    later = utc_now() + timedelta(days=30)
    held = []
    for quarter in range(5):
        held.append(await _held(cdp))
        for n in range(changes // 4 if quarter < 4 else 0):
            async with db.unit_of_work() as uow:
                task = await uow.session.get_one(Task, ids[n % len(ids)])
                if task.status is TaskStatus.ON_HOLD:
                    await tasks.resume(uow, user_id, task.id, later)
                else:
                    await tasks.hold(uow, user_id, task.id)
        await asyncio.sleep(1)
    # The first quarter warms the page's code up.
    heap = [size for size, _ in held[1:]]
    return {
        "changes": changes,
        "heap_mib": [round(size / 2**20, 2) for size, _ in held],
        "dom_nodes": [nodes for _, nodes in held],
        "heap_growth_percent": round((heap[-1] / heap[0] - 1) * 100, 1),
    }


async def _held(cdp: CDPSession) -> tuple[float, int]:
    await cdp.send("Performance.enable")
    for _ in range(2):
        await cdp.send("HeapProfiler.collectGarbage")
    metrics = {m["name"]: m["value"] for m in (await cdp.send("Performance.getMetrics"))["metrics"]}
    return metrics["JSHeapUsedSize"], int(metrics["Nodes"])


async def measure(stack: Stack, rounds: int, changes: int) -> dict[str, Any]:
    """All figures of one run."""
    bus = Bus(stack.redis_url)
    db = Database(stack.database_url, bus)
    async with db.reading() as session:
        user = await accounts.find_user(session, EMAIL)
    assert user is not None
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(playwright.chromium.executable_path), args=FLAGS
        )
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(await stack.sign_in_link(EMAIL))
        await page.get_by_test_id("task-card").first.wait_for(timeout=PATIENCE)
        storage = await context.storage_state()
        floor = await browser.new_page()
        await floor.goto(f"{stack.web_url}/healthz")
        paint = await floor.wait_for_function(PAINTED)
        figures: dict[str, Any] = {
            "floor_first_paint": summary([await paint.json_value() / 1000]),
            **await first_load(browser, storage, f"{stack.web_url}/", rounds),
            "filter": await filters(page, rounds),
        }
        await page.goto(f"{stack.web_url}/?status=scheduled")
        await page.get_by_test_id("task-card").nth(rounds).wait_for(timeout=PATIENCE)
        figures["expand"] = await expansions(page, rounds)
        await page.goto(f"{stack.web_url}/")
        await page.get_by_test_id("task-card").nth(20).wait_for(timeout=PATIENCE)
        figures["updates"] = await updates(page, db, user.id, changes)
        await browser.close()
    await db.close()
    await bus.close()
    return figures


def main() -> None:
    """Prints one JSON line."""
    parser = argparse.ArgumentParser(description="Measures the dashboard in Chromium.")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--database", type=Path, help="a SQLite file that was seeded before")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--changes", type=int, default=400)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        stack.data_dir.mkdir(mode=0o700)
        if arguments.database:
            shutil.copy(arguments.database, stack.data_dir / "opendeep.db")
        else:
            seed(stack.database_url, arguments.tasks)
        stack.start()
        try:
            figures = asyncio.run(measure(stack, arguments.rounds, arguments.changes))
        finally:
            stack.stop()
    print(json.dumps({"benchmark": "dashboard.browser", **figures}))


if __name__ == "__main__":
    main()
