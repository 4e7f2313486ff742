"""The campaigns."""

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.campaign import progress_bar, spending
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.state.campaigns import CampaignRow, CampaignsState
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/campaigns",
    title=_("Campaigns · OpenDeep"),
    on_load=loading(CampaignsState.load),
)
def campaigns() -> rx.Component:
    """All of them, newest first."""
    return page(
        _("Campaigns"),
        rx.cond(
            CampaignsState.loaded,
            rx.cond(CampaignsState.rows.length() > 0, _list(), _empty()),
            skeleton(),
        ),
        here="/campaigns",
        loaders=loading(CampaignsState.load),
    )


def _list() -> rx.Component:
    return el.div(
        el.div(rx.foreach(CampaignsState.rows, _campaign), class_name="panel list"),
        rx.cond(
            CampaignsState.more,
            el.div(
                el.button(
                    _("Older campaigns"),
                    type="button",
                    class_name="btn",
                    on_click=CampaignsState.show_more,
                )
            ),
        ),
        class_name="stack",
    )


def _campaign(row: rx.Var[CampaignRow]) -> rx.Component:
    return el.a(
        el.span(
            el.span(row.name, class_name="who clip"),
            el.span(row.over, class_name="soft small num", flex="none"),
            class_name="row spread",
        ),
        el.span(row.goal, class_name="soft small clip"),
        progress_bar(row),
        el.span(
            el.span(row.in_words, class_name="grow"),
            spending(row),
            el.span("· ", Ago.create(at=row.created_at)),
            class_name="row wrap faint small num",
        ),
        href=f"/campaigns/{row.id}",
        class_name="line campaign",
        custom_attrs=hook("campaign", campaign_id=row.id),
        key=row.id,
    )


def _empty() -> rx.Component:
    return el.div(
        el.div(icon("megaphone", 22), class_name="glyph"),
        el.h2(_("No campaign yet")),
        el.p(
            _(
                "A campaign is one goal for many contacts. A program with your key begins one from a "
                "list or a CSV file; how it goes, and what it costs, is shown here."
            )
        ),
        el.a("POST /api/campaigns", href="/api/docs", class_name="btn primary"),
        class_name="panel empty",
    )
