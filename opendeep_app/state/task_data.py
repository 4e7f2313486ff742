"""Taking everything away that is kept of the task on the page, and erasing it."""

import json
from typing import Any

import reflex as rx

from opendeep_app.errors import OpenDeepError
from opendeep_app.runtime import deps
from opendeep_app.services import task_data
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.words import _


class TaskDataState(rx.State):
    """The buttons of the task page; erasing asks first."""

    asking: bool = False

    @rx.event
    def ask(self) -> None:
        """Says what erasing means."""
        self.asking = True

    @rx.event
    def put_off(self) -> None:
        """Does not erase."""
        self.asking = False

    @rx.event
    async def export(self) -> Any:
        """Everything that is kept, as a file."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        task_id = self._task_id()
        try:
            async with deps().db.reading() as session:
                found = await task_data.export(session, user.id, task_id)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        text = json.dumps(found, indent=2, ensure_ascii=False)
        return rx.download(data=text, filename=f"opendeep-task-{task_id}.json")

    @rx.event
    async def erase(self) -> Any:
        """Erases the task for good."""
        user = await viewer(self)
        self.asking = False
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await task_data.erase(uow, user.id, self._task_id())
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        return [rx.toast.success(_("The task is erased.")), rx.redirect("/")]

    def _task_id(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
