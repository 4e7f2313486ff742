"""From notices to tabs: each web process listens once and updates the tabs that its sockets hold.

A tab is registered with its owner's id by a page loader, after the session was checked, and
every update checks the session again. A notice carries ids only; what a tab is sent is read
from the database on behalf of the tab's own viewer.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import ClassVar

import reflex as rx
import structlog

from opendeep_app.bus import Notice, Topic
from opendeep_app.runtime import deps

log = structlog.get_logger()

#: Updates of one tab are at least this far apart; what comes meanwhile is merged. A question
#: does not wait.
QUIET_SECONDS = 0.25


@dataclass(frozen=True)
class Changes:
    """What has happened since a view was last read."""

    topics: frozenset[Topic] = frozenset()
    task_ids: frozenset[str | None] = frozenset()

    def with_notice(self, notice: Notice) -> "Changes":
        """And this as well; a notice without a task concerns them all."""
        return Changes(self.topics | {notice.topic}, self.task_ids | {notice.task_id})


class LiveState(rx.State, mixin=True):
    """A page's state that follows notices of these topics."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset()
    #: A tab that nobody sees is not updated, but for what calls its person.
    WHEN_HIDDEN: ClassVar[bool] = False

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads again what the tab shows, for the tab's own viewer; `topics` says what changed."""
        raise NotImplementedError

    async def follow(self, changes: Changes) -> None:
        """Brings what the tab shows up to date; a view of many things may read less than all."""
        await self.refresh(changes.topics)


@dataclass
class Tab:
    """One open page: what it shows, and of which task (None: of all the viewer's tasks)."""

    token: str
    user_id: str
    views: dict[type[LiveState], str | None] = field(default_factory=dict)
    stale: dict[type[LiveState], Changes] = field(default_factory=dict)
    hidden: bool = False
    updating: asyncio.Task[None] | None = None
    urgent: asyncio.Event = field(default_factory=asyncio.Event)

    def touch(self, notice: Notice) -> bool:
        """Notes which views the notice makes stale; False when it concerns none."""
        for view, task_id in self.views.items():
            if self.hidden and not view.WHEN_HIDDEN:
                continue
            if notice.topic in view.TOPICS and task_id in (None, notice.task_id):
                self.stale[view] = self.stale.get(view, Changes()).with_notice(notice)
        if self.stale and notice.topic is Topic.INFO_REQUEST:
            self.urgent.set()
        return bool(self.stale)

    def turn(self) -> dict[type[LiveState], Changes]:
        """What is brought up to date next: a question alone, so that nothing is read before it."""
        calling = {
            view: changes
            for view, changes in self.stale.items()
            if view.WHEN_HIDDEN and Topic.INFO_REQUEST in changes.topics
        }
        turn = calling or self.stale
        self.stale = {v: changes for v, changes in self.stale.items() if v not in turn}
        return turn


class Tabs:
    """The tabs of this process, by owner."""

    def __init__(self) -> None:
        self._by_token: dict[str, Tab] = {}
        self._by_user: dict[str, set[str]] = defaultdict(set)

    def enter(self, token: str, user_id: str) -> None:
        """The tab has opened a page of this user's; what it shows is added by its loaders."""
        self.forget(token)
        self._by_token[token] = Tab(token, user_id)
        self._by_user[user_id].add(token)

    def add(
        self, token: str, user_id: str, view: type[LiveState], task_id: str | None = None
    ) -> None:
        """The tab's page shows this view, of one task if `task_id` is given."""
        tab = self._by_token.get(token)
        if tab is None or tab.user_id != user_id:
            self.enter(token, user_id)
            tab = self._by_token[token]
        tab.views[view] = task_id

    def hide(self, token: str) -> None:
        """Nobody sees the tab until it enters a page again, which its return does."""
        if tab := self._by_token.get(token):
            tab.hidden = True

    def forget(self, token: str) -> None:
        """The tab is closed or signed out."""
        tab = self._by_token.pop(token, None)
        if tab is None:
            return
        self._by_user[tab.user_id].discard(token)
        if not self._by_user[tab.user_id]:
            del self._by_user[tab.user_id]

    def of(self, user_id: str) -> list[Tab]:
        """The user's tabs."""
        return [self._by_token[token] for token in self._by_user.get(user_id, ())]

    def current(self, tab: Tab) -> bool:
        """Whether the tab still shows what it was registered with."""
        return self._by_token.get(tab.token) is tab

    def __len__(self) -> int:
        return len(self._by_token)


tabs = Tabs()


async def follow(app: rx.App) -> None:
    """Passes every notice on to its owner's tabs, for as long as the process runs."""

    def hear(notice: Notice) -> None:
        for tab in tabs.of(notice.user_id):
            if tab.touch(notice) and (tab.updating is None or tab.updating.done()):
                tab.updating = asyncio.create_task(_update(app, tab))

    with deps().bus.hearing(hear):
        await asyncio.Event().wait()


async def _update(app: rx.App, tab: Tab) -> None:
    namespace = app.event_namespace
    while tab.stale:
        if not tabs.current(tab):
            return
        if namespace is None or tab.token not in namespace.token_to_sid:
            tabs.forget(tab.token)
            return
        stale = tab.turn()
        tab.urgent.clear()
        began = time.monotonic()
        try:
            async with app.modify_state(rx.BaseStateToken(ident=tab.token, cls=rx.State)) as root:
                for view, changes in stale.items():
                    await (await root.get_state(view)).follow(changes)
        except Exception:
            # The tab re-reads on its own heartbeat; one tab's trouble must not stop the others.
            log.exception("tab_update_failed", user_id=tab.user_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, QUIET_SECONDS - (time.monotonic() - began))):
                await tab.urgent.wait()
