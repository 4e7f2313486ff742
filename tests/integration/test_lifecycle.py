"""The whole life of tasks on both databases, told as stories; the history is checked each time."""

import asyncio
from datetime import timedelta

import pytest

from opendeep_app.errors import Conflict
from opendeep_app.models import (
    CallOutcome,
    CallStatus,
    EndedBy,
    InfoRequestStatus,
    Speaker,
    Task,
    TaskEventType,
    TaskStatus,
)
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.models.task_events import Reason
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import do_not_call
from opendeep_app.services.transitions import move
from tests.fixtures.lives import NUMBER, Life, found

SECOND_NUMBER = "+12025550144"


async def test_busy_then_no_answer_then_success(life: Life) -> None:
    task_id = await life.create()
    first = await life.dial()
    await life.carrier(first, "ringing")
    await life.carrier(first, "busy", sip_code=486)
    assert await life.analyse(first)
    task = await life.task(task_id)
    assert task.status is TaskStatus.RETRY_SCHEDULED
    assert task.next_action_at is not None
    assert timedelta(seconds=255) <= task.next_action_at - life.clock() <= timedelta(seconds=345)
    assert task.next_action_reason.startswith("The line was busy (attempt 1 of 3): wait ")

    assert await life.claim() == []
    life.clock.now = task.next_action_at
    second = await life.dial()
    await life.carrier(second, "no-answer")
    assert await life.analyse(second)

    life.clock.advance(hours=1)
    third = await life.talk()
    await life.say(third, Speaker.AGENT, "A table for four?")
    await life.say(third, Speaker.RECIPIENT, "Yes, at eight.")
    life.clock.advance(seconds=40)
    await life.close(third)
    await life.carrier(third, "completed", duration_seconds=41)
    assert await life.analyse(third, found(Verdict.GOAL_MET))

    done = await life.task(task_id)
    assert (done.status, done.current_attempt_count) == (TaskStatus.COMPLETED, 3)
    assert done.result_reason == "The goal was reached."
    outcomes = [call.outcome for call in await life.calls(task_id)]
    assert outcomes == [
        CallOutcome.FAILED_BUSY,
        CallOutcome.FAILED_NO_ANSWER,
        CallOutcome.GOAL_MET,
    ]
    assert (await life.call(third)).duration_seconds == 40
    assert await life.events(task_id) == [
        "task_created",
        *("call_claimed", "call_dialled", "call_ringing", "call_ended", "call_analysed"),
        *("retry_scheduled", "call_claimed", "call_dialled", "call_ended", "call_analysed"),
        *("retry_scheduled", "call_claimed", "call_dialled", "call_answered", "call_ended"),
        *("call_analysed", "goal_met"),
    ]
    await life.check()


async def test_a_number_that_does_not_exist_is_not_tried_again(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    await life.carrier(call_id, "failed", sip_code=404, error_code=32009)
    await life.analyse(call_id)
    task = await life.task(task_id)
    assert task.status is TaskStatus.FAILED
    assert task.result_reason == "The number cannot be called, so another call would not help."
    assert (await life.call(call_id)).carrier_error == 32009
    await life.check()


async def test_after_the_last_attempt_it_fails_and_says_so(life: Life) -> None:
    task_id = await life.create(max_attempts=2)
    for _ in range(2):
        call_id = await life.dial()
        await life.carrier(call_id, "no-answer")
        await life.analyse(call_id)
        life.clock.advance(hours=1)
    task = await life.task(task_id)
    assert task.status is TaskStatus.FAILED
    assert task.result_reason == "Nobody answered, and all 2 attempts have been used."
    await life.check()


async def test_a_call_that_nobody_spoke_on_is_tried_again(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    assert await life.pick_up(call_id)
    await life.close(call_id, EndedBy.SYSTEM)
    await life.analyse(call_id)
    assert (await life.call(call_id)).outcome is CallOutcome.INCONCLUSIVE
    assert (await life.task(task_id)).status is TaskStatus.RETRY_SCHEDULED
    await life.check()


async def test_picked_up_and_gone_before_a_word_counts_as_hung_up(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    await life.carrier(call_id, "in-progress")
    await life.carrier(call_id, "completed", duration_seconds=1)
    await life.analyse(call_id)
    assert (await life.call(call_id)).outcome is CallOutcome.HUNG_UP_EARLY
    assert (await life.task(task_id)).status is TaskStatus.RETRY_SCHEDULED
    await life.check()


async def test_what_the_recipient_said_sets_the_time(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await life.close(call_id)
    when = {"callback_when": "after 6 pm", "callback_quote": "after six"}
    await life.analyse(call_id, found(Verdict.CALLBACK_REQUESTED, **when))
    task = await life.task(task_id)
    assert task.next_action_at is not None
    assert task.next_action_at == life.clock.now.replace(hour=22)  # 18:00 in New York
    assert "they asked for Tue 16 Jun 18:00 their time" in task.next_action_reason
    await life.check()


async def test_a_wish_for_the_end_of_time_does_not_stop_the_task(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await life.close(call_id)
    when = {"callback_when": "9999-12-31T23:59:00-12:00", "callback_quote": "then"}
    assert await life.analyse(call_id, found(Verdict.CALLBACK_REQUESTED, **when))
    task = await life.task(task_id)
    assert task.status is TaskStatus.RETRY_SCHEDULED
    assert task.next_action_at is not None
    assert task.next_action_at - life.clock() < timedelta(days=1)


async def test_asked_never_again_every_task_to_the_number_stops(life: Life) -> None:
    first = await life.create()
    call_id = await life.talk()
    second = await life.create(goal="Something else.")
    other = await life.create(SECOND_NUMBER)
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.DO_NOT_CALL))
    stopped = [(await life.task(one)).status for one in (first, second)]
    assert stopped == [TaskStatus.CANCELLED, TaskStatus.CANCELLED]
    assert (await life.task(other)).status is TaskStatus.PENDING
    assert (await life.events(first))[-1] == "do_not_call_requested"
    with pytest.raises(Exception, match="on your do-not-call list"):
        await life.create()
    await life.check()


async def test_a_goal_that_was_met_counts_although_they_never_want_another_call(life: Life) -> None:
    first = await life.create()
    call_id = await life.talk()
    second = await life.create(goal="Something else.")
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.GOAL_MET, do_not_call=True))
    assert (await life.task(first)).status is TaskStatus.COMPLETED
    assert (await life.task(second)).status is TaskStatus.CANCELLED
    await life.check()


async def test_listing_a_number_stops_a_call_in_every_stage(life: Life) -> None:
    """Before dialling it is taken back; in the network it is hung up."""
    for stage in ("waiting", "claimed", "dialling", "dialled", "talking"):
        task_id = await life.create()
        if stage != "waiting":
            [call_id] = await life.claim()
        if stage in ("dialling", "dialled", "talking"):
            await life.begin(call_id)
        if stage in ("dialled", "talking"):
            await life.confirm(call_id)
        if stage == "talking":
            await life.pick_up(call_id)
        async with life.db.unit_of_work() as uow:
            entry = await do_not_call.add(uow, life.user_id, NUMBER, "They asked.")
        assert (await life.task(task_id)).status is TaskStatus.CANCELLED
        await life.check()
        if stage == "claimed":
            assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
            assert not await life.begin(call_id)
        elif stage != "waiting":
            await life.confirm(call_id)
            await life.carrier(call_id, "canceled")
            await life.close(call_id)
            assert (await life.call(call_id)).ended_by is EndedBy.CREATOR
        async with life.db.unit_of_work() as uow:
            await do_not_call.remove(uow, life.user_id, entry.id)
        await life.check()


async def bring_to(life: Life, status: TaskStatus) -> tuple[str, str | None]:
    """A task in this status, and its call if it has had one."""
    task_id = await life.create(max_attempts=2)
    match status:
        case TaskStatus.PENDING:
            return task_id, None
        case TaskStatus.ON_HOLD:
            await life.wish("hold", task_id)
            return task_id, None
        case TaskStatus.CANCELLED:
            await life.wish("cancel", task_id)
            return task_id, None
    call_id = await life.talk()
    if status is TaskStatus.PENDING_USER_INFO:
        await life.ask(call_id)
    if status is not TaskStatus.IN_PROGRESS:
        await life.close(call_id)
    verdicts = {
        TaskStatus.RETRY_SCHEDULED: Verdict.INCONCLUSIVE,
        TaskStatus.COMPLETED: Verdict.GOAL_MET,
        TaskStatus.FAILED: Verdict.DECLINED,
    }
    if status in verdicts:
        await life.analyse(call_id, found(verdicts[status]))
    assert (await life.task(task_id)).status is status
    return task_id, call_id


@pytest.mark.parametrize("status", TaskStatus)
async def test_cancelling_ends_whatever_is_open(life: Life, status: TaskStatus) -> None:
    task_id, call_id = await bring_to(life, status)
    if status.terminal:
        with pytest.raises(Conflict, match=status.value.lower()):
            await life.wish("cancel", task_id)
        return
    assert await life.wish("cancel", task_id) is TaskStatus.CANCELLED
    await life.check()
    if call_id is not None:
        await life.close(call_id)
        await life.analyse(call_id, found(Verdict.GOAL_MET))
    assert (await life.task(task_id)).status is TaskStatus.CANCELLED
    assert await life.pending() == []
    assert await life.claim() == []
    await life.check()


@pytest.mark.parametrize("status", TaskStatus)
async def test_a_held_task_makes_no_call_until_it_is_resumed(
    life: Life, status: TaskStatus
) -> None:
    task_id, call_id = await bring_to(life, status)
    if status.terminal or status is TaskStatus.ON_HOLD:
        with pytest.raises(Conflict):
            await life.wish("hold", task_id)
    if status.terminal:
        return
    if status is not TaskStatus.ON_HOLD:
        assert await life.wish("hold", task_id) is TaskStatus.ON_HOLD
    life.clock.advance(hours=2)
    assert await life.claim() == []
    await life.check()
    if status in (TaskStatus.IN_PROGRESS, TaskStatus.PENDING_ANALYSIS):
        # What was begun is finished first, lest somebody be rung twice.
        with pytest.raises(Conflict, match="still"):
            await life.wish("resume", task_id)
        assert call_id is not None
        await life.close(call_id)
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        assert (await life.task(task_id)).status is TaskStatus.ON_HOLD
    assert await life.wish("resume", task_id) is TaskStatus.PENDING
    await life.check()
    assert len(await life.claim()) == 1
    await life.check()


async def test_a_goal_met_while_on_hold_completes_the_task(life: Life) -> None:
    task_id, call_id = await bring_to(life, TaskStatus.IN_PROGRESS)
    assert call_id is not None
    await life.wish("hold", task_id)
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.GOAL_MET))
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    await life.check()


async def test_no_hope_while_on_hold_fails_the_task(life: Life) -> None:
    task_id, call_id = await bring_to(life, TaskStatus.IN_PROGRESS)
    assert call_id is not None
    await life.wish("hold", task_id)
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.DECLINED))
    assert (await life.task(task_id)).status is TaskStatus.FAILED
    await life.check()


async def test_holding_before_the_phone_rings_costs_no_attempt(life: Life) -> None:
    task_id = await life.create()
    [call_id] = await life.claim()
    await life.wish("hold", task_id)
    await life.check()
    assert not await life.begin(call_id)
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.ON_HOLD, 0)
    assert (await life.events(task_id))[-1] == "call_withdrawn"
    await life.wish("resume", task_id)
    again = await life.dial()
    assert (await life.call(again)).attempt_number == 2
    await life.check()


async def test_a_question_may_still_be_asked_while_on_hold(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await life.wish("hold", task_id)
    question_id = await life.ask(call_id)
    assert await life.answer(question_id) is InfoRequestStatus.ANSWERED
    await life.check()


async def test_call_now_brings_a_retry_forward_and_releases_a_held_task(life: Life) -> None:
    task_id, _ = await bring_to(life, TaskStatus.RETRY_SCHEDULED)
    assert await life.claim() == []
    await life.wish("call_now", task_id)
    assert (await life.task(task_id)).next_action_at == life.clock()
    await life.wish("hold", task_id)
    assert await life.wish("call_now", task_id) is TaskStatus.PENDING
    assert len(await life.claim()) == 1
    with pytest.raises(Conflict, match="in progress"):
        await life.wish("call_now", task_id)
    await life.check()


async def test_call_now_at_night_waits_for_the_morning(life: Life) -> None:
    life.clock.now = life.clock.now.replace(hour=4)  # midnight in New York
    task_id = await life.create()
    await life.wish("call_now", task_id)
    task = await life.task(task_id)
    assert task.next_action_at == life.clock.now.replace(hour=12)
    assert "calling hours there are 08:00–21:00" in task.next_action_reason
    assert await life.claim() == []
    await life.check()


async def test_an_analysis_is_applied_once(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    assert not await life.analyse(call_id, found(Verdict.GOAL_MET))
    await life.close(call_id)
    assert await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
    assert not await life.analyse(call_id, found(Verdict.GOAL_MET))
    assert (await life.task(task_id)).status is TaskStatus.RETRY_SCHEDULED
    await life.check()


async def test_a_move_from_a_status_that_is_no_more_is_refused(life: Life) -> None:
    """Who read the task before somebody else moved it does not overwrite that move."""
    task_id = await life.create()
    async with life.db.reading() as session:
        seen = await session.get_one(Task, task_id)
    await life.wish("hold", task_id)
    with pytest.raises(Conflict, match="has changed in the meantime"):
        async with life.db.unit_of_work() as uow:
            await move(uow, seen, TaskEventType.TASK_CANCELLED, Reason())
    assert (await life.task(task_id)).status is TaskStatus.ON_HOLD
    await life.check()


async def test_a_call_ends_once(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    await asyncio.gather(*(life.close(call_id, ended_by) for ended_by in EndedBy))
    await life.check()


async def test_the_dashboard_sees_the_whole_story(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.answer(question_id)
    await life.close(call_id)
    await life.analyse(call_id, found(Verdict.GOAL_MET))
    async with life.db.reading() as session:
        detail = await task_rows.get_detail(session, life.user_id, task_id)
        assert detail is not None
        assert await task_rows.get_detail(session, "somebody else", task_id) is None
    assert detail.task.status is TaskStatus.COMPLETED
    assert [line.text for line in detail.calls[0].lines] == ["Hello?"]
    assert [question.id for question in detail.info_requests] == [question_id]
    assert [event.sequence for event in detail.events] == list(range(1, len(detail.events) + 1))
