"""What the command palette finds among the viewer's tasks."""

import reflex as rx

from opendeep_app.repositories import task_list
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.runtime import deps
from opendeep_app.state.access import viewer
from opendeep_app.state.rows import TaskRow, glance_row
from opendeep_app.state.task_filters import LONGEST_TEXT

MOST = 8


class PaletteState(rx.State):
    """The tasks that fit what is typed."""

    found: list[TaskRow] = []

    @rx.event
    async def search(self, text: str) -> None:
        """Looks for tasks; a text without words finds none."""
        if not text.strip():
            self.found = []
            return
        query = TaskQuery(text=text[:LONGEST_TEXT], sort=Sort.RECENTLY_CHANGED, limit=MOST)
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            read = await task_list.stretch(session, user.id, query) if user else None
        self.found = [glance_row(glance) for glance in read.items] if read else []
