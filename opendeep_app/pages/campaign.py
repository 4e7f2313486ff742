"""One campaign: how far it is, what it may cost, and when it calls."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.campaign import progress_bar, spending
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.hours import holiday_fields, hours_fields, tick, waits_table
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.state.campaign import CampaignState
from opendeep_app.state.campaigns import PartRow
from opendeep_app.words import _, pieces

el = rx.el


@rx.page(
    route="/campaigns/[campaign_id]",
    title=_("Campaign · OpenDeep"),
    on_load=loading(CampaignState.load),
)
def campaign() -> rx.Component:
    """The campaign of the address."""
    return page(
        el.h1(
            rx.el.a(_("Campaigns"), href="/campaigns", class_name="crumb"),
            el.span(" / ", class_name="faint"),
            CampaignState.row.name,
            class_name="clip",
        ),
        rx.cond(
            CampaignState.loaded,
            rx.cond(CampaignState.missing, _missing(), _campaign()),
            skeleton(),
        ),
        here="/campaigns",
        loaders=loading(CampaignState.load),
    )


def _missing() -> rx.Component:
    return el.div(
        el.h2(_("There is no such campaign.")),
        el.a(_("All campaigns"), href="/campaigns", class_name="btn"),
        class_name="panel empty",
    )


def _campaign() -> rx.Component:
    return el.div(
        _head(),
        el.div(_groups(), _outcomes(), class_name="halves"),
        _budget(),
        _rules(),
        class_name="stack",
        gap="16px",
    )


def _head() -> rx.Component:
    row = CampaignState.row
    return el.section(
        el.div(
            el.span(row.over, class_name="num", font_weight="600"),
            el.span(spending(row), class_name="soft small num"),
            el.span("· ", Ago.create(at=row.created_at), class_name="faint small"),
            el.div(class_name="grow"),
            rx.cond(
                CampaignState.acting != "",
                el.span(
                    _("{count} tasks …").format(count=CampaignState.acting),
                    class_name="soft small",
                    role="status",
                ),
                rx.fragment(
                    _action(_("Resume all"), "play", "resume", row.held),
                    _action(_("Hold all"), "pause", "hold", row.open),
                ),
            ),
            class_name="row wrap",
        ),
        el.p(row.goal, class_name="goal-text", margin="12px 0 10px"),
        progress_bar(row),
        class_name="panel pad",
        custom_attrs=hook("campaign-head"),
    )


def _action(label: str, icon_name: str, action: str, shown: Any) -> rx.Component:
    return rx.cond(
        shown,
        el.button(
            icon(icon_name, 15),
            label,
            type="button",
            class_name="btn",
            on_click=CampaignState.act(action),  # type: ignore[misc]
            custom_attrs=hook(f"campaign-{action}"),
        ),
    )


def _groups() -> rx.Component:
    def group(row: rx.Var[PartRow]) -> rx.Component:
        return el.a(
            el.span(class_name=f"dot tone-{row.tone}", aria_hidden="true"),
            row.label,
            el.b(row.count, class_name="num"),
            href=row.href,
            class_name="group",
            custom_attrs=hook("campaign-group"),
            # What is being clicked stays what it is while others come and go.
            key=row.href,
        )

    return el.section(
        el.h2(_("Its tasks"), class_name="panel-head"),
        rx.foreach(CampaignState.row.parts, group),
        class_name="panel",
    )


def _outcomes() -> rx.Component:
    def outcome(row: rx.Var[PartRow]) -> rx.Component:
        return el.a(
            row.label,
            el.span(
                el.span(class_name=f"tone-{row.tone}", width=f"{row.share}%"),
                class_name="measure",
                aria_hidden="true",
            ),
            el.b(row.count, class_name="num"),
            href=row.href,
            class_name="group measured",
            custom_attrs=hook("campaign-outcome"),
            key=row.href,
        )

    return el.section(
        el.h2(_("What came of the calls"), class_name="panel-head"),
        rx.cond(
            CampaignState.row.outcomes.length() > 0,
            rx.foreach(CampaignState.row.outcomes, outcome),
            el.p(_("No call has ended yet."), class_name="soft small pad", margin="0"),
        ),
        class_name="panel",
    )


def _budget() -> rx.Component:
    errors = CampaignState.errors
    return el.section(
        el.h2(_("Budget"), class_name="panel-head"),
        el.form(
            rx.cond(
                CampaignState.row.budget != "",
                el.div(
                    el.span(class_name="tone-live", width=f"{CampaignState.used_percent}%"),
                    class_name="measure",
                    role="progressbar",
                    aria_label=_("Share of the budget that is used"),
                    aria_valuenow=CampaignState.used_percent,
                    aria_valuemin=0,
                    aria_valuemax=100,
                ),
            ),
            field(
                "campaign_budget",
                _("Budget in US dollars"),
                el.input(
                    id="campaign_budget",
                    name="campaign_budget",
                    class_name="field num",
                    input_mode="decimal",
                    auto_complete="off",
                    default_value=CampaignState.budget,
                    aria_invalid=invalid(errors, "campaign_budget"),
                    custom_attrs=hook("campaign-budget"),
                ),
                _("for all of its calls"),
                errors=errors,
            ),
            rx.cond(
                CampaignState.row.reserved != "",
                el.p(
                    _("Up to {amount} of it is set aside for calls that are going on.").format(
                        amount=CampaignState.row.reserved
                    ),
                    class_name="faint small",
                    margin="-8px 0 0",
                ),
            ),
            _save("campaign-budget-save"),
            on_submit=CampaignState.save_budget,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
            key=CampaignState.version.to_string(),
        ),
        class_name="panel",
    )


def _rules() -> rx.Component:
    state = CampaignState
    return el.section(
        el.h2(_("When it calls, and how often"), class_name="panel-head"),
        el.form(
            el.p(
                *pieces(
                    _(
                        "Now: {hours}, by the clock of whoever is called. What is left empty is as in "
                        "your settings; changes hold from the next decision on."
                    ),
                    hours=el.b(state.in_words, custom_attrs=hook("campaign-hours")),
                ),
                class_name="soft small",
                margin="0",
            ),
            hours_fields(state.days, state.usual, state.errors),
            _error("hours"),
            tick(
                "outside_usual_hours",
                _("Calls before 8:00 or after 21:00 are allowed"),
                state.outside_usual_hours,
            ),
            tick("avoid_holidays", _("No calls on public holidays"), state.avoid_holidays),
            holiday_fields(state.country, state.region, state.errors),
            el.details(
                el.summary(icon("chevron-right", 15), _("Waits between attempts")),
                waits_table(state.waits),
                class_name="fold",
            ),
            _error("retry_policy"),
            _save("campaign-rules-save"),
            on_submit=state.save_rules,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
            key=state.version.to_string(),
        ),
        class_name="panel",
    )


def _save(test_id: str) -> rx.Component:
    return el.div(
        el.button(_("Save"), type="submit", class_name="btn primary", custom_attrs=hook(test_id))
    )


def _error(name: str) -> rx.Component:
    return rx.cond(
        CampaignState.errors.contains(name),
        el.div(
            CampaignState.errors[name],
            class_name="error",
            role="alert",
            custom_attrs=hook(f"error-{name}"),
        ),
    )
