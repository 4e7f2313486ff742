"""The task list as people work with it: filters, search, scrolling, many at once, keys, live changes."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from sqlmodel import col, select

from opendeep_app.clock import utc_now
from opendeep_app.models import Task, TaskStatus
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import tasks
from opendeep_app.services.tasks import NewTask
from opendeep_app.state.window import MOST
from opendeep_app.supervisor import ports
from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, visiting

LOOKS: list[tuple[Literal["light", "dark"], int, int]] = [("light", 1280, 800), ("dark", 360, 740)]
#: A card that the window drops at this moment is passed over.
SHOW = "card => card.scrollIntoView()"


class Planner(Visitor):
    """Somebody with tasks that nobody calls before tomorrow."""

    async def plan(self, number: int, goal: str = "Ask about it.", **more: Any) -> str:
        later = utc_now() + timedelta(days=2)
        return await self.create(NewTask(f"+1213555{number:04}", goal, not_before=later, **more))

    async def act(self, service: Any, task_id: str) -> None:
        async with self.db.unit_of_work() as uow:
            await service(uow, self.user_id, task_id)

    async def open(self, search: str = "") -> Locator:
        await self.page.goto(f"{self.stack.web_url}/{search}")
        cards = self.page.get_by_test_id("task-card")
        await expect(cards.first).to_be_visible()
        return cards

    def card(self, task_id: str) -> Locator:
        return self.page.locator(f'[data-testid="task-card"][data-task-id="{task_id}"]')

    async def statuses(self) -> dict[TaskStatus, int]:
        async with self.db.reading() as session:
            return await task_rows.status_counts(session, self.user_id)


@pytest_asyncio.fixture(loop_scope="session")
async def ada(stack: Stack, page: Page) -> AsyncIterator[Planner]:
    async with visiting(stack, page, Planner) as ada:
        yield ada


@pytest.mark.parametrize(("scheme", "width", "height"), LOOKS)
async def test_a_card_opens_in_place_and_a_view_has_an_address(
    browser: Browser, stack: Stack, scheme: Literal["light", "dark"], width: int, height: int
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme
    )
    page = await context.new_page()
    async with visiting(stack, page, Planner) as ada:
        held = await ada.plan(2001, contact_name="Luna")
        other = await ada.plan(2002, contact_name="Stella")
        await ada.act(tasks.hold, held)
        cards = await ada.open()
        await ada.card(other).get_by_test_id("task-expand").click()
        await expect(page.get_by_test_id("task-more")).to_contain_text("Task created")
        await expect(page.get_by_test_id("task-more")).to_contain_text("Not before the time")
        assert await page.evaluate("document.documentElement.scrollWidth") == width

        await page.locator("[data-testid=status-filter][data-status=on-hold]").click()
        await expect(cards).to_have_count(1)
        await page.get_by_test_id("sort").select_option("created_at")
        await expect(page).to_have_url(re.compile(r"\?status=on-hold&sort=created_at$"))
        await page.reload()
        await expect(cards).to_have_count(1)
        await expect(page.get_by_test_id("sort")).to_have_value("created_at")
        await page.go_back()
        await page.go_back()
        await expect(cards).to_have_count(2)

        await page.get_by_test_id("view-toggle").click()
        await expect(page.locator("table.dense tbody tr")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollWidth") == width
    await context.close()


async def test_a_view_can_be_kept_and_found_again(ada: Planner) -> None:
    page = ada.page
    await ada.plan(2003, "Cancel the gym", contact_name="Fit Street")
    await ada.plan(2004, "Order flowers", contact_name="Bloom")
    cards = await ada.open("?q=flow")
    await expect(cards).to_have_count(1)
    await page.get_by_text("Save view").click()
    await page.get_by_test_id("view-name").fill("Flowers")
    await page.get_by_test_id("view-save").click()
    await expect(page.get_by_test_id("saved-view")).to_have_text("Flowers")
    await page.get_by_text("Clear filters").click()
    await expect(cards).to_have_count(2)
    await page.get_by_test_id("saved-view").click()
    await expect(cards).to_have_count(1)
    await expect(page.get_by_test_id("search")).to_have_value("flow")


async def test_a_long_list_holds_a_window_and_goes_both_ways(ada: Planner) -> None:
    page, length = ada.page, MOST + 70
    later = utc_now() + timedelta(days=2)
    async with ada.db.unit_of_work() as uow:
        wishes = [
            NewTask(f"+1213555{3000 + n}", f"Ask {n}.", not_before=later) for n in range(length)
        ]
        ids = [(await tasks.create(uow, ada.user_id, wish)).id for wish in wishes]
    cards = await ada.open()
    most = 0
    for _ in range(60):
        most = max(most, await cards.count())
        if await ada.card(ids[0]).count():
            break
        await cards.last.evaluate(SHOW)
        await page.wait_for_timeout(60)
    await expect(ada.card(ids[0])).to_have_count(1)
    assert most <= MOST
    await expect(ada.card(ids[-1])).to_have_count(0)
    for _ in range(60):
        if await ada.card(ids[-1]).count():
            break
        await cards.first.evaluate(SHOW)
        await page.mouse.wheel(0, -900)
        await page.wait_for_timeout(60)
    await expect(ada.card(ids[-1])).to_have_count(1)
    shown = [await one.get_attribute("data-task-id") for one in await cards.all()]
    assert shown == ids[::-1][: len(shown)]
    assert len(shown) <= MOST


async def test_many_at_once_with_a_preview_and_a_way_back(ada: Planner) -> None:
    page = ada.page
    ids = [await ada.plan(2100 + n) for n in range(24)]
    await ada.act(tasks.cancel, ids[0])
    cards = await ada.open()
    await cards.nth(1).get_by_test_id("task-pick").click()
    await cards.nth(2).get_by_test_id("task-pick").click()
    await expect(page.get_by_test_id("batch-count")).to_have_text("2 chosen")
    await page.get_by_test_id("batch-all").click()
    await page.get_by_test_id("batch-hold").click()
    await expect(page.get_by_test_id("batch-dialog")).to_contain_text("Hold 23 tasks")
    await expect(page.get_by_test_id("batch-skips")).to_contain_text("1 · Cancelled")
    await page.get_by_test_id("batch-go").click()
    await expect(page.get_by_test_id("batch-done")).to_contain_text("23 tasks done")
    assert await ada.statuses() == {TaskStatus.ON_HOLD: 23, TaskStatus.CANCELLED: 1}
    await page.get_by_test_id("batch-undo").click()
    await expect(page.get_by_test_id("batch-done")).to_contain_text("Taken back for 23 tasks")
    assert await ada.statuses() == {TaskStatus.PENDING: 23, TaskStatus.CANCELLED: 1}
    async with ada.db.reading() as session:
        task = await session.get_one(Task, ids[5])
    assert task.next_action_at is not None
    assert task.next_action_at > utc_now() + timedelta(days=1)

    await cards.nth(1).get_by_test_id("task-pick").click()
    await cards.nth(2).get_by_test_id("task-pick").click()
    await page.get_by_test_id("batch-hours").click()
    await page.locator("#hours_mon").fill("whenever")
    await page.get_by_test_id("batch-go").click()
    await expect(page.get_by_role("alert")).to_contain_text("for example 9–12")
    await page.locator("#hours_mon").fill("9-12")
    await page.get_by_test_id("batch-go").click()
    await expect(page.get_by_test_id("batch-done")).to_contain_text("2 tasks done")
    async with ada.db.reading() as session:
        rows = await session.scalars(select(col(Task.hours)).where(Task.user_id == ada.user_id))
        assert sum(1 for hours in rows if hours) == 2
    await page.get_by_test_id("batch-undo").click()
    await expect(page.get_by_test_id("batch-done")).to_contain_text("Taken back for 2 tasks")


async def test_the_keyboard_alone_is_enough(ada: Planner) -> None:
    page = ada.page
    first = await ada.plan(2201, contact_name="Earlier")
    second = await ada.plan(2202, contact_name="Later")
    await ada.open()
    await page.wait_for_load_state("networkidle")
    await page.keyboard.press("j")
    await expect(ada.card(second).locator(".who")).to_be_focused()
    await page.keyboard.press("j")
    await page.keyboard.press("e")
    await expect(ada.card(first).get_by_test_id("task-more")).to_be_visible()
    await page.keyboard.press("x")
    await expect(page.get_by_test_id("batch-count")).to_have_text("1 chosen")
    await page.keyboard.press("/")
    await page.keyboard.type("j?")
    await expect(page.get_by_test_id("search")).to_have_value("j?")
    await expect(page.get_by_test_id("keys")).to_have_count(0)
    await page.get_by_test_id("search").blur()
    await page.keyboard.press("?")
    await expect(page.get_by_test_id("keys")).to_contain_text("Answer the agent’s question")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("keys")).to_have_count(0)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("earl")
    await expect(page.get_by_test_id("palette-item")).to_contain_text(["Earlier"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(f"/tasks/{first}"))
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await expect(ada.card(second)).to_be_visible()
    await page.keyboard.press("k")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}"))


async def test_what_matches_no_more_leaves_and_a_hidden_tab_is_left_alone(ada: Planner) -> None:
    page = ada.page
    stays, goes = await ada.plan(2301), await ada.plan(2302)
    cards = await ada.open("?status=scheduled")
    await expect(cards).to_have_count(2)
    await ada.act(tasks.hold, goes)
    await expect(cards).to_have_count(1)
    await expect(cards).to_have_attribute("data-task-id", stays)
    held = page.locator("[data-testid=status-filter][data-status=on-hold]")
    await expect(held).to_contain_text("1")
    async with ada.db.unit_of_work() as uow:
        await tasks.resume(uow, ada.user_id, goes, utc_now() + timedelta(days=2))
    await expect(cards).to_have_count(2)

    await page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await page.wait_for_timeout(1500)
    await ada.act(tasks.hold, stays)
    await page.wait_for_timeout(700)
    await expect(cards).to_have_count(2)
    await page.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'visible', configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await expect(cards).to_have_count(1)


async def test_a_lost_connection_is_said_quietly_and_made_good(ada: Planner) -> None:
    page = ada.page
    await page.add_init_script(
        f"""const Real = window.WebSocket;
        window.sockets = [];
        window.WebSocket = class extends Real {{
            constructor(url, ...more) {{
                super(window.unreachable ? "ws://127.0.0.1:{ports.free("127.0.0.1")}/" : url, ...more);
                window.sockets.push(this);
            }}
        }};"""
    )
    await ada.plan(1, "Was there before.")
    await ada.open()
    banner = page.get_by_test_id("connection")
    await expect(banner).to_be_empty()

    await page.evaluate("window.unreachable = true; window.sockets.map(socket => socket.close())")
    await expect(banner).to_contain_text("The server cannot be reached")
    await expect(page.get_by_text("websocket")).to_have_count(0)
    await ada.plan(2, "Came meanwhile.")
    await expect(page.get_by_test_id("task-card")).to_have_count(1)

    await page.evaluate("window.unreachable = false")
    await expect(banner).to_be_empty(timeout=15_000)
    # Well before the next heartbeat.
    await expect(page.get_by_text("Came meanwhile.")).to_be_visible()
