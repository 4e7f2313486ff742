"""Whole journeys in a real browser against the whole product on the practice line."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, WebSocket, expect

from opendeep_app.config import Settings
from opendeep_app.models import Actor, Task, TaskStatus
from opendeep_app.models import TaskEventType as Event
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories.tasks import TaskDetail
from opendeep_app.services import accounts, tasks
from opendeep_app.services.transitions import replay
from tests.fixtures.lives import assert_consistent
from tests.fixtures.stacks import Stack

PASSWORD = "correct horse battery"
PATIENCE = 40_000
"""Milliseconds; what takes longer on the practice line at speed 20 is broken."""

# Every number of the practice line stands for a person; another area code is another person of
# the same kind, whom no other story has called.
_area_codes = iter([212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 227, 228, 229, 231, 234])
_people = count(1)
AGREES, THIRD_TIME_LUCKY, ASKS, HANGS_UP = "0101", "0120", "0140", "0150"


def person(kind: str) -> str:
    """The number of somebody of this kind."""
    return f"+1{next(_area_codes)}555{kind}"


class Creator:
    """Somebody who delegates calls, at one browser tab."""

    def __init__(self, stack: Stack, page: Page, email: str) -> None:
        self.stack, self.page, self.email = stack, page, email
        self.received: list[str] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: self.received.append(str(payload)))

    async def sign_in(self) -> None:
        """Through the form, as with a password."""
        await self.page.goto(self.stack.web_url)
        await self.page.get_by_test_id("sign-in-email").fill(self.email)
        await self.page.get_by_test_id("sign-in-password").fill(PASSWORD)
        await self.page.get_by_test_id("sign-in-submit").click()
        await expect(self.page.get_by_test_id("new-task").first).to_be_visible()

    async def delegate(self, number: str, goal: str) -> str:
        """Fills the form; returns the new task's id."""
        await self.page.get_by_test_id("new-task").first.click()
        await self.page.get_by_test_id("task-phone").fill(number)
        await self.page.get_by_test_id("task-goal").fill(goal)
        await expect(self.page.get_by_test_id("phone-check")).to_contain_text("United States")
        await self.page.get_by_test_id("task-submit").click()
        await self.page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}"))
        return self.page.url.rstrip("/").rpartition("/")[2]

    async def sees(self, *statuses: str) -> None:
        """Waits until the task page shows one of these statuses, without a reload."""
        pattern = re.compile("|".join(f"^{status}$" for status in statuses))
        status = self.page.get_by_test_id("task-head")
        await expect(status).to_have_attribute("data-status", pattern, timeout=PATIENCE)

    async def history(self, task_id: str) -> TaskDetail:
        """What the database holds, after checking that all of it is consistent."""
        async with self.stack.database() as db, db.reading() as session:
            await assert_consistent(session)
            task = await session.get_one(Task, task_id)
            detail = await task_rows.get_detail(session, task.user_id, task_id)
        assert detail is not None
        assert replay(detail.events) is detail.task.status
        return detail


@asynccontextmanager
async def somebody(stack: Stack, browser: Browser) -> AsyncIterator[Creator]:
    email = f"creator{next(_people)}@example.com"
    async with stack.database() as db, db.unit_of_work() as uow:
        await accounts.create_user(uow, email, PASSWORD)
    context: BrowserContext = await browser.new_context(viewport={"width": 1280, "height": 800})
    creator = Creator(stack, await context.new_page(), email)
    await creator.sign_in()
    yield creator
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ada(stack: Stack, browser: Browser) -> AsyncIterator[Creator]:
    async with somebody(stack, browser) as creator:
        yield creator


@pytest_asyncio.fixture(loop_scope="session")
async def bob(stack: Stack, browser: Browser) -> AsyncIterator[Creator]:
    async with somebody(stack, browser) as creator:
        yield creator


async def heard_by(stack: Stack, number: str) -> list[str]:
    """Everything that came out of the recipient's end of the line, call after call."""
    settings = Settings.load(_env_file=None, data_dir=stack.data_dir).with_line()
    async with httpx.AsyncClient(
        base_url=stack.practice_url,
        auth=(settings.twilio_account_sid, settings.twilio_auth_token),
    ) as client:
        response = await client.get("/practice/calls", params={"To": number})
    calls: list[dict[str, Any]] = response.raise_for_status().json()["calls"]
    assert not any(call["problems"] for call in calls)
    return [str(text) for call in calls for text in call["heard"]]


async def test_a_question_answered_in_time_goes_into_the_live_call(
    stack: Stack, ada: Creator
) -> None:
    number, page = person(ASKS), ada.page
    await expect(page.get_by_test_id("practice-badge")).to_be_visible()
    task_id = await ada.delegate(number, "Move my check-up to next week.")
    await ada.sees("IN_PROGRESS")

    modal = page.get_by_test_id("info-modal")
    await expect(modal).to_be_visible(timeout=PATIENCE)
    await expect(modal).to_have_attribute("role", "alertdialog")
    await expect(page.get_by_test_id("info-question")).to_contain_text("date of birth")
    await expect(page.get_by_test_id("info-countdown")).to_be_visible()
    await expect(page.get_by_test_id("pending-count").first).to_have_text("1")
    await page.get_by_test_id("info-answer").fill("The third of May 1980")
    await page.get_by_test_id("info-submit").click()
    await expect(modal).to_be_hidden()

    await ada.sees("COMPLETED")
    assert any("third of May 1980" in text for text in await heard_by(stack, number))
    lines = page.get_by_test_id("transcript-line")
    await expect(lines.filter(has_text="third of May 1980").first).to_be_visible()

    shown = [
        await event.get_attribute("data-type")
        for event in await page.get_by_test_id("timeline-event").all()
    ]
    wanted = [
        Event.TASK_CREATED,
        Event.CALL_CLAIMED,
        Event.CALL_DIALLED,
        Event.CALL_ANSWERED,
        Event.INFO_REQUESTED,
        Event.INFO_ANSWERED,
        Event.CALL_ENDED,
        Event.CALL_ANALYSED,
        Event.GOAL_MET,
    ]
    places = [shown.index(event.value) for event in wanted]
    assert places == sorted(places)
    detail = await ada.history(task_id)
    assert len(detail.calls) == 1


async def test_a_question_answered_too_late_rings_back_with_the_answer(
    stack: Stack, ada: Creator
) -> None:
    number, page = person(HANGS_UP), ada.page
    task_id = await ada.delegate(number, "Ask when the test results come.")
    modal = page.get_by_test_id("info-modal")
    await expect(modal).to_be_visible(timeout=PATIENCE)
    await ada.sees("PENDING_USER_INFO")
    await expect(modal).to_have_attribute("data-phase", "expired")

    await page.get_by_test_id("info-answer").fill("The third of May 1980")
    await page.get_by_test_id("info-submit").click()
    await ada.sees("COMPLETED")

    detail = await ada.history(task_id)
    first, second = (each.call for each in detail.calls)
    assert first.phone_number == second.phone_number == number
    assert "third of May 1980" in second.brief
    assert "third of May 1980" not in first.brief
    types = [event.type for event in detail.events]
    awaited, back = types.index(Event.INFO_AWAITED), types.index(Event.INFO_CALLBACK_SCHEDULED)
    assert awaited < types.index(Event.INFO_ANSWERED) < back
    assert any("third of May 1980" in text for text in await heard_by(stack, number))


async def asked(creator: Creator, number: str, goal: str) -> str:
    """Delegates to somebody who asks, and waits for the question; returns the task's id."""
    task_id = await creator.delegate(number, goal)
    await expect(creator.page.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
    return task_id


async def test_more_time_moves_the_deadline_in_every_tab(stack: Stack, ada: Creator) -> None:
    number, page = person(ASKS), ada.page
    task_id = await asked(ada, number, "Move my check-up to next month.")
    other = await page.context.new_page()
    await other.goto(stack.web_url)
    ring = other.get_by_test_id("info-countdown")
    seconds = int(await ring.get_attribute("data-seconds") or 0)
    assert 0 < seconds <= 30
    await page.get_by_test_id("info-more-time").click()
    await expect(ring).to_have_attribute("data-seconds", re.compile(r"^(3[1-9]|[45]\d|60)$"))
    for tab in (page, other):
        await expect(tab.get_by_test_id("info-more-time")).to_be_hidden()

    # The answer of one tab is news to the other, which closes its modal.
    await page.get_by_test_id("info-answer").fill("The third of May 1980")
    await page.get_by_test_id("info-submit").click()
    await expect(other.get_by_test_id("info-modal")).to_be_hidden()
    news = other.get_by_test_id("info-elsewhere")
    await expect(news).to_contain_text("in another tab: “The third of May 1980”")
    await expect(page.get_by_test_id("info-elsewhere")).to_be_empty()
    await expect(news).to_be_empty(timeout=PATIENCE)
    await ada.sees("COMPLETED")
    types = [event.type for event in (await ada.history(task_id)).events]
    assert types.index(Event.INFO_EXTENDED) < types.index(Event.INFO_ANSWERED)


async def test_call_back_later_says_goodbye_at_once(stack: Stack, ada: Creator) -> None:
    number, page = person(ASKS), ada.page
    task_id = await asked(ada, number, "Move my check-up to next year.")
    await page.get_by_test_id("info-postpone").click()
    await expect(page.get_by_test_id("info-modal")).to_be_hidden()
    await ada.sees("PENDING_USER_INFO")
    assert "call you again" in (await heard_by(stack, number))[-1]
    expired = [e for e in (await ada.history(task_id)).events if e.type is Event.INFO_EXPIRED]
    assert [event.actor for event in expired] == [Actor.CREATOR]

    await page.get_by_test_id("pending-bell").click()
    await page.get_by_test_id("inbox-answer").fill("The third of May 1980")
    await page.get_by_test_id("inbox-submit").click()
    await page.goto(f"{stack.web_url}/tasks/{task_id}")
    await ada.sees("COMPLETED")
    assert len((await ada.history(task_id)).calls) == 2


async def test_a_question_that_came_while_offline_is_shown_on_return(
    stack: Stack, ada: Creator
) -> None:
    page, number = ada.page, person(HANGS_UP)
    task_id = await ada.delegate(number, "Ask when the offline results come.")
    await page.context.set_offline(True)
    async with stack.database() as db:
        async with asyncio.timeout(PATIENCE / 1000):
            while True:
                async with db.reading() as session:
                    task = await session.get_one(Task, task_id)
                if task.status is TaskStatus.PENDING_USER_INFO:
                    break
                await asyncio.sleep(0.2)
    await page.context.set_offline(False)
    modal = page.get_by_test_id("info-modal")
    await expect(modal).to_have_attribute("data-phase", "expired", timeout=PATIENCE)
    await expect(page.locator('link[rel="icon"]')).to_have_attribute("href", re.compile("waiting"))


async def test_a_hidden_tab_calls_with_a_notification(stack: Stack, ada: Creator) -> None:
    page = ada.page
    await page.goto(f"{stack.web_url}/questions")
    await expect(page.get_by_test_id("alert-sound")).to_be_visible()
    await page.evaluate(
        """() => {
            window.shown = [];
            window.Notification = class {
                static permission = "granted";
                constructor(title, more) { window.shown.push(more.body); }
            };
            Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
        }"""
    )
    async with stack.database() as db, db.unit_of_work() as uow:
        user = await accounts.find_user(uow.session, ada.email)
        assert user is not None
        wanted = tasks.NewTask(phone_number=person(ASKS), goal="Move my check-up once more.")
        await tasks.create(uow, user.id, wanted)
    await expect(page.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
    assert any("date of birth" in body for body in await page.evaluate("window.shown"))
    await page.get_by_test_id("alert-sound").last.click()
    assert await page.evaluate("localStorage.getItem('opendeep_muted')") in ("yes", "no")
    await page.get_by_test_id("info-you-decide").click()
    await expect(page.get_by_test_id("info-modal")).to_be_hidden()


async def test_busy_then_no_answer_then_success_by_retry(stack: Stack, ada: Creator) -> None:
    task_id = await ada.delegate(person(THIRD_TIME_LUCKY), "Confirm Friday at seven.")
    await ada.sees("COMPLETED")
    detail = await ada.history(task_id)
    outcomes = [each.call.outcome and each.call.outcome.value for each in detail.calls]
    assert outcomes == ["FAILED_BUSY", "FAILED_NO_ANSWER", "GOAL_MET"]
    retries = [event for event in detail.events if event.type is Event.RETRY_SCHEDULED]
    assert len(retries) == 2
    assert all(event.payload["rules"] for event in retries)
    assert len(await ada.page.get_by_test_id("task-call").all()) == 3


async def test_the_dashboard_moves_by_itself(stack: Stack, ada: Creator) -> None:
    async with stack.database() as db, db.unit_of_work() as uow:
        user = await accounts.find_user(uow.session, ada.email)
        assert user is not None
        key = await accounts.create_api_key(uow, user.id)
    async with httpx.AsyncClient(
        base_url=stack.web_url, headers={"Authorization": f"Bearer {key}"}
    ) as client:
        body = {"phone_number": person(AGREES), "goal": "Say hello."}
        created = await client.post("/api/tasks", json=body)
    assert created.status_code == 201, created.text
    card = ada.page.locator(f'[data-testid="task-card"][data-task-id="{created.json()["id"]}"]')
    await expect(card).to_be_visible(timeout=PATIENCE)
    await expect(card).to_have_attribute("data-status", "COMPLETED", timeout=PATIENCE)


async def test_nobody_receives_a_byte_about_another_persons_tasks(
    stack: Stack, ada: Creator, bob: Creator
) -> None:
    secret = "A matter between Ada and the clinic"
    task_id = await ada.delegate(person(ASKS), secret)
    await expect(ada.page.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
    await ada.page.get_by_test_id("info-answer").fill("Private birthday")
    await ada.page.get_by_test_id("info-submit").click()
    await ada.sees("COMPLETED")
    await bob.page.goto(f"{stack.web_url}/tasks/{task_id}")
    await expect(bob.page.get_by_text("There is no such task").first).to_be_visible()
    assert any(secret in frame for frame in ada.received)
    # The id is in Bob's own address bar, so only what stands behind it counts.
    for words in (secret, "Private birthday", "date of birth", ada.email):
        assert not any(words in frame for frame in bob.received)
