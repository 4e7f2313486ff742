"""How the first owner gets in: by the link that `opendeep up` prints last."""

from playwright.async_api import Browser, Page, expect

from tests.fixtures.stacks import Stack


async def test_the_link_signs_in_once(stack: Stack, page: Page, browser: Browser) -> None:
    link = await stack.sign_in_link()
    await page.goto(link)
    await expect(page.get_by_test_id("new-task")).to_be_visible()
    await expect(page.get_by_test_id("practice-badge")).to_be_visible()
    await page.reload()
    await expect(page.get_by_test_id("new-task")).to_be_visible()

    stranger = await browser.new_context()
    second = await stranger.new_page()
    await second.goto(link)
    await expect(second.get_by_test_id("sign-in-email")).to_be_visible()
    await stranger.close()
