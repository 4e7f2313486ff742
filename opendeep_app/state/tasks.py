"""The dashboard: a live, searched, filtered and sorted list of tasks.

The address says what is shown; every control changes the address, and a new address loads the
list. A tab holds a window of the list, whose rows are read again one by one as they change.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.bus import Topic
from opendeep_app.errors import OpenDeepError
from opendeep_app.live import Changes, LiveState, tabs
from opendeep_app.models import TaskStatus
from opendeep_app.repositories import campaigns, saved_views, task_list, tasks
from opendeep_app.repositories.task_list import Glance
from opendeep_app.repositories.tasks import TaskQuery
from opendeep_app.runtime import deps
from opendeep_app.services import saved_views as view_service
from opendeep_app.services import tasks as task_service
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import (
    EventRow,
    LineRow,
    TaskRow,
    event_row,
    glance_row,
    line_row,
    text_of,
    who,
)
from opendeep_app.state.task_filters import STATUSES, Filters
from opendeep_app.state.window import MOST, Window
from opendeep_app.words import _

PAGE = 50
#: Counting what matches stops here; nobody tells 1,000 from 2,000.
MOST_COUNTED = 1000
#: So many tasks at once are read one by one; more are the list anew.
MOST_FOLLOWED = 100
EVENTS, LINES = 5, 3
SAMPLE = task_service.NewTask(
    phone_number="+12025550140",
    contact_name="Bright Smile Dental (practice)",
    goal="Move my dentist appointment to next week, mornings only.",
    context="My name is Sam Carter. The appointment is on Thursday at 3 pm.",
)


@dataclass
class FilterRow:
    """A chip."""

    key: str = "all"
    label: str = _("All")
    count: int = 0
    href: str = "/"
    on: bool = True


@dataclass
class ChoiceRow:
    """Something to choose: a campaign or a saved view."""

    key: str = ""
    label: str = ""
    href: str = "/"
    on: bool = False


@dataclass
class OpenedRow:
    """What an expanded card shows besides: the newest events and the last words."""

    events: list[EventRow] = field(default_factory=list)
    lines: list[LineRow] = field(default_factory=list)
    earlier: int = 0


class TasksState(LiveState, rx.State):
    """What the dashboard shows."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset(Topic)

    loaded: bool = False
    rows: list[TaskRow] = []
    above: bool = False
    below: bool = False
    #: The rows at the ends, by which the browser knows that the list has grown there.
    first: str = ""
    last: str = ""
    chips: list[FilterRow] = [FilterRow()]
    campaigns: list[ChoiceRow] = []
    views: list[ChoiceRow] = []
    total: str = ""
    everything: int = 0
    server_now: str = ""
    text: str = ""
    campaign: str = ""
    created: str = ""
    outcome: str = ""
    needs: str = ""
    sort: str = "-created_at"
    table: bool = False
    narrow: bool = False
    opened: str = ""
    detail: OpenedRow = OpenedRow()
    _filters: Filters = Filters()
    _window: Window = Window()

    @rx.event
    async def load(self) -> None:
        """Shows what the address says, and begins to follow the viewer's tasks."""
        user = await viewer(self)
        if user is None:
            return
        tabs.add(self.router.session.client_token, user.id, TasksState)
        filters = Filters.of(self.router.url.query_parameters)
        if filters != self._filters:
            self._show(filters)
        await self.refresh()

    @rx.event
    def search(self, text: str) -> Any:
        """Filters by words or digits."""
        return rx.redirect(self._filters.address(q=text.strip()), replace=True)

    @rx.event
    def choose(self, name: str, value: str) -> Any:
        """Changes a filter, the order or the view."""
        if name in ("campaign", "created", "outcome", "needs", "sort", "view"):
            return rx.redirect(self._filters.address(**{name: value}))
        return None

    @rx.event
    def clear(self) -> Any:
        """Takes every filter away."""
        return rx.redirect(Filters(sort=self.sort, view=self._filters.view).address())

    @rx.event
    async def further(self) -> None:
        """Reads on below."""
        if self.below:
            await self._extend(backwards=False)

    @rx.event
    async def back(self) -> None:
        """Reads on above, where rows were given up."""
        if self.above:
            await self._extend(backwards=True)

    @rx.event
    async def expand(self, task_id: str) -> None:
        """Opens a card, or closes it."""
        self.opened = "" if task_id == self.opened else task_id
        self.detail = OpenedRow()
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is not None:
                await self._read_detail(session, user.id)

    @rx.event
    def gone(self, task_id: str) -> None:
        """A row that matches no more has been seen leaving."""
        self.rows = [row for row in self.rows if not (row.leaving and row.id == task_id)]

    @rx.event
    async def save_view(self, form: dict[str, Any]) -> Any:
        """Gives the present view a name."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                name = str(form.get("name", ""))
                await view_service.save(uow, user.id, name, self._filters.search())
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        await self.refresh()
        return rx.toast.success(_("View saved."))

    @rx.event
    async def remove_view(self, view_id: str) -> Any:
        """Forgets a saved view."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        async with deps().db.unit_of_work() as uow:
            await view_service.remove(uow, user.id, view_id)
        await self.refresh()
        return None

    @rx.event
    async def try_it(self) -> Any:
        """Starts the sample task on the practice line."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        if not deps().settings.practice:
            return rx.toast.error(_("The practice line is off, so this would ring a real phone."))
        try:
            async with deps().db.unit_of_work() as uow:
                task = await task_service.create(uow, user.id, SAMPLE)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        return rx.redirect(f"/tasks/{task.id}")

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the window again, as long as it is and where it begins."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self._show(Filters())
                self.chips, self.campaigns, self.views = [FilterRow()], [], []
                return
            length = min(max(PAGE, len(self._window.places)), MOST)
            query = self._filters.query(deps().clock(), length)
            begin = self._window.places[0] if self.above and self._window.places else None
            # The first row itself belongs to it: read from just before.
            read = await task_list.stretch(session, user.id, query, begin, including=True)
            self._window = Window(above=self.above).further(query, read)
            self._put(read.items)
            await self._read_detail(session, user.id)
            self.campaigns = [
                ChoiceRow(one.id, one.name)
                for one in await campaigns.of_user(session, user.id, MOST)
            ]
            here = self._filters.search()
            self.views = [
                ChoiceRow(one.id, one.name, f"/?{one.query}", one.query == here)
                for one in await saved_views.of_user(session, user.id, view_service.MOST)
            ]
        await self._count(user.id)
        self.loaded = True

    async def follow(self, changes: Changes) -> None:
        """Reads again only the tasks that have changed."""
        ids = {task_id for task_id in changes.task_ids if task_id}
        if changes.topics == {Topic.TRANSCRIPT}:
            ids &= {self.opened}
            if not ids:
                return
        if None in changes.task_ids or len(ids) > MOST_FOLLOWED or not self.loaded:
            await self.refresh()
            return
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                await self.refresh()
                return
            query = self._filters.query(deps().clock(), PAGE)
            now = await task_list.those(session, user.id, query, ids)
            before = self._window
            self._window = before.changed(query, ids, now)
            self._put(now, leaving=ids & set(before.ids) - {glance.task.id for glance in now})
            if self.opened in ids:
                await self._read_detail(session, user.id)
        await self._count(user.id)

    def query(self) -> TaskQuery:
        """What is shown, as a query."""
        return self._filters.query(deps().clock())

    async def _extend(self, *, backwards: bool) -> None:
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None or not self._window.places:
                return
            query = self._filters.query(deps().clock(), PAGE)
            end = self._window.places[0 if backwards else -1]
            read = await task_list.stretch(session, user.id, query, end, backwards=backwards)
        grow = self._window.back if backwards else self._window.further
        self._window = grow(query, read)
        self._put(read.items)

    def _show(self, filters: Filters) -> None:
        """Begins a new view at its top."""
        self._filters, self._window = filters, Window()
        self.rows, self.above, self.below = [], False, False
        self.opened, self.detail = "", OpenedRow()
        self.text, self.campaign, self.created = filters.q, filters.campaign, filters.created
        self.outcome, self.needs, self.sort = filters.outcome, filters.needs, filters.sort
        self.table, self.narrow = filters.view == "table", filters.narrow

    def _put(self, read: list[Glance], leaving: set[str] | None = None) -> None:
        """Makes the rows those of the window, from the ones there are and those just read.

        Those that leave stay where they are until they were seen leaving.
        """
        known = {row.id: row for row in self.rows if not row.leaving}
        known |= {glance.task.id: glance_row(glance) for glance in read}
        rows = [known[task_id] for task_id in self._window.ids if task_id in known]
        for index, row in enumerate(self.rows):
            if leaving and row.id in leaving and not row.leaving:
                rows.insert(min(index, len(rows)), replace(row, leaving=True))
        self.rows = rows
        self.above, self.below = self._window.above, self._window.below
        self.first, self.last = (rows[0].id, rows[-1].id) if rows else ("", "")
        self.server_now = text_of(deps().clock())

    async def _read_detail(self, session: AsyncSession, user_id: str) -> None:
        if not self.opened:
            return
        task, events, lines = await task_list.opened(session, user_id, self.opened, EVENTS, LINES)
        if task is None:
            self.opened = ""
            return
        self.detail = OpenedRow(
            events=[event_row(event) for event in events],
            lines=[line_row(line, who(task)) for line in lines],
            earlier=task.event_count - len(events),
        )

    async def _count(self, user_id: str) -> None:
        filters, now = self._filters, deps().clock()
        counts = await deps().cache.status_counts(user_id)
        self.everything = sum(counts.values())
        if filters.narrow:
            query = filters.query(now, 1)
            total = await deps().cache.get(
                user_id,
                ("some", query),
                lambda session: tasks.count(session, user_id, query, MOST_COUNTED),
            )
        else:
            total = self.everything
        capped = filters.narrow and total == MOST_COUNTED
        self.total = f"{total:,}+" if capped else f"{total:,}"
        all_of = FilterRow(
            "all", _("All"), self.everything, filters.address(status=()), not filters.status
        )
        self.chips = [all_of, *(_chip(key, filters, counts) for key in STATUSES)]


def _chip(key: str, filters: Filters, counts: dict[TaskStatus, int]) -> FilterRow:
    label, statuses = STATUSES[key]
    count = sum(counts.get(status, 0) for status in statuses)
    return FilterRow(key, label, count, filters.toggled(key), key in filters.status)
