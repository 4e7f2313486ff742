"""The overview in a browser: it moves by itself, and its numbers can be had as table and file."""

from datetime import timedelta
from pathlib import Path

from playwright.async_api import expect

from opendeep_app.clock import utc_now
from opendeep_app.services import tasks
from opendeep_app.services.tasks import NewTask
from tests.fixtures.histories import ATTEMPTS, add_history
from tests.fixtures.visitors import Visitor

PATIENCE = 40_000


async def test_the_overview_teaches_then_moves_by_itself(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto(f"{visitor.stack.web_url}/overview")
    await expect(page.get_by_role("heading", name="Nothing to plot yet")).to_be_visible()

    new = NewTask("+12625550140", "Move my check-up.", info_timeout_seconds=120)
    task_id = await visitor.create(new)
    live = page.locator(f'[data-testid="live-call"][data-task-id="{task_id}"]')
    await expect(live).to_contain_text("Asks you", timeout=PATIENCE)
    await page.get_by_test_id("info-later").click()
    await expect(page.get_by_test_id("needs-you")).to_contain_text("date of birth")
    async with visitor.db.unit_of_work() as uow:
        await tasks.cancel(uow, visitor.user_id, task_id)
    await expect(live).to_be_hidden(timeout=PATIENCE)
    await expect(page.get_by_test_id("needs-you")).to_be_hidden()
    await expect(page.get_by_test_id("figures")).to_contain_text("1 call")


async def test_figures_have_a_range_a_table_and_a_file(visitor: Visitor) -> None:
    page, overview = visitor.page, f"{visitor.stack.web_url}/overview"
    async with visitor.db.unit_of_work() as uow:
        await add_history(uow, visitor.user_id, utc_now() - timedelta(days=20))
    await page.goto(overview)
    await expect(page.get_by_test_id("figures")).to_contain_text("100 %")
    await expect(page.get_by_test_id("figures")).to_contain_text("$0.0450")
    costs = page.locator('[data-testid="chart"][data-chart="costs"]')
    await costs.get_by_test_id("chart-table").click()
    await expect(costs.locator("tbody tr")).to_have_count(30)
    async with page.expect_download() as waiting:
        await costs.get_by_test_id("chart-csv").click()
    file = Path(await (await waiting.value).path()).read_text().splitlines()
    assert file[0] == "Day,Calls,Answered,Cost"
    assert any(line.endswith(f",{ATTEMPTS},0,$0.0450") for line in file)

    await page.locator('[data-testid="range"][data-days="7"]').click()
    await expect(page).to_have_url(f"{overview}?days=7")
    await expect(page.get_by_role("heading", name="Nothing to plot yet")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_test_id("figures")).to_contain_text("100 %")
