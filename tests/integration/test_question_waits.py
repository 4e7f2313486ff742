"""The creator makes a wait longer, or ends it: each races the deadline, the answer and itself."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from opendeep_app.bus import ExtendWait, WaitEnded
from opendeep_app.errors import Conflict, NotFound
from opendeep_app.models import InfoRequest, InfoRequestStatus, TaskStatus
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.services import info_requests
from tests.fixtures.lives import Life, add_user, found

ROUNDS = 6
Status = InfoRequestStatus


async def extend(life: Life, question_id: str) -> datetime:
    async with life.db.unit_of_work() as uow:
        request = await info_requests.extend(uow, life.user_id, question_id)
        assert uow.commands == [
            ExtendWait(call_id=request.call_id, info_request_id=question_id),
        ]
        return request.deadline_at


async def postpone(life: Life, question_id: str) -> Status:
    async with life.db.unit_of_work() as uow:
        request = await info_requests.postpone(uow, life.user_id, question_id)
        assert uow.commands == [
            WaitEnded(call_id=request.call_id, info_request_id=question_id),
        ]
        return request.status


async def due(life: Life, question_id: str) -> bool:
    """The deadline as a live call enforces it: looks at the clock, then expires."""
    async with life.db.unit_of_work() as uow:
        request = await uow.session.get_one(InfoRequest, question_id)
        return uow.now >= request.deadline_at and await info_requests.expire(uow, question_id)


async def test_more_time_is_given_once(life: Life) -> None:
    task_id = await life.create()
    question_id = await life.ask(await life.talk())
    asked = life.clock()
    life.clock.advance(seconds=20)
    assert await extend(life, question_id) == asked + timedelta(seconds=60)
    with pytest.raises(Conflict, match="more time already"):
        await extend(life, question_id)
    life.clock.advance(seconds=30)
    assert not await due(life, question_id)
    life.clock.advance(seconds=10)
    assert await due(life, question_id)
    events = Counter(await life.events(task_id))
    assert (events["info_extended"], events["info_expired"]) == (1, 1)
    await life.check()


async def test_of_two_tabs_that_want_more_time_one_gets_it(life: Life) -> None:
    task_id = await life.create()
    question_id = await life.ask(await life.talk())
    results = await asyncio.gather(
        *(extend(life, question_id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, Conflict) for result in results) == 3
    question = await life.question(question_id)
    assert question.deadline_at == question.asked_at + timedelta(seconds=60)
    assert Counter(await life.events(task_id))["info_extended"] == 1


async def test_more_time_and_deadline_together_have_one_winner(life: Life) -> None:
    task_id = await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        question_id = await life.ask(call_id, key=f"f{index}")
        life.clock.advance(seconds=30)
        race: list[Awaitable[object]] = [extend(life, question_id), due(life, question_id)]
        order = 1 if index % 2 else -1
        both = await asyncio.gather(*race[::order], return_exceptions=True)
        extended, expired = both[::order]
        question = await life.question(question_id)
        assert expired is (question.status is Status.EXPIRED)
        assert isinstance(extended, Conflict) is expired
        assert (question.deadline_at > life.clock()) is not expired
        await life.check()
        await life.answer(question_id)
        await life.close(call_id)
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        life.clock.advance(days=1)
    assert (await life.task(task_id)).status.callable


async def test_a_deadline_that_moved_meanwhile_has_won(life: Life) -> None:
    """The reader of an old deadline must not end the wait that was just made longer."""
    await life.create()
    question_id = await life.ask(await life.talk())
    life.clock.advance(seconds=30)
    async with life.db.unit_of_work() as uow:
        stale = await uow.session.get_one(InfoRequest, question_id)
        later = stale.deadline_at + timedelta(seconds=30)
        await uow.session.execute(
            update(InfoRequest)
            .values(deadline_at=later)
            .execution_options(synchronize_session=False)
        )
        assert not await info_requests.expire(uow, question_id)
    assert (await life.question(question_id)).status is Status.OPEN


async def test_postponing_ends_the_wait_and_a_later_answer_rings_back(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    assert await postpone(life, question_id) is Status.EXPIRED
    assert await life.pending() == [question_id]
    for wish in (postpone, extend):
        with pytest.raises(Conflict, match="Nobody is waiting"):
            await wish(life, question_id)
    await life.close(call_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    assert await life.answer(question_id) is Status.ANSWERED_LATE
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    await life.check()


async def test_postponing_and_answering_together_never_lose_the_answer(life: Life) -> None:
    await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        question_id = await life.ask(call_id, key=f"f{index}")
        race: list[Awaitable[object]] = [postpone(life, question_id), life.answer(question_id)]
        order = 1 if index % 2 else -1
        both = await asyncio.gather(*race[::order], return_exceptions=True)
        postponed, answered = both[::order]
        assert (postponed, answered) == (Status.EXPIRED, Status.ANSWERED_LATE) or (
            isinstance(postponed, Conflict) and answered is Status.ANSWERED
        )
        await life.check()
        await life.close(call_id)
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        life.clock.advance(days=1)


async def test_nobody_else_may_extend_or_postpone(life: Life) -> None:
    await life.create()
    question_id = await life.ask(await life.talk())
    stranger = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    for wish in (extend, postpone):
        with pytest.raises(NotFound):
            await wish(stranger, question_id)
