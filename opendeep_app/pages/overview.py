"""The overview."""

import reflex as rx

from opendeep_app.components.browser import Elapsed, hook
from opendeep_app.components.charts import Bars, Columns, HeatMap, chart
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.services.overview import RANGES
from opendeep_app.state.info_requests import QuestionState
from opendeep_app.state.overview import FigureRow, OverviewState
from opendeep_app.state.rows import QuestionRow, TaskRow
from opendeep_app.words import _, ngettext

el = rx.el


@rx.page(
    route="/overview",
    title=_("Overview · OpenDeep"),
    on_load=loading(OverviewState.load),
)
def overview() -> rx.Component:
    """What needs the viewer now, what is going on, and how it has been going."""
    return page(
        _("Overview"),
        rx.cond(OverviewState.loaded, _overview(), skeleton()),
        here="/overview",
        loaders=loading(OverviewState.load),
    )


def _overview() -> rx.Component:
    return el.div(
        el.div(_needs_you(), _live(), class_name="halves"),
        rx.cond(OverviewState.empty, _first_steps(), _figures()),
        class_name="stack",
        gap="16px",
    )


def _needs_you() -> rx.Component:
    def question(row: rx.Var[QuestionRow]) -> rx.Component:
        return el.a(
            el.span(row.question, class_name="who clamp"),
            el.span(row.who, class_name="soft small clip"),
            href="/questions",
            class_name="line tone-need",
            custom_attrs=hook("needs-you"),
        )

    return el.section(
        el.div(el.h2(_("Needs you now")), class_name="panel-head"),
        rx.cond(
            QuestionState.pending_count > 0,
            el.div(rx.foreach(QuestionState.waiting[:5], question)),
            el.p(
                icon("check", 15),
                _("Nothing. When an agent needs to know something, it asks you here."),
                class_name="soft quiet",
            ),
        ),
        class_name="panel",
    )


def _live() -> rx.Component:
    def call(row: rx.Var[TaskRow]) -> rx.Component:
        return el.a(
            el.span(
                el.span(row.title, class_name="who clip"),
                el.span(
                    el.span(class_name="dot", aria_hidden="true"),
                    row.label,
                    rx.cond(
                        row.live_since != "",
                        Elapsed.create(since=row.live_since, server_now=OverviewState.server_now),
                    ),
                    class_name=f"status tone-{row.tone}",
                ),
                class_name="row spread",
            ),
            el.span(row.goal, class_name="soft small clip"),
            href=f"/tasks/{row.id}",
            class_name="line",
            custom_attrs=hook("live-call", task_id=row.id),
            key=row.id,
        )

    return el.section(
        el.div(
            el.h2(_("On the phone")),
            rx.cond(
                OverviewState.live.length() > 0,
                el.span(OverviewState.live.length(), class_name="soft num"),
            ),
            class_name="panel-head",
        ),
        rx.cond(
            OverviewState.live.length() > 0,
            el.div(rx.foreach(OverviewState.live, call)),
            el.p(icon("phone", 15), _("No call is going on."), class_name="soft quiet"),
        ),
        class_name="panel",
    )


def _figures() -> rx.Component:
    return rx.fragment(
        el.div(
            el.h2(_("How it goes"), class_name="grow section-title"),
            el.nav(*(_range(days) for days in RANGES), class_name="chips", aria_label=_("Range")),
            class_name="row wrap",
        ),
        el.dl(
            rx.foreach(OverviewState.figures, _figure),
            class_name="tiles",
            margin="0",
            custom_attrs=hook("figures"),
        ),
        el.div(
            chart(
                "today",
                _("Calls today, by outcome"),
                Bars.create(rows=OverviewState.today),
                OverviewState.today_table,
                _("No call has ended today."),
            ),
            chart(
                "waits",
                _("How long agents waited for you"),
                Bars.create(rows=OverviewState.waits),
                OverviewState.waits_table,
                _("No agent has asked you anything."),
            ),
            chart(
                "hours",
                _("Answer rate by weekday and hour"),
                HeatMap.create(
                    cells=OverviewState.hours,
                    label=_(
                        "Share of calls answered for every hour of the week, at the recipient's"
                    ),
                ),
                OverviewState.hours_table,
                _("Once calls were made, this shows when people pick up."),
            ),
            chart(
                "costs",
                _("Cost per day"),
                Columns.create(rows=OverviewState.costs, label=_("Cost of the calls of each day")),
                OverviewState.costs_table,
                _("No call has cost anything."),
            ),
            class_name="halves",
        ),
    )


def _range(days: int) -> rx.Component:
    return el.a(
        ngettext("{count} day", "{count} days", days).format(count=days),
        href=f"/overview?days={days}",
        class_name="chip",
        custom_attrs=hook("range", days=days)
        | {"aria-current": rx.cond(OverviewState.days == days, "true", "false")},
    )


def _figure(row: rx.Var[FigureRow]) -> rx.Component:
    return el.div(
        el.dt(row.name, class_name="soft"),
        el.dd(el.span(row.value, class_name="figure num"), el.span(row.hint, class_name="soft")),
        class_name="panel tile",
    )


def _first_steps() -> rx.Component:
    return el.div(
        el.div(icon("chart-column", 22), class_name="glyph"),
        el.h2(_("Nothing to plot yet")),
        el.p(
            _(
                "After the first calls you see here how often they succeed, when people pick up, "
                "what it costs and how long agents wait for your answers."
            )
        ),
        el.a(icon("plus", 16), _("Delegate a call"), href="/tasks/new", class_name="btn primary"),
        class_name="panel empty",
    )
