"""They ring back: the open task answers, and what was scheduled for it is superseded."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from opendeep_app.models import (
    Call,
    CallOutcome,
    CallStatus,
    Direction,
    EndedBy,
    Speaker,
    Task,
    TaskStatus,
)
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.services import do_not_call
from tests.fixtures.gateways import Exchange, until
from tests.fixtures.lives import NUMBER, Life, add_user, assert_consistent, found
from workers.calls import analyse_call

pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

#: Misses the first call and rings twenty seconds later.
MISSED = "+12025550195"


async def missed(life: Life, **more: Any) -> str:
    """A task whose first call nobody answered; returns its id."""
    task_id = await life.create(**more)
    call_id = await life.dial()
    await life.carrier(call_id, "no-answer")
    await life.analyse(call_id)
    return task_id


async def test_a_missed_call_is_returned_and_the_next_attempt_superseded(life: Life) -> None:
    task_id = await missed(life, max_attempts=2)
    call = await life.ring_back()
    assert call is not None
    assert (call.task_id, call.direction, call.attempt_number) == (task_id, Direction.INBOUND, 2)
    task = await life.task(task_id)
    assert (task.status, task.next_action_at) == (TaskStatus.IN_PROGRESS, None)
    assert task.current_attempt_count == 2
    life.clock.advance(hours=20)
    assert await life.claim() == []
    await life.check()
    assert await life.pick_up(call.id)
    await life.say(call.id, Speaker.RECIPIENT, "You rang?")
    await life.close(call.id)
    await life.analyse(call.id, found(Verdict.GOAL_MET))
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    await life.check()


async def test_a_call_that_is_about_to_be_dialled_gives_way(life: Life) -> None:
    task_id = await life.create()
    [intent] = await life.claim()
    call = await life.ring_back()
    assert call is not None
    assert (await life.call(intent)).status is CallStatus.WITHDRAWN
    assert not await life.begin(intent)
    assert (await life.task(task_id)).current_attempt_count == 1
    await life.check()


@pytest.mark.parametrize("talking", [False, True])
async def test_a_number_on_the_line_already_is_not_answered_twice(
    life: Life, talking: bool
) -> None:
    await life.create()
    await (life.talk() if talking else life.dial())
    assert await life.ring_back() is None
    await life.check()


async def test_who_rings_right_after_the_end_of_a_call_is_answered(life: Life) -> None:
    task_id = await life.create()
    first = await life.talk()
    await life.close(first, EndedBy.RECIPIENT)
    call = await life.ring_back()
    assert call is not None
    assert await life.analyse(first, found(Verdict.HUNG_UP_EARLY))
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    await life.check()


async def test_of_two_open_tasks_the_one_that_called_last_answers(life: Life) -> None:
    other = Life(life.db, life.clock, await add_user(life.db, "grace@example.com"))
    called = await missed(life)
    life.clock.advance(seconds=1)
    # Newer, and it has not called anybody.
    await other.create()
    call = await life.ring_back()
    assert call is not None and call.task_id == called
    await life.check()


async def test_the_same_webhook_again_is_the_same_call(life: Life) -> None:
    await missed(life)
    calls = await asyncio.gather(*(life.ring_back() for _ in range(4)))
    ids = {call.id for call in calls if call}
    assert len(ids) == 1
    again = await life.ring_back()
    assert again is not None and again.id in ids
    await life.check()


async def test_a_claim_and_a_ring_back_at_the_same_moment_make_one_call(life: Life) -> None:
    await missed(life)
    life.clock.advance(hours=5)
    for _ in range(3):
        await asyncio.gather(life.claim(), life.ring_back(), life.claim())
        await life.check()


@pytest.mark.parametrize("number", ["+12025550999", "anonymous", "", "x" * 500])
async def test_unknown_callers_have_no_task(life: Life, number: str) -> None:
    await missed(life)
    assert await life.ring_back(number) is None


async def test_a_task_that_is_over_or_held_does_not_answer(life: Life) -> None:
    task_id = await missed(life)
    await life.wish("hold", task_id)
    assert await life.ring_back() is None
    await life.wish("cancel", task_id)
    assert await life.ring_back() is None


async def test_who_must_not_be_called_may_still_call(life: Life) -> None:
    """The list forbids calling them, not answering; its tasks are stopped, another user's are not."""
    other = Life(life.db, life.clock, await add_user(life.db, "grace@example.com"))
    await missed(life)
    async with life.db.unit_of_work() as uow:
        await do_not_call.add(uow, life.user_id, NUMBER, "They asked.")
    assert await life.ring_back() is None
    theirs = await missed(other)
    async with life.db.unit_of_work() as uow:
        await do_not_call.add(uow, life.user_id, NUMBER, "They asked.")
    call = await life.ring_back()
    assert call is not None and call.task_id == theirs


async def waiting(life: Life) -> tuple[str, str]:
    """A task that waits for its creator's answer, and the question."""
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.expire(question_id)
    await life.close(call_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    return task_id, question_id


async def test_a_task_that_waits_for_an_answer_goes_on_waiting_after_the_call(life: Life) -> None:
    task_id, question_id = await waiting(life)
    call = await life.ring_back()
    assert call is not None
    await life.pick_up(call.id)
    await life.close(call.id, EndedBy.RECIPIENT)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    await life.analyse(call.id, found(Verdict.INCONCLUSIVE))
    await life.answer(question_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    await life.check()


@pytest.mark.parametrize("heard", [True, False])
async def test_an_answer_that_the_caller_has_not_heard_is_called_back(
    life: Life, heard: bool
) -> None:
    """Given before the agent was briefed it was said; given during the call it was not."""
    task_id, question_id = await waiting(life)
    if heard:
        await life.answer(question_id)
        life.clock.advance(seconds=1)
    call = await life.ring_back()
    assert call is not None
    await life.pick_up(call.id)
    life.clock.advance(seconds=1)
    if not heard:
        await life.answer(question_id)
    await life.close(call.id)
    expected = TaskStatus.PENDING_ANALYSIS if heard else TaskStatus.PENDING
    assert (await life.task(task_id)).status is expected
    await life.check()


async def over(exchange: Exchange) -> Task | None:
    async with exchange.deps.db.reading() as session:
        task = (await session.scalars(select(Task))).one()
    return task if task.status.terminal else None


@pytest.mark.parametrize("exchange_settings", [{"retry_base_seconds": 600}], indirect=True)
async def test_a_missed_call_is_returned_over_real_lines(exchange: Exchange) -> None:
    """Practice phone network → signed webhook → TwiML → media socket → the agent, who knows why."""
    first = await exchange.dial(MISSED, "Ask for a table at eight.")
    await exchange.ended(first)
    await analyse_call({"deps": exchange.deps}, first)

    async def rang_back() -> Call | None:
        async with exchange.deps.db.reading() as session:
            calls = await session.scalars(select(Call))
            return next((call for call in calls if call.direction is Direction.INBOUND), None)

    call: Call = await until(rang_back)
    ended = await exchange.ended(call.id)
    assert ended.answered_at is not None
    assert "situation" in ended.brief and "Attempt 1: nobody answered." in ended.brief
    assert "Hello, I missed a call from this number." in await exchange.said(
        call.id, Speaker.RECIPIENT
    )
    agent = " ".join(await exchange.said(call.id, Speaker.AGENT))
    assert "calling back" in agent and "table at eight" in agent
    await analyse_call({"deps": exchange.deps}, call.id)
    task = await over(exchange)
    assert task is not None
    assert (task.status, task.current_attempt_count) == (TaskStatus.COMPLETED, 2)
    assert (await exchange.call(call.id)).outcome is CallOutcome.GOAL_MET
    async with exchange.deps.db.reading() as session:
        await assert_consistent(session)
