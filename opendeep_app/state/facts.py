"""What the agent knows without asking again: the viewer's facts, and who was told."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import reflex as rx

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.models import Call, Campaign, Disclosure, Fact, FactDisclosure, FactScope, Task
from opendeep_app.repositories import campaigns
from opendeep_app.repositories import facts as rows
from opendeep_app.runtime import deps
from opendeep_app.services import facts, phone_numbers
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of, who
from opendeep_app.words import _

PAGE = 25
MOST_CAMPAIGNS = 100
SAME = "same"
DISCLOSURES = {
    Disclosure.SAY_FREELY: _("Say it freely"),
    Disclosure.ASK_FIRST: _("Ask me first"),
    Disclosure.NEVER_SAY: _("Never say it"),
}
#: Days that a fact lasts, as forms know them.
LASTING = {"": _("For good"), "30": _("For 30 days"), "365": _("For a year")}
TONES = {
    Disclosure.SAY_FREELY: "tone-good",
    Disclosure.ASK_FIRST: "tone-need",
    Disclosure.NEVER_SAY: "tone-off",
}


@dataclass
class ToldRow:
    """A call whose agent was given a fact."""

    task_id: str = ""
    who: str = ""
    number: str = ""
    at: str = ""


@dataclass
class FactRow:
    """A fact as the page shows it."""

    id: str = ""
    question: str = ""
    answer: str = ""
    #: Where it may be used, in words.
    where: str = ""
    disclosure: str = ""
    says: str = ""
    tone: str = ""
    expires_at: str = ""
    expired: bool = False
    told_times: int = 0
    told: list[ToldRow] = field(default_factory=list)


class FactsState(rx.State):
    """The page of facts; at most one of them is being edited or about to be forgotten."""

    loaded: bool = False
    facts: list[FactRow] = []
    more: bool = False
    limit: int = PAGE
    campaigns: list[tuple[str, str]] = []
    #: Where the new fact is to be used.
    scope: str = FactScope.EVERYWHERE.value
    editing: str = ""
    forgetting: str = ""
    #: Messages by field.
    errors: dict[str, str] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the facts."""
        user = await viewer(self)
        if user is not None:
            await self._read(user.id)
            self.loaded = True

    @rx.event
    async def show_more(self) -> None:
        """Reads on."""
        user = await viewer(self)
        if user is not None:
            self.limit += PAGE
            await self._read(user.id)

    @rx.event
    def set_scope(self, scope: str) -> None:
        """Shows the field that goes with a scope."""
        self.scope = scope

    @rx.event
    def edit(self, fact_id: str) -> None:
        """Opens a fact's form; an empty id closes it."""
        self.editing, self.forgetting, self.errors = fact_id, "", {}

    @rx.event
    def ask_to_forget(self, fact_id: str) -> None:
        """Asks once more before a fact is gone; an empty id keeps it."""
        self.forgetting, self.editing = fact_id, ""

    @rx.event
    async def add(self, form: dict[str, Any]) -> Any:
        """Writes a fact down."""

        async def add(uow: UnitOfWork, user_id: str) -> None:
            new = facts.NewFact(
                question=str(form.get("question", "")),
                answer=str(form.get("answer", "")),
                scope=FactScope(str(form.get("scope", ""))),
                disclosure=Disclosure(str(form.get("disclosure", ""))),
                phone_number=str(form.get("phone_number", "")) or None,
                campaign_id=str(form.get("campaign_id", "")) or None,
                expires_at=expiry(str(form.get("lasting", "")), uow.now),
            )
            await facts.remember(uow, user_id, new)

        self.editing = ""
        done = await self._change(add, _("Remembered."))
        if self.errors:
            return done
        self.scope = FactScope.EVERYWHERE.value
        return [done, rx.call_script("document.getElementById('new-fact')?.reset()")]

    @rx.event
    async def save(self, form: dict[str, Any]) -> Any:
        """Changes the fact whose form is open."""

        async def save(uow: UnitOfWork, user_id: str) -> None:
            fact = await facts.get(uow, user_id, self.editing)
            lasting = str(form.get("lasting", SAME))
            until = fact.expires_at if lasting == SAME else expiry(lasting, uow.now)
            disclosure = Disclosure(str(form.get("disclosure", "")))
            await facts.edit(uow, user_id, fact.id, str(form.get("answer", "")), disclosure, until)

        done = await self._change(save, _("Saved."))
        if not self.errors:
            self.editing = ""
        return done

    @rx.event
    async def forget(self, fact_id: str) -> Any:
        """Forgets a fact for good."""

        async def forget(uow: UnitOfWork, user_id: str) -> None:
            await facts.delete(uow, user_id, fact_id)

        self.forgetting = ""
        return await self._change(forget, _("Forgotten. The agent asks you again."))

    async def _change(self, change: Callable[[UnitOfWork, str], Awaitable[None]], done: str) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            async with deps().db.unit_of_work() as uow:
                await change(uow, user.id)
        except InvalidInput as error:
            place = f"edit-{error.field}" if self.editing else error.field
            self.errors = {place: error.message}
            return rx.call_script(f"document.getElementById('{place}')?.focus()")
        except OpenDeepError as error:
            await self._read(user.id)
            return rx.toast.error(error.message)
        await self._read(user.id)
        return rx.toast.success(done)

    async def _read(self, user_id: str) -> None:
        async with deps().db.reading() as session:
            found = await rows.of_user(session, user_id, self.limit + 1)
            known = await campaigns.of_user(session, user_id, MOST_CAMPAIGNS)
            told: dict[str, list[ToldRow]] = defaultdict(list)
            shown = [fact.id for fact in found[: self.limit]]
            for one, call, task in await rows.disclosures(session, shown):
                told[one.fact_id].append(_told(one, call, task))
        self.more = len(found) > self.limit
        self.campaigns = [(campaign.id, campaign.name) for campaign in known]
        now = deps().clock()
        self.facts = [_row(fact, known, told[fact.id], now) for fact in found[: self.limit]]


def expiry(lasting: str, now: datetime) -> datetime | None:
    """When a fact that lasts so long, in days or for good, is not used any more."""
    return now + timedelta(days=int(lasting)) if LASTING.get(lasting) and lasting else None


def _row(fact: Fact, known: list[Campaign], told: list[ToldRow], now: datetime) -> FactRow:
    names = {campaign.id: campaign.name for campaign in known}
    where = _("In every call")
    if fact.phone_number:
        where = _("For {number}").format(number=phone_numbers.international(fact.phone_number))
    elif fact.campaign_id:
        where = _("In {campaign}").format(campaign=names.get(fact.campaign_id, _("one campaign")))
    return FactRow(
        id=fact.id,
        question=fact.question,
        answer=fact.answer,
        where=where,
        disclosure=fact.disclosure.value,
        says=DISCLOSURES[fact.disclosure],
        tone=TONES[fact.disclosure],
        expires_at=text_of(fact.expires_at),
        expired=fact.expires_at is not None and fact.expires_at <= now,
        told_times=len(told),
        told=told,
    )


def _told(one: FactDisclosure, call: Call, task: Task) -> ToldRow:
    number = phone_numbers.international(call.phone_number)
    return ToldRow(task.id, who(task), number, text_of(one.created_at))
