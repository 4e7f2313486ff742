"""The dashboard: a live, searched, filtered and sorted list of tasks."""

from dataclasses import dataclass
from typing import Any, ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.errors import OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import TaskStatus
from opendeep_app.repositories import tasks
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.runtime import deps
from opendeep_app.services import tasks as task_service
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import TaskRow, task_row, text_of

PAGE = 50
MOST = 200

#: The chips: what they are called and which statuses they let through.
FILTERS: dict[str, tuple[str, tuple[TaskStatus, ...]]] = {
    "all": ("All", ()),
    "needs-you": ("Needs you", (TaskStatus.PENDING_USER_INFO,)),
    "live": ("Live", (TaskStatus.IN_PROGRESS, TaskStatus.PENDING_ANALYSIS)),
    "scheduled": ("Scheduled", (TaskStatus.PENDING, TaskStatus.RETRY_SCHEDULED)),
    "on-hold": ("On hold", (TaskStatus.ON_HOLD,)),
    "completed": ("Completed", (TaskStatus.COMPLETED,)),
    "failed": ("Failed", (TaskStatus.FAILED,)),
    "cancelled": ("Cancelled", (TaskStatus.CANCELLED,)),
}
SORTS = {
    Sort.NEWEST: "Newest first",
    Sort.RECENTLY_CHANGED: "Recently changed",
    Sort.HIGHEST_PRIORITY: "Highest priority",
    Sort.OLDEST: "Oldest first",
}
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
    label: str = "All"
    count: int = 0


class TasksState(LiveState, rx.State):
    """What the dashboard shows; `limit` grows by a page with every "load more"."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.TASK, Topic.INFO_REQUEST})

    loaded: bool = False
    rows: list[TaskRow] = []
    filters: list[FilterRow] = [FilterRow()]
    total: int = 0
    everything: int = 0
    server_now: str = ""
    chosen: str = "all"
    text: str = ""
    sort: str = Sort.NEWEST.value
    limit: int = PAGE

    @rx.var
    def more(self) -> bool:
        """Whether a further page can be loaded."""
        return self.total > len(self.rows) and self.limit < MOST

    @rx.event
    async def load(self) -> None:
        """Begins to follow the viewer's tasks."""
        user = await viewer(self)
        if user is None:
            return
        tabs.add(self.router.session.client_token, user.id, TasksState)
        query = self.router.url.query_parameters
        if query.get("status") in FILTERS:
            self.chosen = query["status"]
        await self.refresh()

    @rx.event
    async def choose(self, key: str) -> None:
        """Filters by status."""
        self.chosen, self.limit = (key if key in FILTERS else "all"), PAGE
        await self.refresh()

    @rx.event
    async def search(self, text: str) -> None:
        """Filters by words or digits."""
        self.text, self.limit = text[:200], PAGE
        await self.refresh()

    @rx.event
    async def order(self, sort: str) -> None:
        """Sorts."""
        self.sort = sort if sort in {s.value for s in Sort} else Sort.NEWEST.value
        await self.refresh()

    @rx.event
    async def clear(self) -> None:
        """Takes every filter away."""
        self.chosen, self.text, self.limit = "all", "", PAGE
        await self.refresh()

    @rx.event
    async def load_more(self) -> None:
        """One page more."""
        self.limit = min(self.limit + PAGE, MOST)
        await self.refresh()

    @rx.event
    async def try_it(self) -> Any:
        """Starts the sample task on the practice line."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        if not deps().settings.practice:
            return rx.toast.error("The practice line is off, so this would ring a real phone.")
        try:
            async with deps().db.unit_of_work() as uow:
                task = await task_service.create(uow, user.id, SAMPLE)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        return rx.redirect(f"/tasks/{task.id}")

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the list again with the present filters."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self.rows, self.filters, self.total = [], [FilterRow()], 0
                return
            query = TaskQuery(
                statuses=FILTERS[self.chosen][1],
                text=self.text,
                sort=Sort(self.sort),
                limit=self.limit,
            )
            page = await tasks.details(session, user.id, query)
        counts = await deps().cache.status_counts(user.id)
        self.rows = [task_row(detail) for detail in page.items]
        self.total = await deps().cache.total(user.id, query)
        self.everything = sum(counts.values())
        self.filters = [
            FilterRow(
                key, label, sum(counts.get(s, 0) for s in statuses) if statuses else self.everything
            )
            for key, (label, statuses) in FILTERS.items()
        ]
        self.server_now = text_of(deps().clock())
        self.loaded = True
