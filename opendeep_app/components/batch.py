"""Acting on many tasks: the bar of actions, the preview, and the way back."""

import reflex as rx

from opendeep_app.components.browser import Modal, hook
from opendeep_app.components.hours import hours_fields, tick
from opendeep_app.components.icons import icon
from opendeep_app.services.batches import Action
from opendeep_app.state.batches import WORDS, BatchState
from opendeep_app.state.rules import DAY_NAMES
from opendeep_app.state.tasks import TasksState
from opendeep_app.words import _

el = rx.el

ICONS = {
    Action.HOLD: "pause",
    Action.RESUME: "play",
    Action.CALL_NOW: "phone-outgoing",
    Action.HOURS: "clock",
    Action.CANCEL: "x",
}


def bar() -> rx.Component:
    """What can be done with the chosen tasks."""
    count = BatchState.chosen.length()
    return rx.cond(
        (count > 0) | BatchState.all_matching,
        el.div(
            el.b(
                rx.cond(
                    BatchState.all_matching,
                    _("All {count} matching").format(count=TasksState.total),
                    _("{count} chosen").format(count=count),
                ),
                class_name="num",
                role="status",
                custom_attrs=hook("batch-count"),
            ),
            rx.cond(
                ~BatchState.all_matching,
                el.button(
                    _("All {count}").format(count=TasksState.total),
                    type="button",
                    class_name="btn ghost",
                    on_click=BatchState.choose_matching,
                    custom_attrs=hook("batch-all"),
                ),
            ),
            *(
                el.button(
                    icon(ICONS[action], 15),
                    el.span(name, class_name="not-small"),
                    type="button",
                    class_name="btn danger" if action is Action.CANCEL else "btn",
                    aria_label=name,
                    on_click=BatchState.propose(action.value),
                    custom_attrs=hook(f"batch-{action.value}"),
                )
                for action, (name, *_rest) in WORDS.items()
            ),
            el.button(
                icon("x", 16),
                type="button",
                class_name="btn ghost icon",
                aria_label=_("Choose none"),
                on_click=BatchState.choose_none,
            ),
            class_name="batch",
            role="toolbar",
            aria_label=_("Chosen tasks"),
        ),
    )


def dialog() -> rx.Component:
    """What would happen, before it does."""
    return Modal.create(
        el.form(
            el.h2(BatchState.title, id="batch-title", class_name="asks", tab_index=-1),
            rx.foreach(BatchState.changes, lambda text: el.p(text)),
            rx.cond(
                BatchState.skips.length() > 0,
                el.div(
                    el.b(
                        rx.cond(BatchState.will_change > 0, _("Left alone"), _("Nothing to do for"))
                    ),
                    el.ul(
                        rx.foreach(BatchState.skips, lambda text: el.li(text, class_name="num")),
                        class_name="plain",
                    ),
                    class_name="heard",
                    custom_attrs=hook("batch-skips"),
                ),
            ),
            rx.cond(BatchState.action == Action.HOURS, _hours()),
            rx.cond(
                BatchState.running,
                el.progress(value=BatchState.progress, max=100, class_name="meter"),
            ),
            el.div(
                el.button(_("Back"), type="button", class_name="btn", on_click=BatchState.put_off),
                el.button(
                    BatchState.title,
                    type="submit",
                    class_name="btn primary",
                    disabled=BatchState.running | (BatchState.will_change == 0),
                    custom_attrs=hook("batch-go") | {"data-focus-first": ""},
                ),
                class_name="row wrap",
                justify_content="flex-end",
            ),
            class_name="modal-body stack",
            on_submit=BatchState.go,
            reset_on_submit=False,
            no_validate=True,
        ),
        subject=BatchState.action,
        label="batch-title",
        on_later=BatchState.put_off,
        custom_attrs=hook("batch-dialog"),
    )


def _hours() -> rx.Component:
    empty = dict.fromkeys(DAY_NAMES, "")
    return el.div(
        el.p(
            _("From–to by their own clock, or “closed”. A day that stays empty is as greyed."),
            class_name="faint small",
        ),
        hours_fields(empty, BatchState.usual, BatchState.errors),
        rx.cond(
            BatchState.errors.contains("hours"),
            el.div(
                BatchState.errors["hours"],
                class_name="error",
                role="alert",
                custom_attrs=hook("error-hours"),
            ),
        ),
        tick("outside_usual_hours", _("Also before 8:00 or after 21:00"), False),
        tick("avoid_holidays", _("Not on public holidays"), False),
        class_name="stack",
    )


def done() -> rx.Component:
    """What was done, and for a moment the way to take it back."""
    return rx.fragment(
        rx.cond(
            BatchState.done_words != "",
            el.div(
                el.span(BatchState.done_words, custom_attrs=hook("batch-done")),
                rx.cond(
                    BatchState.undoable,
                    el.button(
                        _("Undo"),
                        type="button",
                        class_name="btn",
                        on_click=BatchState.undo,
                        custom_attrs=hook("batch-undo"),
                    ),
                ),
                el.button(
                    icon("x", 15),
                    type="button",
                    class_name="btn ghost icon",
                    aria_label=_("Close"),
                    on_click=BatchState.forget,
                ),
                class_name="passing row",
                role="status",
            ),
        ),
    )
