"""The form for a new task: the number is checked while it is typed."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.practice.personas import personas
from opendeep_app.runtime import deps
from opendeep_app.services import phone_numbers, tasks
from opendeep_app.state.access import SIGN_IN, viewer


@dataclass
class PersonRow:
    """Somebody on the practice line."""

    number: str = ""
    name: str = ""
    behaviour: str = ""


class NewTaskState(rx.State):
    """What the form shows."""

    #: The number taken from the practice line; what is typed stays in the browser.
    picked: str = ""
    checked: bool = False
    international: str = ""
    flag: str = ""
    country: str = ""
    local_time: str = ""
    #: Messages by field: phone_number, goal and so on; "" is for the whole form.
    errors: dict[str, str] = {}
    busy: bool = False
    people: list[PersonRow] = []

    @rx.event
    async def load(self) -> None:
        """Begins an empty form."""
        if await viewer(self) is None:
            return
        self.reset()  # type: ignore[no-untyped-call]
        if deps().settings.practice:
            self.people = [
                PersonRow(phone_numbers.international(p.phone_number), p.name, p.behaviour)
                for p in personas()
            ]

    @rx.event
    async def type_phone(self, text: str) -> None:
        """Checks the number as it is typed; too early to complain about what may become right."""
        self._check(text, complain=len([c for c in text if c.isdigit()]) >= 11)

    @rx.event
    async def leave_phone(self, text: str) -> None:
        """Checks the number when the field is left."""
        self._check(text, complain=bool(text.strip()))

    @rx.event
    async def pick(self, number: str) -> None:
        """Takes a number of the practice line."""
        self.picked = number
        self._check(number, complain=True)

    @rx.event
    async def submit(self, form: dict[str, Any]) -> Any:
        """Creates the task and shows it."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            async with deps().db.unit_of_work() as uow:
                task = await tasks.create(uow, user.id, _new_task(form))
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return rx.call_script(f"document.getElementsByName('{error.field}')[0]?.focus()")
        except OpenDeepError as error:
            self.errors = {"form": error.message}
            return None
        return rx.redirect(f"/tasks/{task.id}")

    def _check(self, text: str, *, complain: bool) -> None:
        self.errors = {k: v for k, v in self.errors.items() if k != "phone_number"}
        self.checked = False
        try:
            number = phone_numbers.parse(text)
        except InvalidInput as error:
            if complain:
                self.errors = {**self.errors, error.field: error.message}
            return
        self.checked = True
        self.international, self.flag = number.international, number.flag
        self.country = number.country_name
        now = deps().clock().astimezone(ZoneInfo(number.time_zone))
        self.local_time = f"{now:%H:%M}"


def _new_task(form: dict[str, Any]) -> tasks.NewTask:
    def text(name: str) -> str:
        return str(form.get(name) or "").strip()

    def whole(name: str, default: int) -> int:
        try:
            return int(text(name) or default)
        except ValueError:
            raise InvalidInput(name, "Enter a whole number.") from None

    return tasks.NewTask(
        phone_number=text("phone_number"),
        goal=text("goal"),
        contact_name=text("contact_name"),
        context=text("context"),
        max_attempts=whole("max_attempts", 3),
        priority=whole("priority", 0),
        info_timeout_seconds=float(whole("info_timeout_seconds", 0)) or None,
    )
