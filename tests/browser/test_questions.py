"""Questions, facts and the inbox as their owner uses them, besides the stories of whole calls."""

from datetime import timedelta

from playwright.async_api import Browser, expect
from sqlmodel import col, select

from opendeep_app.models import Call, InfoRequest
from opendeep_app.models import InfoRequestStatus as Status
from opendeep_app.repositories import info_requests
from opendeep_app.services.tasks import NewTask
from tests.fixtures.histories import add_history
from tests.fixtures.stacks import Stack
from tests.fixtures.visitors import Visitor, visiting

ASKS = "0140"
PATIENCE = 40_000


def check_up(area: int, goal: str) -> NewTask:
    """A task to somebody who asks for the date of birth."""
    return NewTask(f"+1{area}555{ASKS}", goal, "Bright Smile Dental", info_timeout_seconds=60)


async def test_an_answer_is_remembered_and_changed_and_forgotten(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/facts")
    await expect(page.get_by_test_id("facts-empty")).to_contain_text("Answer once")

    await visitor.create(check_up(262, "Move my check-up."))
    modal = page.get_by_test_id("info-modal")
    await expect(modal).to_be_visible(timeout=PATIENCE)
    await page.get_by_test_id("info-remember").check()
    await page.get_by_test_id("info-scope").select_option("EVERYWHERE")
    await page.get_by_test_id("info-disclosure").select_option("SAY_FREELY")
    await page.get_by_test_id("info-answer").fill("The third of May 1980")
    await page.get_by_test_id("info-submit").click()
    await expect(modal).to_be_hidden()
    await page.reload()
    fact = page.get_by_test_id("fact")
    await expect(page.get_by_test_id("fact-answer")).to_have_text("The third of May 1980")
    await expect(fact).to_contain_text("In every call")

    # The next one who asks is told at once, and the page says who that was.
    second = await visitor.create(check_up(267, "Move my other check-up."))
    await page.goto(f"{stack.web_url}/tasks/{second}")
    await expect(page.get_by_test_id("task-head")).to_have_attribute(
        "data-status", "COMPLETED", timeout=PATIENCE
    )
    said = page.get_by_test_id("transcript-line").filter(has_text="third of May 1980")
    await expect(said.first).to_be_visible()
    await page.goto(stack.web_url + "/facts")
    await page.get_by_test_id("fact-told").click()
    await expect(page.get_by_test_id("fact-told-to").first).to_contain_text("Bright Smile Dental")

    await page.get_by_test_id("fact-question-new").fill("Which insurance?")
    await page.get_by_test_id("fact-answer-new").fill("Blue Harbour, number 4711")
    await page.get_by_test_id("fact-scope").select_option("CONTACT")
    await page.get_by_test_id("fact-number").fill("12")
    await page.get_by_test_id("fact-add").click()
    await expect(page.get_by_test_id("error-phone_number")).to_be_visible()
    await page.get_by_test_id("fact-number").fill("+1 202 555 0143")
    await page.get_by_test_id("fact-lasting").select_option("365")
    await page.get_by_test_id("fact-add").click()
    await expect(fact).to_have_count(2)
    await expect(fact.first).to_contain_text("For +1 202-555-0143")
    await expect(fact.first).to_contain_text("in 365 d")

    await page.get_by_test_id("fact-edit").first.click()
    await page.get_by_test_id("fact-edit-answer").fill("  ")
    await page.get_by_test_id("fact-save").click()
    await expect(page.get_by_test_id("error-edit-answer")).to_have_text("Write the answer first.")
    await page.get_by_test_id("fact-edit-answer").fill("Blue Harbour, number 4712")
    await page.get_by_test_id("fact-edit-disclosure").select_option("NEVER_SAY")
    await page.get_by_test_id("fact-save").click()
    await expect(fact.first).to_have_attribute("data-disclosure", "NEVER_SAY")
    await expect(fact.first).to_contain_text("in 365 d")

    await page.get_by_test_id("fact-forget").first.click()
    await page.get_by_test_id("fact-forget-confirm").click()
    await expect(fact).to_have_count(1)


async def test_the_inbox_is_turned_page_by_page(visitor: Visitor) -> None:
    page = visitor.page
    async with visitor.db.unit_of_work() as uow:
        task_id = await add_history(uow, visitor.user_id, uow.now - timedelta(hours=3))
        call = await uow.session.scalar(select(Call).where(col(Call.task_id) == task_id).limit(1))
        assert call is not None
        for number in range(25):
            answered = number < 23
            uow.session.add(
                InfoRequest(
                    user_id=visitor.user_id,
                    task_id=task_id,
                    call_id=call.id,
                    function_call_id=f"f{number}",
                    question=f"Question {number}?",
                    status=Status.ANSWERED if answered else Status.CANCELLED,
                    timeout_seconds=30,
                    asked_at=uow.now,
                    deadline_at=uow.now,
                    answer="Yes." if answered else None,
                    answered_at=uow.now if answered else None,
                )
            )
            await uow.session.flush()
    await page.goto(visitor.stack.web_url + "/questions")
    await expect(page.get_by_test_id("inbox-empty")).to_contain_text("No questions")
    await page.get_by_test_id("inbox-tab-answered").click()
    settled = page.get_by_test_id("inbox-settled")
    await expect(settled).to_have_count(20)
    await expect(settled.first).to_contain_text("Question 22?")
    await page.get_by_test_id("inbox-older").click()
    await expect(settled).to_have_count(3)
    await expect(page.get_by_test_id("inbox-older")).to_be_disabled()
    await page.get_by_test_id("inbox-newer").click()
    await expect(settled).to_have_count(20)
    await expect(page.get_by_test_id("inbox-newer")).to_be_disabled()
    await page.get_by_test_id("inbox-tab-expired").click()
    await expect(settled).to_have_count(2)
    await expect(settled.first).to_contain_text("Not needed any more")


async def test_what_is_typed_stays_until_it_is_given(visitor: Visitor) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/questions")
    task_id = await visitor.create(check_up(228, "Move my check-up."))
    field, inbox = page.get_by_test_id("info-answer"), page.get_by_test_id("inbox-answer")
    await expect(field).to_be_visible(timeout=PATIENCE)
    await page.keyboard.press("a")
    await page.keyboard.type("The third of May")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("1980")
    typed = "The third of May\n1980"
    await page.reload()
    await expect(field).to_have_value(typed)
    await page.get_by_test_id("info-later").click()
    await expect(inbox).to_have_value(typed)

    # Too much is said so, and not cut off.
    await inbox.fill("long " * 401)
    await expect(page.get_by_text("2,005 of 2,000 characters")).to_be_visible()
    await page.get_by_test_id("inbox-submit").click()
    await expect(page.get_by_text("Keep the answer under 2,000 characters")).to_be_visible()
    await expect(inbox).to_have_value("long " * 401)
    await inbox.fill(typed)
    await inbox.press("Enter")
    await expect(page.get_by_test_id("inbox-question")).to_have_count(0)
    assert not await page.evaluate(
        "Object.keys(localStorage).some((key) => key.includes('answer'))"
    )
    async with visitor.db.reading() as session:
        [question] = await info_requests.for_task(session, task_id)
    assert (question.status, question.answer) == (Status.ANSWERED, typed)


async def test_two_questions_are_read_one_by_one_and_neither_answered_by_accident(
    visitor: Visitor,
) -> None:
    page, stack = visitor.page, visitor.stack
    await page.goto(stack.web_url + "/")
    bell, modal = page.get_by_test_id("pending-bell"), page.get_by_test_id("info-modal")
    await bell.focus()
    for area in (229, 231):
        await visitor.create(check_up(area, f"Move the check-up in {area}."))
    await expect(modal).to_contain_text("+1", timeout=PATIENCE)
    asks, field = page.get_by_test_id("info-question"), page.get_by_test_id("info-answer")
    await expect(asks).to_be_focused()
    await expect(page.locator(".tone-need .dot").first).to_be_attached()
    moves = "getComputedStyle(document.querySelector('.tone-need .dot'), '::after').animationName"
    assert await page.evaluate(moves) == "none", "something moves behind the question"

    # Whoever was in the middle of a word goes on with it elsewhere, and answers nothing.
    await page.keyboard.type("banana")
    await expect(field).not_to_be_focused()
    await page.wait_for_timeout(800)
    await page.keyboard.press("a")
    await expect(field).to_be_focused()

    first = await modal.get_attribute("data-question-id")
    await page.get_by_test_id("info-you-decide").dblclick()
    await expect(modal).not_to_have_attribute("data-question-id", first or "")
    await expect(asks).to_be_focused()
    assert await field.input_value() == ""
    await expect(page.get_by_text("has been answered already")).to_have_count(0)
    await expect(page.get_by_test_id("pending-count").first).to_have_text("1")
    await page.keyboard.press("Escape")
    await expect(modal).to_be_hidden()
    await expect(bell).to_be_focused()


SQUEEZED = """() => [...document.querySelectorAll('dialog *')].filter((each) => {
    const box = each.getBoundingClientRect(), dialog = each.closest('dialog').getBoundingClientRect();
    const cut = getComputedStyle(each).overflow === 'visible' && each.scrollWidth > each.clientWidth + 1;
    return box.width && !each.closest('svg, .hidden-text') && each.tagName !== 'OPTION'
        && (box.left < dialog.left - 1 || box.right > dialog.right + 1 || (each.clientWidth && cut));
}).map((each) => each.outerHTML.slice(0, 120))"""

LATE_CLOCK = """{
    const now = Date.now.bind(Date), hour = %d * 3600 * 1000;
    const Real = Date;
    window.Date = class extends Real {
        constructor(...given) { given.length ? super(...given) : super(now() + hour); }
        static now() { return now() + hour; }
    };
}"""


async def test_the_question_fits_a_phone_whose_clock_is_an_hour_off(
    browser: Browser, stack: Stack
) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 640})
    page = await context.new_page()
    await page.add_init_script(LATE_CLOCK % 1)
    async with visiting(stack, page, Visitor) as visitor:
        right = await context.new_page()
        await right.goto(stack.web_url + "/questions")
        await visitor.create(check_up(269, "Move my check-up, " + "averylongword" * 9))
        for tab in (page, right):
            await expect(tab.get_by_test_id("info-modal")).to_be_visible(timeout=PATIENCE)
        rings = [tab.get_by_test_id("info-countdown") for tab in (page, right)]
        seconds = [int(await ring.get_attribute("data-seconds") or 0) for ring in rings]
        assert 30 < seconds[0] <= 60
        assert abs(seconds[0] - seconds[1]) <= 1

        await page.bring_to_front()
        await page.get_by_test_id("info-remember").check()
        await expect(page.get_by_test_id("info-scope")).to_be_visible()
        assert await page.evaluate(SQUEEZED) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        for name in (
            "info-submit",
            "info-later",
            "info-more-time",
            "info-postpone",
            "info-you-decide",
        ):
            button = page.get_by_test_id(name)
            await button.scroll_into_view_if_needed()
            box = await button.bounding_box()
            assert box and box["height"] >= 24 and box["x"] >= 0 and box["x"] + box["width"] <= 360
        await page.get_by_test_id("info-you-decide").click()
        await expect(page.get_by_test_id("info-modal")).to_be_hidden()
    await context.close()
