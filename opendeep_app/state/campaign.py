"""One campaign: how far it is, what it may cost, when it calls, and stopping it for a while."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import Campaign
from opendeep_app.repositories import campaigns
from opendeep_app.repositories.tasks import TaskQuery
from opendeep_app.rules import HoursWish, RetryWish
from opendeep_app.runtime import deps
from opendeep_app.services import batches, budgets, rules
from opendeep_app.services import campaigns as service
from opendeep_app.services.batches import Action, Done
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.campaigns import CampaignRow, campaign_row
from opendeep_app.state.rows import tasks_in_words
from opendeep_app.state.rules import (
    WaitRow,
    hours_of,
    typed_days,
    usual_days,
    wait_rows,
    waits_of,
)
from opendeep_app.words import _

DONE = {Action.HOLD: _("Held {tasks}."), Action.RESUME: _("Resumed {tasks}.")}


class CampaignState(LiveState, rx.State):
    """What the page of one campaign shows."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.TASK})

    loaded: bool = False
    missing: bool = False
    row: CampaignRow = CampaignRow()
    #: Raised when the forms begin anew, so that the browser takes the stored values.
    version: int = 0
    budget: str = ""
    #: Of the budget, for the bar: 0 to 100.
    used_percent: int = 0
    days: dict[str, str] = {}
    usual: dict[str, str] = {}
    avoid_holidays: bool = False
    outside_usual_hours: bool = False
    country: str = ""
    region: str = ""
    in_words: str = ""
    waits: list[WaitRow] = []
    errors: dict[str, str] = {}
    #: How many tasks were held or resumed so far while that goes on, else empty.
    acting: str = ""
    _campaign_id: str = ""

    @rx.event
    async def load(self) -> None:
        """Begins to follow the campaign of the address; what is being typed stays."""
        user = await viewer(self)
        if user is None:
            return
        campaign_id = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        if campaign_id != self._campaign_id:
            self.reset()  # type: ignore[no-untyped-call]
            self._campaign_id = campaign_id
        tabs.add(self.router.session.client_token, user.id, CampaignState)
        await self.refresh()

    async def refresh(
        self, topics: frozenset[Topic] = frozenset(Topic), *, forms: bool = False
    ) -> None:
        """Reads again how far it is; the forms only the first time, or when they are to begin anew."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            campaign = await campaigns.get(session, user.id, self._campaign_id) if user else None
            self.loaded, self.missing = True, campaign is None
            if user is None or campaign is None:
                self.row = CampaignRow()
                return
            progress = await campaigns.progress(session, [campaign.id])
            usual = await rules.rules_of(session, deps().db.policy, user.id)
        self.row = campaign_row(campaign, progress[campaign.id])
        limit, used = campaign.budget_micros, campaign.spent_micros + campaign.reserved_micros
        self.used_percent = min(100, round(100 * used / limit)) if limit else 0
        if forms or not self.version:
            self._fill(campaign, usual)

    def _fill(self, campaign: Campaign, usual: rules.Rules) -> None:
        hours = HoursWish.model_validate(campaign.hours) if campaign.hours else None
        retries = RetryWish.model_validate(campaign.retry_policy) if campaign.retry_policy else None
        own = usual.and_then(hours, retries)
        limit = campaign.budget_micros
        self.budget = f"{limit / 1e6:.2f}" if limit else ""
        self.usual, self.days = usual_days(usual.hours(None)), typed_days(hours)
        self.avoid_holidays = bool(hours and hours.avoid_holidays)
        self.outside_usual_hours = bool(hours and hours.outside_usual_hours)
        self.country = (hours.holiday_country if hours else None) or ""
        self.region = (hours.holiday_region if hours else None) or ""
        self.in_words = str(own.hours(None))
        self.waits = wait_rows(retries, usual.retries(), own.retries())
        self.version += 1

    @rx.event
    async def save_budget(self, form: dict[str, Any]) -> Any:
        """Keeps what the campaign may cost; what waits for it goes on at once."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            amount = budgets.parse(str(form.get("campaign_budget", "")), "campaign_budget")
            async with deps().db.unit_of_work() as uow:
                await budgets.set_campaign(uow, user.id, self._campaign_id, amount)
        except OpenDeepError as error:
            return self._refuse(error)
        return await self._saved()

    @rx.event
    async def save_rules(self, form: dict[str, Any]) -> Any:
        """Keeps when the campaign calls and how long it waits in between."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            hours, retries = hours_of(form), waits_of(form)
            async with deps().db.unit_of_work() as uow:
                await service.change_rules(uow, user.id, self._campaign_id, hours, retries)
        except OpenDeepError as error:
            return self._refuse(error)
        return await self._saved()

    @rx.event(background=True)
    async def act(self, action: str) -> AsyncIterator[Any]:
        """Holds or resumes every task of the campaign, a few at a time."""
        async with self:
            user = await viewer(self)
            if user is None or self.acting or action not in set(DONE):
                return
            self.acting = "…"
            wish = Action(action)
            query = TaskQuery(campaign_id=self._campaign_id)
        yield
        done = Done()
        async for done in batches.carry_out(deps().db, user.id, wish, query):
            async with self:
                self.acting = f"{len(done.changed):,}"
        async with self:
            self.acting = ""
            await self.refresh()
        tasks = tasks_in_words(len(done.changed))
        yield rx.toast.success(DONE[wish].format(tasks=tasks))

    def _refuse(self, error: OpenDeepError) -> Any:
        if not isinstance(error, InvalidInput):
            return rx.toast.error(error.message)
        self.errors = {error.field: error.message}
        return rx.call_script(f"document.getElementById('{error.field}')?.focus()")

    async def _saved(self) -> Any:
        self.errors = {}
        await self.refresh(forms=True)
        return rx.toast.success(_("Saved."))
