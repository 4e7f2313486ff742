"""What a person says about themselves, and the keys of their programs."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.models import User
from opendeep_app.runtime import deps
from opendeep_app.services import accounts, phone_numbers
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of
from opendeep_app.words import _


@dataclass
class KeyRow:
    """An API key; its secret was shown once and is not known any more."""

    id: str = ""
    label: str = ""
    created_at: str = ""


class SettingsState(rx.State):
    """The page about the viewer."""

    loaded: bool = False
    name: str = ""
    time_zone: str = ""
    mobile_number: str = ""
    #: Messages by field.
    errors: dict[str, str] = {}
    keys: list[KeyRow] = []
    #: The key that was just made, shown until the page is left.
    fresh_key: str = ""

    @rx.event
    async def load(self) -> None:
        """Reads what is known about the viewer."""
        user = await viewer(self)
        if user is None:
            return
        self.fresh_key, self.errors = "", {}
        self._show(user)
        await self._read_keys(user.id)
        self.loaded = True

    @rx.event
    async def save(self, form: dict[str, Any]) -> Any:
        """Keeps what the form says."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            async with deps().db.unit_of_work() as uow:
                user = await accounts.update_profile(
                    uow,
                    user.id,
                    name=str(form.get("name", "")),
                    time_zone=str(form.get("time_zone", "")),
                    mobile_number=str(form.get("mobile_number", "")),
                )
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return rx.call_script(f"document.getElementById('{error.field}')?.focus()")
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        self._show(user)
        return rx.toast.success(_("Saved."))

    @rx.event
    async def create_key(self, form: dict[str, Any]) -> Any:
        """Makes an API key and shows it this once."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        async with deps().db.unit_of_work() as uow:
            self.fresh_key = await accounts.create_api_key(
                uow, user.id, str(form.get("label", "")).strip()
            )
        await self._read_keys(user.id)
        return None

    @rx.event
    async def revoke_key(self, key_id: str) -> Any:
        """Makes a key useless at once."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await accounts.revoke_api_key(uow, user.id, key_id)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        self.fresh_key = ""
        await self._read_keys(user.id)
        return rx.toast.success(_("The key does not open anything any more."))

    def _show(self, user: User) -> None:
        self.name, self.time_zone = user.name, user.time_zone
        number = user.mobile_number
        self.mobile_number = phone_numbers.international(number) if number else ""

    async def _read_keys(self, user_id: str) -> None:
        async with deps().db.reading() as session:
            keys = await accounts.api_keys(session, user_id)
        self.keys = [KeyRow(k.id, k.label or _("Unnamed key"), text_of(k.created_at)) for k in keys]
