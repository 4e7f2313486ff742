"""Counts and figures that pages and API show again and again: computed once, kept for moments.

What is kept is forgotten at the first notice that its owner's tasks have changed, and after two
seconds in any case, because a notice may be lost. While something is being computed, everybody
who asks for it waits for the same computation.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.bus import Bus, Notice, Topic
from opendeep_app.db import Database
from opendeep_app.models import TaskStatus
from opendeep_app.repositories import tasks
from opendeep_app.repositories.tasks import Sort, TaskQuery

T = TypeVar("T")

STALE_SECONDS = 2.0
MOST_USERS = 1000

#: Words on a live call change no count; a search among them may be two seconds late.
TOPICS = frozenset({Topic.TASK, Topic.INFO_REQUEST})


@dataclass(frozen=True)
class _Kept:
    since: float
    value: asyncio.Task[Any]


class Cache:
    """One process's, for all its users."""

    def __init__(
        self, db: Database, bus: Bus, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._bus = bus
        self._monotonic = monotonic
        self._kept: dict[str, dict[Hashable, _Kept]] = defaultdict(dict)
        self._hearing: ExitStack | None = None

    async def status_counts(self, user_id: str) -> dict[TaskStatus, int]:
        """How many of the user's tasks are in each status."""
        counts = await self.get(
            user_id, "status counts", lambda session: tasks.status_counts(session, user_id)
        )
        return dict(counts)

    async def total(self, user_id: str, query: TaskQuery) -> int:
        """How many of the user's tasks the query matches, on all its pages."""
        every_page = replace(query, cursor=None, limit=1, sort=Sort.NEWEST)
        return await self.get(
            user_id,
            every_page,
            lambda session: tasks.count(session, user_id, every_page),
        )

    async def get(
        self, user_id: str, key: Hashable, load: Callable[[AsyncSession], Awaitable[T]]
    ) -> T:
        """What `load` reads of the user's, at most two seconds old; the value is shared: copy it."""
        if self._hearing is None:
            self._hearing = ExitStack()
            self._hearing.enter_context(self._bus.hearing(self._forget))
        now = self._monotonic()
        mine = self._kept[user_id]
        kept = mine.get(key)
        if kept is None or now - kept.since > STALE_SECONDS or _failed(kept.value):
            self._prune(now)
            kept = self._kept[user_id][key] = _Kept(now, asyncio.create_task(self._load(load)))
        # One caller that goes away must not take the value from the others.
        value: T = await asyncio.shield(kept.value)
        return value

    async def _load(self, load: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self._db.reading() as session:
            return await load(session)

    def _forget(self, notice: Notice) -> None:
        # Who waits for a computation that has begun keeps waiting for it; the next to ask
        # begins another, which sees the change.
        if notice.topic in TOPICS:
            self._kept.pop(notice.user_id, None)

    def _prune(self, now: float) -> None:
        if len(self._kept) > MOST_USERS:
            self._kept.clear()
        for user_id, mine in list(self._kept.items()):
            for key in [key for key, kept in mine.items() if now - kept.since > STALE_SECONDS]:
                del mine[key]
            if not mine:
                del self._kept[user_id]


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
