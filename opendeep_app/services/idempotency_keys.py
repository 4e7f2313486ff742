"""Requests that may come again: the same key gives the same answer, for a day."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict
from opendeep_app.models import IdempotencyKey, User

T = TypeVar("T", bound=BaseModel)

KEPT = timedelta(days=1)


async def once(
    uow: UnitOfWork,
    user_id: str,
    key: str | None,
    request: str,
    kind: type[T],
    make: Callable[[], Awaitable[T]],
) -> T:
    """What `make` answers, or what it answered when this key came first.

    The answer is kept in the transaction that it tells of. Of two equal requests at once the
    second waits for the first. Raises `Conflict` when the key came with another `request`.
    """
    if key is None:
        return await make()
    digest = hashlib.sha256(request.encode("utf-8", "surrogatepass")).hexdigest()
    await uow.session.get_one(User, user_id, with_for_update={"key_share": True})
    earlier = await uow.session.scalar(
        select(IdempotencyKey).where(
            col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.key) == key
        )
    )
    if earlier is not None and earlier.created_at > uow.now - KEPT:
        if earlier.request != digest:
            raise Conflict("This Idempotency-Key was used for another request. Use a new one.")
        return kind.model_validate_json(earlier.answer)
    if earlier is not None:
        await uow.session.delete(earlier)
        await uow.session.flush()
    answer = await make()
    uow.session.add(
        IdempotencyKey(
            user_id=user_id,
            key=key,
            request=digest,
            answer=answer.model_dump_json(),
            created_at=uow.now,
        )
    )
    await uow.session.flush()
    return answer


async def forget_old(uow: UnitOfWork) -> None:
    """Deletes the keys whose day is over."""
    await uow.session.execute(
        delete(IdempotencyKey).where(col(IdempotencyKey.created_at) <= uow.now - KEPT)
    )
