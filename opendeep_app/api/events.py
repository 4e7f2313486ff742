"""Server-sent events: everything that happens to your tasks, as it happens."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Self

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Id
from opendeep_app.event_stream import EventStream
from opendeep_app.models import TaskEvent, TaskEventType
from opendeep_app.models.task_events import TaskEventRead
from opendeep_app.services import accounts

router = APIRouter(prefix="/events", tags=["Events"])

MOST_STREAMS = 10
"""Of one user, in one process."""

#: No cache or proxy may hold a stream back.
UNHINDERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_open: Counter[str] = Counter()


class StreamedEvent(TaskEventRead):
    """Something that has happened to a task; `sequence` counts 1, 2, 3 … within the task."""

    task_id: str

    @classmethod
    def of(cls, event: TaskEvent) -> Self:
        """As it is sent."""
        return cls.model_validate(event.model_dump())

    def text(self) -> str:
        """As a server-sent event."""
        return f"id: {self.id}\nevent: {self.type}\ndata: {self.model_dump_json()}\n\n"


def _words(value: Any) -> Any:
    if isinstance(value, list):
        return [word.strip().lower() for text in value for word in str(text).split(",")]
    return value


class EventFilter(BaseModel):
    """What to be told of."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[list[TaskEventType], BeforeValidator(_words)] = Field(
        [], description="Any of these; repeated, or separated by commas. All, if none is given."
    )
    task_id: Id | None = Field(None, description="Of this task only.")

    def has(self, event: TaskEvent) -> bool:
        """Whether the event is among them."""
        return self.task_id in (None, event.task_id) and (not self.type or event.type in self.type)


class EventSource(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("", response_class=EventSource)
async def follow_events(
    request: Request,
    caller: Caller,
    deps: Deps,
    query: Annotated[EventFilter, Query()],
    last_event_id: Annotated[
        str | None,
        Header(max_length=100, description="The last `id` that came; what came since is sent."),
    ] = None,
) -> EventSource:
    """Follow what happens to your tasks, as server-sent events (`text/event-stream`).

    The `data` of each is a `StreamedEvent`, its `event` the type, its `id` what to send as
    `Last-Event-ID` to go on after it; clients that know server-sent events do so by themselves.
    A comment comes when all has been sent, and every 15 seconds. 429 when ten streams are open already.
    """
    if _open[caller.id] >= MOST_STREAMS:
        raise HTTPException(429, f"You have {MOST_STREAMS} streams open. Close one first.")
    stream = EventStream(deps, caller.id)
    key = request.headers["authorization"].partition(" ")[2].strip()

    async def valid() -> bool:
        async with deps.db.reading() as session:
            return await accounts.user_for_api_key(session, key) is not None

    async def texts() -> AsyncIterator[str]:
        _open[caller.id] += 1
        try:
            yield "retry: 2000\n\n"
            async with aclosing(stream.follow(last_event_id)) as batches:
                async for events in batches:
                    if not events and not await valid():
                        return
                    wanted = [
                        StreamedEvent.of(event).text() for event in events if query.has(event)
                    ]
                    yield "".join(wanted) or ": all sent\n\n"
        finally:
            _open[caller.id] -= 1
            if not _open[caller.id]:
                del _open[caller.id]

    return EventSource(texts(), headers=UNHINDERED)
