"""The dashboard."""

import reflex as rx

from opendeep_app.components import batch
from opendeep_app.components.browser import hook
from opendeep_app.components.icons import icon
from opendeep_app.components.list_browser import Reach, SearchBox
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.components.task_rows import card, line, table
from opendeep_app.state.session import SessionState
from opendeep_app.state.task_filters import CREATED, OUTCOMES, SORTS
from opendeep_app.state.tasks import ChoiceRow, FilterRow, TasksState
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/",
    title=_("Tasks · OpenDeep"),
    on_load=loading(TasksState.load),
)
def dashboard() -> rx.Component:
    """Every task of the viewer's, live."""
    return page(
        _("Tasks"),
        rx.cond(
            TasksState.loaded,
            rx.cond(TasksState.everything > 0, _list(), _first_task()),
            skeleton(),
        ),
        here="/",
        loaders=loading(TasksState.load),
        actions=el.a(
            icon("plus", 16),
            el.span(_("New task"), class_name="not-small"),
            href="/tasks/new",
            class_name="btn primary",
            aria_label=_("New task"),
            custom_attrs=hook("new-task"),
        ),
    )


def _list() -> rx.Component:
    return rx.fragment(
        _views(),
        el.div(
            el.div(
                icon("search", 16),
                SearchBox.create(
                    value=TasksState.text,
                    placeholder=_("Search names, numbers, goals and what was said"),
                    on_search=TasksState.search,
                    class_name="field",
                    custom_attrs=hook("search") | {"aria-label": _("Search tasks")},
                ),
                el.kbd("/", class_name="key not-small", aria_hidden="true"),
                class_name="field-wrap",
            ),
            _select(
                "sort", _("Sort"), TasksState.sort, {s.value: name for s, name in SORTS.items()}
            ),
            el.button(
                rx.cond(TasksState.table, icon("layout-list", 16), icon("table-2", 16)),
                type="button",
                class_name="btn icon",
                title=_("Cards or table"),
                aria_label=rx.cond(TasksState.table, _("Show as cards"), _("Show as a table")),
                on_click=TasksState.choose("view", rx.cond(TasksState.table, "", "table")),
                custom_attrs=hook("view-toggle"),
            ),
            class_name="toolbar",
        ),
        el.div(
            rx.foreach(TasksState.chips, _chip),
            class_name="chips scroll",
            role="group",
            aria_label=_("Filter by status"),
        ),
        el.div(
            _select(
                "needs",
                _("Who must act"),
                TasksState.needs,
                {"": _("Everybody’s turn"), "me": _("Needs me")},
            ),
            _select(
                "outcome", _("Outcome"), TasksState.outcome, {k: v[0] for k, v in OUTCOMES.items()}
            ),
            _select(
                "created", _("Created"), TasksState.created, {k: v[0] for k, v in CREATED.items()}
            ),
            rx.cond(
                TasksState.campaigns.length() > 0,
                el.select(
                    el.option(_("All campaigns"), value=""),
                    rx.foreach(
                        TasksState.campaigns, lambda one: el.option(one.label, value=one.key)
                    ),
                    value=TasksState.campaign,
                    on_change=lambda value: TasksState.choose("campaign", value),
                    class_name="field slim",
                    aria_label=_("Campaign"),
                ),
            ),
            el.div(class_name="grow"),
            el.span(
                _("{count} tasks").format(count=TasksState.total),
                class_name="faint small num",
                role="status",
                custom_attrs=hook("task-total"),
            ),
            rx.cond(
                TasksState.narrow,
                el.button(
                    _("Clear filters"),
                    type="button",
                    class_name="btn ghost",
                    on_click=TasksState.clear,
                ),
            ),
            class_name="row wrap narrowing",
        ),
        rx.cond(TasksState.above, Reach.create(row=TasksState.first, on_reach=TasksState.back)),
        rx.cond(
            TasksState.rows.length() > 0,
            rx.cond(
                TasksState.table,
                table(rx.foreach(TasksState.rows, lambda row: line(row=row, key=row.id))),
                el.div(
                    rx.foreach(TasksState.rows, lambda row: card(row=row, key=row.id)),
                    class_name="panel list",
                ),
            ),
            _nothing_matches(),
        ),
        rx.cond(
            TasksState.below,
            rx.fragment(
                Reach.create(row=TasksState.last, on_reach=TasksState.further),
                el.div(class_name="skeleton more"),
            ),
        ),
        batch.bar(),
        batch.dialog(),
        batch.done(),
    )


def _views() -> rx.Component:
    return rx.cond(
        TasksState.narrow | (TasksState.views.length() > 0),
        el.div(
            rx.foreach(TasksState.views, _view),
            rx.cond(
                TasksState.narrow,
                el.details(
                    el.summary(icon("bookmark-plus", 14), _("Save view"), class_name="chip"),
                    el.form(
                        el.input(
                            name="name",
                            class_name="field",
                            placeholder=_("Name of this view"),
                            aria_label=_("Name of this view"),
                            max_length=60,
                            required=True,
                            custom_attrs=hook("view-name"),
                        ),
                        el.button(
                            _("Save"),
                            type="submit",
                            class_name="btn",
                            custom_attrs=hook("view-save"),
                        ),
                        on_submit=TasksState.save_view,
                        reset_on_submit=True,
                        class_name="pop row",
                    ),
                    class_name="popper",
                ),
            ),
            class_name="chips views",
            role="group",
            aria_label=_("Saved views"),
        ),
    )


def _view(row: rx.Var[ChoiceRow]) -> rx.Component:
    return el.span(
        el.a(
            icon("bookmark", 13),
            row.label,
            href=row.href,
            class_name="chip",
            custom_attrs=hook("saved-view") | {"aria-current": rx.cond(row.on, "true", "false")},
        ),
        rx.cond(
            row.on,
            el.button(
                icon("x", 13),
                type="button",
                class_name="btn ghost tiny",
                aria_label=_("Delete the view {label}").format(label=row.label),
                on_click=TasksState.remove_view(row.key),
            ),
        ),
        class_name="row tight",
    )


def _select(name: str, label: str, value: rx.Var[str], options: dict[str, str]) -> rx.Component:
    return el.select(
        *(el.option(text, value=key) for key, text in options.items()),
        value=value,
        on_change=lambda chosen: TasksState.choose(name, chosen),
        class_name="field" if name == "sort" else "field slim",
        aria_label=label,
        custom_attrs=hook(name if name == "sort" else f"filter-{name}"),
    )


def _chip(row: rx.Var[FilterRow]) -> rx.Component:
    return rx.cond(
        (row.count > 0) | (row.key == "all") | row.on,
        el.a(
            row.label,
            el.span(row.count, class_name="num"),
            href=row.href,
            class_name="chip",
            custom_attrs=hook("status-filter", status=row.key)
            | {"aria-current": rx.cond(row.on, "true", "false")},
        ),
    )


def _nothing_matches() -> rx.Component:
    return el.div(
        el.div(icon("search-x", 22), class_name="glyph"),
        el.h2(_("Nothing matches")),
        el.p(
            _(
                "Search finds the beginnings of words in names, goals, results and what was said, "
                "and any three digits of a number."
            )
        ),
        el.button(_("Show all tasks"), type="button", class_name="btn", on_click=TasksState.clear),
        class_name="panel empty",
    )


def _first_task() -> rx.Component:
    return el.div(
        el.div(icon("phone-outgoing", 22), class_name="glyph"),
        el.h2(_("OpenDeep makes the phone call for you")),
        el.p(
            _(
                "Say whom to call and what you want. The agent rings, talks, asks you when it does not know, "
                "tries again when nobody answers, and brings back the result."
            )
        ),
        el.div(
            rx.cond(
                SessionState.practice,
                el.button(
                    icon("play", 15),
                    _("Try it on the practice line"),
                    type="button",
                    class_name="btn primary big",
                    on_click=TasksState.try_it,
                    custom_attrs=hook("try-it"),
                ),
            ),
            el.a(_("Write your own task"), href="/tasks/new", class_name="btn big"),
            class_name="row wrap",
            justify_content="center",
        ),
        rx.cond(
            SessionState.practice,
            el.div(
                _(
                    "No real phone rings. In half a minute the agent will ask you for a date of birth."
                ),
                class_name="faint small",
                margin_top="18px",
            ),
        ),
        class_name="panel empty",
    )
