"""The task page: long histories, deep links, filters, live calls, undo and paper."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from playwright.async_api import Page, expect
from sqlmodel import col, select

from opendeep_app.clock import utc_now
from opendeep_app.models import Actor, Task, TaskEvent
from opendeep_app.models import TaskEventType as Event
from opendeep_app.services.tasks import NewTask
from tests.fixtures.histories import ATTEMPTS, LINES, add_history
from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, visiting

PATIENCE = 40_000
_area_codes = iter(["248", "251", "252", "253", "254", "256", "260"])


class Reader(Visitor):
    """Somebody who looks closely at one task."""

    async def open(self, task_id: str, more: str = "") -> None:
        await self.page.goto(f"{self.stack.web_url}/tasks/{task_id}{more}")
        await expect(self.page.get_by_test_id("task-head")).to_be_visible()

    async def status(self, status: str) -> None:
        head = self.page.get_by_test_id("task-head")
        await expect(head).to_have_attribute("data-status", status, timeout=PATIENCE)

    async def task(self, task_id: str) -> Task:
        async with self.db.reading() as session:
            return await session.get_one(Task, task_id)


@pytest_asyncio.fixture(loop_scope="session")
async def ada(stack: Stack, page: Page) -> AsyncIterator[Reader]:
    async with visiting(stack, page, Reader) as ada:
        yield ada


async def test_a_long_history_is_quick_and_every_event_has_an_address(ada: Reader) -> None:
    page = ada.page
    async with ada.db.unit_of_work() as uow:
        task_id = await add_history(uow, ada.user_id, utc_now() - timedelta(hours=2))
    await ada.open(task_id)
    events, lines = page.get_by_test_id("timeline-event"), page.get_by_test_id("transcript-line")
    await expect(page.get_by_test_id("task-call")).to_have_count(ATTEMPTS)
    await expect(events).to_have_count(60)
    await expect(lines).to_have_count(80)
    await expect(page.get_by_test_id("call-facts")).to_contain_text("$0.0450")
    await expect(page.get_by_test_id("call-facts")).to_contain_text("The agent")

    # A claim leads to the words that prove it.
    await page.get_by_test_id("claim-quote").click()
    await expect(page.locator(f'[data-line="{LINES}"]')).to_have_class(re.compile("lit"))
    await page.get_by_test_id("said-all").click()
    await expect(lines).to_have_count(LINES)

    # Another attempt is loaded when it is opened.
    await page.get_by_test_id("call-open").nth(3).click()
    await expect(lines).to_have_count(0)
    await expect(page.get_by_test_id("call-facts")).to_contain_text("The line was busy.")

    # An address leads to an event, however old, and says what stands behind it.
    await ada.open(task_id, "?event=3")
    old = page.locator("#event-3")
    await expect(old).to_be_in_viewport()
    await expect(old.get_by_test_id("event-behind")).to_contain_text("CA1")
    assert f'"carrier_sid": "CA1-{task_id}"' in await old.locator("pre").inner_text()
    await page.evaluate("location.hash = '#event-8'")
    await expect(page.locator("#event-8").get_by_test_id("event-behind")).to_be_visible()
    await expect(page.locator("#event-8")).to_be_in_viewport()
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.locator("#event-8").get_by_test_id("event-link").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{ada.stack.web_url}/tasks/{task_id}?event=8"


async def test_the_timeline_is_filtered_by_kind_and_attempt(ada: Reader) -> None:
    page = ada.page
    async with ada.db.unit_of_work() as uow:
        task_id = await add_history(uow, ada.user_id, utc_now() - timedelta(hours=2))
    await ada.open(task_id)
    events = page.get_by_test_id("timeline-event")
    await page.get_by_test_id("timeline-zoom").select_option(label="Call 7")
    await expect(events).to_have_count(6)
    await page.locator("[data-testid=timeline-kind][data-kind=calls]").click()
    await expect(events).to_have_count(4)
    kinds = [await each.get_attribute("data-type") for each in await events.all()]
    assert kinds == ["call_claimed", "call_dialled", "call_ringing", "call_ended"]
    await page.locator("[data-testid=timeline-kind][data-kind=questions]").click()
    await expect(page.get_by_text("Nothing of this kind has happened.")).to_be_visible()
    await page.locator("[data-testid=timeline-kind][data-kind=questions]").click()
    await page.get_by_test_id("timeline-zoom").select_option("")
    await page.get_by_test_id("timeline-earlier").click()
    await expect(events).to_have_count(1 + 6 * ATTEMPTS)


async def test_a_whisper_is_heard_and_a_call_is_hung_up_from_the_page(ada: Reader) -> None:
    page = ada.page
    task_id = await ada.create(NewTask(f"+1{next(_area_codes)}5550140", "Move my check-up."))
    await ada.open(task_id)
    await expect(page.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
    await page.get_by_test_id("info-later").click()
    await expect(page.get_by_test_id("info-modal")).to_be_hidden()
    await expect(page.get_by_test_id("call-doing")).to_have_text("Waiting for your answer")
    await page.get_by_test_id("whisper-text").fill("Mention the blue folder")
    await page.get_by_test_id("whisper-send").click()
    said = page.get_by_test_id("transcript-line").filter(has_text="One more thing")
    await expect(said).to_contain_text("Mention the blue folder", timeout=PATIENCE)
    await expect(page.get_by_test_id("whisper-text")).to_have_value("")
    await page.get_by_test_id("call-hang-up").click()
    await expect(page.get_by_test_id("call-hang-up")).to_be_hidden()
    await expect(page.get_by_test_id("call-facts")).to_contain_text("You ended the call.")
    async with ada.db.reading() as session:
        note = await session.scalar(
            select(TaskEvent).where(
                col(TaskEvent.task_id) == task_id, col(TaskEvent.type) == Event.NOTE_GIVEN
            )
        )
    assert note is not None
    assert (note.actor, note.payload["via"]) == (Actor.CREATOR, "web")
    await page.get_by_test_id("task-cancel").click()


async def test_a_recorded_call_is_heard_again_from_any_line(ada: Reader) -> None:
    page = ada.page
    new = NewTask(f"+1{next(_area_codes)}5550101", "Book a table.", record_call=True)
    await ada.open(await ada.create(new))
    await ada.status("COMPLETED")
    recording = page.get_by_test_id("call-recording")
    await expect(recording).to_be_visible(timeout=PATIENCE)
    await expect(recording).to_have_js_property("paused", True)
    await page.wait_for_function("document.querySelector('audio').duration > 1")

    last = page.get_by_test_id("transcript-line").last
    began = int(await last.locator("[data-ms]").get_attribute("data-ms") or 0) / 1000
    await last.get_by_role("button", name="Play from").click()
    await page.wait_for_function(
        "since => document.querySelector('audio').currentTime > since", arg=began
    )
    await page.get_by_label("Speed: 1 times").click()
    await expect(recording).to_have_js_property("playbackRate", 1.5)


async def test_hold_and_cancel_can_be_undone(ada: Reader) -> None:
    page, due = ada.page, utc_now() + timedelta(hours=3)
    new = NewTask(f"+1{next(_area_codes)}5550101", "Book a table.", not_before=due)
    task_id = await ada.create(new)
    await ada.open(task_id)
    for button, stopped in (("task-hold", "ON_HOLD"), ("task-cancel", "CANCELLED")):
        await page.get_by_test_id(button).click()
        await ada.status(stopped)
        await page.get_by_test_id("undo").click()
        await ada.status("PENDING")
        assert (await ada.task(task_id)).next_action_at == due
        await expect(page.get_by_test_id("undo")).to_be_hidden()
    await page.get_by_test_id("task-cancel").click()
    await page.get_by_test_id("task-reopen").click()
    await expect(page.get_by_test_id("task-reopen")).to_be_hidden()
    await page.get_by_test_id("task-cancel").click()
    await ada.status("CANCELLED")


async def test_a_task_prints_as_a_report(ada: Reader) -> None:
    page = ada.page
    async with ada.db.unit_of_work() as uow:
        task_id = await add_history(uow, ada.user_id, utc_now() - timedelta(hours=2))
    await ada.open(task_id)
    await expect(page.get_by_test_id("transcript-line").first).to_be_visible()
    await page.evaluate("window.print = () => { window.printed = true }")
    await page.get_by_test_id("task-print").click()
    assert await page.evaluate("window.printed")
    await page.emulate_media(media="print")
    for shown in ("They open at nine.", "OpenDeep · report of a task", "+1 248-555-0101"):
        await expect(page.get_by_text(shown, exact=True).first).to_be_visible()
    await expect(page.locator(f'[data-line="{LINES}"]')).to_be_visible()
    for hidden in ("task-print", "pending-bell", "timeline-zoom"):
        await expect(page.get_by_test_id(hidden)).to_be_hidden()
    await expect(page.locator("nav")).to_be_hidden()
