"""A task in the list: as a card that opens in place, or as a row of the dense table."""

import reflex as rx

from opendeep_app.components.browser import Ago, At, Elapsed, hook
from opendeep_app.components.icons import event_icon, icon
from opendeep_app.components.list_browser import Leaving
from opendeep_app.state.batches import BatchState
from opendeep_app.state.rows import EventRow, LineRow, TaskRow
from opendeep_app.state.tasks import TasksState
from opendeep_app.words import _, pieces

el = rx.el


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
            *pieces(
                _("Calls {when}"),
                when=Ago.create(
                    at=row.next_at, zone=row.zone, server_now=server_now, due=True, class_name="num"
                ),
            ),
            rx.cond(row.note != "", " ·", ""),
            white_space="pre",
        ),
    )


@rx.memo
def card(row: rx.Var[TaskRow]) -> rx.Component:
    """One task as a card."""
    opened = TasksState.opened == row.id
    return el.article(
        rx.cond(row.leaving, Leaving.create(on_gone=TasksState.gone(row.id))),
        el.div(
            _choose(row),
            el.div(
                el.div(
                    _title(row),
                    rx.cond(
                        row.number != "",
                        el.span(row.number, class_name="faint small num not-small"),
                    ),
                    class_name="row",
                ),
                el.div(row.goal, class_name="goal clamp"),
                class_name="grow",
            ),
            el.div(
                status(row),
                el.div(
                    rx.cond(row.cost != "", el.span(row.cost, class_name="num")),
                    el.span(row.attempts, class_name="num not-small"),
                    Ago.create(at=row.changed_at, server_now=TasksState.server_now),
                    class_name="row faint small",
                ),
                class_name="side-info",
            ),
            _opener(row, opened),
            class_name="task-head",
        ),
        rx.cond(
            (row.note != "") | (row.next_at != ""),
            el.div(
                next_call(row, TasksState.server_now),
                el.span(row.note, class_name="clip"),
                class_name="note",
            ),
        ),
        rx.cond(opened, _opened(row)),
        class_name=rx.cond(row.leaving, "task leaving", "task"),
        custom_attrs=hook("task-card", task_id=row.id, status=row.status),
    )


@rx.memo
def line(row: rx.Var[TaskRow]) -> rx.Component:
    """One task as a row of the table."""
    return el.tr(
        el.td(
            _choose(row),
            rx.cond(row.leaving, Leaving.create(on_gone=TasksState.gone(row.id))),
        ),
        el.td(_title(row), class_name="clip"),
        el.td(status(row)),
        el.td(row.goal, class_name="clip soft wide"),
        el.td(row.last_call, class_name="clip faint num"),
        el.td(
            rx.cond(
                row.next_at != "",
                Ago.create(
                    at=row.next_at, zone=row.zone, server_now=TasksState.server_now, due=True
                ),
            ),
            class_name="num faint",
        ),
        el.td(row.cost, class_name="num faint end"),
        el.td(
            Ago.create(at=row.changed_at, server_now=TasksState.server_now),
            class_name="num faint end",
        ),
        class_name=rx.cond(row.leaving, "line leaving", "line"),
        custom_attrs=hook("task-card", task_id=row.id, status=row.status),
    )


def table(rows: rx.Component) -> rx.Component:
    """The dense table around its rows."""
    heads = (
        _("Recipient"),
        _("Status"),
        _("Goal"),
        _("Last call"),
        _("Next call"),
        _("Cost"),
        _("Changed"),
    )
    return el.div(
        el.table(
            el.thead(
                el.tr(
                    el.th(el.span(_("Chosen"), class_name="hidden-text")),
                    *(el.th(head, scope="col") for head in heads),
                )
            ),
            el.tbody(rows),
            class_name="dense",
        ),
        class_name="panel list scroll-x",
        tab_index=0,
        role="region",
        aria_label=_("Tasks as a table"),
    )


def _choose(row: rx.Var[TaskRow]) -> rx.Component:
    return el.input(
        type="checkbox",
        class_name="pick",
        aria_label=_("Choose {title}").format(title=row.title),
        checked=BatchState.all_matching | BatchState.chosen.contains(row.id),
        on_change=BatchState.toggle(row.id),
        custom_attrs=hook("task-pick"),
    )


def _title(row: rx.Var[TaskRow]) -> rx.Component:
    return el.a(row.title, href=f"/tasks/{row.id}", class_name="who")


def _opener(row: rx.Var[TaskRow], opened: rx.Var[bool]) -> rx.Component:
    return el.button(
        icon("chevron-down", 16),
        type="button",
        class_name="btn ghost icon opener",
        aria_label=_("Details of {title}").format(title=row.title),
        on_click=TasksState.expand(row.id),
        custom_attrs=hook("task-expand")
        | {"aria-expanded": rx.cond(opened, "true", "false"), "aria-controls": f"more-{row.id}"},
    )


def _opened(row: rx.Var[TaskRow]) -> rx.Component:
    return el.div(
        el.dl(
            rx.cond(
                row.asking,
                rx.fragment(
                    el.dt(_("Question")),
                    el.dd(
                        row.note,
                        " ",
                        el.a(_("Answer"), href="/questions", class_name="link answer"),
                    ),
                ),
            ),
            rx.cond(
                row.next_at != "",
                rx.fragment(
                    el.dt(_("Next call")),
                    el.dd(
                        Ago.create(
                            at=row.next_at,
                            zone=row.zone,
                            server_now=TasksState.server_now,
                            due=True,
                        ),
                        rx.cond(row.reason != "", f" · {row.reason}", ""),
                    ),
                ),
            ),
            rx.cond(row.last_call != "", rx.fragment(el.dt(_("Last call")), el.dd(row.last_call))),
            class_name="facts",
        ),
        rx.cond(
            TasksState.detail.lines.length() > 0,
            el.div(
                rx.foreach(TasksState.detail.lines, _said), class_name="heard", aria_live="polite"
            ),
        ),
        el.ol(rx.foreach(TasksState.detail.events, _event), class_name="steps"),
        el.a(
            rx.cond(
                TasksState.detail.earlier > 0,
                _("{count} earlier steps and everything else").format(
                    count=TasksState.detail.earlier
                ),
                _("Everything about this task"),
            ),
            href=f"/tasks/{row.id}",
            class_name="link small",
        ),
        id=f"more-{row.id}",
        class_name="task-more",
        custom_attrs=hook("task-more"),
    )


def _said(row: rx.Var[LineRow]) -> rx.Component:
    return el.div(rx.cond(row.by != "", el.b(row.by, ": ")), row.text)


def _event(row: rx.Var[EventRow]) -> rx.Component:
    return el.li(
        el.span(event_icon(row.icon), class_name="event-icon", aria_hidden="true"),
        el.span(row.title, class_name="event-title"),
        el.span(row.detail, class_name="event-detail clip"),
        At.create(at=row.at, class_name="when"),
        class_name=f"tone-{row.tone}",
    )
