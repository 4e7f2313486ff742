"""What happens to a user's tasks, as it happens: notices say where to look, the database says what.

Each task's events are numbered without gaps, so that what a stream has sent of a task is one
number. Nothing is sent twice or left out while a stream is open, in whichever order transactions
end; a lost notice is made good by the next heartbeat.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

from opendeep_app.bus import Notice
from opendeep_app.essentials import Essentials
from opendeep_app.models import TaskEvent
from opendeep_app.repositories import event_stream as rows
from opendeep_app.sqlite import BUSY_SECONDS

#: Longer than a transaction lasts between its time and its commit.
IN_FLIGHT = timedelta(seconds=BUSY_SECONDS + 5)
PAGE = 500
MOST_AT_ONCE = 200


class EventStream:
    """One user's; `heartbeat` is how long it stays silent, in seconds."""

    def __init__(self, deps: Essentials, user_id: str, heartbeat: float = 15) -> None:
        self._deps = deps
        self._user_id = user_id
        self._heartbeat = heartbeat
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    async def follow(self, after: str | None) -> AsyncGenerator[list[TaskEvent]]:
        """Events from now on, or from after the one with this id.

        An empty list says that all has been sent so far: once in the beginning, and as heartbeat.
        """
        with self._deps.bus.hearing(self._hear):
            async for events in self._catch_up(after):
                yield events
            yield []
            while True:
                silent = False
                try:
                    async with asyncio.timeout(self._heartbeat):
                        await self._wake.wait()
                except TimeoutError:
                    silent = True
                self._wake.clear()
                events = await self._look(everywhere=silent)
                if events or silent:
                    yield events

    def _hear(self, notice: Notice) -> None:
        if notice.user_id == self._user_id and notice.task_id:
            self._changed.add(notice.task_id)
            self._wake.set()

    async def _catch_up(self, after: str | None) -> AsyncGenerator[list[TaskEvent]]:
        last: TaskEvent | None = None
        if after:
            async with self._deps.db.reading() as session:
                last = await rows.get(session, self._user_id, after)
        while True:
            self._since = self._deps.clock() - IN_FLIGHT
            # One session sees one state: what is sent of it and what is noted of it agree.
            async with self._deps.db.reading() as session:
                missed = await rows.after(session, self._user_id, last, PAGE) if last else []
                self._sent = await rows.counts(session, self._user_id, self._since)
            if missed:
                last = missed[-1]
                yield missed
            if len(missed) < PAGE:
                return

    async def _look(self, *, everywhere: bool) -> list[TaskEvent]:
        async with self._deps.db.reading() as session:
            if everywhere:
                recent = await rows.counts(session, self._user_id, self._deps.clock() - IN_FLIGHT)
                self._changed |= {
                    task_id
                    for task_id, count in recent.items()
                    if count > self._sent.get(task_id, 0)
                }
            some = [self._changed.pop() for _ in range(min(len(self._changed), MOST_AT_ONCE))]
            if self._changed:
                self._wake.set()
            if not some:
                return []
            found = await rows.of_tasks(session, self._user_id, some, self._since)
        events = [event for event in found if event.sequence > self._sent.get(event.task_id, 0)]
        for event in events:
            self._sent[event.task_id] = event.sequence
        return events
