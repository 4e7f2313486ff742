"""What became of calls whose process died: adopted, taken back or closed, never rung again."""

from typing import Any

import pytest

from opendeep_app.adapters.telephony import CarrierCall
from opendeep_app.errors import CarrierError
from opendeep_app.models import CallOutcome, CallStatus, EndedBy, Speaker, TaskStatus
from opendeep_app.services import reconciling
from tests.fixtures.lives import FakeCarrier, Life, sid_of
from workers.scheduler import sweep


def listed(sid: str, status: str = "ringing") -> CarrierCall:
    return CarrierCall(sid, status, None)


async def unconfirmed(life: Life) -> tuple[str, str]:
    """A task whose worker died between asking the carrier and hearing back."""
    task_id = await life.create()
    [call_id] = await life.claim()
    assert await life.begin(call_id)
    return task_id, call_id


async def reconcile(life: Life, call_id: str, *calls: CarrierCall) -> None:
    async with life.db.unit_of_work() as uow:
        await reconciling.adopt_or_withdraw(uow, call_id, list(calls))


async def test_a_call_that_the_carrier_lists_is_adopted(life: Life) -> None:
    task_id, call_id = await unconfirmed(life)
    await reconcile(life, call_id, listed("CA1"))
    call = await life.call(call_id)
    assert (call.status, call.carrier_sid) == (CallStatus.RINGING, "CA1")
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    await life.check()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("busy", CallOutcome.FAILED_BUSY),
        ("no-answer", CallOutcome.FAILED_NO_ANSWER),
        ("failed", CallOutcome.FAILED_CARRIER),
        ("completed", CallOutcome.HUNG_UP_EARLY),
    ],
)
async def test_a_call_that_is_over_already_is_adopted_and_ended(
    life: Life, status: str, outcome: CallOutcome
) -> None:
    task_id, call_id = await unconfirmed(life)
    await reconcile(life, call_id, listed("CA1", status))
    assert (await life.call(call_id)).outcome is outcome
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()


async def test_it_is_taken_back_only_after_the_carrier_had_time_to_list_it(life: Life) -> None:
    task_id, call_id = await unconfirmed(life)
    life.clock.advance(seconds=59)
    await reconcile(life, call_id)
    assert (await life.call(call_id)).status is CallStatus.DIALLING
    life.clock.advance(seconds=1)
    await reconcile(life, call_id)
    assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.PENDING, 0)
    await life.check()


async def test_an_earlier_attempts_call_is_not_taken_for_this_one(life: Life) -> None:
    task_id = await life.create()
    first = await life.dial()
    await life.carrier(first, "busy")
    await life.analyse(first)
    life.clock.advance(hours=1)
    [second] = await life.claim()
    await life.begin(second)
    life.clock.advance(minutes=2)
    await reconcile(life, second, listed(sid_of(first), "busy"))
    assert (await life.call(second)).status is CallStatus.WITHDRAWN
    assert (await life.task(task_id)).current_attempt_count == 1
    await life.check()


async def test_adopting_twice_or_after_the_callback_changes_nothing(life: Life) -> None:
    task_id, call_id = await unconfirmed(life)
    await life.carrier(call_id, "ringing")
    for _ in range(2):
        await reconcile(life, call_id, listed(sid_of(call_id)), listed("CA-other"))
    assert (await life.call(call_id)).carrier_sid == sid_of(call_id)
    assert (await life.events(task_id)).count("call_dialled") == 1
    await life.check()


async def test_a_call_that_was_stopped_meanwhile_is_adopted_to_be_hung_up(life: Life) -> None:
    task_id, call_id = await unconfirmed(life)
    await life.wish("cancel", task_id)
    async with life.db.unit_of_work() as uow:
        await reconciling.adopt_or_withdraw(uow, call_id, [listed("CA1")])
        assert "hang_up_call" in [job.name for job in uow.jobs]
    await life.check()


async def test_a_session_that_died_is_closed_and_the_task_goes_on(
    life: Life, worker: dict[str, Any], carrier: FakeCarrier
) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    sid = sid_of(call_id)
    carrier.listed[sid] = listed(sid, "in-progress")
    life.clock.advance(seconds=14)
    await sweep(worker)
    assert (await life.call(call_id)).status is CallStatus.ANSWERED
    life.clock.advance(seconds=2)
    await sweep(worker)
    call = await life.call(call_id)
    assert (call.status, call.ended_by) == (CallStatus.ENDED, EndedBy.SYSTEM)
    assert call.end_reason == "The connection to the agent was lost."
    assert carrier.hung_up == [sid]
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()


async def test_a_lost_callback_is_made_up_for_by_asking(
    life: Life, worker: dict[str, Any], carrier: FakeCarrier
) -> None:
    task_id = await life.create()
    call_id = await life.dial()
    carrier.listed[sid_of(call_id)] = listed(sid_of(call_id), "no-answer")
    life.clock.advance(seconds=60)
    await sweep(worker)
    assert (await life.call(call_id)).outcome is CallOutcome.FAILED_NO_ANSWER
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()


@pytest.mark.parametrize("spoken", [False, True])
async def test_a_call_that_the_carrier_has_forgotten_does_not_block_the_number(
    life: Life, worker: dict[str, Any], spoken: bool
) -> None:
    task_id = await life.create()
    call_id = await (life.talk() if spoken else life.dial())
    life.clock.advance(minutes=1)
    await sweep(worker)
    call = await life.call(call_id)
    expected = CallOutcome.ANSWERED if spoken else CallOutcome.FAILED_CARRIER
    assert (call.status, call.outcome) == (CallStatus.ENDED, expected)
    await life.analyse(call_id)
    assert (await life.task(task_id)).status is TaskStatus.RETRY_SCHEDULED
    await life.check()


async def test_a_call_without_sid_whose_session_died_is_closed(
    life: Life, worker: dict[str, Any]
) -> None:
    """The worker died before it heard the SID, the callbacks were lost, then the gateway died."""
    task_id, call_id = await unconfirmed(life)
    assert await life.pick_up(call_id)
    await life.say(call_id, Speaker.RECIPIENT, "Hello?")
    life.clock.advance(minutes=1)
    await sweep(worker)
    assert (await life.call(call_id)).status is CallStatus.ENDED
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()


async def test_when_the_carrier_does_not_answer_nothing_is_decided(
    life: Life, worker: dict[str, Any], carrier: FakeCarrier
) -> None:
    task_id, call_id = await unconfirmed(life)
    carrier.failure = CarrierError("it did not answer")
    life.clock.advance(hours=1)
    await sweep(worker)
    assert (await life.call(call_id)).status is CallStatus.DIALLING
    carrier.failure = None
    await sweep(worker)
    assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    await life.check()


async def test_a_task_that_waits_for_answers_it_has_calls_back(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.close(call_id)
    async with life.db.unit_of_work() as uow:
        await reconciling.call_back_forgotten(uow, task_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    await life.answer(question_id)
    async with life.db.unit_of_work() as uow:
        await reconciling.call_back_forgotten(uow, task_id)
    assert (await life.events(task_id)).count("info_callback_scheduled") == 1
    await life.check()
