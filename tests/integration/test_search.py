"""Searching: words, numbers in any notation, transcripts; the same answers from both databases."""

import pytest
from sqlalchemy import text as sql

from opendeep_app.models import Speaker
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.repositories import search, task_list
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories.tasks import TaskQuery
from tests.fixtures.lives import Life, add_user, found

LUIGI, GRACE = "+12025550143", "+12025550144"
BERLIN, LONDON = "+4930123456", "+442079460958"

#: What is typed, and whom it finds; every database gives exactly this.
SEARCHES = {
    "luigi": {"Luigi"},
    "LUIGI": {"Luigi"},
    "lui": {"Luigi"},
    "uigi": set(),
    "table": {"Luigi", "Grace"},
    "table luigi": {"Luigi"},
    "luigi table": {"Luigi"},
    "table gra": {"Grace"},
    "50% off": {"Luigi"},
    "'; DROP TABLE task_words; --": set(),
    'table" OR "x': set(),
    "NEAR(table luigi)": set(),
    "table*": {"Luigi", "Grace"},
    "-table": {"Luigi", "Grace"},
    "words:table": set(),
    "table & (": {"Luigi", "Grace"},
    "gra:*": {"Grace"},
    "müller": {"Jürgen Müller"},
    "Muller": {"Jürgen Müller"},
    "MU\u0308LLER": {"Jürgen Müller"},
    "hauptstrasse": {"Jürgen Müller"},
    "HAUPTSTRAẞE": {"Jürgen Müller"},
    "東京": {"Zoë"},
    "zoe": {"Zoë"},
    "555-0143": {"Luigi"},
    "(202) 555": {"Luigi", "Grace"},
    "+1 202 555 0144": {"Grace"},
    "0144": {"Grace"},
    "02": set(),
    "030 123456": {"Jürgen Müller"},
    "0049 30 / 12 34 56": {"Jürgen Müller"},
    "+44 (0)20 7946 0958": {"Zoë"},
    "020 7946": {"Zoë"},
    "  ": {"Luigi", "Grace", "Jürgen Müller", "Zoë"},
    "%": {"Luigi", "Grace", "Jürgen Müller", "Zoë"},
    "_ \\ \x00": {"Luigi", "Grace", "Jürgen Müller", "Zoë"},
    "x" * 500: set(),
}


async def names(life: Life, text: str) -> set[str]:
    async with life.db.reading() as session:
        read = await task_list.stretch(session, life.user_id, TaskQuery(text=text))
        assert await task_rows.count(session, life.user_id, TaskQuery(text=text)) == len(read.items)
        assert await task_rows.count(session, life.user_id, TaskQuery(text=text), 1) <= 1
    return {glance.task.contact_name for glance in read.items}


@pytest.fixture
async def four(life: Life) -> None:
    await life.create(LUIGI, "Book a table_with 50% off \\.", contact_name="Luigi")
    await life.create(GRACE, "Cancel the table.", contact_name="Grace")
    await life.create(BERLIN, "Termin in der Hauptstraße", contact_name="Jürgen Müller")
    await life.create(LONDON, "Ask about 東京", contact_name="Zoë")


@pytest.mark.parametrize("few", [search.FEW, 0], ids=["by the index", "by walking the list"])
async def test_words_and_numbers_are_found_however_they_are_typed(
    life: Life, four: None, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    assert {text: await names(life, text) for text in SEARCHES} == SEARCHES


async def test_what_was_said_and_what_came_of_it_are_found(life: Life) -> None:
    await life.create(LUIGI, contact_name="Luigi")
    call_id = await life.talk()
    await life.say(call_id, Speaker.RECIPIENT, "We are closed for the Ferragosto holiday.")
    await life.close(call_id)
    assert await names(life, "ferrag") == {"Luigi"}
    await life.analyse(call_id, found(Verdict.GOAL_MET))
    task = await life.task((await life.call(call_id)).task_id)
    assert task.last_outcome == "GOAL_MET"
    assert await names(life, f"{task.result_summary} ferragosto") == {"Luigi"}


async def test_a_search_reads_its_owners_words_only(life: Life) -> None:
    await life.create(LUIGI, contact_name="Luigi")
    eve = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    assert await names(eve, "luigi") == set()
    assert await names(eve, "0143") == set()


async def test_a_task_that_goes_takes_its_words_along(life: Life) -> None:
    await life.create(LUIGI, contact_name="Luigi")
    async with life.db.unit_of_work() as uow:
        await uow.session.execute(sql("DELETE FROM tasks"))
    async with life.db.reading() as session:
        assert await session.scalar(sql("SELECT count(*) FROM task_words")) == 0
    assert await names(life, "luigi") == set()
