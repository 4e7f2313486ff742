"""The jobs: dialling at most once whatever dies, and a sweep that finds what Redis forgot."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from arq.worker import Worker

from opendeep_app.bus import Bus
from opendeep_app.errors import CarrierError, TooLate
from opendeep_app.models import CallOutcome, CallStatus, InfoRequestStatus, Speaker, TaskStatus
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.services import carrier_health
from tests.fixtures.lives import FakeCarrier, FakeLanguage, Life, found, sid_of
from workers.calls import analyse_call, hang_up_call, place_call
from workers.info_requests import expire_info_requests
from workers.scheduler import dispatch_due, sweep
from workers.settings import WorkerSettings

Ctx = dict[str, Any]


async def drain(worker: Ctx) -> None:
    """Runs everything that is queued, as arq does, until nothing is left; raises what failed."""
    bus: Bus = worker["deps"].bus
    burst = Worker(
        functions=WorkerSettings.functions,
        redis_pool=bus.redis,
        ctx=dict(worker),
        burst=True,
        poll_delay=0.01,
        handle_signals=False,
    )
    try:
        await burst.main()
        assert burst.jobs_failed == 0
    finally:
        # The pool is the bus's; it closes that.
        burst._pool = None
        await burst.close()


async def queued(worker: Ctx) -> Counter[str]:
    redis = worker["deps"].bus.redis
    return Counter(job.function for job in await redis.queued_jobs())


async def forget_everything(worker: Ctx) -> None:
    """What a Redis that was restarted does."""
    await worker["deps"].bus.redis.flushall()


def test_every_job_can_be_queued_again_under_its_id() -> None:
    jobs: list[Any] = [*WorkerSettings.functions, *WorkerSettings.cron_jobs]
    for function in jobs:
        assert function.keep_result_s == 0
        assert function.max_tries == 1
    assert WorkerSettings.keep_result == 0


async def test_a_new_task_is_dialled_and_analysed_by_the_queue_alone(
    life: Life, worker: Ctx, carrier: FakeCarrier, language: FakeLanguage
) -> None:
    task_id = await life.create()
    await drain(worker)
    [call_id] = carrier.rings
    assert await life.pick_up(call_id)
    await life.say(call_id, Speaker.RECIPIENT, "Yes, at eight.")
    await life.close(call_id)
    language.found = found(Verdict.GOAL_MET)
    await drain(worker)
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    assert (len(carrier.rings), language.asked) == (1, 1)
    assert await queued(worker) == Counter()
    await life.check()


async def test_one_call_is_placed_once_by_many_workers(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    await life.create()
    [call_id] = await life.claim()
    results = await asyncio.gather(*(place_call(worker, call_id) for _ in range(8)))
    assert Counter(results) == {"dialled": 1, "not due": 7}
    assert carrier.rings == [call_id]
    await life.check()


async def test_nothing_is_lost_when_redis_forgets_everything_at_every_step(
    life: Life, worker: Ctx, carrier: FakeCarrier, language: FakeLanguage
) -> None:
    """FLUSHALL after each step: the schedule and the sweep find the way from the rows alone."""
    task_id = await life.create()
    await forget_everything(worker)
    assert await dispatch_due(worker) == 1
    await forget_everything(worker)
    life.clock.advance(seconds=4)
    await sweep(worker)
    assert carrier.rings == []
    life.clock.advance(seconds=2)
    await sweep(worker)
    assert await queued(worker) == {"place_call": 1}
    await drain(worker)
    [call_id] = carrier.rings
    await life.pick_up(call_id)
    await life.say(call_id, Speaker.RECIPIENT, "Yes.")
    await life.close(call_id)
    await forget_everything(worker)
    language.found = found(Verdict.GOAL_MET)
    life.clock.advance(seconds=6)
    for _ in range(3):
        await sweep(worker)
    assert await queued(worker) == {"analyse_call": 1}
    await drain(worker)
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    assert carrier.rings == [call_id]
    await life.check()


async def test_the_mark_of_a_worker_that_died_holds_a_job_up_for_seconds_only(
    life: Life, worker: Ctx
) -> None:
    """Killed between arq's mark and its own lease, it leaves one that lasts for two minutes."""
    await life.create()
    [call_id] = await life.claim()
    redis = worker["deps"].bus.redis
    mark = f"arq:in-progress:place:{call_id}"
    await redis.psetex(mark, 130_000, b"1")
    life.clock.advance(seconds=6)
    await sweep(worker)
    assert 0 < await redis.pttl(mark) <= 5_000


async def test_an_order_to_hang_up_that_got_lost_is_given_again(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    sid = sid_of(call_id)
    await life.wish("cancel", task_id)
    await forget_everything(worker)
    await sweep(worker)
    await drain(worker)
    assert carrier.hung_up == [sid]
    await life.carrier(call_id, "completed")
    await life.close(call_id)
    await sweep(worker)
    assert (await queued(worker))["hang_up_call"] == 0
    await life.check()


@pytest.mark.parametrize("rings", [False, True])
async def test_a_worker_that_dies_while_it_asks_rings_once(
    life: Life, worker: Ctx, carrier: FakeCarrier, rings: bool
) -> None:
    """The carrier either has the call or has not; only then is it known what to do."""
    task_id = await life.create()
    [call_id] = await life.claim()
    carrier.failure = CarrierError("it did not answer", maybe_placed=True)
    carrier.rings_before_failing = rings
    assert await place_call(worker, call_id) == "unconfirmed"
    assert (await life.events(task_id))[-1] == "call_unconfirmed"
    carrier.failure = None
    life.clock.advance(seconds=70)
    await sweep(worker)
    await drain(worker)
    await life.check()
    if rings:
        assert carrier.rings == [call_id]
        assert (await life.call(call_id)).carrier_sid == sid_of(call_id)
    else:
        assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
        assert len(carrier.rings) == 1
        assert call_id not in carrier.rings
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.IN_PROGRESS, 1)


async def test_a_worker_that_slept_before_asking_does_not_ask(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    """Nothing was sent, so the attempt is taken back at once, and the carrier is not blamed."""
    task_id = await life.create()
    [call_id] = await life.claim()
    carrier.failure = TooLate()
    assert await place_call(worker, call_id) == "failed"
    assert carrier.rings == []
    task = await life.task(task_id)
    assert (task.status, task.current_attempt_count) == (TaskStatus.PENDING, 0)
    async with life.db.reading() as session:
        assert (await carrier_health.current(session)).failures == 0
    carrier.failure = None
    await drain(worker)
    assert len(carrier.rings) == 1
    await life.check()


async def test_a_call_that_rings_although_it_was_taken_back_is_ended_at_once(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    """What nobody can rule out: a process sleeps between its last look at the clock and the wire."""
    await life.create()
    [call_id] = await life.claim()
    await life.begin(call_id)
    life.clock.advance(seconds=61)
    await sweep(worker)
    assert (await life.call(call_id)).status is CallStatus.WITHDRAWN
    await life.carrier(call_id, "initiated")
    await drain(worker)
    assert carrier.hung_up == [sid_of(call_id)]
    await life.carrier(call_id, "canceled")
    assert (await queued(worker))["hang_up_stray"] == 0
    await life.check()


async def test_first_calls_and_retries_are_counted_apart(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    await life.create()
    await drain(worker)
    await life.carrier(carrier.rings[0], "busy")
    await drain(worker)
    life.clock.advance(hours=1)
    await dispatch_due(worker)
    await drain(worker)
    assert await worker["deps"].bus.counters() == {
        'opendeep_dials_total{kind="first",result="dialled"}': 1,
        'opendeep_dials_total{kind="retry",result="dialled"}': 1,
    }


async def test_an_analysis_that_fails_is_tried_again_and_then_given_up(
    life: Life, worker: Ctx, language: FakeLanguage
) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await life.close(call_id)
    assert await analyse_call(worker, call_id) == "failed"
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    life.clock.advance(minutes=14)
    assert await analyse_call(worker, call_id) == "failed"
    life.clock.advance(minutes=2)
    assert await analyse_call(worker, call_id) == "analysed"
    assert (await life.call(call_id)).outcome is CallOutcome.INCONCLUSIVE
    assert (await life.task(task_id)).status is TaskStatus.RETRY_SCHEDULED
    assert language.asked == 3
    assert await analyse_call(worker, call_id) == "done before"
    await life.check()


async def test_a_call_on_which_nobody_spoke_needs_no_analyst(
    life: Life, worker: Ctx, language: FakeLanguage
) -> None:
    await life.create()
    call_id = await life.dial()
    await life.carrier(call_id, "busy")
    assert await analyse_call(worker, call_id) == "analysed"
    assert language.asked == 0


async def test_analyses_at_the_same_moment_count_once(
    life: Life, worker: Ctx, language: FakeLanguage
) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    await life.close(call_id)
    language.found = found(Verdict.INCONCLUSIVE)
    results = await asyncio.gather(*(analyse_call(worker, call_id) for _ in range(5)))
    assert results.count("analysed") == 1
    assert (await life.events(task_id)).count("retry_scheduled") == 1
    await life.check()


async def test_a_call_that_is_over_is_not_hung_up(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    await life.create()
    call_id = await life.dial()
    await life.carrier(call_id, "busy")
    assert await hang_up_call(worker, call_id) == "over"
    assert await hang_up_call(worker, "unknown") == "over"
    assert carrier.hung_up == []


async def test_questions_past_their_deadline_expire_once(life: Life, worker: Ctx) -> None:
    await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    life.clock.advance(seconds=31)
    assert await expire_info_requests(worker) == 0
    life.clock.advance(seconds=2)
    ended = await asyncio.gather(*(expire_info_requests(worker) for _ in range(4)))
    assert sum(ended) == 1
    assert (await life.question(question_id)).status is InfoRequestStatus.EXPIRED
    await life.check()


async def test_many_retries_at_once_end_consistent(
    life: Life, worker: Ctx, carrier: FakeCarrier
) -> None:
    tasks = [await life.create(f"+1202555{1000 + index}") for index in range(20)]
    for attempt in (1, 2):
        await dispatch_due(worker)
        await drain(worker)
        ringing = carrier.rings[-len(tasks) :]
        await asyncio.gather(*(life.carrier(call_id, "busy") for call_id in ringing))
        await drain(worker)
        await life.check()
        counts = [(await life.task(task_id)).current_attempt_count for task_id in tasks]
        assert counts == [attempt] * len(tasks)
        life.clock.advance(hours=1)
    assert len(carrier.rings) == len(set(carrier.rings)) == 2 * len(tasks)
