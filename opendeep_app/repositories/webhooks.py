"""Queries on webhook endpoints and what was sent to them."""

from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint


async def endpoints(session: AsyncSession, user_id: str) -> list[WebhookEndpoint]:
    """The user's endpoints, newest first."""
    rows = await session.scalars(
        select(WebhookEndpoint)
        .where(col(WebhookEndpoint.user_id) == user_id)
        .order_by(col(WebhookEndpoint.id).desc())
    )
    return list(rows)


async def listening(session: AsyncSession, user_id: str) -> list[WebhookEndpoint]:
    """The user's endpoints that are not disabled."""
    return [each for each in await endpoints(session, user_id) if each.disabled_at is None]


async def endpoint(session: AsyncSession, user_id: str, endpoint_id: str) -> WebhookEndpoint | None:
    """The endpoint, if it is this user's."""
    return await session.scalar(
        select(WebhookEndpoint).where(
            col(WebhookEndpoint.id) == endpoint_id, col(WebhookEndpoint.user_id) == user_id
        )
    )


async def count_endpoints(session: AsyncSession, user_id: str) -> int:
    """How many endpoints the user has."""
    counted = select(func.count()).where(col(WebhookEndpoint.user_id) == user_id)
    return await session.scalar(counted) or 0


async def delivery(
    session: AsyncSession, endpoint_id: str, delivery_id: str
) -> WebhookDelivery | None:
    """The message, if it went to this endpoint."""
    return await session.scalar(
        select(WebhookDelivery).where(
            col(WebhookDelivery.id) == delivery_id,
            col(WebhookDelivery.endpoint_id) == endpoint_id,
        )
    )


async def deliveries(
    session: AsyncSession,
    endpoint_id: str,
    status: DeliveryStatus | None,
    before: str | None,
    limit: int,
) -> list[WebhookDelivery]:
    """Messages to the endpoint older than `before` (an id), newest first."""
    statement = select(WebhookDelivery).where(col(WebhookDelivery.endpoint_id) == endpoint_id)
    if status:
        statement = statement.where(col(WebhookDelivery.status) == status)
    if before:
        statement = statement.where(col(WebhookDelivery.id) < before)
    rows = await session.scalars(statement.order_by(col(WebhookDelivery.id).desc()).limit(limit))
    return list(rows)


async def due(session: AsyncSession, now: datetime, limit: int = 100) -> list[str]:
    """Ids of messages whose next attempt is due, of endpoints that are not disabled."""
    rows = await session.scalars(
        select(col(WebhookDelivery.id))
        .join(WebhookEndpoint, col(WebhookEndpoint.id) == col(WebhookDelivery.endpoint_id))
        .where(
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
            col(WebhookDelivery.next_attempt_at) <= now,
            col(WebhookEndpoint.disabled_at).is_(None),
        )
        .order_by(col(WebhookDelivery.next_attempt_at))
        .limit(limit)
    )
    return list(rows)


async def take(
    session: AsyncSession, delivery_id: str, now: datetime, until: datetime
) -> WebhookDelivery | None:
    """The message, if an attempt is due; nobody else is given it before `until`."""
    taken = await session.scalar(
        update(WebhookDelivery)
        .where(
            col(WebhookDelivery.id) == delivery_id,
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
            col(WebhookDelivery.next_attempt_at) <= now,
        )
        .values(next_attempt_at=until, attempts=col(WebhookDelivery.attempts) + 1)
        .returning(col(WebhookDelivery.id))
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        return None
    return await session.get_one(WebhookDelivery, delivery_id, populate_existing=True)


async def forget(session: AsyncSession, before: datetime) -> None:
    """Deletes what was delivered or given up, and is older than the given time."""
    await session.execute(
        delete(WebhookDelivery).where(
            col(WebhookDelivery.status) != DeliveryStatus.PENDING,
            col(WebhookDelivery.created_at) < before,
        )
    )
