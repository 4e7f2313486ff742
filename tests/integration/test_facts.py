"""Answer once: a remembered answer is used where it applies, and only as its creator allows."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from opendeep_app.errors import InvalidInput, NotFound
from opendeep_app.models import Campaign, Disclosure, Fact, FactScope, Task
from opendeep_app.repositories import facts as fact_rows
from opendeep_app.services import calls, facts, info_requests
from opendeep_app.services.facts import NewFact
from opendeep_app.voice import brief
from tests.fixtures.lives import Life, add_user

BIRTH = "What is your date of birth?"
BORN = "3 May 1980"
ELSEWHERE = "+13125550143"
FREELY, ASK, NEVER = Disclosure.SAY_FREELY, Disclosure.ASK_FIRST, Disclosure.NEVER_SAY


async def remember(life: Life, answer: str = BORN, **more: Any) -> Fact:
    async with life.db.unit_of_work() as uow:
        return await facts.remember(uow, life.user_id, NewFact(BIRTH, answer, **more))


async def known(life: Life, task_id: str) -> list[str]:
    """What may reach the agent of the task's calls."""
    async with life.db.reading() as session:
        task = await session.get_one(Task, task_id)
        usable = await facts.usable(session, life.user_id, task, life.clock())
    return [fact.answer for fact in usable]


async def recall(life: Life, call_id: str, question: str) -> str | None:
    async with life.db.unit_of_work() as uow:
        fact = await facts.recall(uow, call_id, question)
        return fact.answer if fact else None


async def told(life: Life, fact_id: str) -> list[str]:
    """The calls whose agent was given the fact."""
    async with life.db.reading() as session:
        return [call.id for _, call, _ in await fact_rows.disclosures(session, [fact_id])]


async def test_an_answer_is_remembered_and_the_question_not_asked_again(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id, BIRTH)
    await life.answer(question_id, BORN)
    async with life.db.unit_of_work() as uow:
        request = await info_requests.get(uow, life.user_id, question_id)
        fact = await facts.remember_answer(uow, request, FactScope.CONTACT, FREELY, None)
        assert fact.info_request_id == question_id
    assert await recall(life, call_id, "Could you tell me the date of birth, please?") == BORN
    assert await recall(life, call_id, "What is your shoe size?") is None
    assert await recall(life, call_id, BIRTH) == BORN
    assert await told(life, fact.id) == [call_id]
    assert Counter(await life.events(task_id))["info_requested"] == 1


async def test_a_fact_applies_where_its_creator_said(life: Life) -> None:
    async with life.db.unit_of_work() as uow:
        campaign = Campaign(user_id=life.user_id, name="C", goal="G", created_at=uow.now)
        uow.session.add(campaign)
    here, there = await life.create(), await life.create(ELSEWHERE)
    inside = await life.create("+14155550143", campaign_id=campaign.id)
    await remember(life, "contact", scope=FactScope.CONTACT, phone_number="+1 202 555 0143")
    assert (await known(life, here), await known(life, there)) == (["contact"], [])
    await remember(life, "campaign", scope=FactScope.CAMPAIGN, campaign_id=campaign.id)
    assert await known(life, inside) == ["campaign"]
    await remember(life, "everywhere")
    # Of facts that answer the same, the most specific one counts.
    assert await known(life, here) == ["contact"]
    assert await known(life, inside) == ["campaign"]
    assert await known(life, there) == ["everywhere"]
    stranger = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    assert await known(stranger, await stranger.create()) == []
    with pytest.raises(NotFound):
        await remember(stranger, scope=FactScope.CAMPAIGN, campaign_id=campaign.id)


async def test_ask_first_is_a_suggestion_and_told_only_once_allowed(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    fact = await remember(life, disclosure=ASK)
    assert await recall(life, call_id, BIRTH) is None
    async with life.db.unit_of_work() as uow:
        request = await info_requests.ask(
            uow, call_id, "f1", "Your date of birth, please?", suggestions=["I don't know"]
        )
    assert request.suggestions == [BORN, "I don't know"]
    assert await told(life, fact.id) == []
    await life.answer(request.id, BORN)
    assert await told(life, fact.id) == [call_id]


async def test_what_must_never_be_said_reaches_nobody(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await remember(life, disclosure=NEVER)
    assert await known(life, task_id) == []
    assert await recall(life, call_id, BIRTH) is None
    question = await life.question(await life.ask(call_id, BIRTH))
    assert question.suggestions == []


async def test_the_agent_is_told_what_it_may_say_freely_and_nothing_else(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    await remember(life)
    for level, answer in {ASK: "ask first", NEVER: "never"}.items():
        async with life.db.unit_of_work() as uow:
            secret = NewFact(f"{level} what?", answer, disclosure=level)
            await facts.remember(uow, life.user_id, secret)
    async with life.db.reading() as session:
        briefing = await calls.load_briefing(session, call_id)
    told = brief.write(briefing)
    assert f"- {BIRTH}: {BORN}\n" in told.replace("</facts>", "\n")
    assert "ask first" not in told and "never" not in told.partition("<facts>")[2]
    assert BORN not in brief.reception(briefing)


async def test_a_fact_expires(life: Life) -> None:
    task_id = await life.create()
    await remember(life, expires_at=life.clock() + timedelta(days=1))
    assert await known(life, task_id) == [BORN]
    life.clock.advance(days=1)
    assert await known(life, task_id) == []
    with pytest.raises(InvalidInput, match="future"):
        await remember(life, expires_at=life.clock())


async def test_remembering_the_same_again_replaces_it(life: Life) -> None:
    first = await remember(life)
    second = await remember(life, "4 May 1980", disclosure=ASK)
    assert first.id == second.id
    async with life.db.reading() as session:
        [fact] = await fact_rows.of_user(session, life.user_id)
    assert (fact.answer, fact.disclosure) == ("4 May 1980", ASK)


async def test_facts_are_edited_and_forgotten_by_their_creator_alone(life: Life) -> None:
    fact = await remember(life)
    stranger = await add_user(life.db, "eve@example.com")
    for user_id in (stranger, life.user_id):
        owner = user_id == life.user_id
        async with life.db.unit_of_work() as uow:
            if owner:
                await facts.edit(uow, user_id, fact.id, " New. ", NEVER, None)
                continue
            with pytest.raises(NotFound):
                await facts.edit(uow, user_id, fact.id, "Mine.", FREELY, None)
            with pytest.raises(NotFound):
                await facts.delete(uow, user_id, fact.id)
    async with life.db.reading() as session:
        [kept] = await fact_rows.of_user(session, life.user_id)
        assert (kept.answer, kept.disclosure) == ("New.", NEVER)
    for answer in ("", "\x00 ", "x" * 2001):
        with pytest.raises(InvalidInput):
            async with life.db.unit_of_work() as uow:
                await facts.edit(uow, life.user_id, fact.id, answer, FREELY, None)
    async with life.db.unit_of_work() as uow:
        await facts.delete(uow, life.user_id, fact.id)
    async with life.db.reading() as session:
        assert await fact_rows.of_user(session, life.user_id) == []
