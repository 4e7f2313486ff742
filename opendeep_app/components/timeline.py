"""The timeline of a task: everything that happened, and what stands behind each event."""

import reflex as rx

from opendeep_app.components.browser import At, hook
from opendeep_app.components.call import fact
from opendeep_app.components.icons import event_icon
from opendeep_app.components.task_browser import Copy, PointAt
from opendeep_app.state.calls import AttemptRow
from opendeep_app.state.rows import EventRow
from opendeep_app.state.task import TaskState
from opendeep_app.state.task_events import KINDS
from opendeep_app.words import _

el = rx.el


def timeline() -> rx.Component:
    """Every event, filtered by attempt and kind."""
    return el.section(
        el.div(
            el.h2(_("Timeline"), class_name="grow"),
            rx.cond(TaskState.attempts.length() > 1, _zoom()),
            class_name="panel-head",
        ),
        el.div(
            *(_kind(kind, label) for kind, label in KINDS.items()),
            class_name="chips pad slim no-print",
            role="group",
            aria_label=_("Kinds of events"),
        ),
        rx.cond(
            TaskState.earlier > 0,
            el.button(
                _("Show {count} earlier events").format(count=TaskState.earlier),
                type="button",
                class_name="btn ghost full",
                on_click=TaskState.show_earlier,
                custom_attrs=hook("timeline-earlier"),
            ),
        ),
        el.ol(
            rx.foreach(TaskState.events, _event),
            class_name="timeline",
            custom_attrs=hook("task-timeline"),
        ),
        rx.cond(
            TaskState.events.length() == 0,
            el.p(_("Nothing of this kind has happened."), class_name="soft small pad", margin="0"),
        ),
        PointAt.create(event=TaskState.wanted, on_named=TaskState.point_at),
        class_name="panel",
    )


def _zoom() -> rx.Component:
    def option(row: rx.Var[AttemptRow]) -> rx.Component:
        return el.option(row.title, value=row.id)

    return el.select(
        el.option(_("All attempts"), value=""),
        rx.foreach(TaskState.attempts, option),
        value=TaskState.zoom,
        on_change=TaskState.zoom_to,
        class_name="field slim no-print",
        aria_label=_("Which attempt"),
        custom_attrs=hook("timeline-zoom"),
    )


def _kind(kind: str, label: str) -> rx.Component:
    return el.button(
        label,
        type="button",
        class_name="chip slim",
        aria_pressed=TaskState.kind == kind,
        on_click=TaskState.choose_kind(kind),
        custom_attrs=hook("timeline-kind", kind=kind),
    )


def _event(row: rx.Var[EventRow]) -> rx.Component:
    opened = row.sequence == TaskState.looked.sequence
    return el.li(
        el.span(event_icon(row.icon), class_name="event-icon"),
        el.div(
            el.button(
                row.title,
                type="button",
                class_name="event-title",
                aria_expanded=opened,
                on_click=TaskState.look_into(row.sequence),
            ),
            rx.cond(row.detail != "", el.div(row.detail, class_name="event-detail")),
        ),
        At.create(at=row.at, zone=TaskState.time_zone, class_name="when num"),
        rx.cond(opened, _behind()),
        class_name=f"event tone-{row.tone}",
        id=f"event-{row.sequence}",
        custom_attrs=hook("timeline-event", type=row.type),
        key=row.id,
    )


def _behind() -> rx.Component:
    looked = TaskState.looked
    return el.div(
        el.dl(rx.foreach(looked.facts, fact), class_name="facts", margin="0"),
        el.pre(looked.raw, class_name="raw", tab_index=0, aria_label=_("As it is stored")),
        el.div(
            Copy.create(text=looked.raw, label=_("Copy JSON"), custom_attrs=hook("event-copy")),
            Copy.create(
                path=f"/tasks/{TaskState.task.id}?event={looked.sequence}",
                label=_("Copy link"),
                custom_attrs=hook("event-link"),
            ),
            class_name="row no-print",
        ),
        class_name="behind",
        custom_attrs=hook("event-behind"),
    )
