"""What is kept of a task: taking it away, and erasing it once that was meant."""

import reflex as rx

from opendeep_app.components.browser import Modal, hook
from opendeep_app.components.icons import icon
from opendeep_app.state.task_data import TaskDataState
from opendeep_app.words import _

el = rx.el


def task_data() -> rx.Component:
    """Two buttons, and the question before the second."""
    return el.section(
        el.div(
            el.button(
                icon("download", 15),
                _("Export"),
                type="button",
                class_name="btn ghost",
                title=_("Everything that is kept of this task, as a JSON file"),
                on_click=TaskDataState.export,
                custom_attrs=hook("task-export"),
            ),
            el.button(
                icon("trash-2", 15),
                _("Erase …"),
                type="button",
                class_name="btn ghost danger",
                aria_haspopup="dialog",
                on_click=TaskDataState.ask,
                custom_attrs=hook("task-erase"),
            ),
            class_name="row wrap no-print",
        ),
        _dialog(),
        aria_label=_("What is kept of this task"),
    )


def _dialog() -> rx.Component:
    return Modal.create(
        el.div(
            el.h2(_("Erase this task?"), id="erase-title", class_name="asks", tab_index=-1),
            el.p(
                _(
                    "Its calls, transcripts, recordings, questions, findings and history are deleted "
                    "for good, here and in the search. Nobody can bring them back."
                )
            ),
            el.p(
                _(
                    "What stays: what the calls cost, as part of your day's and the campaign's sums; "
                    "facts that you chose to remember; a number on your do-not-call list; and what "
                    "was sent to your webhooks or is kept by the phone and model providers."
                ),
                class_name="soft small",
            ),
            el.div(
                el.button(
                    _("Keep it"),
                    type="button",
                    class_name="btn",
                    on_click=TaskDataState.put_off,
                    custom_attrs={"data-focus-first": ""},
                ),
                el.button(
                    icon("trash-2", 15),
                    _("Erase for good"),
                    type="button",
                    class_name="btn danger",
                    on_click=TaskDataState.erase,
                    custom_attrs=hook("task-erase-go"),
                ),
                class_name="row wrap",
                justify_content="flex-end",
            ),
            class_name="modal-body stack",
        ),
        subject=rx.cond(TaskDataState.asking, "erase", ""),
        label="erase-title",
        on_later=TaskDataState.put_off,
        custom_attrs=hook("task-erase-dialog"),
    )
