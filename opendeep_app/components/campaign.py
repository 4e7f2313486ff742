"""A campaign at a glance: how far it is, and what it has cost."""

import reflex as rx

from opendeep_app.state.campaigns import CampaignRow, PartRow
from opendeep_app.words import _

el = rx.el


def progress_bar(row: rx.Var[CampaignRow]) -> rx.Component:
    """A part of the bar for each group of tasks; what it shows is also said in words."""

    def part(one: rx.Var[PartRow]) -> rx.Component:
        return el.span(class_name=f"tone-{one.tone}", width=f"{one.share}%")

    return el.span(
        rx.foreach(row.parts, part), class_name="parts", role="img", aria_label=row.in_words
    )


def spending(row: rx.Var[CampaignRow]) -> rx.Component:
    """What was spent, of how much."""
    return el.span(
        row.spent,
        rx.cond(row.budget != "", rx.fragment(" ", _("of {budget}").format(budget=row.budget))),
        rx.cond(row.short != "", el.b(" · ", row.short, class_name="short")),
    )
