"""Every page for everybody: axe finds nothing serious, focus shows, motion can be stilled.

Pages are found by their routes, so that a new one is looked at without anybody thinking of it.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal, get_args

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from opendeep_app.clock import utc_now
from opendeep_app.repositories import info_requests
from opendeep_app.services import accounts
from opendeep_app.services.tasks import NewTask
from tests.fixtures.histories import add_history
from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, visiting

PAGES = Path(__file__).parents[2] / "opendeep_app" / "pages"
ROUTES = sorted(
    route
    for source in PAGES.glob("*.py")
    for route in re.findall(r'route="([^"]+)"', source.read_text())
)
SERIOUS = ("serious", "critical")
Scheme = Literal["light", "dark"]
PATIENCE = 40_000


WATCH_THEME = """
window.themes = new Set();
const look = () => {
  for (const each of document.querySelectorAll(".light, .dark"))
    window.themes.add(each.classList.contains("dark") ? "dark" : "light");
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


async def violations(page: Page, where: str) -> list[str]:
    """What axe holds against the page as it is now."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{where}: {each['id']} {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


async def address(visitor: Visitor, route: str) -> str:
    """A route with its dynamic parts filled in: a task with a long past, else nothing known."""
    if "[task_id]" not in route:
        return re.sub(r"\[\w+\]", "no-such-thing", route)
    async with visitor.db.unit_of_work() as uow:
        task_id = await add_history(uow, visitor.user_id, utc_now() - timedelta(hours=3))
    return route.replace("[task_id]", task_id) + "?event=3"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_axe_finds_nothing_serious_on_any_page(
    browser: Browser, stack: Stack, scheme: Scheme, width: int
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.add_init_script(WATCH_THEME)
    await page.goto(f"{stack.web_url}/sign-in")
    await expect(page.locator(f".radix-themes.{scheme}")).to_be_visible()
    assert await page.evaluate("[...window.themes]") == [scheme], "it flashed"
    found = await violations(page, "/sign-in")
    async with visiting(stack, page, Visitor) as visitor:
        addresses = [await address(visitor, route) for route in ROUTES if route != "/sign-in"]
    for path in addresses:
        await page.goto(stack.web_url + path)
        await expect(page.locator("main")).to_be_visible()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        found += await violations(page, path)
        overflow = await page.evaluate("document.documentElement.scrollWidth")
        if overflow > width:
            found.append(f"{path}: {overflow} px wide")
        moving = await page.evaluate("document.getAnimations().length")
        if moving:
            found.append(f"{path}: {moving} animations although less motion was asked for")
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if outline == "none":
            found.append(f"{path}: focus does not show")
    assert not found, "\n".join(found)
    await context.close()


async def test_axe_finds_nothing_serious_in_a_live_question(browser: Browser, stack: Stack) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    page = await context.new_page()
    async with visiting(stack, page, Visitor) as visitor:
        new = NewTask("+12605550140", "Move my check-up.", info_timeout_seconds=60)
        task_id = await visitor.create(new)
        await page.goto(f"{stack.web_url}/tasks/{task_id}")
        await expect(page.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
        assert await violations(page, "question") == []
        async with visitor.db.unit_of_work() as uow:
            [question] = await info_requests.for_task(uow.session, task_id)
            link = await accounts.issue_answer_link(uow, visitor.user_id, question.id)
        for scheme in get_args(Scheme):
            behind = await browser.new_page(
                viewport={"width": 360, "height": 740}, color_scheme=scheme
            )
            await behind.goto(f"{stack.web_url}/answer/{link}")
            await expect(behind.get_by_role("textbox")).to_be_visible()
            assert await violations(behind, f"answer link, {scheme}") == []
            assert await behind.evaluate("document.documentElement.scrollWidth") <= 360
            await behind.close()
        await page.get_by_test_id("info-later").click()
        await expect(page.get_by_test_id("info-modal")).to_be_hidden()
        await expect(page.get_by_test_id("call-doing")).to_be_visible()
        assert await violations(page, "live call") == []
        await page.get_by_test_id("task-cancel").click()
    await context.close()
