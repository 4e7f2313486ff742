"""One task: its timeline, its calls as they happen, and what the creator can do."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import Call, InfoRequest, Task, TaskStatus
from opendeep_app.repositories import calls, findings, info_requests, task_events, tasks
from opendeep_app.repositories.tasks import CallDetail, TaskDetail
from opendeep_app.runtime import deps
from opendeep_app.services import live_calls, moving, phone_numbers
from opendeep_app.services import tasks as task_service
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.calls import (
    INLINE,
    AttemptRow,
    CallView,
    SaidRow,
    attempt_row,
    call_view,
    said_rows,
)
from opendeep_app.state.rows import (
    EventRow,
    QuestionRow,
    TaskRow,
    call_row,
    event_row,
    question_row,
    task_row,
    text_of,
    who,
)
from opendeep_app.state.schedule import ScheduleRow, read_schedule
from opendeep_app.state.task_events import KINDS, EventView, event_view, types_of
from opendeep_app.words import _

Action = Callable[[UnitOfWork, str, str], Awaitable[Any]]

#: How much of a long history and of a live conversation is shown until more is asked for.
EVENTS = 60
LINES = 80
EVERYTHING = 10_000


class TaskState(LiveState, rx.State):
    """What the task page shows. Only the open attempt is loaded with what was said on it."""

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
    can_reopen: bool = False
    schedule: ScheduleRow = ScheduleRow()
    attempts: list[AttemptRow] = []
    #: The open attempt; its id is empty when all are closed.
    call: CallView = CallView()
    said: list[SaidRow] = []
    #: Lines of the open attempt before those in `said`.
    unsaid: int = 0
    events: list[EventRow] = []
    #: Events before those in `events`, by the present filters.
    earlier: int = 0
    #: Of which call and of which kind events are shown; empty for all.
    zoom: str = ""
    kind: str = ""
    looked: EventView = EventView()
    #: The event that the address points at.
    wanted: int = 0
    questions: list[QuestionRow] = []
    server_now: str = ""
    #: What can be taken back for a moment, in words.
    undoable: str = ""
    note_error: str = ""
    _task_id: str = ""
    #: None follows the newest attempt; empty text means that all were closed.
    _open: str | None = None
    _lines: int = LINES
    _events: int = EVENTS
    _undo: str = ""
    _due_at: datetime | None = None

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

    # What is shown

    @rx.event
    async def open_call(self, call_id: str) -> None:
        """Opens an attempt, or closes it."""
        self._open, self._lines = ("" if call_id == self.call.id else call_id), LINES
        await self.refresh()

    @rx.event
    async def show_all_said(self) -> None:
        """The whole conversation of the open attempt."""
        self._lines = EVERYTHING
        await self.refresh()

    @rx.event
    async def show_earlier(self) -> None:
        """The whole history."""
        self._events = EVERYTHING
        await self.refresh()

    @rx.event
    async def zoom_to(self, call_id: str) -> None:
        """The events of one attempt, or of all."""
        self.zoom, self._events = call_id, EVENTS
        await self.refresh()

    @rx.event
    async def choose_kind(self, kind: str) -> None:
        """The events of one kind; choosing it again shows all."""
        self.kind, self._events = ("" if kind == self.kind or kind not in KINDS else kind), EVENTS
        await self.refresh()

    @rx.event
    async def look_into(self, sequence: int) -> None:
        """What stands behind an event; looking again closes it."""
        self.looked = (
            EventView() if sequence == self.looked.sequence else await self._look(sequence)
        )

    @rx.event
    async def point_at(self, sequence: str) -> None:
        """Shows an event that an address names, whatever the filters hide."""
        if not sequence.isdecimal() or len(sequence) > 6:
            return
        self.looked = await self._look(int(sequence))
        self.wanted = self.looked.sequence
        if self.wanted and self.wanted not in {event.sequence for event in self.events}:
            self.zoom, self.kind, self._events = "", "", EVERYTHING
            await self.refresh()

    async def _look(self, sequence: int) -> EventView:
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            task = await tasks.get(session, user.id, self._task_id) if user else None
            event = await task_events.get(session, task.id, sequence) if task else None
        return event_view(event) if event else EventView()

    # What the creator does

    @rx.event
    async def call_now(self) -> Any:
        """Brings the next call forward."""
        return await self._act(moving.call_now)

    @rx.event
    async def hold(self) -> Any:
        """No further calls until resumed."""
        return await self._stop(task_service.hold, "resume", _("On hold: no further calls."))

    @rx.event
    async def resume(self) -> Any:
        """Takes a held task up again."""
        return await self._act(task_service.resume)

    @rx.event
    async def cancel(self) -> Any:
        """Ends the task."""
        return await self._stop(task_service.cancel, "reopen", _("Cancelled."))

    @rx.event
    async def reopen(self) -> Any:
        """Takes a cancelled task up again."""
        return await self._act(task_service.reopen)

    @rx.event
    async def undo(self) -> Any:
        """Takes the last hold or cancellation back, to the time the call was due."""
        service = {"resume": task_service.resume, "reopen": task_service.reopen}.get(self._undo)
        due_at = self._due_at
        self._forget_undo()
        if service is None:
            return None
        return await self._act(lambda uow, user_id, task_id: service(uow, user_id, task_id, due_at))

    @rx.event
    def forget_undo(self) -> None:
        """The moment to undo is over."""
        self._forget_undo()

    def _forget_undo(self) -> None:
        self.undoable = self._undo = ""
        self._due_at = None

    @rx.event
    async def whisper(self, form: dict[str, Any]) -> Any:
        """Tells the agent something."""
        text, call_id = str(form.get("text", "")), self.call.id
        self.note_error = ""
        done = await self._act(
            lambda uow, user_id, _task: live_calls.whisper(uow, user_id, call_id, text, "web"),
            refused=self._refuse_note,
        )
        if not self.note_error:
            return [rx.set_value("whisper", ""), rx.toast.success(_("The agent has your note."))]
        return done

    def _refuse_note(self, message: str) -> None:
        self.note_error = message

    @rx.event
    async def hang_up(self) -> Any:
        """Ends the live call; the task goes on."""
        call_id = self.call.id
        return await self._act(
            lambda uow, user_id, _task: live_calls.hang_up(uow, user_id, call_id)
        )

    async def _stop(self, action: Action, undo: str, words: str) -> Any:
        due_at = datetime.fromisoformat(self.task.next_at) if self.task.next_at else None
        # A call that is hung up cannot be taken back.
        possible = not self.attempts or not self.attempts[0].live
        done = await self._act(action)
        if done is None and possible:
            self.undoable, self._undo, self._due_at = words, undo, due_at
        return done

    async def _act(self, action: Action, refused: Callable[[str], None] | None = None) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await action(uow, user.id, self._task_id)
        except OpenDeepError as error:
            await self.refresh()
            if refused is None:
                return rx.toast.error(error.message)
            refused(error.message)
            return None
        await self.refresh()
        return None

    # Reading

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the task again, or only what is said when nothing else has changed."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            task = await tasks.get(session, user.id, self._task_id) if user else None
            self.loaded, self.missing = True, task is None
            if task is None:
                self._forget()
                return
            every = await calls.for_task(session, task.id)
            questions = await info_requests.for_task(session, task.id)
            await self._read_call(session, task, every, questions)
            if topics != {Topic.TRANSCRIPT}:
                self._show(task, every, questions)
                self.schedule = await read_schedule(session, task)
                await self._read_events(session, task)
        self.server_now = text_of(deps().clock())

    def _forget(self) -> None:
        self.task, self.call, self.looked = TaskRow(), CallView(), EventView()
        self.events, self.attempts, self.said, self.questions = [], [], [], []

    def _show(self, task: Task, every: list[Call], questions: list[InfoRequest]) -> None:
        details = [CallDetail(call) for call in every]
        self.task = task_row(TaskDetail(task, calls=details, info_requests=questions))
        self.number = phone_numbers.international(task.phone_number)
        self.context, self.time_zone = task.context, task.time_zone
        self.created_at = text_of(task.created_at)
        self.result, self.reason = task.result_summary, task.result_reason
        self.attempts = [
            attempt_row(call_row(detail, task), detail.call) for detail in reversed(details)
        ]
        self.questions = [question_row(request, task) for request in questions]
        self.can_call = task.status.callable
        self.can_hold = not task.status.terminal and task.status is not TaskStatus.ON_HOLD
        self.can_resume = task.status is TaskStatus.ON_HOLD
        self.can_cancel = not task.status.terminal
        self.can_reopen = task.status is TaskStatus.CANCELLED

    async def _read_call(
        self, session: AsyncSession, task: Task, every: list[Call], questions: list[InfoRequest]
    ) -> None:
        newest = every[-1].id if every else ""
        chosen = newest if self._open is None else self._open
        call = next((call for call in every if call.id == chosen), None)
        if call is None:
            self.call, self.said, self.unsaid = CallView(), [], 0
            return
        asked = [question for question in questions if question.call_id == call.id]
        rows = said_rows(
            call,
            await calls.transcript(session, call.id),
            await task_events.of_call(session, call.id, INLINE),
            asked,
            who(task),
            deps().clock(),
        )
        view = call_view(call, asked, await findings.for_call(session, call.id), rows)
        shown = rows[-self._lines :]
        # What is assigned is sent, so only what has changed is assigned.
        if view != self.call:
            self.call = view
        if shown != self.said:
            self.said, self.unsaid = shown, len(rows) - len(shown)

    async def _read_events(self, session: AsyncSession, task: Task) -> None:
        types = types_of(self.kind) if self.kind else ()
        history = await task_events.history(
            session, task.id, self._events, call_id=self.zoom or None, types=types
        )
        rows = [event_row(event) for event in history.events]
        if rows != self.events:
            self.events = rows
        self.earlier = history.total - len(rows)
