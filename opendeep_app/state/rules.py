"""Calling hours and retries as forms show them and read them back."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opendeep_app.errors import InvalidInput
from opendeep_app.rules import CallingHours, HoursWish, RetryCase, RetryPolicy, RetryWish, Weekday
from opendeep_app.services.retry import CASES
from opendeep_app.services.rules import windows
from opendeep_app.services.timing import describe
from opendeep_app.theme import OUTCOME
from opendeep_app.words import _

DAY_NAMES = [day.value for day in Weekday]


@dataclass
class WaitRow:
    """How retries wait in one case: in plain words, as typed, and by default."""

    case: str = ""
    label: str = ""
    words: str = ""
    wait: str = ""
    usual_wait: str = ""
    factor: str = ""
    usual_factor: str = ""
    cap: str = ""
    usual_cap: str = ""
    counts: str = ""
    usual_counts: str = ""


def usual_days(hours: CallingHours) -> dict[str, str]:
    """What holds on each day when nothing is typed."""
    return {
        day.value: ", ".join(map(str, hours.on(number))) or "closed"
        for number, day in enumerate(Weekday)
    }


def typed_days(wish: HoursWish | None) -> dict[str, str]:
    """What somebody once typed for each day."""
    days = wish.days if wish else {}
    return {
        day.value: (", ".join(map(str, days[day])) or "closed") if day in days else ""
        for day in Weekday
    }


def text(form: dict[str, Any], name: str) -> str:
    """A field's text without spaces around it."""
    return str(form.get(name) or "").strip()


def number(form: dict[str, Any], name: str) -> float | None:
    """A field's number, None when nothing is typed; raises `InvalidInput`."""
    typed = text(form, name).replace(",", ".")
    if not typed:
        return None
    try:
        return float(typed)
    except ValueError:
        raise InvalidInput(name, _("Enter a number.")) from None


def hours_of(form: dict[str, Any]) -> dict[str, Any] | None:
    """What a form wants of the calling hours, None for nothing; raises `InvalidInput`."""
    days = {day: windows(text(form, f"hours_{day}"), day) for day in Weekday}
    wish: dict[str, Any] = {}
    if any(found is not None for found in days.values()):
        wish["days"] = {day.value: found for day, found in days.items() if found is not None}
    for name in ("avoid_holidays", "outside_usual_hours"):
        if form.get(name):
            wish[name] = True
    if country := text(form, "holiday_country").upper():
        wish["holiday_country"] = country
    if region := text(form, "holiday_region").upper():
        wish["holiday_region"] = region
    return wish or None


def waits_of(form: dict[str, Any]) -> dict[str, Any] | None:
    """What a form wants of the retries, None for nothing; waits are in minutes."""
    wish: dict[str, dict[str, Any]] = {}
    for case in RetryCase:
        changes: dict[str, Any] = {}
        if (wait := number(form, f"wait_{case}")) is not None:
            changes["base_seconds"] = wait * 60
        if (factor := number(form, f"factor_{case}")) is not None:
            changes["factor"] = factor
        if (cap := number(form, f"cap_{case}")) is not None:
            changes["cap_seconds"] = cap * 60
        if counts := text(form, f"counts_{case}"):
            changes["counts"] = counts == "yes"
        if changes:
            wish[case.value] = changes
    return wish or None


def typed_waits(wish: RetryWish | None) -> dict[str, str]:
    """What somebody once typed of the retries, by field."""
    fields: dict[str, str] = {}
    for case, changes in (wish.root if wish else {}).items():
        if changes.base_seconds is not None:
            fields[f"wait_{case}"] = plain(changes.base_seconds / 60)
        if changes.factor is not None:
            fields[f"factor_{case}"] = plain(changes.factor)
        if changes.cap_seconds is not None:
            fields[f"cap_{case}"] = plain(changes.cap_seconds / 60)
        if changes.counts is not None:
            fields[f"counts_{case}"] = "yes" if changes.counts else "no"
    return fields


def plain(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def wait_rows(wish: RetryWish | None, usual: RetryPolicy, merged: RetryPolicy) -> list[WaitRow]:
    """A row for each case: what was typed, what holds without it, and what holds with it."""
    typed = typed_waits(wish)
    labels = {case: OUTCOME[outcome] for outcome, case in CASES.items()}
    rows = []
    for case, backoff in merged.items():
        waits = [describe(timedelta(seconds=backoff.seconds(n, 0.5))) for n in (1, 2, 3)]
        default = usual[RetryCase(case)]
        rows.append(
            WaitRow(
                case=case.value,
                label=labels[case],
                words=_("wait {times} …").format(times=", ".join(waits))
                + ("" if backoff.counts else _("; costs no attempt")),
                wait=typed.get(f"wait_{case}", ""),
                usual_wait=plain(default.base_seconds / 60),
                factor=typed.get(f"factor_{case}", ""),
                usual_factor=plain(default.factor),
                cap=typed.get(f"cap_{case}", ""),
                usual_cap=plain(default.cap_seconds / 60),
                counts=typed.get(f"counts_{case}", ""),
                usual_counts=_("yes") if default.counts else _("no"),
            )
        )
    return rows
