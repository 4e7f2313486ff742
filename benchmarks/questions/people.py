"""People at their pages, and the phone network's side of their calls."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

import httpx
from playwright.async_api import Browser, Page, async_playwright
from sqlmodel import col, select

from opendeep_app.bus import Bus
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.errors import InvalidInput
from opendeep_app.models import InfoRequest, Task, TaskStatus
from opendeep_app.policy import Policy
from opendeep_app.rules import ALWAYS
from opendeep_app.services import accounts, phone_numbers, tasks
from tests.fixtures.browsers import FLAGS, find_chromium
from tests.fixtures.stacks import Stack

PATIENCE = 90
#: How often it is looked for what all wait for, in seconds: looking is no part of what is measured.
BETWEEN_LOOKS = 0.5
Key = TypeVar("Key")
Found = TypeVar("Found")
_names = count(1)

#: Reports the frame that shows the modal, every second that the countdown shows, and the click.
WATCH = """
() => {
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  let question = "", second = "";
  const look = () => {
    const modal = document.querySelector('[data-testid=info-modal]');
    const shown = modal && modal.checkVisibility() ? modal.dataset.questionId || "" : "";
    if (shown && shown !== question)
      requestAnimationFrame(() => window.observed("modal", shown, now()));
    question = shown;
    const left = modal?.querySelector('[data-testid=info-countdown]')?.dataset.seconds;
    if (left && left !== second) window.observed("second " + left, shown, now());
    second = left;
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true});
  document.addEventListener("click", event => {
    if (event.target.closest('[data-testid=info-submit]')) window.observed("click", question, now());
  }, true);
  look();
}
"""


def _numbers() -> list[str]:
    """Numbers of people who ask for a date of birth, one in each area."""
    found = []
    for area in range(201, 990):
        try:
            number = phone_numbers.parse(f"+1{area}5550140")
        except InvalidInput:
            continue
        if len(number.time_zones) == 1:
            found.append(number.e164)
    return found


NUMBERS = _numbers()


class Observed:
    """What a page reported, and when (seconds since the epoch)."""

    def __init__(self) -> None:
        self.times: dict[tuple[str, str], float] = {}
        self._news = asyncio.Event()

    def __call__(self, what: str, about: str, at: float) -> None:
        """Called by the page."""
        self.times.setdefault((what, about), at)
        self._news.set()

    async def until(self, what: str, about: str) -> float:
        """The time of an observation, as soon as there is one."""
        async with asyncio.timeout(PATIENCE):
            while (what, about) not in self.times:
                self._news.clear()
                await self._news.wait()
        return self.times[what, about]


@dataclass
class Person:
    """Somebody who delegates calls, at one tab."""

    user_id: str
    page: Page
    observed: Observed


class Lookout(Generic[Key, Found]):
    """What many wait for, looked for once for all of them."""

    def __init__(self, look: Callable[[], Awaitable[Mapping[Key, Found]]]) -> None:
        self._look = look
        self._seen: Mapping[Key, Found] = {}
        self._looking: asyncio.Task[None] | None = None

    async def until(self, key: Key) -> Found:
        """What is found under the key, as soon as something is."""
        async with asyncio.timeout(PATIENCE):
            while key not in self._seen:
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.create_task(self._again())
                await asyncio.shield(self._looking)
        return self._seen[key]

    async def _again(self) -> None:
        await asyncio.sleep(BETWEEN_LOOKS)
        self._seen = await self._look()


@dataclass
class Site:
    """The running product, seen from all its sides."""

    stack: Stack
    db: Database
    browser: Browser
    line: httpx.AsyncClient

    async def person(self) -> Person:
        """Signs somebody new in."""
        user_id, token = await self.account()
        context = await self.browser.new_context()
        observed = Observed()
        await context.expose_function("observed", observed)
        await context.add_cookies(
            [{"name": "opendeep_session", "value": token, "url": self.stack.web_url}]
        )
        page = await context.new_page()
        await page.goto(self.stack.web_url)
        await page.get_by_test_id("new-task").first.wait_for(timeout=PATIENCE * 1000)
        await page.evaluate(WATCH)
        return Person(user_id, page, observed)

    async def account(self) -> tuple[str, str]:
        """A new user's id and a session of theirs."""
        async with self.db.unit_of_work() as uow:
            user = await accounts.create_user(uow, f"person{next(_names)}@example.com")
            return user.id, await accounts.open_session(uow, user.id)

    async def call(self, user_id: str, number: str, seconds: float) -> str:
        """Calls somebody who will ask; returns the task's id."""
        async with self.db.unit_of_work() as uow:
            new = tasks.NewTask(number, "Move my check-up.", info_timeout_seconds=round(seconds))
            return (await tasks.create(uow, user_id, new)).id

    def __post_init__(self) -> None:
        self._questions = Lookout(self._asked)
        self._crossings = Lookout(self._crossed)
        self._ends = Lookout(self._over)

    async def question(self, task_id: str) -> InfoRequest:
        """What the agent asks in the task's call."""
        return await self._questions.until(task_id)

    async def crossed(self, function_call_id: str, what: str) -> float:
        """When a function was "called" or "returned", at the model's end of its socket."""
        return await self._crossings.until((function_call_id, what))

    async def over(self, task_id: str) -> None:
        """Waits until nobody is on the line any more."""
        await self._ends.until(task_id)

    async def _asked(self) -> dict[str, InfoRequest]:
        async with self.db.reading() as session:
            return {one.task_id: one for one in await session.scalars(select(InfoRequest))}

    async def _crossed(self) -> dict[tuple[str, str], float]:
        rows = (await self.line.get("/practice/functions")).json()
        return {(row["call_id"], row["what"]): float(row["at"]) for row in rows}

    async def _over(self) -> dict[str, TaskStatus]:
        over = [*(one for one in TaskStatus if one.terminal), TaskStatus.PENDING_USER_INFO]
        query = select(Task.id, Task.status).where(col(Task.status).in_(over))
        async with self.db.reading() as session:
            return {task.id: task.status for task in await session.execute(query)}


@asynccontextmanager
async def site(stack: Stack) -> AsyncIterator[Site]:
    """The started product, a browser and the doors to both; all are closed afterwards."""
    await asyncio.to_thread(stack.start)
    settings = Settings.load(_env_file=None, data_dir=stack.data_dir).with_line()
    bus = Bus(stack.redis_url)
    db = Database(stack.database_url, bus, policy=Policy(hours=ALWAYS))
    key = {"Authorization": f"Bearer {settings.openai_api_key}"}
    try:
        async with (
            async_playwright() as playwright,
            httpx.AsyncClient(base_url=stack.practice_url, headers=key) as line,
        ):
            browser = await playwright.chromium.launch(
                executable_path=find_chromium(playwright.chromium.executable_path), args=FLAGS
            )
            yield Site(stack, db, browser, line)
            await browser.close()
    finally:
        await db.close()
        await bus.close()
        await asyncio.to_thread(stack.stop)
