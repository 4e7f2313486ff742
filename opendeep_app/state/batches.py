"""Acting on many tasks: what is chosen, what would happen, how far it is, and taking it back."""

from collections.abc import AsyncIterator
from typing import Any

import reflex as rx

from opendeep_app.errors import InvalidInput
from opendeep_app.repositories import task_list
from opendeep_app.repositories.tasks import TaskQuery
from opendeep_app.runtime import deps
from opendeep_app.services import batches
from opendeep_app.services.batches import CHUNK, Action, Before, Done
from opendeep_app.services.rules import hours_wish, rules_of, stored
from opendeep_app.state.access import viewer
from opendeep_app.state.rows import tasks_in_words
from opendeep_app.state.rules import hours_of, usual_days
from opendeep_app.state.tasks import TasksState
from opendeep_app.theme import STATUS
from opendeep_app.words import _

#: The action's name, the same for so many tasks, and what happens to them.
WORDS: dict[Action, tuple[str, str, str]] = {
    Action.HOLD: (
        _("Hold"),
        _("Hold {tasks}"),
        _("will not be called until you resume them"),
    ),
    Action.RESUME: (
        _("Resume"),
        _("Resume {tasks}"),
        _("will be called again, as soon as calling hours allow"),
    ),
    Action.CALL_NOW: (
        _("Call now"),
        _("Call {tasks} now"),
        _("will be called as soon as calling hours allow"),
    ),
    Action.HOURS: (
        _("Change hours"),
        _("Change the hours of {tasks}"),
        _("will be called only in the hours below"),
    ),
    Action.CANCEL: (
        _("Cancel"),
        _("Cancel {tasks}"),
        _("will be ended; a call that is going on is hung up"),
    ),
}
MOST_CHOSEN = 200


class BatchState(rx.State):
    """The selection and what is being done with it."""

    chosen: list[str] = []
    #: Not the chosen ones but all that match the list's filters.
    all_matching: bool = False
    #: The action whose consequences are shown; empty when none is.
    action: str = ""
    title: str = ""
    changes: list[str] = []
    skips: list[str] = []
    will_change: int = 0
    #: The hours that hold where none are chosen, by day, and what is wrong with those chosen.
    usual: dict[str, str] = {}
    errors: dict[str, str] = {}
    running: bool = False
    progress: int = 0
    #: What was done last and can still be taken back.
    done_words: str = ""
    undoable: bool = False
    _done_action: Action | None = None
    _done: dict[str, Before] = {}

    @rx.event
    def toggle(self, task_id: str) -> None:
        """Chooses a task, or no longer."""
        self.all_matching = False
        if task_id in self.chosen:
            self.chosen = [one for one in self.chosen if one != task_id]
        elif len(self.chosen) < MOST_CHOSEN:
            self.chosen = [*self.chosen, task_id]

    @rx.event
    async def choose_shown(self) -> None:
        """Chooses every task that the tab holds."""
        rows = (await self.get_state(TasksState)).rows
        self.chosen = [row.id for row in rows][:MOST_CHOSEN]

    @rx.event
    def choose_matching(self) -> None:
        """Chooses all that match, shown or not."""
        self.all_matching = True

    @rx.event
    def choose_none(self) -> None:
        """Ends choosing."""
        self.chosen, self.all_matching, self.action = [], False, ""

    @rx.event
    async def propose(self, action: str) -> None:
        """Shows what the action would do."""
        user = await viewer(self)
        if user is None or action not in set(Action):
            return
        query, ids = await self._scope()
        async with deps().db.reading() as session:
            counts = await task_list.counts(session, user.id, query, ids)
            rules = await rules_of(session, deps().db.policy, user.id)
        self.usual, self.errors = usual_days(rules.hours(None)), {}
        found = batches.preview(Action(action), counts)
        _name, title, consequence = WORDS[Action(action)]
        self.action, self.will_change, self.progress = action, found.total, 0
        self.title = title.format(tasks=tasks_in_words(found.total))
        self.changes = [f"{tasks_in_words(found.total)} {consequence}."] if found.total else []
        self.skips = [f"{n:,} · {STATUS[status].label}" for status, n in found.skipped.items()]

    @rx.event
    def put_off(self) -> None:
        """Does not do it."""
        self.action = ""

    @rx.event(background=True)
    async def go(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Does it, a few tasks at a time, and says how far it is."""
        async with self:
            user = await viewer(self)
            if user is None or self.running or not self.will_change:
                return
            action = Action(self.action)
            try:
                hours = stored(hours_wish(hours_of(form))) if action is Action.HOURS else None
            except InvalidInput as error:
                self.errors = {error.field: error.message}
                return
            query, chosen = await self._scope()
            self.running, self.progress = True, 0
            wanted = self.will_change
        yield
        done = Done()
        async for done in batches.carry_out(deps().db, user.id, action, query, chosen, hours):
            async with self:
                self.progress = min(99, 100 * len(done.changed) // max(1, wanted))
        async with self:
            self.running, self.action, self.chosen, self.all_matching = False, "", [], False
            self._done_action, self._done = action, done.changed
            self.undoable = bool(done.changed) and batches.undoable(action)
            refused = ""
            if done.refused:
                refused = " " + _("{tasks} could not: {reason}").format(
                    tasks=tasks_in_words(len(done.refused)), reason=done.refused[0]
                )
            self.done_words = (
                _("{action}: {tasks} done.").format(
                    action=WORDS[action][0], tasks=tasks_in_words(len(done.changed))
                )
                + refused
            )

    @rx.event(background=True)
    async def undo(self) -> None:
        """Takes back what was done last."""
        async with self:
            user = await viewer(self)
            action, done = self._done_action, list(self._done.items())
            self._forget()
            if user is None or action is None:
                return
        count = 0
        for start in range(0, len(done), CHUNK):
            async with deps().db.unit_of_work() as uow:
                count += await batches.undo(uow, user.id, action, dict(done[start : start + CHUNK]))
        async with self:
            self.done_words = _("Taken back for {tasks}.").format(tasks=tasks_in_words(count))

    @rx.event
    def forget(self) -> None:
        """The moment to take it back is over."""
        self._forget()

    def _forget(self) -> None:
        self.done_words, self.undoable, self._done_action, self._done = "", False, None, {}

    async def _scope(self) -> tuple[TaskQuery, list[str] | None]:
        """What is chosen: a query, and the ids within it unless all that match are meant."""
        if not self.all_matching:
            return TaskQuery(), list(self.chosen)
        return (await self.get_state(TasksState)).query(), None
