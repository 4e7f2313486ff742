"""Budget, retention and the do-not-call list, as their owner uses them."""

import json
from datetime import timedelta

from playwright.async_api import expect
from sqlalchemy import update

from opendeep_app.clock import utc_now
from opendeep_app.models import CarrierHealth
from tests.fixtures.visitors import Visitor, assert_fits_phone


async def test_a_daily_budget_and_a_time_to_keep_things_are_set(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/settings/data")
    await page.get_by_test_id("daily-budget").fill("-3")
    await page.get_by_test_id("budget-save").click()
    await expect(page.get_by_test_id("error-daily_budget")).to_contain_text("above 0")
    await page.get_by_test_id("daily-budget").fill("$5")
    await page.get_by_test_id("budget-save").click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.get_by_test_id("keep-transcripts-days").fill("30")
    await page.get_by_test_id("retention-save").click()
    await expect(page.get_by_text("Saved.").first).to_be_visible()
    await assert_fits_phone(page)
    await page.reload()
    await expect(page.get_by_test_id("daily-budget")).to_have_value("5.00")
    await expect(page.get_by_test_id("keep-transcripts-days")).to_have_value("30")
    await expect(page.get_by_test_id("spent-today")).to_have_text("$0.00")


async def test_a_number_is_left_alone_and_called_again(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/settings/do-not-call")
    await page.get_by_test_id("do-not-call-number").fill("112")
    await page.get_by_test_id("do-not-call-add").click()
    await expect(page.get_by_test_id("error-phone_number")).to_be_visible()
    await expect(page.get_by_test_id("do-not-call-number")).to_have_value("112")
    await page.get_by_test_id("do-not-call-number").fill("+1 202 555 0143")
    await page.get_by_test_id("do-not-call-reason").fill("They asked.")
    await page.get_by_test_id("do-not-call-add").click()
    entry = page.get_by_test_id("do-not-call-entry")
    await expect(entry).to_contain_text("+1 202-555-0143")
    await assert_fits_phone(page)
    await page.get_by_test_id("do-not-call-remove").click()
    await expect(entry).to_have_count(0)


async def test_the_providers_trouble_is_said_on_every_page_until_it_is_over(
    visitor: Visitor,
) -> None:
    page = visitor.page
    banner = page.get_by_test_id("carrier-trouble")

    async def set_health(**values: object) -> None:
        async with visitor.db.unit_of_work() as uow:
            await uow.session.execute(update(CarrierHealth).values(**values))

    try:
        await set_health(retry_at=utc_now() + timedelta(hours=1), reason="it did not answer")
        await page.reload()
        await expect(banner).to_contain_text("it did not answer")
        await assert_fits_phone(page)
        await set_health(retry_at=None, reason="")
        await page.reload()
        await expect(page.get_by_test_id("new-task")).to_be_visible()
        await expect(banner).to_have_count(0)
    finally:
        await set_health(retry_at=None, reason="")


async def test_calling_hours_and_waits_are_kept_and_given_back(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/settings/calling")
    monday, words = page.locator("#hours_mon"), page.get_by_test_id("calling-words")
    usual = await words.inner_text()
    await monday.fill("soon")
    await page.get_by_test_id("calling-save").click()
    await expect(page.get_by_role("alert").first).to_contain_text("from–to")
    await expect(monday).to_have_value("soon")
    await monday.fill("10-12, 14-16:30")
    await page.get_by_test_id("wait-busy").fill("3")
    await page.get_by_test_id("calling-save").click()
    await expect(words).to_contain_text("10:00–12:00")
    await page.reload()
    await expect(monday).to_have_value("10:00–12:00, 14:00–16:30")
    await expect(page.get_by_test_id("wait-busy")).to_have_value("3")
    await page.get_by_test_id("calling-reset").click()
    await expect(words).to_have_text(usual)
    await expect(monday).to_have_value("")


async def test_a_task_is_taken_away_and_erased_once_that_was_meant(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    task_id = await visitor.delegate("+1 312 555 0105", "Ask for the price of a haircut")
    await page.get_by_test_id("task-cancel").click()
    await expect(page.get_by_test_id("task-status")).to_have_attribute("data-status", "CANCELLED")
    async with page.expect_download() as download:
        await page.get_by_test_id("task-export").click()
    kept = json.loads((await (await download.value).path()).read_text())
    assert kept["task"]["id"] == task_id
    await page.get_by_test_id("task-erase").click()
    await expect(page.get_by_test_id("task-erase-dialog")).to_contain_text("What stays")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("task-erase-dialog")).to_have_count(0)
    await page.get_by_test_id("task-erase").click()
    await page.get_by_test_id("task-erase-go").click()
    await expect(page.get_by_text("The task is erased.")).to_be_visible()
    await expect(page.get_by_test_id("task-card")).to_have_count(0)
    await page.goto(f"{stack.web_url}/tasks/{task_id}")
    await expect(page.get_by_text("There is no such task")).to_be_visible()
