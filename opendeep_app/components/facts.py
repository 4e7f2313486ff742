"""Choices about a fact: what the agent may do with it, where it is used, and for how long."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.models import FactScope
from opendeep_app.state.facts import DISCLOSURES, LASTING, SAME
from opendeep_app.state.info_requests import QuestionState
from opendeep_app.state.rows import QuestionRow
from opendeep_app.words import _

el = rx.el

WHERE = {
    FactScope.CONTACT: _("With them only"),
    FactScope.CAMPAIGN: _("In this campaign"),
    FactScope.EVERYWHERE: _("In every call"),
}


def disclosure_choice(place: str, **more: Any) -> rx.Component:
    """What the agent may do with it."""
    return el.select(
        *(el.option(words, value=each.value) for each, words in DISCLOSURES.items()),
        name="disclosure",
        class_name="field",
        aria_label=_("What the agent may do with it"),
        custom_attrs=hook(f"{place}-disclosure"),
        **more,
    )


def lasting_choice(place: str, *, kept: bool = False, **more: Any) -> rx.Component:
    """For how long; `kept` offers to leave it as it is."""
    return el.select(
        el.option(_("As it is"), value=SAME) if kept else rx.fragment(),
        *(el.option(words, value=days) for days, words in LASTING.items()),
        name="lasting",
        class_name="field",
        aria_label=_("For how long"),
        custom_attrs=hook(f"{place}-lasting"),
        **more,
    )


def remember(row: rx.Var[QuestionRow], place: str) -> rx.Component:
    """Makes the coming answer to a question a fact."""
    return el.div(
        el.label(
            el.input(
                type="checkbox",
                default_checked=QuestionState.keeping == row.id,
                key=row.id,
                on_change=QuestionState.keep(row.id),
                custom_attrs=hook(f"{place}-remember"),
            ),
            _("Remember for next time"),
            class_name="tick",
        ),
        rx.cond(
            QuestionState.keeping == row.id,
            el.div(
                el.select(
                    el.option(WHERE[FactScope.CONTACT], value=FactScope.CONTACT.value),
                    rx.cond(
                        row.in_campaign,
                        el.option(WHERE[FactScope.CAMPAIGN], value=FactScope.CAMPAIGN.value),
                    ),
                    el.option(WHERE[FactScope.EVERYWHERE], value=FactScope.EVERYWHERE.value),
                    class_name="field",
                    aria_label=_("Where it is used"),
                    default_value=QuestionState.keep_scope,
                    on_change=QuestionState.set_keep_scope,
                    custom_attrs=hook(f"{place}-scope"),
                ),
                disclosure_choice(
                    place,
                    default_value=QuestionState.keep_disclosure,
                    on_change=QuestionState.set_keep_disclosure,
                ),
                lasting_choice(
                    place,
                    default_value=QuestionState.keep_lasting,
                    on_change=QuestionState.set_keep_lasting,
                ),
                class_name="remember-how",
                role="group",
                aria_label=_("How it is remembered"),
            ),
        ),
        class_name="remember",
    )
