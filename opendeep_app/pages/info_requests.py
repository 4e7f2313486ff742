"""The inbox: what the agent asked, and what became of it."""

import reflex as rx

from opendeep_app.components.browser import Ago, AlertChoices, Countdown, hook
from opendeep_app.components.icons import icon
from opendeep_app.components.info_modal import wishes
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.state.info_requests import InboxState, QuestionState
from opendeep_app.state.rows import QuestionRow

el = rx.el


@rx.page(
    route="/questions",
    title="Questions · OpenDeep",
    on_load=loading(InboxState.load),
)
def questions() -> rx.Component:
    """Waiting questions first, settled ones below."""
    return page(
        "Questions",
        el.div(AlertChoices.create(class_name="btn ghost"), class_name="alert-choices"),
        rx.cond(
            InboxState.loaded,
            rx.cond(
                (QuestionState.waiting.length() > 0) | (InboxState.settled.length() > 0),
                el.div(
                    rx.foreach(QuestionState.waiting, _waiting),
                    rx.cond(InboxState.settled.length() > 0, _settled()),
                    class_name="stack",
                    gap="14px",
                    max_width="760px",
                ),
                _none(),
            ),
            skeleton(),
        ),
        here="/questions",
        loaders=loading(InboxState.load),
    )


def _waiting(row: rx.Var[QuestionRow]) -> rx.Component:
    live = row.phase == "open"
    return el.section(
        el.div(
            rx.cond(
                live,
                Countdown.create(
                    deadline=row.deadline, asked=row.asked_at, server_now=QuestionState.server_now
                ),
                el.span(
                    icon("clock-alert", 18), class_name="event-icon", width="38px", height="38px"
                ),
            ),
            el.div(
                el.div(row.question, font_weight="620", font_size="15px"),
                el.a(
                    el.b(row.who),
                    " · ",
                    row.goal,
                    href=f"/tasks/{row.task_id}",
                    class_name="soft small clamp",
                ),
                class_name="grow",
            ),
            Ago.create(
                at=row.asked_at, server_now=QuestionState.server_now, class_name="faint small num"
            ),
            class_name="row",
            gap="12px",
            align_items="flex-start",
        ),
        el.div(
            rx.foreach(
                row.suggestions,
                lambda text: el.button(
                    text,
                    type="button",
                    class_name="chip",
                    on_click=QuestionState.suggest(row.id, text),
                ),
            ),
            class_name="chips",
        ),
        el.form(
            el.input(type="hidden", name="id", value=row.id, read_only=True),
            el.div(
                el.input(
                    name="answer",
                    class_name="field",
                    placeholder="Type your answer…",
                    auto_complete="off",
                    max_length=2000,
                    aria_label="Your answer",
                    custom_attrs=hook("inbox-answer"),
                ),
                el.button(
                    rx.cond(live, "Answer", "Answer and call back"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("inbox-submit"),
                ),
                class_name="row",
            ),
            on_submit=QuestionState.answer,
            reset_on_submit=False,
        ),
        wishes(row, "inbox"),
        class_name=rx.cond(live, "panel pad stack tone-live", "panel pad stack tone-need"),
        custom_attrs=hook("inbox-question", question_id=row.id, phase=row.phase),
        key=row.id,
    )


def _settled() -> rx.Component:
    return el.section(
        el.div("Settled", class_name="panel-head"),
        rx.foreach(
            InboxState.settled,
            lambda row: el.a(
                el.span(row.question, class_name="who"),
                el.span(Ago.create(at=row.answered_at), class_name="faint small"),
                el.span(
                    row.answer,
                    rx.cond(row.answer != "", " · ", ""),
                    el.span(row.outcome, class_name="faint small"),
                    class_name="goal clamp",
                ),
                el.span(row.who, class_name="faint small"),
                href=f"/tasks/{row.task_id}",
                class_name="task",
                custom_attrs=hook("inbox-settled"),
                key=row.id,
            ),
        ),
        class_name="panel list",
    )


def _none() -> rx.Component:
    return el.div(
        el.div(icon("inbox", 22), class_name="glyph"),
        el.h2("No questions"),
        el.p(
            "When the agent is asked something only you know, it says “one moment” and asks you here, "
            "with a countdown, on whichever page you are."
        ),
        class_name="panel empty",
    )
