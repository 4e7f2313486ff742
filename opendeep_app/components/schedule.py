"""The next call of a task: why it comes when it does, and how to have it otherwise."""

import reflex as rx

from opendeep_app.components.browser import Exact, hook
from opendeep_app.components.icons import icon
from opendeep_app.state.schedule import ScheduleRow, ScheduleState, StepRow
from opendeep_app.words import _

el = rx.el


def schedule(row: rx.Var[ScheduleRow]) -> rx.Component:
    """Shown while a task waits for a call."""
    return rx.cond(
        row.steps.length() > 0,
        el.div(
            _why(row),
            _move(row),
            el.button(
                icon("skip-forward", 14),
                _("Skip"),
                type="button",
                class_name="btn ghost",
                title=_("Go without this call; the one after it is planned at once"),
                on_click=ScheduleState.skip,
                custom_attrs=hook("task-skip"),
            ),
            class_name="schedule",
        ),
    )


def _why(row: rx.Var[ScheduleRow]) -> rx.Component:
    return el.details(
        el.summary(icon("chevron-right", 14), _("Why this time?"), custom_attrs=hook("why")),
        el.div(
            el.ol(rx.foreach(row.steps, lambda step: _step(step, row.zone)), class_name="why"),
            rx.cond(
                row.hours != "",
                el.p(
                    _("They may be called: {hours}, {place} time.").format(
                        hours=row.hours, place=row.place
                    ),
                    class_name="faint small",
                    margin="8px 0 0",
                ),
            ),
            custom_attrs=hook("why-steps"),
        ),
        class_name="fold",
    )


def _step(row: rx.Var[StepRow], zone: rx.Var[str]) -> rx.Component:
    return el.li(
        el.div(row.words),
        Exact.create(at=row.after, zone=zone, class_name="faint small num"),
        class_name=rx.cond(row.closed, "closed", ""),
    )


def _move(row: rx.Var[ScheduleRow]) -> rx.Component:
    return el.details(
        el.summary(icon("calendar-clock", 14), _("Move"), custom_attrs=hook("task-move")),
        el.form(
            el.label(
                _("By the clock in {place}").format(place=row.place),
                html_for="move-at",
                class_name="label",
            ),
            el.div(
                el.input(
                    id="move-at",
                    name="at",
                    type="datetime-local",
                    class_name="field num",
                    default_value=row.local,
                    key=row.local,
                    aria_invalid=rx.cond(ScheduleState.error != "", "true", "false"),
                    custom_attrs=hook("move-at"),
                ),
                el.input(type="hidden", name="zone", value=row.zone, read_only=True),
                el.button(
                    _("Move the call"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("move-submit"),
                ),
                class_name="row wrap",
            ),
            rx.cond(
                ScheduleState.error != "",
                el.div(
                    ScheduleState.error,
                    class_name="error",
                    role="alert",
                    custom_attrs=hook("move-error"),
                ),
            ),
            rx.cond(
                ScheduleState.outside,
                el.label(
                    el.input(
                        type="checkbox",
                        name="outside_hours",
                        value="on",
                        custom_attrs=hook("move-outside"),
                    ),
                    _("Call anyway, outside their calling hours"),
                    class_name="tick",
                ),
            ),
            on_submit=ScheduleState.move,
            reset_on_submit=False,
            no_validate=True,
        ),
        class_name="fold",
    )
