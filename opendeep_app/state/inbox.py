"""The page of all questions: what waits for an answer, and page by page what was settled."""

from typing import ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import InfoRequestStatus
from opendeep_app.models.info_requests import ANSWERED
from opendeep_app.repositories import info_requests
from opendeep_app.runtime import deps
from opendeep_app.state.access import viewer
from opendeep_app.state.info_requests import question_rows
from opendeep_app.state.rows import QuestionRow

PAGE = 20
TO_ANSWER = "waiting"
SETTLED = {
    "answered": ANSWERED,
    "expired": (InfoRequestStatus.EXPIRED, InfoRequestStatus.CANCELLED),
}


class InboxState(LiveState, rx.State):
    """The inbox; what waits for an answer is `QuestionState.waiting`."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.INFO_REQUEST})

    loaded: bool = False
    #: What is shown: TO_ANSWER or a key of SETTLED.
    shown: str = TO_ANSWER
    settled: list[QuestionRow] = []
    more: bool = False
    #: The last question of every page before this one.
    passed: list[str] = []

    @rx.event
    async def load(self) -> None:
        """Reads the inbox."""
        user = await viewer(self)
        if user is None:
            return
        tabs.add(self.router.session.client_token, user.id, InboxState)
        await self.refresh()

    @rx.event
    async def show(self, which: str) -> None:
        """Turns to another kind of questions."""
        self.shown, self.passed = which, []
        await self.refresh()

    @rx.event
    async def older(self) -> None:
        """Turns a page."""
        self.passed = [*self.passed, self.settled[-1].id]
        await self.refresh()

    @rx.event
    async def newer(self) -> None:
        """Turns a page back."""
        self.passed = self.passed[:-1]
        await self.refresh()

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the page of settled questions that is shown."""
        statuses = SETTLED.get(self.shown, ())
        before = self.passed[-1] if self.passed else ""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None or not statuses:
                rows = []
            else:
                recent = await info_requests.recent(session, user.id, PAGE + 1, statuses, before)
                rows = await question_rows(session, recent)
        self.settled, self.more = rows[:PAGE], len(rows) > PAGE
        self.loaded = True
