"""Budget and data: what calls may cost in a day, and how long what was said is kept."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.settings import settings_page
from opendeep_app.components.shell import loading, skeleton
from opendeep_app.state.budgets import BudgetState
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/settings/data",
    title=_("Budget & data · OpenDeep"),
    on_load=loading(BudgetState.load),
)
def budget_and_data() -> rx.Component:
    """What it may cost and what is kept."""
    return settings_page(
        _("Budget & data"),
        rx.cond(BudgetState.loaded, rx.fragment(_budget(), _retention(), _erasure()), skeleton()),
        here="/settings/data",
        loaders=loading(),
    )


def _budget() -> rx.Component:
    return el.section(
        el.h2(_("Today"), class_name="panel-head"),
        el.div(
            el.div(
                el.b(BudgetState.spent, class_name="num", custom_attrs=hook("spent-today")),
                el.span(_(" spent today"), class_name="soft"),
                rx.cond(
                    BudgetState.reserved != "",
                    el.span(
                        _(", up to {amount} set aside for calls that are going on").format(
                            amount=BudgetState.reserved
                        ),
                        class_name="soft",
                    ),
                ),
            ),
            rx.cond(
                BudgetState.daily != "",
                el.div(
                    el.div(
                        width=f"{BudgetState.used_percent}%",
                        height="100%",
                        background="var(--blue-9)",
                    ),
                    height="6px",
                    border_radius="3px",
                    overflow="hidden",
                    background="var(--slate-a4)",
                    role="progressbar",
                    aria_label=_("Share of today's budget that is used"),
                    aria_valuenow=BudgetState.used_percent,
                    aria_valuemin=0,
                    aria_valuemax=100,
                ),
            ),
            el.form(
                _text(
                    "daily_budget",
                    _("Daily budget in US dollars"),
                    BudgetState.daily,
                    _("optional"),
                ),
                el.p(
                    _(
                        "Before a call is dialled, the most that it can cost is set aside. A call that "
                        "does not fit waits until tomorrow, or until you raise this."
                    ),
                    class_name="faint small",
                    margin="-8px 0 0",
                ),
                _save("budget-save"),
                on_submit=BudgetState.save_budget,
                reset_on_submit=False,
                no_validate=True,
                class_name="stack",
                gap="18px",
            ),
            class_name="pad stack",
        ),
        class_name="panel",
    )


def _retention() -> rx.Component:
    return el.section(
        el.h2(_("How long things are kept"), class_name="panel-head"),
        el.form(
            _text(
                "keep_transcripts_days",
                _("Transcripts, days after the call"),
                BudgetState.transcripts_days,
                rx.fragment(BudgetState.transcripts_default),
            ),
            _text(
                "keep_recordings_days",
                _("Recordings, days after the call"),
                BudgetState.recordings_days,
                rx.fragment(BudgetState.recordings_default),
            ),
            el.p(
                _("Results and findings stay. What is deleted cannot be brought back."),
                class_name="faint small",
                margin="-8px 0 0",
            ),
            _save("retention-save"),
            on_submit=BudgetState.save_retention,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
        ),
        class_name="panel",
    )


def _erasure() -> rx.Component:
    return el.section(
        el.h2(_("Take away, erase"), class_name="panel-head"),
        el.p(
            _(
                "Each task's page has two buttons below its history: one gives you everything that is "
                "kept of the task as a file, the other erases it for good. A program with your key can "
                "do the same: "
            ),
            el.a(
                _("GET …/export and DELETE in the API's pages"), href="/api/docs", class_name="link"
            ),
            ".",
            class_name="pad soft small",
            margin="0",
        ),
        class_name="panel",
    )


def _text(name: str, label: str, value: Any, hint: Any) -> rx.Component:
    errors = BudgetState.errors
    return field(
        name,
        label,
        el.input(
            id=name,
            name=name,
            class_name="field num",
            input_mode="decimal",
            auto_complete="off",
            default_value=value,
            aria_invalid=invalid(errors, name),
            custom_attrs=hook(name.replace("_", "-")),
        ),
        hint,
        errors=errors,
    )


def _save(test_id: str) -> rx.Component:
    return el.div(
        el.button(_("Save"), type="submit", class_name="btn primary", custom_attrs=hook(test_id))
    )
