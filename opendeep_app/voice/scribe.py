"""Writes what happens on a call, in order, behind the talk: audio never waits for the database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from opendeep_app.db import Database, UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.models import AnswerState, CallOutcome, EndedBy, Speaker
from opendeep_app.services import calls, costs, facts
from opendeep_app.voice.brief import VERSION

log = structlog.get_logger()

Write = Callable[[UnitOfWork], Awaitable[object]]

#: What a database that is away for the moment raises.
DATABASE_TROUBLE = (SQLAlchemyError, OSError)
TRIES = 3
RETRY_SECONDS = 0.25


class Scribe:
    """One call's writer."""

    def __init__(self, db: Database, call_id: str) -> None:
        self._db = db
        self._call = call_id
        self._writes: asyncio.Queue[Write] = asyncio.Queue()
        #: Whether this session holds the call, as the database has it.
        self.ours = False

    async def open(self, gateway_id: str, brief: str) -> bool:
        """Takes the call for this session; False when it is over or another has it.

        Like every write it is carried out even if the call ends meanwhile, so that what is
        taken is also closed.
        """

        async def take(uow: UnitOfWork) -> None:
            self.ours = await calls.session_opened(uow, self._call, gateway_id, brief, VERSION)

        self._write(take)
        await self._writes.join()
        return self.ours

    def add_line(self, speaker: Speaker, text: str, item_id: str, offset_ms: int) -> None:
        """Somebody said this; `offset_ms` counts from when the line was connected."""
        self._write(lambda uow: calls.add_line(uow, self._call, speaker, text, item_id, offset_ms))

    def note_facts(self, fact_ids: list[str]) -> None:
        """The agent has been told these facts."""
        self._write(lambda uow: facts.disclosed(uow, self._call, fact_ids))

    def note_answer(self, state: AnswerState) -> None:
        """This is believed to be on the line now."""

        async def known(uow: UnitOfWork) -> None:
            if self.ours:
                await calls.answerer_known(uow, self._call, state)

        self._write(known)

    def truncate_line(self, item_id: str, heard_ms: int) -> None:
        """Only so much of an utterance of the agent's was heard."""
        self._write(lambda uow: calls.truncate_line(uow, self._call, item_id, heard_ms))

    def record_function(
        self, name: str, arguments: dict[str, Any], *, ok: bool, result: str
    ) -> None:
        """The model called a function, and was told this."""
        self._write(
            lambda uow: calls.record_function(
                uow, self._call, name, arguments, ok=ok, result=result
            )
        )

    def close(
        self,
        ended_by: EndedBy,
        reason: str,
        outcome: CallOutcome,
        usage: Mapping[str, int],
        measures: Mapping[str, Any],
    ) -> None:
        """The session is over, the last thing written; nothing if the call was never ours."""

        async def end(uow: UnitOfWork) -> None:
            if self.ours:
                await costs.settle(uow, self._call, usage)
                await calls.session_closed(uow, self._call, ended_by, reason, outcome, measures)

        self._write(end)

    async def run(self) -> None:
        """Writes until cancelled: what has gathered in one transaction, or else one by one."""
        while True:
            writes = [await self._writes.get()]
            while not self._writes.empty():
                writes.append(self._writes.get_nowait())
            try:
                if len(writes) == 1 or not await self._carry_out(writes):
                    for write in writes:
                        await self._carry_out([write])
            finally:
                for _ in writes:
                    self._writes.task_done()

    async def finish(self, seconds: float) -> bool:
        """Waits until everything is written; False if that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._writes.join()
        except TimeoutError:
            return False
        return True

    def _write(self, write: Write) -> None:
        self._writes.put_nowait(write)

    async def _carry_out(self, writes: list[Write]) -> bool:
        """One transaction; a database that is away for a moment is tried again."""
        try:
            for attempt in range(1, TRIES + 1):
                try:
                    async with self._db.unit_of_work() as uow:
                        for write in writes:
                            await write(uow)
                    return True
                except DATABASE_TROUBLE:
                    if attempt == TRIES:
                        raise
                    await asyncio.sleep(RETRY_SECONDS * attempt)
        except OpenDeepError as error:
            log.warning("write_refused", call_id=self._call, error=type(error).__name__)
        except Exception:
            log.exception("write_failed", call_id=self._call)
        return False
