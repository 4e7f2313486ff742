"""The viewer's list of numbers that must not be called."""

from dataclasses import dataclass
from typing import Any

import reflex as rx

from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.runtime import deps
from opendeep_app.services import do_not_call, phone_numbers
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of
from opendeep_app.words import _


@dataclass
class EntryRow:
    """A number on the list."""

    id: str = ""
    number: str = ""
    reason: str = ""
    created_at: str = ""


class DoNotCallState(rx.State):
    """The page with the list."""

    loaded: bool = False
    entries: list[EntryRow] = []
    errors: dict[str, str] = {}

    @rx.event
    async def load(self) -> None:
        """Reads the list."""
        user = await viewer(self)
        if user is not None:
            self.errors = {}
            await self._read(user.id)
            self.loaded = True

    @rx.event
    async def add(self, form: dict[str, Any]) -> Any:
        """Lists a number and stops every open task to it."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            typed = str(form.get("phone_number", ""))
            number = phone_numbers.parse(typed, shared_cost=True).e164
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return rx.call_script(f"document.getElementById('{error.field}')?.focus()")
        async with deps().db.unit_of_work() as uow:
            await do_not_call.add(uow, user.id, number, str(form.get("reason", "")).strip())
        await self._read(user.id)
        return rx.toast.success(_("This number is not called any more."))

    @rx.event
    async def remove(self, entry_id: str) -> Any:
        """Takes a number off the list."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await do_not_call.remove(uow, user.id, entry_id)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        await self._read(user.id)
        return rx.toast.success(_("This number may be called again. Stopped tasks stay stopped."))

    async def _read(self, user_id: str) -> None:
        async with deps().db.reading() as session:
            entries = await do_not_call.entries(session, user_id)
        self.entries = [
            EntryRow(
                entry.id,
                phone_numbers.international(entry.phone_number),
                entry.reason,
                text_of(entry.created_at),
            )
            for entry in entries
        ]
