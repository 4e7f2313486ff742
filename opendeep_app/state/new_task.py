"""The form for a new task: checked and planned while it is filled in."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import reflex as rx

from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.models import Task, VoicemailPolicy
from opendeep_app.models.task_events import CLOSED
from opendeep_app.practice.personas import personas
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.rules import HoursWish, RetryWish
from opendeep_app.runtime import deps
from opendeep_app.services import phone_numbers, previews, tasks
from opendeep_app.services.rules import Rules, rules_of
from opendeep_app.services.tasks import FindingWanted
from opendeep_app.services.timing import sentence
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of
from opendeep_app.state.rules import (
    hours_of,
    number,
    plain,
    text,
    typed_days,
    typed_waits,
    usual_days,
    waits_of,
)
from opendeep_app.state.schedule import StepRow, place
from opendeep_app.words import _

#: So many things to find out fit the form; more would be a questionnaire.
MOST_FINDINGS = 8
MOST_CALLS = 6


@dataclass
class PersonRow:
    """Somebody on the practice line."""

    number: str = ""
    name: str = ""
    behaviour: str = ""


@dataclass
class ZoneRow:
    """A time zone that a number may be in."""

    zone: str = ""
    label: str = ""


@dataclass
class PlanRow:
    """What would happen with the task as it is typed; without a summary nothing is known yet."""

    summary: str = ""
    zone: str = ""
    hours: str = ""
    calls: list[str] = field(default_factory=list)
    steps: list[StepRow] = field(default_factory=list)


class NewTaskState(rx.State):
    """What the form shows; what is typed stays in the browser."""

    #: Under which name the browser keeps what is typed, and what it begins with.
    draft: str = ""
    prefill: str = ""
    checked: bool = False
    international: str = ""
    flag: str = ""
    country: str = ""
    local_time: str = ""
    #: The zones to choose from, when the number does not tell.
    zones: list[ZoneRow] = []
    plan: PlanRow = PlanRow()
    #: What holds unless something else is typed: hours by day, waits in minutes by case.
    usual: dict[str, str] = {}
    waits: dict[str, str] = {}
    findings: list[str] = ["0"]
    #: Messages by field: phone_number, goal and so on; "form" is for the whole.
    errors: dict[str, str] = {}
    people: list[PersonRow] = []

    @rx.event
    async def load(self) -> None:
        """Begins a form: as it was left, like another task (`?from=…`), or empty."""
        user = await viewer(self)
        if user is None:
            return
        self.reset()  # type: ignore[no-untyped-call]
        if deps().settings.practice:
            self.people = [
                PersonRow(phone_numbers.international(p.phone_number), p.name, p.behaviour)
                for p in personas()
            ]
        model = str(self.router.url.query_parameters.get("from", ""))
        self.draft = f"{user.id}:{model}"
        async with deps().db.reading() as session:
            rules = await rules_of(session, deps().db.policy, user.id)
            task = await task_rows.get(session, user.id, model) if model else None
        if task is not None:
            self.prefill = json.dumps(fields_of(task))
        self.usual = usual_days(rules.hours(None))
        self.waits = {
            case.value: plain(backoff.base_seconds / 60)
            for case, backoff in rules.retries().items()
        }

    @rx.event
    async def typed(self, form: dict[str, str], left: str) -> None:
        """Looks at what is typed; too early to complain about what may become right."""
        user = await viewer(self)
        if user is None:
            return
        async with deps().db.reading() as session:
            rules = await rules_of(session, deps().db.policy, user.id)
        filled = [n for n in range(MOST_FINDINGS) if text(form, f"finding_{n}")]
        self.findings = [str(n) for n in range(min(max(filled, default=-1) + 2, MOST_FINDINGS))]
        self.errors = {k: v for k, v in self.errors.items() if k == "goal" and not text(form, k)}
        self._check_number(form, left)
        self._plan(form, rules)

    @rx.event
    async def submit(self, form: dict[str, Any]) -> Any:
        """Creates the task and shows it."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors = {}
        try:
            async with deps().db.unit_of_work() as uow:
                task = await tasks.create(uow, user.id, new_task(form))
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return rx.call_script(_focus(error.field))
        except OpenDeepError as error:
            self.errors = {"form": error.message}
            return None
        forget = f"localStorage.removeItem({json.dumps('opendeep:draft:' + self.draft)})"
        return [rx.call_script(forget), rx.redirect(f"/tasks/{task.id}")]

    def _check_number(self, form: dict[str, str], left: str) -> None:
        typed = text(form, "phone_number")
        try:
            shared_cost = deps().db.policy.shared_cost_numbers
            number = phone_numbers.parse(typed, shared_cost=shared_cost)
        except InvalidInput as error:
            self.checked, self.zones, self.international = False, [], ""
            long_enough = len([c for c in typed if c.isdigit()]) >= 11
            if typed and (long_enough or left == "phone_number"):
                self.errors = {**self.errors, error.field: error.message}
            return
        now = deps().clock()
        self.checked = True
        self.international, self.flag = number.international, number.flag
        self.country = number.country_name
        zone = text(form, "time_zone") or number.time_zone
        several = len(number.time_zones) > 1
        self.zones = [
            ZoneRow(
                name,
                _("{place}, {time:%H:%M} now").format(
                    place=place(name), time=now.astimezone(ZoneInfo(name))
                ),
            )
            for name in (number.time_zones if several else ())
        ]
        known = not several or bool(text(form, "time_zone"))
        self.local_time = f"{now.astimezone(_zone(zone)):%H:%M}" if known else ""

    def _plan(self, form: dict[str, str], rules: Rules) -> None:
        now = deps().clock()
        self.plan = PlanRow()
        if not self.checked:
            return
        try:
            preview = previews.preview(now, new_task(form), rules)
        except InvalidInput as error:
            if error.field != "time_zone" or text(form, "time_zone"):
                self.errors = {**self.errors, error.field: error.message}
            return
        zone = preview.place.zone
        self.plan = PlanRow(
            summary=previews.summary(preview, now),
            zone=zone,
            hours=str(preview.place.hours),
            calls=[
                f"{call.at.astimezone(ZoneInfo(zone)):%a %H:%M}"
                for call in preview.calls[:MOST_CALLS]
            ],
            steps=[
                StepRow(sentence(step.words), text_of(step.after), step.rule in CLOSED)
                for step in preview.calls[0].steps
            ],
        )


def _focus(name: str) -> str:
    found = f"document.getElementsByName({json.dumps(name)})[0]"
    return f"{found}?.closest('details')?.setAttribute('open', ''); {found}?.focus()"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo("UTC")


def new_task(form: dict[str, Any]) -> tasks.NewTask:
    """The task that a form describes; raises `InvalidInput` naming the field."""

    def whole(name: str, default: int) -> int:
        value = number(form, name)
        if value is not None and value != int(value):
            raise InvalidInput(name, _("Enter a whole number."))
        return default if value is None else int(value)

    budget = number(form, "budget")
    return tasks.NewTask(
        phone_number=text(form, "phone_number"),
        goal=text(form, "goal"),
        contact_name=text(form, "contact_name"),
        context=text(form, "context"),
        language=text(form, "language") or "en",
        time_zone=text(form, "time_zone") or None,
        not_before=_not_before(form),
        max_attempts=whole("max_attempts", 3),
        priority=whole("priority", 0),
        info_timeout_seconds=number(form, "info_timeout_seconds"),
        voicemail_policy=VoicemailPolicy(text(form, "voicemail_policy") or VoicemailPolicy.HANG_UP),
        max_call_seconds=60 * whole("max_call_minutes", 15),
        budget_micros=None if budget is None else round(budget * 1_000_000),
        record_call=bool(form.get("record_call")),
        findings_wanted=tuple(
            FindingWanted(text(form, f"finding_{n}"), text(form, f"finding_{n}_words"))
            for n in range(MOST_FINDINGS)
            if text(form, f"finding_{n}")
        ),
        hours=hours_of(form),
        retry_policy=waits_of(form),
    )


def _not_before(form: dict[str, Any]) -> datetime | None:
    """The first call's earliest time, typed by the recipient's clock."""
    typed = text(form, "not_before")
    if not typed:
        return None
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        raise InvalidInput("not_before", _("Choose a date and a time.")) from None
    zone = text(form, "time_zone")
    return at.replace(
        tzinfo=_zone(
            zone or phone_numbers.parse(text(form, "phone_number"), shared_cost=True).time_zone
        )
    )


def fields_of(task: Task) -> dict[str, str]:
    """What a form would say to make such a task again, now."""
    hours = HoursWish.model_validate(task.hours) if task.hours else None
    fields = {
        "phone_number": phone_numbers.international(task.phone_number),
        "contact_name": task.contact_name,
        "goal": task.goal,
        "context": task.context,
        "language": task.language,
        "time_zone": task.time_zone,
        "max_attempts": str(task.max_attempts),
        "priority": str(task.priority),
        "info_timeout_seconds": plain(task.info_timeout_seconds)
        if task.info_timeout_seconds
        else "",
        "voicemail_policy": task.voicemail_policy.value,
        "budget": plain(task.budget_micros / 1_000_000) if task.budget_micros else "",
        "max_call_minutes": plain(task.max_call_seconds / 60),
        **{f"hours_{day}": typed for day, typed in typed_days(hours).items()},
        **typed_waits(RetryWish.model_validate(task.retry_policy) if task.retry_policy else None),
    }
    for n, wanted in enumerate(task.findings_wanted[:MOST_FINDINGS]):
        fields[f"finding_{n}"] = wanted["field"]
        fields[f"finding_{n}_words"] = wanted.get("description", "")
    ticks = {
        "record_call": task.record_call,
        "avoid_holidays": hours is not None and hours.avoid_holidays,
        "outside_usual_hours": hours is not None and hours.outside_usual_hours,
    }
    return fields | {name: "on" for name, ticked in ticks.items() if ticked}
