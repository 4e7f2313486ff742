"""Campaigns: how far they are, into their tasks, budget, hours, holding all and going on."""

import re
from datetime import timedelta

import httpx
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from opendeep_app.clock import utc_now
from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, assert_fits_phone

CONTACTS = [
    {"phone_number": f"+1{area}55501{last}", "name": f"No. {area}{last}", "time_zone": zone}
    for area, zone in (("312", "America/Chicago"), ("808", "Pacific/Honolulu"))
    for last in ("10", "11", "12")
]


def signed_in(stack: Stack, key: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(base_url=stack.web_url, headers=headers, trust_env=False)


async def test_a_campaign_is_followed_limited_and_held(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    key = stack.api_key(visitor.email)
    await page.goto(stack.web_url + "/campaigns")
    await expect(page.get_by_role("heading", name="No campaign yet")).to_be_visible()
    async with signed_in(stack, key) as client:
        body = {
            "name": "Opening hours of every museum in the two cities",
            "goal": "Ask when they open on Sundays and what a ticket costs",
            "contacts": CONTACTS,
            "not_before": (utc_now() + timedelta(days=9)).isoformat(),
            "campaign_budget_micros": 2_500_000,
        }
        response = await client.post("/api/campaigns", json=body)
        assert response.status_code == 201, response.text
        created = response.json()
        await client.post(f"/api/tasks/{created['task_ids'][0]}/cancel")
    await page.reload()
    row = page.get_by_test_id("campaign")
    await expect(row).to_contain_text("1 of 6 over")
    await expect(row).to_contain_text("Scheduled 5, Cancelled 1")
    await expect(row).to_contain_text("$0.00 of $2.50")
    await assert_fits_phone(page)

    await row.click()
    await page.wait_for_url(re.compile(f"/campaigns/{created['id']}"))
    await page.get_by_test_id("campaign-hold").click()
    groups = page.get_by_test_id("campaign-group")
    await expect(groups.filter(has_text="On hold")).to_contain_text("5")
    await page.get_by_test_id("campaign-resume").click()
    await expect(groups.filter(has_text="On hold")).to_have_count(0)
    await expect(page.get_by_text("Resumed 5 tasks.")).to_be_visible()
    async with signed_in(stack, key) as client:
        await client.post(f"/api/tasks/{created['task_ids'][1]}/call-now")

    budget = page.get_by_test_id("campaign-budget")
    await expect(budget).to_have_value("2.50")
    await budget.fill("much")
    await page.get_by_test_id("campaign-budget-save").click()
    await expect(page.get_by_test_id("error-campaign_budget")).to_be_visible()
    await expect(budget).to_have_value("much")
    await budget.fill("40")
    await page.get_by_test_id("campaign-budget-save").click()
    await expect(page.get_by_test_id("campaign-head")).to_contain_text("of $40.00")
    await expect(page.get_by_test_id("error-campaign_budget")).to_have_count(0)
    await page.locator("#hours_mon").fill("10-12")
    await page.get_by_text("Waits between attempts").click()
    await page.get_by_test_id("wait-busy").fill("7")
    await page.get_by_test_id("campaign-rules-save").click()
    await expect(page.get_by_test_id("campaign-hours")).to_contain_text("10:00–12:00")
    await assert_fits_phone(page)
    # What has not quite appeared yet has little contrast.
    await page.emulate_media(reduced_motion="reduce")
    found = (await Axe().run(page)).response["violations"]
    assert not [each for each in found if each["impact"] in ("serious", "critical")]
    await page.reload()
    await expect(page.locator("#hours_mon")).to_have_value("10:00–12:00")
    await expect(page.get_by_test_id("wait-busy")).to_have_value("7")
    await expect(page.get_by_test_id("campaign-outcome").first).to_contain_text("busy")

    await groups.filter(has_text="Cancelled").click()
    await expect(page.get_by_test_id("task-card")).to_have_count(1)
