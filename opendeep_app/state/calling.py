"""A person's own calling hours, holidays and retries, for all of their tasks."""

from typing import Any

import reflex as rx

from opendeep_app.errors import InvalidInput
from opendeep_app.rules import HoursWish, RetryWish
from opendeep_app.runtime import deps
from opendeep_app.services import rules
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rules import (
    WaitRow,
    hours_of,
    typed_days,
    usual_days,
    wait_rows,
    waits_of,
)
from opendeep_app.words import _


class CallingState(rx.State):
    """What the page shows; changes hold from the next decision on."""

    loaded: bool = False
    #: Raised when the form begins anew, so that the browser takes the stored values.
    version: int = 0
    days: dict[str, str] = {}
    usual: dict[str, str] = {}
    avoid_holidays: bool = False
    outside_usual_hours: bool = False
    country: str = ""
    region: str = ""
    in_words: str = ""
    waits: list[WaitRow] = []
    errors: dict[str, str] = {}

    @rx.event
    async def load(self) -> None:
        """Shows what holds."""
        await self._read()

    async def _read(self) -> None:
        user = await viewer(self)
        if user is None:
            return
        hours = HoursWish.model_validate(user.hours) if user.hours else None
        policy = deps().db.policy
        retries = RetryWish.model_validate(user.retry_policy) if user.retry_policy else None
        usual = rules.Rules(policy)
        own = usual.and_then(hours, retries)
        self.usual = usual_days(policy.hours)
        self.days = typed_days(hours)
        self.avoid_holidays = bool(hours and hours.avoid_holidays)
        self.outside_usual_hours = bool(hours and hours.outside_usual_hours)
        self.country = (hours.holiday_country if hours else None) or ""
        self.region = (hours.holiday_region if hours else None) or ""
        self.in_words = str(own.hours(None))
        self.waits = wait_rows(retries, usual.retries(), own.retries())
        self.errors = {}
        self.loaded = True
        self.version += 1

    @rx.event
    async def save(self, form: dict[str, Any]) -> Any:
        """Keeps what is typed."""
        self.errors = {}
        try:
            return await self._keep(hours_of(form), waits_of(form), _("Saved."))
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return None

    @rx.event
    async def forget(self) -> Any:
        """Back to the defaults."""
        return await self._keep(None, None, _("The defaults hold again."))

    async def _keep(
        self, hours: dict[str, Any] | None, retries: dict[str, Any] | None, done: str
    ) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        async with deps().db.unit_of_work() as uow:
            await rules.save(uow, user.id, hours, retries)
        await self._read()
        return rx.toast.success(done)
