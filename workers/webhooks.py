"""Jobs that deliver webhooks."""

from datetime import timedelta
from typing import Any

import structlog

from opendeep_app.adapters.webhooks import post
from opendeep_app.dependencies import Dependencies
from opendeep_app.repositories import webhooks as rows
from opendeep_app.services import idempotency_keys, webhooks

log = structlog.get_logger()

#: Attempts at a time in one worker: endpoints that answer slowly must not hold up calls.
MOST_AT_ONCE = 10
KEPT = timedelta(days=30)


async def deliver_webhook(ctx: dict[str, Any], delivery_id: str) -> str:
    """One attempt to deliver a message; what is not due, or does not fit now, the sweep finds."""
    deps: Dependencies = ctx["deps"]
    under_way: set[str] = ctx.setdefault("webhooks_under_way", set())
    if len(under_way) >= MOST_AT_ONCE:
        return "later"
    under_way.add(delivery_id)
    try:
        async with deps.db.unit_of_work() as uow:
            outgoing = await webhooks.begin(uow, delivery_id)
        if outgoing is None:
            return "not due"
        attempt = await post(
            outgoing.url,
            outgoing.headers,
            outgoing.body,
            private=deps.db.policy.private_webhooks,
        )
        async with deps.db.unit_of_work() as uow:
            status = await webhooks.attempted(uow, delivery_id, attempt)
    finally:
        under_way.discard(delivery_id)
    log.info(
        "webhook_attempted",
        delivery_id=delivery_id,
        code=attempt.code,
        milliseconds=attempt.milliseconds,
    )
    return status.value.lower() if status else "gone"


async def sweep_webhooks(ctx: dict[str, Any]) -> int:
    """Queues what is due and has no job, because Redis forgot it; returns how many."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        due = await rows.due(session, deps.clock())
    for delivery_id in due:
        await deps.bus.enqueue("deliver_webhook", delivery_id, job_id=f"webhook:{delivery_id}")
    return len(due)


async def forget_old_messages(ctx: dict[str, Any]) -> None:
    """Deletes messages that were delivered or given up long ago, and keys whose day is over."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.unit_of_work() as uow:
        await rows.forget(uow.session, uow.now - KEPT)
        await idempotency_keys.forget_old(uow)
