"""The settings of calling: when people may be called, and how long to wait between attempts."""

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.hours import holiday_fields, hours_fields, tick, waits_table
from opendeep_app.components.settings import settings_page
from opendeep_app.components.shell import loading, skeleton
from opendeep_app.state.calling import CallingState
from opendeep_app.words import _, pieces

el = rx.el


@rx.page(
    route="/settings/calling", title=_("Calling · OpenDeep"), on_load=loading(CallingState.load)
)
def calling() -> rx.Component:
    """Hours, holidays, retries."""
    return settings_page(
        _("Calling"),
        rx.cond(CallingState.loaded, _form(), skeleton()),
        here="/settings/calling",
        loaders=loading(),
    )


def _form() -> rx.Component:
    return el.form(
        _hours(),
        _retries(),
        el.div(
            el.button(
                _("Save"),
                type="submit",
                class_name="btn primary",
                custom_attrs=hook("calling-save"),
            ),
            el.button(
                _("Back to the defaults"),
                type="button",
                class_name="btn ghost",
                on_click=CallingState.forget,
                custom_attrs=hook("calling-reset"),
            ),
            class_name="row wrap",
        ),
        on_submit=CallingState.save,
        reset_on_submit=False,
        no_validate=True,
        class_name="stack",
        gap="18px",
        key=CallingState.version.to_string(),
    )


def _hours() -> rx.Component:
    return el.section(
        el.h2(_("When people may be called"), class_name="panel-head"),
        el.div(
            el.p(
                *pieces(
                    _(
                        "Now: {hours}, by the clock of whoever is called. A campaign or a task may "
                        "say otherwise."
                    ),
                    hours=el.b(CallingState.in_words, custom_attrs=hook("calling-words")),
                ),
                class_name="soft small",
                margin="0",
            ),
            hours_fields(CallingState.days, CallingState.usual, CallingState.errors),
            _error("hours"),
            el.p(
                _("From–to, several with a comma: 9–12, 13:30–18. “closed” for no calls that day."),
                class_name="faint small",
                margin="-4px 0 0",
            ),
            tick(
                "outside_usual_hours",
                _("Calls before 8:00 or after 21:00 are allowed"),
                CallingState.outside_usual_hours,
                _("Without this nobody is rung at night, whatever is written above."),
            ),
            tick("avoid_holidays", _("No calls on public holidays"), CallingState.avoid_holidays),
            holiday_fields(CallingState.country, CallingState.region, CallingState.errors),
            class_name="pad stack",
        ),
        class_name="panel",
    )


def _retries() -> rx.Component:
    return el.section(
        el.h2(_("How long to wait for the next attempt"), class_name="panel-head"),
        el.div(
            el.p(
                _(
                    "Each wait is longer than the one before it and varies a little. When the "
                    "recipient names a time, that is when they are called."
                ),
                class_name="soft small",
                margin="0",
            ),
            waits_table(CallingState.waits),
            _error("retry_policy"),
            class_name="pad stack",
        ),
        class_name="panel",
    )


def _error(name: str) -> rx.Component:
    return rx.cond(
        CallingState.errors.contains(name),
        el.div(
            CallingState.errors[name],
            class_name="error",
            role="alert",
            custom_attrs=hook(f"error-{name}"),
        ),
    )
