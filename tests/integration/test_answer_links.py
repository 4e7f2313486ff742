"""The page behind an answer link: one question, one use, nothing else."""

from collections.abc import AsyncIterator

import httpx
import pytest

from opendeep_app.api.answer_links import build_answer_links
from opendeep_app.bus import Bus
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.essentials import Essentials
from opendeep_app.models import InfoRequestStatus
from opendeep_app.services import accounts, info_requests
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import Life

Status = InfoRequestStatus
QUESTION = "Which <b>day</b>?"


@pytest.fixture
async def phone(db: Database, bus: Bus, clock: FakeClock) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that is not signed in."""
    app = build_answer_links(Essentials(Settings.load(_env_file=None), db, bus, clock))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
        yield client


async def asked(life: Life) -> tuple[str, str]:
    """A question of a live call and a link for it: id and path."""
    await life.create(contact_name="Dr. Weber", context="A secret.")
    call_id = await life.talk()
    async with life.db.unit_of_work() as uow:
        request = await info_requests.ask(
            uow, call_id, "f1", QUESTION, suggestions=["Monday & Tuesday"]
        )
        token = await accounts.issue_answer_link(uow, life.user_id, request.id)
    return request.id, f"/{token}"


async def test_it_shows_one_question_and_takes_its_answer_once(
    life: Life, phone: httpx.AsyncClient
) -> None:
    question_id, path = await asked(life)
    for _ in range(2):
        # What previews links looks more than once, and answers nothing.
        page = await phone.get(path)
    assert page.status_code == 200
    assert "Which &lt;b&gt;day&lt;/b&gt;?" in page.text and "Monday &amp; Tuesday" in page.text
    assert "30 seconds" in page.text
    for private in ("secret", "Book a table", "+1202", "ada@example.com"):
        assert private not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert (await life.question(question_id)).status is Status.OPEN

    thanks = await phone.post(path, data={"answer": "Friday <i>"})
    assert thanks.status_code == 200 and "in the call" in thanks.text
    question = await life.question(question_id)
    assert (question.answer, question.answered_via) == ("Friday <i>", "link")
    used = await phone.get(path)
    assert "through this link" in used.text and "“Friday &lt;i&gt;”" in used.text
    assert "<form" not in used.text
    again = await phone.post(path, data={"answer": "Saturday"})
    assert again.status_code == 409 and "Friday" in again.text
    assert (await life.question(question_id)).answer == "Friday <i>"


async def test_another_way_was_faster(life: Life, phone: httpx.AsyncClient) -> None:
    question_id, path = await asked(life)
    await life.answer(question_id, "Sunday")
    page = await phone.get(path)
    assert "Answered in the browser" in page.text and "Sunday" in page.text


async def test_a_late_answer_says_what_follows(life: Life, phone: httpx.AsyncClient) -> None:
    question_id, path = await asked(life)
    life.clock.advance(seconds=31)
    await life.expire(question_id)
    assert "The call is over" in (await phone.get(path)).text
    assert "rings them back" in (await phone.post(path, data={"answer": "Friday"})).text
    assert (await life.question(question_id)).status is Status.ANSWERED_LATE


@pytest.mark.parametrize(
    ("answer", "status"), [("", 422), (" \n", 422), ("x" * 2001, 422), ("x" * 20_000, 413)]
)
async def test_an_unusable_answer_changes_nothing(
    life: Life, phone: httpx.AsyncClient, answer: str, status: int
) -> None:
    question_id, path = await asked(life)
    page = await phone.post(path, data={"answer": answer})
    assert page.status_code == status
    assert (await life.question(question_id)).status is Status.OPEN


async def test_old_and_invented_links_open_nothing(life: Life, phone: httpx.AsyncClient) -> None:
    _, path = await asked(life)
    async with life.db.unit_of_work() as uow:
        session = "/" + await accounts.issue_sign_in_link(uow, life.user_id)
    life.clock.advance(days=8)
    for dead in (path, "/nonsense", session):
        assert (await phone.get(dead)).status_code == 404
        assert (await phone.post(dead, data={"answer": "x"})).status_code == 404
