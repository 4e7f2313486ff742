"""One task: its timeline, its calls as they happen, and what the creator can do."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import Task, TaskStatus
from opendeep_app.repositories import tasks
from opendeep_app.runtime import deps
from opendeep_app.services import phone_numbers
from opendeep_app.services import tasks as task_service
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import (
    CallRow,
    EventRow,
    QuestionRow,
    TaskRow,
    call_row,
    event_row,
    question_row,
    task_row,
    text_of,
)

Action = Callable[[UnitOfWork, str, str], Awaitable[Task]]


class TaskState(LiveState, rx.State):
    """What the task page shows."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset(Topic)

    loaded: bool = False
    missing: bool = False
    task: TaskRow = TaskRow()
    number: str = ""
    context: str = ""
    time_zone: str = ""
    created_at: str = ""
    result: str = ""
    reason: str = ""
    can_call: bool = False
    can_hold: bool = False
    can_resume: bool = False
    can_cancel: bool = False
    events: list[EventRow] = []
    calls: list[CallRow] = []
    questions: list[QuestionRow] = []
    server_now: str = ""
    _task_id: str = ""

    @rx.event
    async def load(self) -> None:
        """Begins to follow the task of the address."""
        user = await viewer(self)
        if user is None:
            return
        task_id = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        if task_id != self._task_id:
            self.reset()  # type: ignore[no-untyped-call]
            self._task_id = task_id
        tabs.add(self.router.session.client_token, user.id, TaskState, task_id)
        await self.refresh()

    @rx.event
    async def call_now(self) -> Any:
        """Brings the next call forward."""
        return await self._act(task_service.call_now)

    @rx.event
    async def hold(self) -> Any:
        """No further calls until resumed."""
        return await self._act(task_service.hold)

    @rx.event
    async def resume(self) -> Any:
        """Takes a held task up again."""
        return await self._act(task_service.resume)

    @rx.event
    async def cancel(self) -> Any:
        """Ends the task."""
        return await self._act(task_service.cancel)

    async def _act(self, action: Action) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await action(uow, user.id, self._task_id)
        except OpenDeepError as error:
            await self.refresh()
            return rx.toast.error(error.message)
        await self.refresh()
        return None

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the task again."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            detail = await tasks.get_detail(session, user.id, self._task_id) if user else None
        self.loaded, self.missing = True, detail is None
        if detail is None:
            self.task, self.events, self.calls, self.questions = TaskRow(), [], [], []
            return
        task = detail.task
        self.task = task_row(detail)
        self.number = phone_numbers.international(task.phone_number)
        self.context, self.time_zone = task.context, task.time_zone
        self.created_at = text_of(task.created_at)
        self.result, self.reason = task.result_summary, task.result_reason
        self.events = [event_row(event) for event in detail.events]
        self.calls = [call_row(call, task) for call in reversed(detail.calls)]
        self.questions = [question_row(request, task) for request in detail.info_requests]
        self.can_call = task.status.callable
        self.can_hold = not task.status.terminal and task.status is not TaskStatus.ON_HOLD
        self.can_resume = task.status is TaskStatus.ON_HOLD
        self.can_cancel = not task.status.terminal
        self.server_now = text_of(deps().clock())
