"""One task: what it wants, where it stands, what was said, and every step of it."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import Ago, Elapsed, hook
from opendeep_app.components.call import attempt
from opendeep_app.components.icons import icon
from opendeep_app.components.schedule import schedule
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.components.task_browser import Print, Undo
from opendeep_app.components.task_data import task_data
from opendeep_app.components.task_rows import next_call
from opendeep_app.components.timeline import timeline
from opendeep_app.state.rows import QuestionRow
from opendeep_app.state.task import TaskState
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/tasks/[task_id]",
    title=_("Task · OpenDeep"),
    on_load=loading(TaskState.load),
)
def task() -> rx.Component:
    """The task of the address."""
    return page(
        el.h1(
            rx.el.a(_("Tasks"), href="/", class_name="crumb"),
            el.span(" / ", class_name="faint"),
            TaskState.task.title,
            class_name="clip",
        ),
        rx.cond(
            TaskState.loaded,
            rx.cond(TaskState.missing, _missing(), _task()),
            skeleton(),
        ),
        here="/",
        loaders=loading(TaskState.load),
    )


def _task() -> rx.Component:
    return el.div(
        el.div(
            _head(),
            rx.foreach(TaskState.attempts, attempt),
            rx.cond(TaskState.attempts.length() == 0, _no_call_yet()),
            class_name="stack",
            gap="16px",
        ),
        el.div(
            _facts(),
            rx.cond(TaskState.questions.length() > 0, _questions()),
            timeline(),
            task_data(),
            class_name="stack",
            gap="16px",
        ),
        Undo.create(text=TaskState.undoable, on_undo=TaskState.undo, on_gone=TaskState.forget_undo),
        class_name="two",
    )


def _head() -> rx.Component:
    row = TaskState.task
    return el.section(
        el.p(_("OpenDeep · report of a task"), class_name="only-print soft small"),
        el.div(
            el.span(
                el.span(class_name="dot", aria_hidden="true"),
                row.label,
                rx.cond(
                    row.live_since != "",
                    Elapsed.create(since=row.live_since, server_now=TaskState.server_now),
                ),
                class_name=f"status tone-{row.tone}",
                custom_attrs=hook("task-status", status=row.status),
                aria_live="polite",
            ),
            el.span(row.attempts, class_name="faint small num"),
            el.div(class_name="grow"),
            _action(
                _("Call now"), "phone-outgoing", TaskState.call_now, TaskState.can_call, "call-now"
            ),
            _action(_("Resume"), "play", TaskState.resume, TaskState.can_resume, "resume"),
            _action(_("Hold"), "pause", TaskState.hold, TaskState.can_hold, "hold"),
            _action(_("Reopen"), "undo-2", TaskState.reopen, TaskState.can_reopen, "reopen"),
            _action(_("Cancel"), "x", TaskState.cancel, TaskState.can_cancel, "cancel", "danger"),
            Print.create(
                icon("printer", 15),
                class_name="btn ghost icon",
                aria_label=_("Print this task as a report"),
                custom_attrs=hook("task-print") | {"title": _("Print")},
            ),
            class_name="row wrap",
        ),
        el.p(row.goal, class_name="goal-text", margin="14px 0 0"),
        rx.cond(
            (row.note != "") | (row.next_at != ""),
            el.div(
                rx.cond(TaskState.result != "", el.b(_("Result: "))),
                next_call(row, TaskState.server_now),
                rx.cond(row.next_at != "", " ", ""),
                row.note,
                rx.cond(
                    (TaskState.result != "") & (TaskState.reason != ""),
                    el.div(TaskState.reason, class_name="soft small"),
                ),
                class_name=f"callout tone-{row.tone}",
                margin_top="14px",
                custom_attrs=hook("task-note"),
            ),
        ),
        schedule(TaskState.schedule),
        class_name="panel pad",
        custom_attrs=hook("task-head", task_id=row.id, status=row.status),
    )


def _action(
    label: str, name: str, handler: Any, possible: rx.Var[bool], key: str, look: str = ""
) -> rx.Component:
    return rx.cond(
        possible,
        el.button(
            icon(name, 15),
            label,
            type="button",
            class_name=f"btn {look}",
            on_click=handler,
            custom_attrs=hook(f"task-{key}"),
        ),
    )


def _facts() -> rx.Component:
    def fact(name: str, value: Any) -> rx.Component:
        return rx.fragment(el.dt(name), el.dd(value))

    return el.section(
        el.dl(
            fact(_("Recipient"), TaskState.task.title),
            fact(_("Number"), el.span(TaskState.number, class_name="num")),
            fact(_("Time zone"), TaskState.time_zone),
            rx.cond(TaskState.context != "", fact(_("Context"), TaskState.context)),
            fact(
                _("Created"),
                Ago.create(
                    at=TaskState.created_at,
                    zone=TaskState.time_zone,
                    server_now=TaskState.server_now,
                ),
            ),
            class_name="facts",
            margin="0",
        ),
        class_name="panel pad",
    )


def _questions() -> rx.Component:
    return el.section(
        el.div(el.h2(_("Questions")), class_name="panel-head"),
        el.div(rx.foreach(TaskState.questions, _question), class_name="pad"),
        class_name="panel",
    )


def _question(row: rx.Var[QuestionRow]) -> rx.Component:
    return el.div(
        el.div(row.question, font_weight="550"),
        rx.match(
            row.phase,
            (
                "answered",
                el.div(
                    row.answer,
                    el.span(" · ", row.outcome, class_name="faint small"),
                    class_name="soft",
                ),
            ),
            ("cancelled", el.div(row.outcome, class_name="faint small")),
            el.a(
                _("Answer"),
                href="/questions",
                class_name="small",
                color="var(--tone-t)",
                font_weight="600",
            ),
        ),
        class_name=rx.match(
            row.phase, ("answered", "qa tone-good"), ("cancelled", "qa tone-off"), "qa tone-need"
        ),
    )


def _no_call_yet() -> rx.Component:
    return el.div(
        el.div(icon("phone", 22), class_name="glyph"),
        el.h2(_("No call yet")),
        el.p(_("The conversation appears here, word by word, as soon as somebody picks up.")),
        class_name="panel empty",
    )


def _missing() -> rx.Component:
    return el.div(
        el.div(icon("search-x", 22), class_name="glyph"),
        el.h2(_("There is no such task")),
        el.p(_("It may have been deleted, or the address is not complete.")),
        el.a(_("See all tasks"), href="/", class_name="btn"),
        class_name="panel empty",
    )
