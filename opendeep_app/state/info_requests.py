"""The agent's questions: the modal on every page, the bell, and the inbox."""

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import Disclosure, FactScope, InfoRequest
from opendeep_app.repositories import calls, info_requests
from opendeep_app.runtime import deps
from opendeep_app.services import facts
from opendeep_app.services import info_requests as questions
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.facts import expiry
from opendeep_app.state.rows import LineRow, QuestionRow, line_row, question_row, text_of
from opendeep_app.words import _

LAST_LINES = 3
MOST_WAITING = 50
#: One tap for who has no answer; the agent reads it as its principal's words.
YOU_DECIDE = "I don't know. You decide, as serves the goal best."
WAYS = {
    "web": _("in another tab"),
    "api": _("through the API"),
    "text": _("by text message"),
    "link": _("through the link in a text message"),
}


class QuestionState(LiveState, rx.State):
    """Questions that want an answer, most urgent first; the modal shows the first not put off."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.INFO_REQUEST, Topic.TRANSCRIPT})
    WHEN_HIDDEN: ClassVar[bool] = True

    waiting: list[QuestionRow] = []
    #: The question in the modal; its id is empty when there is none.
    current: QuestionRow = QuestionRow()
    #: The conversation just before the modal's question.
    heard: list[LineRow] = []
    server_now: str = ""
    error: str = ""
    draft: str = ""
    #: What became of the modal's question when it was settled somewhere else.
    elsewhere: str = ""
    #: Questions put off in this tab; they stay in the inbox.
    later: str = rx.SessionStorage("", name="opendeep_later")
    #: The question whose answer is to be remembered, and how.
    keeping: str = ""
    keep_scope: str = FactScope.CONTACT.value
    keep_disclosure: str = Disclosure.SAY_FREELY.value
    keep_lasting: str = ""

    @rx.var
    def pending_count(self) -> int:
        """The number on the bell."""
        return len(self.waiting)

    @rx.var
    def asking(self) -> str:
        """The questions of live calls, which call the creator."""
        return " ".join(row.id for row in self.waiting if row.phase == "open")

    @rx.var
    def behind(self) -> int:
        """How many more wait behind the modal's question."""
        return max(0, len(self._not_put_off()) - 1)

    @rx.event
    async def load(self) -> None:
        """Reads the questions; also the heartbeat that heals a lost push."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                return
            tabs.add(self.router.session.client_token, user.id, QuestionState)
            await self._read(session, user.id)

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the questions again after a notice."""
        if topics == {Topic.TRANSCRIPT} and not self.current.id:
            return
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self.waiting, self.heard, self.current = [], [], QuestionRow()
                return
            await self._read(session, user.id)

    @rx.event
    def set_draft(self, text: str) -> None:
        """Knows that an answer is being typed, which no other question may interrupt."""
        self.draft = text

    @rx.event
    def keep(self, question_id: str, wanted: bool) -> None:
        """Makes the coming answer a fact, or does not."""
        self.keeping = question_id if wanted else ""
        self.keep_scope, self.keep_lasting = FactScope.CONTACT.value, ""
        self.keep_disclosure = Disclosure.SAY_FREELY.value

    @rx.event
    def set_keep_scope(self, scope: str) -> None:
        """Where it is used."""
        self.keep_scope = scope

    @rx.event
    def set_keep_disclosure(self, disclosure: str) -> None:
        """What the agent may do with it."""
        self.keep_disclosure = disclosure

    @rx.event
    def set_keep_lasting(self, lasting: str) -> None:
        """For how long."""
        self.keep_lasting = lasting

    @rx.event
    async def answer(self, form: dict[str, Any]) -> Any:
        """Gives the typed answer."""
        return await self._answer(str(form.get("id", "")), str(form.get("answer", "")))

    @rx.event
    async def suggest(self, question_id: str, text: str) -> Any:
        """Gives a suggested answer."""
        return await self._answer(question_id, text)

    @rx.event
    def put_off(self) -> None:
        """Closes the modal; the question stays in the inbox."""
        self.later = f"{self.later} {self.current.id}".strip()
        self.draft = ""
        self._choose()

    @rx.event
    def forget_elsewhere(self) -> None:
        """The words about it were shown long enough."""
        self.elsewhere = ""

    @rx.event
    async def more_time(self, question_id: str) -> Any:
        """Asks the recipient to wait a little longer, once."""
        return await self._wish(questions.extend, question_id, _("The agent asks them to wait."))

    @rx.event
    async def postpone(self, question_id: str) -> Any:
        """Lets the recipient go; the question waits in the inbox."""
        self.later = f"{self.later} {question_id}".strip()
        done = _("The agent says goodbye and calls back once you have answered.")
        return await self._wish(questions.postpone, question_id, done)

    async def _wish(
        self,
        service: Callable[[UnitOfWork, str, str], Awaitable[InfoRequest]],
        question_id: str,
        done: str,
    ) -> Any:
        try:
            async with deps().db.unit_of_work() as uow:
                user = await viewer(self, uow.session)
                if user is None:
                    return rx.redirect(SIGN_IN)
                await service(uow, user.id, question_id)
        except OpenDeepError as error:
            await self.refresh()
            return rx.toast.error(error.message)
        await self.refresh()
        return rx.toast.success(done)

    async def _answer(self, question_id: str, text: str) -> Any:
        self.error = ""
        try:
            # Seconds count: who is asking is found out within the transaction.
            async with deps().db.unit_of_work() as uow:
                user = await viewer(self, uow.session)
                if user is None:
                    return rx.redirect(SIGN_IN)
                request = await questions.answer(uow, user.id, question_id, text, via="web")
                late = request.status.value == "ANSWERED_LATE"
                if self.keeping == question_id:
                    await facts.remember_answer(
                        uow,
                        request,
                        FactScope(self.keep_scope),
                        Disclosure(self.keep_disclosure),
                        expiry(self.keep_lasting, uow.now),
                    )
        except OpenDeepError as error:
            self.error = error.message
            await self.refresh()
            return rx.toast.error(error.message) if question_id != self.current.id else None
        self.draft = self.keeping = ""
        # What this tab did itself is no news to it.
        self.current = QuestionRow()
        await self.refresh()
        done = (
            _("Thank you. OpenDeep calls back with your answer.")
            if late
            else _("Your answer is in the call.")
        )
        # What was typed is kept by `assets/answer.jsx` until now.
        typed = f"opendeep:answer:{question_id}"
        return [rx.remove_local_storage(typed), rx.toast.success(done)]

    async def _read(self, session: AsyncSession, user_id: str) -> None:
        requests = await info_requests.pending(session, user_id, MOST_WAITING)
        rows = await question_rows(session, requests)
        self.waiting, self.server_now = rows, text_of(deps().clock())
        if self.current.id and self.current.id not in {row.id for row in rows}:
            gone = await info_requests.get(session, user_id, self.current.id)
            self.elsewhere = _became(gone) if gone else ""
        self._choose()
        shown = next((r for r in requests if r.id == self.current.id), None)
        lines = await calls.last_lines(session, shown.call_id, LAST_LINES) if shown else []
        self.heard = [line_row(line, self.current.who) for line in lines]

    def _not_put_off(self) -> list[QuestionRow]:
        put_off = set(self.later.split())
        return [row for row in self.waiting if row.id not in put_off]

    def _choose(self) -> None:
        """Stays with the question in the modal, unless it is settled or a live call is more urgent."""
        rows = self._not_put_off()
        same = next((row for row in rows if row.id == self.current.id), None)
        first = rows[0] if rows else QuestionRow()
        urgent = first.phase == "open" and same is not None and same.phase != "open"
        chosen = same if same and (self.draft or not urgent) else first
        if chosen.id != self.current.id:
            self.error = self.draft = ""
        self.current = chosen


def _became(request: InfoRequest) -> str:
    """What the tabs that did not answer are told."""
    if request.answer is None:
        return _("Not needed any more: {question}").format(question=request.question)
    way = WAYS.get(request.answered_via or "", "elsewhere")
    return _("You answered {way}: “{answer}”").format(way=way, answer=request.answer)


async def question_rows(session: AsyncSession, requests: list[InfoRequest]) -> list[QuestionRow]:
    """Questions with the tasks they belong to."""
    found = await info_requests.with_tasks(session, requests)
    return [question_row(request, task) for request, task in found]
