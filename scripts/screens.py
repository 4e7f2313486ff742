"""Takes the pictures in docs/screens/: every page, light and dark, at a desk and on a phone.

uv run python scripts/screens.py
"""

import asyncio
import random
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from opendeep_app.db import Database, UnitOfWork  # noqa: E402
from opendeep_app.models import (  # noqa: E402
    Call,
    CallOutcome,
    CallStatus,
    Disclosure,
    InfoRequest,
    Task,
    TaskStatus,
)
from opendeep_app.services import (  # noqa: E402
    accounts,
    campaigns,
    do_not_call,
    facts,
    info_requests,
    tasks,
)
from opendeep_app.services.campaigns import Contact  # noqa: E402
from opendeep_app.services.facts import NewFact  # noqa: E402
from opendeep_app.services.tasks import NewTask  # noqa: E402
from tests.fixtures.browsers import FLAGS, find_chromium  # noqa: E402
from tests.fixtures.stacks import Stack  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
SIZES = {"desk": (1440, 900), "phone": (360, 780)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
#: Every page there is, so that no new one is forgotten; those for a token's bearer have none.
ROUTES = sorted(
    route
    for source in (ROOT / "opendeep_app" / "pages").glob("*.py")
    for route in re.findall(r'route="([^"]+)"', source.read_text())
    if route != "/sign-in"
)
NAMES = {
    "/": "tasks",
    "/tasks/[task_id]": "task",
    "/tasks/new": "new-task",
    "/campaigns/[campaign_id]": "campaign",
}

SETTLED = [
    NewTask("+12025550101", "Book a table for four on Friday at seven.", "Trattoria Luna"),
    NewTask("+13125550110", "Ask whether the bike is ready.", "Spoke & Wheel"),
    NewTask("+14155550160", "Confirm the delivery window.", "Nordic Furniture"),
    NewTask("+16175550197", "Cancel the gym membership this month.", "Fit Street"),
    NewTask("+17025550170", "Move the car inspection to Tuesday.", "Desert Motors"),
]
ASKS = NewTask(
    "+12065550140",
    "Move my check-up to next week.",
    "Bright Smile Dental",
    context="Mornings only. My name is Ada Lovelace.",
    info_timeout_seconds=300,
)
UNANSWERED = NewTask("+13035550150", "Ask when the test results come.", "Dr. Weber")
GUESTS = [
    Contact(row, f"+1{area}5550160", name)
    for row, (area, name) in enumerate(
        [(503, "Grace Hopper"), (404, "Alan Turing"), (215, "Katherine Johnson")], start=1
    )
]
KNOWN = [
    NewFact("What is my customer number?", "4711-20"),
    NewFact("Who is the insurer?", "Northern Mutual", disclosure=Disclosure.ASK_FIRST),
]


async def main() -> None:
    """Starts the product, lets some tasks run, and takes the pictures."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        stack.start()
        try:
            await _take_all(stack)
        finally:
            stack.stop()


async def _take_all(stack: Stack) -> None:
    async with stack.database() as db, async_playwright() as playwright:
        shown = await _furnish(db)
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(playwright.chromium.executable_path), args=FLAGS
        )
        async for page, size, scheme in _visits(browser, stack):
            for route in ROUTES:
                await page.goto(stack.web_url + re.sub(r"\[(\w+)\]", lambda m: shown[m[1]], route))
                await _put_off(page)
                await _shoot(page, name_of(route), size, scheme)
        async with db.unit_of_work() as uow:
            asking = await tasks.create(uow, shown["user_id"], ASKS)
        async for page, size, scheme in _visits(browser, stack):
            await page.goto(f"{stack.web_url}/tasks/{asking.id}")
            await page.locator('[data-testid=info-modal][data-phase="open"]').wait_for()
            await _shoot(page, "question", size, scheme)
        request = await _first(db, select(InfoRequest.id).where(InfoRequest.task_id == asking.id))
        async with db.unit_of_work() as uow:
            link = await accounts.issue_answer_link(uow, shown["user_id"], request)
        async for page, size, scheme in _visits(browser, stack, signed_in=False):
            for path, name in (("/sign-in", "sign-in"), (f"/answer/{link}", "answer-link")):
                await page.goto(stack.web_url + path)
                await _shoot(page, name, size, scheme)
        async with db.unit_of_work() as uow:
            await info_requests.answer(uow, shown["user_id"], request, "3 May 1980", "web")
        await browser.close()
    _write_gallery()


async def _furnish(db: Database) -> dict[str, str]:
    """Somebody with a month of calls behind them; the ids that stand in the pages' addresses."""
    async with db.unit_of_work() as uow:
        user = await accounts.create_user(uow, "ada@example.com", name="Ada Lovelace")
        for new in (*SETTLED, UNANSWERED):
            await tasks.create(uow, user.id, new)
        later = uow.now + timedelta(hours=3)
        wish = NewTask("+33123456789", "Demander si le colis est arrivé.", not_before=later)
        await tasks.create(uow, user.id, wish)
        invitation = NewTask("", "Ask whether they come to the opening on Friday.")
        started = await campaigns.create(
            uow, user.id, "Opening night", invitation, GUESTS, budget_micros=5_000_000
        )
        for fact in KNOWN:
            await facts.remember(uow, user.id, fact)
        await do_not_call.add(uow, user.id, "+14155550199", "They asked not to be called again.")
    await _first(db, select(Task.id).where(Task.status == TaskStatus.PENDING_USER_INFO))
    await asyncio.sleep(12)
    async with db.unit_of_work() as uow:
        await _add_past(uow, user.id)
    return {
        "user_id": user.id,
        "task_id": await _first(db, select(Task.id).where(Task.contact_name == "Trattoria Luna")),
        "campaign_id": started.campaign.id,
    }


async def _visits(
    browser: Browser, stack: Stack, *, signed_in: bool = True
) -> AsyncIterator[tuple[Page, str, Scheme]]:
    """A new page of each size in each colour scheme."""
    for scheme in SCHEMES:
        for size in SIZES:
            page = await _open(browser, stack, scheme, size, signed_in=signed_in)
            yield page, size, scheme
            await page.context.close()


def name_of(route: str) -> str:
    """What the pictures of a page are called."""
    return NAMES.get(route, route.strip("/").replace("/", "-"))


def _write_gallery() -> None:
    """One page that shows all the others."""
    names = sorted({path.name.rsplit("-", 2)[0] for path in SCREENS.glob("*.png")})
    parts = [
        "# Every page\n\nTaken by `scripts/screens.py` from the product on its practice line.\n"
    ]
    for name in names:
        pictures = [
            f'<img src="{name}-{size}-{scheme}.png" width="{width}%" alt="{name}, {size}, {scheme}">'
            for scheme in SCHEMES
            for size, width in (("desk", 36), ("phone", 11))
        ]
        parts.append(f"## {name.replace('-', ' ').capitalize()}\n\n{' '.join(pictures)}\n")
    (SCREENS / "README.md").write_text("\n".join(parts))


async def _add_past(uow: UnitOfWork, user_id: str) -> None:
    """A month of calls, so that there is something to plot."""
    dice = random.Random(1)
    missed = [CallOutcome.FAILED_BUSY, CallOutcome.FAILED_NO_ANSWER, CallOutcome.FAILED_VOICEMAIL]
    for number in range(90):
        day = uow.now - timedelta(days=dice.randrange(1, 30))
        at = day.replace(hour=dice.choice([14, 15, 16, 16, 17, 18, 19, 20, 21]), minute=number % 60)
        done = dice.random() < 0.8
        attempts = dice.choice([1, 1, 1, 2, 2, 3]) if done else 3
        task = Task(
            user_id=user_id,
            phone_number=f"+1415555{1000 + number}",
            contact_name=f"Customer {number + 1}",
            goal="Confirm the appointment.",
            time_zone=dice.choice(["America/Los_Angeles", "America/New_York", "America/Denver"]),
            status=TaskStatus.COMPLETED if done else TaskStatus.FAILED,
            current_attempt_count=attempts,
            created_at=at,
            updated_at=at,
        )
        uow.session.add(task)
        await uow.session.flush()
        for attempt in range(attempts):
            last = done and attempt == attempts - 1
            uow.session.add(_past_call(task, attempt, at, last, dice, missed))


def _past_call(
    task: Task,
    attempt: int,
    began: datetime,
    reached: bool,
    dice: random.Random,
    missed: list[CallOutcome],
) -> Call:
    at = began + timedelta(minutes=25 * attempt)
    seconds = dice.randrange(30, 200) if reached else 0
    return Call(
        task_id=task.id,
        attempt_number=attempt + 1,
        phone_number=task.phone_number,
        status=CallStatus.ENDED,
        outcome=CallOutcome.GOAL_MET if reached else dice.choice(missed),
        created_at=at,
        dialled_at=at,
        answered_at=at if reached else None,
        ended_at=at + timedelta(seconds=seconds),
        analysed_at=at + timedelta(seconds=seconds + 5),
        duration_seconds=seconds or None,
        cost_micros=900 * seconds,
    )


async def _open(
    browser: Browser, stack: Stack, scheme: Scheme, size: str, *, signed_in: bool = True
) -> Page:
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
    )
    page = await context.new_page()
    if signed_in:
        await page.goto(await stack.sign_in_link("ada@example.com"))
        await page.get_by_test_id("pending-bell").first.wait_for()
    return page


async def _put_off(page: Page) -> None:
    later = page.get_by_test_id("info-later")
    await page.wait_for_timeout(900)
    if await later.is_visible():
        await later.click()


async def _shoot(page: Page, name: str, size: str, scheme: Scheme) -> None:
    await page.wait_for_timeout(700)
    await page.screenshot(path=SCREENS / f"{name}-{size}-{scheme}.png")
    print(f"{name}-{size}-{scheme}.png")


async def _first(db: Database, ids: SelectOfScalar[str]) -> str:
    """The first of these ids, as soon as there is one."""
    async with asyncio.timeout(60):
        while True:
            async with db.reading() as session:
                if found := await session.scalar(ids):
                    return found
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main())
