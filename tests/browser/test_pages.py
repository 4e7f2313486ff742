"""The pages, as a person uses them: first steps, the form, search and keyboard, small screens."""

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, visiting

SIGN_IN = re.compile(r"/sign-in/?$")


async def test_strangers_see_the_sign_in_page_and_a_password_opens_it(
    page: Page, stack: Stack
) -> None:
    stack.add_user("door@example.com")
    await page.goto(stack.web_url + "/questions")
    await page.wait_for_url(SIGN_IN)
    await page.get_by_test_id("sign-in-email").fill("door@example.com")
    await page.get_by_test_id("sign-in-password").fill("not the password")
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_role("alert")).to_have_text("E-mail or password is not right.")
    await page.get_by_test_id("sign-in-password").fill("correct horse battery")
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_test_id("practice-badge")).to_be_visible()
    assert "opendeep_session" not in await page.evaluate("document.cookie")

    await page.get_by_test_id("sign-out").click()
    await page.wait_for_url(SIGN_IN)
    await page.goto(stack.web_url)
    await page.wait_for_url(SIGN_IN)


async def test_an_empty_dashboard_teaches(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.get_by_test_id("task-card")).to_have_count(0)
    await page.get_by_test_id("try-it").click()
    await expect(page.get_by_test_id("timeline-event").first).to_contain_text("Task created")
    await page.get_by_test_id("task-cancel").click()
    await expect(page.get_by_test_id("task-status")).to_have_attribute("data-status", "CANCELLED")
    await expect(page.get_by_test_id("task-cancel")).to_have_count(0)


async def test_the_form_checks_the_number_while_it_is_typed(visitor: Visitor) -> None:
    page = visitor.page
    await page.get_by_test_id("new-task").click()
    phone = page.get_by_test_id("task-phone")
    await phone.press_sequentially("+493012345678", delay=15)
    await expect(page.get_by_test_id("phone-check")).to_contain_text("+49 30 12345678")
    await expect(page.get_by_test_id("phone-check")).to_contain_text("Germany")
    await expect(page.get_by_test_id("phone-check")).to_contain_text(re.compile(r"\d\d:\d\d there"))
    await phone.fill("+1 202")
    await phone.blur()
    await expect(page.get_by_test_id("error-phone_number")).to_be_visible()
    await page.get_by_test_id("practice-person").first.click()
    await expect(phone).to_have_value("+1 202-555-0101")
    await page.get_by_test_id("task-submit").click()
    await expect(page.get_by_test_id("error-goal")).to_have_text(
        "Say what the call should achieve."
    )
    await expect(page.get_by_test_id("task-goal")).to_be_focused()


async def test_search_filter_and_sort(visitor: Visitor) -> None:
    page, home = visitor.page, visitor.stack.web_url
    first = await visitor.delegate("+1 312 555 0101", "Order flowers", "Bloom")
    await page.get_by_test_id("task-cancel").click()
    await expect(page.get_by_test_id("task-status")).to_have_attribute("data-status", "CANCELLED")
    await page.goto(home)
    second = await visitor.delegate("+1 312 555 0110", "Ask for the menu", "Luna")
    await page.goto(home)
    cards = page.get_by_test_id("task-card")
    await expect(cards).to_have_count(2)
    await expect(cards.first).to_have_attribute("data-task-id", second)
    await page.get_by_test_id("sort").select_option("created_at")
    await expect(cards.first).to_have_attribute("data-task-id", first)

    await page.keyboard.press("/")
    await expect(page.get_by_test_id("search")).to_be_focused()
    await page.keyboard.type("menu")
    await expect(cards).to_have_count(1)
    await page.get_by_test_id("search").fill("")
    await expect(cards).to_have_count(2)
    await page.locator("[data-testid=status-filter][data-status=cancelled]").click()
    await expect(cards).to_have_count(1)
    await expect(cards.first).to_have_attribute("data-task-id", first)


async def test_somebody_elses_task_does_not_exist(visitor: Visitor, browser: Browser) -> None:
    received: list[str] = []
    others = await browser.new_context()
    page = await others.new_page()
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: received.append(str(data))),
    )
    async with visiting(visitor.stack, page, Visitor):
        task_id = await visitor.delegate("+1 312 555 0103", "A very private errand")
        event = visitor.page.get_by_test_id("timeline-event").nth(3)
        await expect(event).to_be_visible(timeout=30_000)
        assert received
        assert not any("private errand" in frame or task_id in frame for frame in received)
        await page.goto(f"{visitor.stack.web_url}/tasks/{task_id}")
        await expect(page.get_by_role("heading", name="There is no such task")).to_be_visible()
        assert not any("private errand" in frame for frame in received)
    await others.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_a_small_phone(browser: Browser, stack: Stack, scheme: str) -> None:
    context: BrowserContext = await browser.new_context(
        viewport={"width": 360, "height": 640},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    async with visiting(stack, page, Visitor) as visitor:
        goal = "Say " + "averyverylongwordwithoutspaces" * 4
        task_id = await visitor.delegate("+1 312 555 0104", goal, "Somebody")
        for path in ("/", f"/tasks/{task_id}", "/tasks/new", "/questions"):
            await page.goto(stack.web_url + path)
            await expect(page.get_by_test_id("practice-badge")).to_be_visible()
            await page.wait_for_load_state("networkidle")
            assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await context.close()
