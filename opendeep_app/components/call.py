"""An attempt on the task page: its line, and opened its facts, conversation and analysis."""

import reflex as rx

from opendeep_app.components.browser import At, Elapsed, Exact, Follow, hook
from opendeep_app.components.icons import event_icon, icon
from opendeep_app.components.task_browser import CallBody
from opendeep_app.services.live_calls import MAX_NOTE
from opendeep_app.state.calls import AttemptRow, ClaimRow, FactRow, SaidRow
from opendeep_app.state.task import TaskState
from opendeep_app.words import _

el = rx.el


def attempt(row: rx.Var[AttemptRow]) -> rx.Component:
    """One attempt; one is open at a time."""
    opened = row.id == TaskState.call.id
    return el.section(
        el.h2(
            el.button(
                el.span(icon("chevron-right", 15), class_name="turn", aria_hidden="true"),
                el.span(row.title, class_name="attempt-title"),
                el.span(
                    el.span(class_name="dot", aria_hidden="true"),
                    row.label,
                    rx.cond(
                        row.live_since != "",
                        Elapsed.create(since=row.live_since, server_now=TaskState.server_now),
                    ),
                    class_name=f"status tone-{row.tone}",
                ),
                el.span(row.detail, class_name="soft small clip grow"),
                el.span(row.cost, class_name="soft small num not-small"),
                el.span(row.duration, class_name="soft small num"),
                At.create(at=row.at, zone=TaskState.time_zone, class_name="soft small num"),
                type="button",
                class_name="attempt-head",
                aria_expanded=opened,
                on_click=TaskState.open_call(row.id),
                custom_attrs=hook("call-open"),
            ),
        ),
        rx.cond(opened, _body()),
        class_name="panel attempt",
        custom_attrs=hook("task-call", call_id=row.id),
        key=row.id,
    )


def _body() -> rx.Component:
    call = TaskState.call
    return CallBody.create(
        rx.cond(call.live, _live()),
        _conversation(),
        rx.cond(call.analysed & (call.summary != ""), _analysis()),
        el.div(
            el.h3(_("Facts"), class_name="zone"),
            el.dl(rx.foreach(call.facts, fact), class_name="facts wide"),
            rx.cond(
                call.brief != "",
                el.details(
                    el.summary(icon("chevron-right", 14), _("What the agent was told")),
                    el.pre(call.brief, class_name="raw", tab_index=0),
                    class_name="more",
                ),
            ),
            class_name="pad",
            custom_attrs=hook("call-facts"),
        ),
        recording=call.recording,
    )


def fact(row: rx.Var[FactRow]) -> rx.Component:
    """A name and a value, or a time."""
    return rx.fragment(
        el.dt(row.name),
        el.dd(
            rx.cond(
                row.time != "",
                Exact.create(at=row.time, zone=TaskState.time_zone),
                row.value,
            )
        ),
    )


def _live() -> rx.Component:
    call = TaskState.call
    return el.div(
        el.div(
            rx.cond(
                call.doing != "",
                el.span(
                    icon("audio-lines", 15),
                    call.doing,
                    class_name="row doing grow",
                    aria_live="polite",
                    custom_attrs=hook("call-doing"),
                ),
                el.span(
                    _("The agent takes notes from you once they talk."), class_name="soft grow"
                ),
            ),
            el.span(call.cost, class_name="soft small num", title=_("Cost so far")),
            el.button(
                icon("phone-off", 15),
                _("Hang up"),
                type="button",
                class_name="btn danger",
                on_click=TaskState.hang_up,
                custom_attrs=hook("call-hang-up"),
            ),
            class_name="row",
        ),
        rx.cond(
            call.talking,
            el.form(
                el.label(_("A note to the agent"), html_for="whisper", class_name="hidden-text"),
                el.div(
                    el.input(
                        id="whisper",
                        name="text",
                        class_name="field",
                        placeholder=_("Tell the agent something. The recipient does not hear it."),
                        auto_complete="off",
                        max_length=MAX_NOTE,
                        custom_attrs=hook("whisper-text"),
                    ),
                    el.button(
                        _("Send"),
                        type="submit",
                        class_name="btn",
                        custom_attrs=hook("whisper-send"),
                    ),
                    class_name="row",
                ),
                rx.cond(
                    TaskState.note_error != "",
                    el.div(TaskState.note_error, class_name="error", role="alert"),
                ),
                on_submit=TaskState.whisper,
                reset_on_submit=False,
            ),
        ),
        class_name="live-bar no-print",
    )


def _conversation() -> rx.Component:
    return rx.cond(
        TaskState.said.length() > 0,
        Follow.create(
            rx.cond(
                TaskState.unsaid > 0,
                el.button(
                    _("Show {count} lines before").format(count=TaskState.unsaid),
                    type="button",
                    class_name="btn ghost",
                    on_click=TaskState.show_all_said,
                    custom_attrs=hook("said-all"),
                ),
            ),
            rx.foreach(TaskState.said, _said),
            lines=rx.cond(TaskState.call.live, TaskState.said.length(), 0),
            class_name="talk",
            custom_attrs={"role": "log", "aria-label": _("Transcript"), "tabIndex": 0},
        ),
        el.div(
            rx.cond(TaskState.call.live, _("Nothing has been said yet."), _("Nothing was said.")),
            class_name="soft small pad",
        ),
    )


def _said(row: rx.Var[SaidRow]) -> rx.Component:
    return rx.cond(row.kind == "line", _line(row), _between(row))


def _time(row: rx.Var[SaidRow]) -> rx.Component:
    return rx.cond(
        TaskState.call.recording != "",
        el.button(
            row.at,
            type="button",
            class_name="seek num",
            aria_label=_("Play from {time}").format(time=row.at),
            custom_attrs={"data-seek": row.ms},
        ),
        el.span(row.at, class_name="seek num"),
    )


def _line(row: rx.Var[SaidRow]) -> rx.Component:
    return el.div(
        el.div(
            rx.cond(row.by != "", el.span(row.by, class_name="by")),
            row.text,
            rx.cond(row.detail != "", el.span(row.detail, class_name="cut")),
            class_name=f"said {row.side}",
            custom_attrs={"data-line": row.line, "data-ms": row.ms},
        ),
        _time(row),
        class_name=f"turn-of {row.side}",
        custom_attrs=hook("transcript-line", speaker=row.side),
    )


def _between(row: rx.Var[SaidRow]) -> rx.Component:
    """What happened between two lines."""
    return el.div(
        el.span(event_icon(row.icon), class_name="event-icon"),
        el.div(
            el.div(
                row.text, class_name=rx.cond(row.kind == "wait", "step-title", "step-title soft")
            ),
            rx.cond(row.detail != "", el.div(row.detail, class_name="soft small")),
            class_name="grow",
        ),
        _time(row),
        class_name=f"step {row.kind} tone-{row.tone}",
        custom_attrs=hook("call-step", kind=row.kind),
    )


def _analysis() -> rx.Component:
    return el.div(
        el.h3(_("What came of it"), class_name="zone"),
        el.p(TaskState.call.summary, margin="0"),
        rx.cond(
            TaskState.call.claims.length() > 0,
            el.ul(rx.foreach(TaskState.call.claims, _claim), class_name="claims"),
        ),
        class_name="pad analysis",
        custom_attrs=hook("call-analysis"),
    )


def _claim(row: rx.Var[ClaimRow]) -> rx.Component:
    return el.li(
        el.div(el.span(row.field, class_name="soft"), el.b(row.value), class_name="claim"),
        rx.cond(
            row.line > 0,
            el.button(
                icon("quote", 13),
                row.quote,
                type="button",
                class_name="quote",
                aria_label=_("Show where it was said: {quote}").format(quote=row.quote),
                custom_attrs=hook("claim-quote") | {"data-goto": row.line},
            ),
            el.span(_("Not proven by anything that was said."), class_name="soft small"),
        ),
    )
