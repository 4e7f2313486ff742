"""The field for an answer, `assets/answer.jsx`, wherever a question can be answered."""

from typing import Any

import reflex as rx
from reflex.event import EventHandler, passthrough_event_spec

from opendeep_app.components.browser import Piece, hook
from opendeep_app.services.info_requests import MAX_ANSWER
from opendeep_app.state.info_requests import QuestionState
from opendeep_app.state.rows import QuestionRow
from opendeep_app.words import _

el = rx.el


class AnswerField(Piece):
    """Lines of text named `answer`, kept in the browser until `question` (an id) was answered.

    More than `most` characters are counted, not cut off. `on_typed` gets the text after a moment.
    """

    library = "$/public/answer.jsx"
    tag = "AnswerField"
    question: rx.Var[str]
    most: rx.Var[int]
    on_typed: EventHandler[passthrough_event_spec(str)]


def answer_form(row: rx.Var[QuestionRow], place: str, send: Any, **more: Any) -> rx.Component:
    """Text and the button that says `send`; `more` is the field's."""
    return el.form(
        el.input(type="hidden", name="id", value=row.id, read_only=True),
        el.div(
            AnswerField.create(
                question=row.id,
                most=MAX_ANSWER,
                custom_attrs=hook(f"{place}-answer") | {"aria-label": _("Your answer")},
                **more,
            ),
            el.button(
                send,
                type="submit",
                class_name="btn primary",
                custom_attrs=hook(f"{place}-submit"),
            ),
            class_name="row wrap answer-row",
        ),
        on_submit=QuestionState.answer,
        reset_on_submit=False,
    )
