"""What the viewer's calls may cost, and how long what was said is kept."""

from typing import Any

import reflex as rx

from opendeep_app.errors import InvalidInput
from opendeep_app.models import User
from opendeep_app.runtime import deps
from opendeep_app.services import budgets, retention
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.words import _, ngettext


class BudgetState(rx.State):
    """The page about budget and data."""

    loaded: bool = False
    daily: str = ""
    spent: str = ""
    reserved: str = ""
    #: Of the day's budget, for the bar: 0 to 100.
    used_percent: int = 0
    transcripts_days: str = ""
    recordings_days: str = ""
    #: How long the installation keeps what a user has no wish about.
    transcripts_default: str = ""
    recordings_default: str = ""
    errors: dict[str, str] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the viewer's wishes and today's use."""
        user = await viewer(self)
        if user is not None:
            self.errors = {}
            await self._show(user)
            self.loaded = True

    @rx.event
    async def save_budget(self, form: dict[str, Any]) -> Any:
        """Keeps the daily budget; what waits for it goes on at once."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            amount = budgets.parse(str(form.get("daily_budget", "")), "daily_budget")
        except InvalidInput as error:
            return self._refuse(error)
        async with deps().db.unit_of_work() as uow:
            await budgets.set_daily(uow, user.id, amount)
            user = await uow.session.get_one(User, user.id)
        await self._show(user)
        return rx.toast.success(_("Saved."))

    @rx.event
    async def save_retention(self, form: dict[str, Any]) -> Any:
        """Keeps how long transcripts and recordings stay."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            days = {
                name: retention.parse_days(str(form.get(name, "")), name)
                for name in ("keep_transcripts_days", "keep_recordings_days")
            }
        except InvalidInput as error:
            return self._refuse(error)
        async with deps().db.unit_of_work() as uow:
            user = await retention.choose(uow, user.id, **days)
        await self._show(user)
        return rx.toast.success(_("Saved."))

    def _refuse(self, error: InvalidInput) -> Any:
        self.errors = {error.field: error.message}
        return rx.call_script(f"document.getElementById('{error.field}')?.focus()")

    async def _show(self, user: User) -> None:
        settings = deps().settings
        async with deps().db.reading() as session:
            day = await budgets.today(session, user, deps().clock())
        limit = user.daily_budget_micros
        self.daily = f"{limit / 1e6:.2f}" if limit else ""
        self.spent = budgets.dollars(day.spent_micros)
        self.reserved = budgets.dollars(day.reserved_micros) if day.reserved_micros else ""
        used = day.spent_micros + day.reserved_micros
        self.used_percent = min(100, round(100 * used / limit)) if limit else 0
        self.transcripts_days = _days(user.keep_transcripts_days)
        self.recordings_days = _days(user.keep_recordings_days)
        self.transcripts_default = _default(settings.keep_transcripts_days)
        self.recordings_default = _default(settings.keep_recordings_days)


def _days(days: int | None) -> str:
    return str(days) if days else ""


def _default(days: int) -> str:
    return (
        ngettext("empty: {count} day", "empty: {count} days", days).format(count=days)
        if days
        else _("empty: until you erase the task")
    )
