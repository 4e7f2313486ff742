"""When calls come: the plan beside the form, a form that is never lost, why, moved, skipped."""

import re

from playwright.async_api import expect

from tests.fixtures.visitors import Visitor, assert_fits_phone

NOBODY = "+1 312 555 0105"


async def test_the_form_plans_while_it_is_filled_and_loses_nothing(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/tasks/new")
    phone, plan = page.get_by_test_id("task-phone"), page.get_by_test_id("plan-summary")
    await phone.fill("+61 412 345 678")
    await expect(page.get_by_test_id("phone-check")).to_contain_text("Australia")
    zone = page.get_by_test_id("task-zone")
    await expect(zone).to_be_visible()
    await expect(plan).to_have_count(0)
    await zone.select_option("Australia/Perth")
    await expect(plan).to_have_text(re.compile(r"First call today \d\d:\d\d their time; if nobody"))
    await page.get_by_test_id("more-options").click()
    await page.locator("[name=max_attempts]").fill("1")
    await expect(plan).to_contain_text("there is no second attempt")
    await page.get_by_test_id("plan-why").click()
    await expect(page.get_by_test_id("plan")).to_contain_text("As soon as possible")
    await page.get_by_role("button", name="Book a table").click()
    await page.get_by_test_id("finding").first.fill("Price")
    await expect(page.get_by_test_id("finding")).to_have_count(2)
    await page.get_by_test_id("finding").nth(1).fill("Waiting time")
    await expect(page.get_by_test_id("finding")).to_have_count(3)

    await page.reload()
    await expect(plan).to_contain_text("there is no second attempt")
    await expect(phone).to_have_value("+61 412 345 678")
    await expect(zone).to_have_value("Australia/Perth")
    await expect(page.get_by_test_id("task-goal")).to_have_value(re.compile("table for four"))
    await expect(page.get_by_test_id("finding").nth(1)).to_have_value("Waiting time")
    await phone.fill(NOBODY)
    await page.locator("[name=hours_mon]").fill("5-6")
    await expect(page.get_by_test_id("error-hours")).to_contain_text("outside usual hours")
    await page.locator("[name=hours_mon]").fill("")
    await expect(page.get_by_test_id("error-hours")).to_have_count(0)
    await page.get_by_test_id("task-submit").click()
    await page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}$"))
    task_id = page.url.rsplit("/", 1)[-1]

    await page.goto(stack.web_url + "/tasks/new")
    await expect(phone).to_have_value("")
    await page.goto(f"{stack.web_url}/tasks/new?from={task_id}")
    await expect(phone).to_have_value("+1 312-555-0105")
    await expect(page.get_by_test_id("finding").nth(1)).to_have_value("Waiting time")
    await expect(page.locator("[name=max_attempts]")).to_have_value("1")


async def test_why_this_time_and_having_it_otherwise(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/tasks/new")
    await page.get_by_test_id("task-phone").fill(NOBODY)
    await page.get_by_test_id("task-goal").fill("Ask for the menu")
    await page.get_by_test_id("task-not-before").fill("2027-06-15T12:00")
    await page.get_by_test_id("task-submit").click()
    await page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}$"))
    await page.get_by_test_id("why").click()
    steps = page.get_by_test_id("why-steps")
    await expect(steps).to_contain_text("Not before the time you chose")
    await expect(page.get_by_test_id("move-at")).to_have_value("2027-06-15T12:00")

    await page.get_by_test_id("task-move").click()
    await page.get_by_test_id("move-at").fill("2027-06-16T15:30")
    await page.get_by_test_id("move-submit").click()
    await expect(steps).to_contain_text("You chose Wed 16 Jun 15:30 their time")
    await page.get_by_test_id("task-skip").click()
    await expect(steps).to_contain_text("You skipped Wed 16 Jun 15:30 their time")
    await expect(page.get_by_test_id("timeline-event").last).to_be_visible()
    await assert_fits_phone(page)
