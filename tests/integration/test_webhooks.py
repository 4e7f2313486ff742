"""Webhooks: told in the transaction that it happened in, signed, tried again, never lost."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import select
from sqlmodel import col
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from opendeep_app.bus import Bus
from opendeep_app.clock import utc_now
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import (
    DeliveryStatus,
    IdempotencyKey,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookType,
)
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.models.webhooks import WebhookMessage
from opendeep_app.repositories import webhooks as rows
from opendeep_app.rules import ALWAYS
from opendeep_app.services import tasks, webhooks
from opendeep_app.services.webhooks import PATIENCE, PAUSES, Wishes
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import Life, add_user, found
from tests.fixtures.receivers import Receiver, answer
from workers.webhooks import (
    KEPT,
    MOST_AT_ONCE,
    deliver_webhook,
    forget_old_messages,
    sweep_webhooks,
)

Worker = dict[str, Any]


@pytest.fixture
def clock() -> FakeClock:
    """Signatures are checked against the real time, so the clock begins there."""
    return FakeClock(utc_now())


@pytest.fixture
def worker(worker: Worker) -> Worker:
    """A worker that may reach the receiver on loopback, at any time of the day."""
    db = worker["deps"].db
    db.policy = dataclasses.replace(db.policy, private_webhooks=True, hours=ALWAYS)
    return worker


async def listen(life: Life, url: str, *types: WebhookType) -> WebhookEndpoint:
    async with life.db.unit_of_work() as uow:
        return await webhooks.create(uow, life.user_id, Wishes(url, types=types))


async def sent(life: Life) -> list[WebhookDelivery]:
    async with life.db.reading() as session:
        return list(
            await session.scalars(select(WebhookDelivery).order_by(col(WebhookDelivery.id)))
        )


async def endpoint(life: Life, endpoint_id: str) -> WebhookEndpoint:
    async with life.db.reading() as session:
        return await session.get_one(WebhookEndpoint, endpoint_id)


async def run_jobs(worker: Worker) -> list[str]:
    """Runs the deliveries that are queued, as a worker would, in any order."""
    redis = worker["deps"].bus.redis
    jobs = [job for job in await redis.queued_jobs() if job.function == "deliver_webhook"]
    await redis.flushdb()
    return [await deliver_webhook(worker, *job.args) for job in jobs]


async def a_life(life: Life) -> None:
    """A task that asks twice, is answered once, and reaches its goal."""
    await life.create()
    call_id = await life.talk()
    await life.answer(await life.ask(call_id))
    await life.expire(await life.ask(call_id, "Which day?", key="f2"))
    await life.close(call_id)


async def test_what_happens_is_told_signed_and_once(
    life: Life, worker: Worker, receiver: Receiver
) -> None:
    hook = await listen(life, receiver.url)
    await a_life(life)
    assert set(await run_jobs(worker)) == {"delivered"}
    assert sorted(receiver.types()) == [
        "call.ended",
        "question.answered",
        "question.asked",
        "question.asked",
        "question.expired",
    ]
    verifier = Webhook(hook.secret)
    for request in receiver.received:
        verifier.verify(request.body, request.headers)
        message = WebhookMessage.model_validate_json(request.body)
        assert message.version == 1
        assert message.data.task is not None
        assert message.data.call is not None
        assert (message.data.question is None) == (message.type is WebhookType.CALL_ENDED)
    forged = receiver.received[0]
    with pytest.raises(WebhookVerificationError):
        verifier.verify(forged.body + b" ", forged.headers)
    ids = {request.headers["webhook-id"] for request in receiver.received}
    assert ids == {row.id for row in await sent(life)}
    by_type = {request.message["type"]: request.message["data"] for request in receiver.received}
    assert by_type["question.answered"]["question"]["answer"] == "Ada."
    assert by_type["question.expired"]["question"]["status"] == "EXPIRED"
    assert by_type["call.ended"]["call"]["outcome"] == "AWAITING_INFO"
    # Nothing is due any more, so nothing is sent again.
    assert await sweep_webhooks(worker) == 0


async def test_every_end_of_a_task_is_told(life: Life, worker: Worker, receiver: Receiver) -> None:
    ends = (WebhookType.TASK_COMPLETED, WebhookType.TASK_FAILED, WebhookType.TASK_CANCELLED)
    await listen(life, receiver.url, *ends)
    for outcome in (Verdict.GOAL_MET, Verdict.DECLINED, Verdict.DO_NOT_CALL):
        await life.create()
        call_id = await life.talk()
        await life.close(call_id)
        await life.analyse(call_id, found(outcome))
    await life.wish("cancel", await life.create("+12025550144"))
    await run_jobs(worker)
    assert sorted(receiver.types()) == [
        "task.cancelled",
        "task.cancelled",
        "task.completed",
        "task.failed",
    ]
    for request in receiver.received:
        status = request.message["type"].removeprefix("task.").upper()
        assert request.message["data"]["task"]["status"] == status


async def test_a_message_is_written_with_its_event_or_not_at_all(
    life: Life, worker: Worker, receiver: Receiver
) -> None:
    await listen(life, receiver.url)
    task_id = await life.create()
    with pytest.raises(RuntimeError):
        async with life.db.unit_of_work() as uow:
            await tasks.cancel(uow, life.user_id, task_id)
            raise RuntimeError
    assert await sent(life) == []


async def test_others_and_other_events_are_not_told(
    life: Life, worker: Worker, receiver: Receiver
) -> None:
    eve = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    await listen(eve, receiver.url)
    await listen(life, receiver.url, WebhookType.TASK_COMPLETED)
    await life.wish("cancel", await life.create())
    assert await sent(life) == []


async def test_a_flushed_redis_loses_nothing(
    life: Life, worker: Worker, receiver: Receiver, redis_url: str
) -> None:
    await listen(life, receiver.url)
    await life.wish("cancel", await life.create())
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
    assert await run_jobs(worker) == []
    assert await sweep_webhooks(worker) == 1
    assert await sweep_webhooks(worker) == 1
    assert await run_jobs(worker) == ["delivered"]
    assert receiver.types() == ["task.cancelled"]


async def test_failures_are_tried_again_for_a_day_under_one_id(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock
) -> None:
    hook = await listen(life, receiver.url)
    began = clock()
    receiver.answers = [answer("503 Service Unavailable", b"Too busy")] * len(PAUSES)
    await life.wish("cancel", await life.create())
    assert await run_jobs(worker) == ["pending"]
    for pause in PAUSES:
        (row,) = await sent(life)
        assert row.next_attempt_at is not None
        waits = (row.next_attempt_at - clock()).total_seconds()
        assert pause <= waits <= pause * 1.2 + 0.001
        clock.now = row.next_attempt_at - timedelta(seconds=1)
        assert await deliver_webhook(worker, row.id) == "not due"
        clock.now = row.next_attempt_at
        assert await sweep_webhooks(worker) == 1
        await run_jobs(worker)
    assert timedelta(hours=20) < clock() - began < timedelta(hours=36)
    (row,) = await sent(life)
    assert (row.status, row.attempts) == (DeliveryStatus.DELIVERED, len(PAUSES) + 1)
    assert [(entry["code"], entry["answer"]) for entry in row.log] == [
        *[(503, "Too busy")] * len(PAUSES),
        (204, ""),
    ]
    assert {request.headers["webhook-id"] for request in receiver.received} == {row.id}
    bodies = {request.body for request in receiver.received}
    stamps = {request.headers["webhook-timestamp"] for request in receiver.received}
    assert (len(bodies), len(stamps)) == (1, len(PAUSES) + 1)
    assert (await endpoint(life, hook.id)).failing_since is None


async def test_a_message_is_given_up_after_the_last_attempt_and_can_be_replayed(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock
) -> None:
    hook = await listen(life, receiver.url)
    receiver.answers = [answer("500 Oops")] * (len(PAUSES) + 1)
    await life.wish("cancel", await life.create())
    await run_jobs(worker)
    for _ in PAUSES:
        clock.now = (await sent(life))[0].next_attempt_at or clock.now
        await sweep_webhooks(worker)
        await run_jobs(worker)
    (row,) = await sent(life)
    assert (row.status, row.next_attempt_at) == (DeliveryStatus.FAILED, None)
    assert await sweep_webhooks(worker) == 0

    async with life.db.unit_of_work() as uow:
        await webhooks.replay(uow, life.user_id, hook.id, row.id)
    assert await run_jobs(worker) == ["delivered"]
    assert receiver.received[-1].headers["webhook-id"] == row.id
    assert receiver.received[-1].body == receiver.received[0].body
    eve = await add_user(life.db, "eve@example.com")
    with pytest.raises(NotFound):
        async with life.db.unit_of_work() as uow:
            await webhooks.replay(uow, eve, hook.id, row.id)


async def test_an_endpoint_that_takes_nothing_for_days_is_disabled_with_a_notice(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock, bus: Bus
) -> None:
    hook = await listen(life, receiver.url)
    receiver.answers = [answer("500 Oops")] * 2
    await life.wish("cancel", await life.create("+12025550144"))
    await run_jobs(worker)
    clock.advance(PATIENCE.total_seconds())
    await life.wish("cancel", await life.create("+12025550145"))
    heard: list[str] = []
    with bus.hearing(lambda notice: heard.append(notice.topic.value)):
        await run_jobs(worker)
    assert "webhook" in heard
    disabled = await endpoint(life, hook.id)
    assert disabled.disabled_at is not None
    assert "3 days" in disabled.disabled_reason
    with pytest.raises(Conflict):
        async with life.db.unit_of_work() as uow:
            await webhooks.ping(uow, life.user_id, hook.id)
    # What happens now is not told; what has waited is sent once it is enabled again.
    await life.wish("cancel", await life.create("+12025550146"))
    clock.advance(days=1)
    assert await sweep_webhooks(worker) == 0
    waiting = [row.id for row in await sent(life)]
    assert [await deliver_webhook(worker, row) for row in waiting] == ["not due"] * 2
    async with life.db.unit_of_work() as uow:
        await webhooks.change(uow, life.user_id, hook.id, Wishes(receiver.url), enabled=True)
    assert await sweep_webhooks(worker) == 2
    assert await run_jobs(worker) == ["delivered"] * 2


async def test_an_endpoint_that_says_gone_is_told_nothing_more(
    life: Life, worker: Worker, receiver: Receiver
) -> None:
    hook = await listen(life, receiver.url)
    receiver.answers = [answer("410 Gone")]
    async with life.db.unit_of_work() as uow:
        await webhooks.ping(uow, life.user_id, hook.id)
    await run_jobs(worker)
    assert (await endpoint(life, hook.id)).disabled_at is not None


async def test_two_workers_never_send_at_once(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock
) -> None:
    await listen(life, receiver.url)
    await life.wish("cancel", await life.create())
    (row,) = await sent(life)
    outcomes = await asyncio.gather(
        *(deliver_webhook({"deps": worker["deps"]}, row.id) for _ in range(4))
    )
    assert sorted(outcomes) == ["delivered", *["not due"] * 3]
    assert len(receiver.received) == 1


async def test_a_worker_that_dies_in_the_middle_costs_a_minute(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock
) -> None:
    await listen(life, receiver.url)
    await life.wish("cancel", await life.create())
    (row,) = await sent(life)
    async with life.db.unit_of_work() as uow:
        assert await webhooks.begin(uow, row.id)
    assert await sweep_webhooks(worker) == 0
    clock.advance(webhooks.LEASE.total_seconds())
    assert await sweep_webhooks(worker) == 1
    assert await deliver_webhook(worker, row.id) == "delivered"


async def test_slow_endpoints_hold_up_no_calls(worker: Worker) -> None:
    worker["webhooks_under_way"] = {str(number) for number in range(MOST_AT_ONCE)}
    assert await deliver_webhook(worker, "another") == "later"


REFUSED = [
    "",
    "example.com",
    "http://example.com/",
    "ftp://example.com/",
    "https://",
    "https://user:secret@example.com/",
    "https://example.com/#part",
    "https://example.com:99999/",
    "https://exa mple.com/",
    "https://localhost/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://metadata.internal/",
    "https://example.com/" + "x" * 2000,
]


async def test_addresses_that_are_refused(life: Life) -> None:
    for url in REFUSED:
        with pytest.raises(InvalidInput) as caught:
            await listen(life, url)
        assert caught.value.field == "url"


async def test_old_messages_are_forgotten_and_pending_ones_kept(
    life: Life, worker: Worker, receiver: Receiver, clock: FakeClock
) -> None:
    hook = await listen(life, receiver.url)
    await life.wish("cancel", await life.create())
    await run_jobs(worker)
    await life.wish("cancel", await life.create("+12025550144"))
    async with life.db.unit_of_work() as uow:
        uow.session.add(
            IdempotencyKey(user_id=life.user_id, key="k", request="", answer="", created_at=uow.now)
        )
    clock.advance(KEPT.total_seconds() + 1)
    await forget_old_messages(worker)
    assert [row.status for row in await sent(life)] == [DeliveryStatus.PENDING]
    async with life.db.reading() as session:
        assert list(await session.scalars(select(IdempotencyKey))) == []
        assert await rows.endpoint(session, life.user_id, hook.id) is not None
