"""The dashboard."""

import reflex as rx

from opendeep_app.components.browser import Ago, Elapsed, hook
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.state.rows import TaskRow
from opendeep_app.state.session import SessionState
from opendeep_app.state.tasks import SORTS, FilterRow, TasksState

el = rx.el


@rx.page(
    route="/",
    title="Tasks · OpenDeep",
    on_load=loading(TasksState.load),
)
def dashboard() -> rx.Component:
    """Every task of the viewer's, live."""
    return page(
        "Tasks",
        rx.cond(
            TasksState.loaded,
            rx.cond(TasksState.everything > 0, _list(), _first_task()),
            skeleton(),
        ),
        here="/",
        loaders=loading(TasksState.load),
        actions=el.a(
            icon("plus", 16),
            el.span("New task", class_name="not-small"),
            href="/tasks/new",
            class_name="btn primary",
            aria_label="New task",
            custom_attrs=hook("new-task"),
        ),
    )


def status(row: rx.Var[TaskRow]) -> rx.Component:
    """A task's status as a coloured pill, with the running time of a live call."""
    return el.span(
        el.span(class_name="dot", aria_hidden="true"),
        row.label,
        rx.cond(
            row.live_since != "",
            Elapsed.create(since=row.live_since, server_now=TasksState.server_now),
        ),
        class_name=f"status tone-{row.tone}",
        custom_attrs=hook("task-status", status=row.status),
    )


def next_call(row: rx.Var[TaskRow], server_now: rx.Var[str]) -> rx.Component:
    """When the next call is due."""
    return rx.cond(
        row.next_at != "",
        el.span(
            "Calls ",
            Ago.create(at=row.next_at, server_now=server_now, due=True, class_name="num"),
            rx.cond(row.note != "", " ·", ""),
            white_space="pre",
        ),
    )


def _list() -> rx.Component:
    return rx.fragment(
        el.div(
            el.div(
                icon("search", 16),
                el.input(
                    type="search",
                    class_name="field",
                    placeholder="Search name, number or goal",
                    aria_label="Search tasks",
                    default_value=TasksState.text,
                    on_change=TasksState.search.debounce(180),
                    custom_attrs=hook("search"),
                ),
                el.kbd("/", class_name="key not-small", aria_hidden="true"),
                class_name="field-wrap",
            ),
            el.select(
                *(el.option(label, value=sort.value) for sort, label in SORTS.items()),
                value=TasksState.sort,
                on_change=TasksState.order,
                class_name="field",
                aria_label="Sort",
                custom_attrs=hook("sort"),
            ),
            class_name="toolbar",
        ),
        el.div(
            rx.foreach(TasksState.filters, _filter),
            class_name="chips scroll",
            role="group",
            aria_label="Filter by status",
        ),
        rx.cond(
            TasksState.rows.length() > 0,
            el.div(
                rx.foreach(TasksState.rows, lambda row: card(row=row, key=row.id)),
                class_name="panel list",
            ),
            _nothing_matches(),
        ),
        el.div(
            el.span(
                f"{TasksState.rows.length()} of {TasksState.total}", class_name="faint small num"
            ),
            el.div(class_name="grow"),
            rx.cond(
                TasksState.more,
                el.button(
                    "Load more", type="button", class_name="btn", on_click=TasksState.load_more
                ),
            ),
            class_name="row",
            margin_top="12px",
        ),
    )


def _filter(row: rx.Var[FilterRow]) -> rx.Component:
    return rx.cond(
        (row.count > 0) | (row.key == "all") | (row.key == TasksState.chosen),
        el.button(
            row.label,
            el.span(row.count, class_name="num"),
            type="button",
            class_name="chip",
            on_click=TasksState.choose(row.key),
            custom_attrs=hook("status-filter", status=row.key)
            | {"aria-pressed": rx.cond(row.key == TasksState.chosen, "true", "false")},
        ),
    )


@rx.memo
def card(row: rx.Var[TaskRow]) -> rx.Component:
    """One task."""
    return el.a(
        el.div(
            el.span(row.title, class_name="who"),
            rx.cond(row.number != "", el.span(row.number, class_name="faint small num not-small")),
            class_name="row",
        ),
        el.div(status(row), class_name="side-info"),
        el.div(row.goal, class_name="goal clamp"),
        el.div(
            el.span(row.attempts, class_name="num"),
            Ago.create(at=row.changed_at, server_now=TasksState.server_now),
            class_name="row faint small not-small",
            justify_content="flex-end",
        ),
        rx.cond(
            (row.note != "") | (row.next_at != ""),
            el.div(
                next_call(row, TasksState.server_now),
                el.span(row.note, class_name="clip"),
                class_name="note",
            ),
        ),
        href=f"/tasks/{row.id}",
        class_name="task",
        custom_attrs=hook("task-card", task_id=row.id, status=row.status),
    )


def _nothing_matches() -> rx.Component:
    return el.div(
        el.div(icon("search-x", 22), class_name="glyph"),
        el.h2("Nothing matches"),
        el.p("No task fits this search and filter."),
        el.button("Show all tasks", type="button", class_name="btn", on_click=TasksState.clear),
        class_name="panel empty",
    )


def _first_task() -> rx.Component:
    return el.div(
        el.div(icon("phone-outgoing", 22), class_name="glyph"),
        el.h2("OpenDeep makes the phone call for you"),
        el.p(
            "Say whom to call and what you want. The agent rings, talks, asks you when it does not know, "
            "tries again when nobody answers, and brings back the result."
        ),
        el.div(
            rx.cond(
                SessionState.practice,
                el.button(
                    icon("play", 15),
                    "Try it on the practice line",
                    type="button",
                    class_name="btn primary big",
                    on_click=TasksState.try_it,
                    custom_attrs=hook("try-it"),
                ),
            ),
            el.a("Write your own task", href="/tasks/new", class_name="btn big"),
            class_name="row wrap",
            justify_content="center",
        ),
        rx.cond(
            SessionState.practice,
            el.div(
                "No real phone rings. In half a minute the agent will ask you for a date of birth.",
                class_name="faint small",
                margin_top="18px",
            ),
        ),
        class_name="panel empty",
    )
