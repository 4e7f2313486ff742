"""The pages, as a person uses them: first steps, the form, search and keyboard, small screens."""

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.fixtures.stacks import Stack

SIGN_IN = re.compile(r"/sign-in/?$")


async def sign_in(page: Page, stack: Stack, email: str) -> None:
    """Comes in through a one-time link."""
    await page.goto(await stack.sign_in_link(email))
    await expect(page.get_by_test_id("new-task")).to_be_visible()


async def create_task(page: Page, number: str, goal: str, name: str = "") -> str:
    """Fills the form; returns the new task's id."""
    await page.get_by_test_id("new-task").click()
    await page.get_by_test_id("task-phone").fill(number)
    await page.get_by_test_id("task-goal").fill(goal)
    await page.locator("[name=contact_name]").fill(name)
    await page.get_by_test_id("task-submit").click()
    await page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}$"))
    return page.url.rsplit("/", 1)[-1]


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


async def test_an_empty_dashboard_teaches(page: Page, stack: Stack) -> None:
    stack.add_user("new@example.com")
    await sign_in(page, stack, "new@example.com")
    await expect(page.get_by_test_id("task-card")).to_have_count(0)
    await page.get_by_test_id("try-it").click()
    await expect(page.get_by_test_id("timeline-event").first).to_contain_text("Task created")
    await page.get_by_test_id("task-cancel").click()
    await expect(page.get_by_test_id("task-status")).to_have_attribute("data-status", "CANCELLED")
    await expect(page.get_by_test_id("task-cancel")).to_have_count(0)


async def test_the_form_checks_the_number_while_it_is_typed(page: Page, stack: Stack) -> None:
    stack.add_user("form@example.com")
    await sign_in(page, stack, "form@example.com")
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


async def test_search_filter_and_sort(page: Page, stack: Stack) -> None:
    stack.add_user("list@example.com")
    await sign_in(page, stack, "list@example.com")
    first = await create_task(page, "+1 312 555 0101", "Order flowers", "Bloom")
    await page.get_by_test_id("task-cancel").click()
    await expect(page.get_by_test_id("task-status")).to_have_attribute("data-status", "CANCELLED")
    await page.goto(stack.web_url)
    second = await create_task(page, "+1 312 555 0110", "Ask for the menu", "Luna")
    await page.goto(stack.web_url)
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


async def test_somebody_elses_task_does_not_exist(
    page: Page, browser: Browser, stack: Stack
) -> None:
    stack.add_user("ada@example.com")
    stack.add_user("bob@example.com")
    received: list[str] = []
    others = await browser.new_context()
    bob = await others.new_page()
    bob.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: received.append(str(data))),
    )
    await sign_in(bob, stack, "bob@example.com")
    await sign_in(page, stack, "ada@example.com")
    task_id = await create_task(page, "+1 312 555 0103", "A very private errand")
    await expect(page.get_by_test_id("timeline-event").nth(3)).to_be_visible(timeout=30_000)
    assert received
    assert not any("private errand" in frame or task_id in frame for frame in received)
    await bob.goto(f"{stack.web_url}/tasks/{task_id}")
    await expect(bob.get_by_role("heading", name="There is no such task")).to_be_visible()
    assert not any("private errand" in frame for frame in received)
    await others.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_a_small_phone(browser: Browser, stack: Stack, scheme: str) -> None:
    context: BrowserContext = await browser.new_context(
        viewport={"width": 360, "height": 640},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    email = f"small-{scheme}@example.com"
    stack.add_user(email)
    await sign_in(page, stack, email)
    task_id = await create_task(
        page, "+1 312 555 0104", "Say " + "averyverylongwordwithoutspaces" * 4, "Somebody"
    )
    for path in ("/", f"/tasks/{task_id}", "/tasks/new", "/questions"):
        await page.goto(stack.web_url + path)
        await expect(page.get_by_test_id("practice-badge")).to_be_visible()
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await context.close()
