"""Queries on questions by text message."""

from datetime import datetime

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.models import InfoRequest, InfoRequestStatus, TextMessage, User


async def phone_owners(session: AsyncSession, phone_number: str) -> list[User]:
    """The users who gave this number (E.164) for their texts."""
    rows = await session.scalars(select(User).where(col(User.mobile_number) == phone_number))
    return list(rows)


async def recent(
    session: AsyncSession, phone_number: str, since: datetime, limit: int = 50
) -> list[tuple[TextMessage, InfoRequest]]:
    """What was sent to a number whose owner still has it, with its questions, newest first."""
    rows: list[Row[TextMessage, InfoRequest]] = list(
        (
            await session.execute(
                select(TextMessage, InfoRequest)
                .join(InfoRequest, col(InfoRequest.id) == col(TextMessage.info_request_id))
                .join(User, col(User.id) == col(TextMessage.user_id))
                .where(
                    col(TextMessage.phone_number) == phone_number,
                    col(User.mobile_number) == phone_number,
                    col(TextMessage.created_at) >= since,
                )
                .order_by(col(TextMessage.created_at).desc(), col(TextMessage.id).desc())
                .limit(limit)
            )
        ).all()
    )
    return [(row[0], row[1]) for row in rows]


async def unsent(session: AsyncSession, now: datetime, limit: int = 200) -> list[InfoRequest]:
    """Open questions of people who may be sent texts, that no text was written for yet."""
    rows = await session.scalars(
        select(InfoRequest)
        .join(User, col(User.id) == col(InfoRequest.user_id))
        .outerjoin(TextMessage, col(TextMessage.info_request_id) == col(InfoRequest.id))
        .where(
            col(InfoRequest.status) == InfoRequestStatus.OPEN,
            col(InfoRequest.deadline_at) > now,
            col(User.mobile_number).is_not(None),
            col(User.texts_stopped_at).is_(None),
            col(TextMessage.id).is_(None),
        )
        .order_by(col(InfoRequest.deadline_at))
        .limit(limit)
    )
    return list(rows)
