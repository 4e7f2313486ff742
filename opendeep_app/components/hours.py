"""Calling hours and waits as fields of a form, the same for a task and for the settings."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.rules import Weekday
from opendeep_app.state.rules import WaitRow
from opendeep_app.words import _

el = rx.el

DAYS = {
    Weekday.MONDAY: _("Monday"),
    Weekday.TUESDAY: _("Tuesday"),
    Weekday.WEDNESDAY: _("Wednesday"),
    Weekday.THURSDAY: _("Thursday"),
    Weekday.FRIDAY: _("Friday"),
    Weekday.SATURDAY: _("Saturday"),
    Weekday.SUNDAY: _("Sunday"),
}


def hours_fields(values: Any, usual: Any, errors: Any) -> rx.Component:
    """A line for each day; `values` and `usual` hold texts by day, shown typed and greyed."""
    return el.div(
        *(
            rx.fragment(
                el.label(label, html_for=f"hours_{day}"),
                el.input(
                    id=f"hours_{day}",
                    name=f"hours_{day}",
                    class_name="field num",
                    default_value=values[day.value],
                    placeholder=usual[day.value],
                    auto_complete="off",
                    max_length=60,
                    aria_invalid=invalid(errors, f"hours_{day}"),
                ),
                rx.cond(
                    errors.contains(f"hours_{day}"),
                    el.div(errors[f"hours_{day}"], class_name="error", role="alert"),
                ),
            )
            for day, label in DAYS.items()
        ),
        class_name="days",
    )


def holiday_fields(country: Any, region: Any, errors: Any) -> rx.Component:
    """Whose holidays count."""
    return el.div(
        field(
            "holiday_country",
            _("Holidays of"),
            el.input(
                id="holiday_country",
                name="holiday_country",
                class_name="field num",
                default_value=country,
                placeholder=_("the number's country"),
                max_length=2,
                auto_complete="off",
            ),
            _("two letters, for example DE"),
            errors=errors,
        ),
        field(
            "holiday_region",
            _("Region"),
            el.input(
                id="holiday_region",
                name="holiday_region",
                class_name="field num",
                default_value=region,
                placeholder=_("all of it"),
                max_length=8,
                auto_complete="off",
            ),
            _("for example BY"),
            errors=errors,
        ),
        class_name="pair",
    )


def tick(name: str, label: str, checked: Any, hint: str = "") -> rx.Component:
    """A box to tick, with what it means."""
    return el.div(
        el.label(
            el.input(
                type="checkbox",
                id=name,
                name=name,
                value="on",
                default_checked=checked,
                custom_attrs=hook(f"tick-{name}"),
            ),
            label,
            class_name="tick",
        ),
        el.div(hint, class_name="faint small", margin="2px 0 0 24px") if hint else rx.fragment(),
    )


def waits_table(rows: Any) -> rx.Component:
    """The waits after each outcome; what holds by default is greyed."""
    heads = (
        _("After"),
        _("First wait, min"),
        _("Times"),
        _("At most, min"),
        _("Uses up an attempt"),
    )
    return el.div(
        el.table(
            el.thead(el.tr(*(el.th(head, scope="col") for head in heads))),
            el.tbody(rx.foreach(rows, _wait)),
            class_name="waits",
        ),
        class_name="waits-scroll",
        tab_index=0,
        role="region",
        aria_label=_("Waits by outcome"),
    )


def _wait(row: rx.Var[WaitRow]) -> rx.Component:
    def cell(name: str, value: Any, usual: Any, label: str) -> rx.Component:
        return el.td(
            el.input(
                name=f"{name}_{row.case}",
                class_name="field num",
                default_value=value,
                placeholder=usual,
                input_mode="decimal",
                aria_label=f"{row.label}: {label}",
                custom_attrs=hook(f"{name}-{row.case}"),
            )
        )

    return el.tr(
        el.td(
            el.div(row.label, font_weight="550"),
            el.div(row.words, class_name="faint small", custom_attrs=hook("wait-words")),
            min_width="170px",
        ),
        cell("wait", row.wait, row.usual_wait, _("first wait in minutes")),
        cell("factor", row.factor, row.usual_factor, _("how many times longer each time")),
        cell("cap", row.cap, row.usual_cap, _("longest wait in minutes")),
        el.td(
            el.select(
                el.option(_("default ({usual})").format(usual=row.usual_counts), value=""),
                el.option(_("yes"), value="yes"),
                el.option(_("no"), value="no"),
                name=f"counts_{row.case}",
                class_name="field",
                default_value=row.counts,
                aria_label=_("{case}: uses up an attempt").format(case=row.label),
            )
        ),
        key=row.case,
        custom_attrs=hook("wait-row", case=row.case),
    )
