"""The webhooks page: an address is added, tried out, and told again what it did not take."""

import asyncio
import re

from playwright.async_api import Browser, expect

from tests.browser.test_stories import somebody
from tests.fixtures.receivers import Receiver, answer
from tests.fixtures.stacks import Stack


async def test_a_webhook_is_added_tried_and_sent_again(stack: Stack, browser: Browser) -> None:
    receiver = Receiver(answers=[answer("500 Oops", b"We are moving house")])
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/calls"
    async with somebody(stack, browser) as creator:
        page = creator.page
        await page.goto(f"{stack.web_url}/settings/webhooks")
        await page.get_by_test_id("webhook-url").fill("example.com")
        await page.get_by_test_id("webhook-create").click()
        await expect(page.get_by_test_id("error-url")).to_contain_text("begins with https://")
        await page.get_by_test_id("webhook-url").fill(url)
        await page.get_by_test_id("webhook-create").click()
        await expect(page.get_by_test_id("webhook-secret")).to_contain_text("whsec_")

        await page.get_by_test_id("webhook-ping").click()
        sent = page.get_by_test_id("webhook-delivery").first
        await expect(sent).to_contain_text("500 in")
        await sent.locator("summary").click()
        await expect(sent).to_contain_text("We are moving house")
        await page.get_by_test_id("webhook-replay").click()
        # It shows by itself that the message has arrived.
        await expect(sent).to_contain_text(re.compile(r"Delivered.*204 in", re.DOTALL))
        ids = {request.headers["webhook-id"] for request in receiver.received}
        assert (receiver.types(), len(ids)) == (["ping", "ping"], 1)

        await page.get_by_test_id("webhook-enable").click()
        await expect(page.get_by_test_id("webhook-state")).to_contain_text("Disabled")
        await expect(page.get_by_test_id("webhook-ping")).to_be_disabled()
        await page.get_by_test_id("webhook-delete").click()
        await expect(page.get_by_test_id("webhook")).to_have_count(0)
        await page.reload()
        await expect(page.get_by_test_id("webhook-url")).to_be_visible()
        await expect(page.get_by_test_id("webhook-secret")).to_have_count(0)
    server.close()
    await server.wait_closed()
