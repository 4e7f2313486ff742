"""The question modal: what the agent asks, of whom, how long it can wait, and what follows."""

from typing import Any

import reflex as rx

from opendeep_app.components.answer import answer_form
from opendeep_app.components.browser import AlertChoices, Countdown, Modal, hook
from opendeep_app.components.facts import remember
from opendeep_app.components.icons import icon
from opendeep_app.state.info_requests import YOU_DECIDE, QuestionState
from opendeep_app.state.rows import QuestionRow
from opendeep_app.words import _

el = rx.el


def info_modal() -> rx.Component:
    """The most urgent question that was not put off."""
    row = QuestionState.current
    live = row.phase == "open"
    return Modal.create(
        el.div(
            el.div(
                rx.cond(
                    live,
                    Countdown.create(
                        deadline=row.deadline,
                        asked=row.asked_at,
                        server_now=QuestionState.server_now,
                        custom_attrs=hook("info-countdown"),
                    ),
                    el.span(
                        icon("clock-alert", 20),
                        class_name="event-icon",
                        width="46px",
                        height="46px",
                    ),
                ),
                el.div(
                    el.div(
                        rx.cond(
                            live,
                            _("Your agent is on the phone and needs you"),
                            _("They are waiting for your answer"),
                        ),
                        class_name="small",
                        color="var(--tone-t)",
                        font_weight="600",
                    ),
                    el.a(
                        el.b(row.who),
                        " · ",
                        row.goal,
                        href=f"/tasks/{row.task_id}",
                        class_name="soft small clamp",
                        tab_index=-1,
                    ),
                    class_name="grow",
                ),
                rx.cond(
                    QuestionState.behind > 0,
                    el.span(
                        f"+{QuestionState.behind}",
                        class_name="count",
                        title=_("More questions wait"),
                    ),
                ),
                class_name="modal-head",
            ),
            el.div(
                _heard(),
                el.p(
                    row.question,
                    id="info-question",
                    tab_index=-1,
                    class_name="asks",
                    custom_attrs=hook("info-question") | {"data-focus-first": "true"},
                ),
                rx.cond(row.suggestions.length() > 0, _suggestions(row.id, row.suggestions)),
                answer_form(
                    row,
                    "info",
                    _("Answer"),
                    on_typed=QuestionState.set_draft,
                ),
                rx.cond(
                    QuestionState.error != "",
                    el.div(QuestionState.error, class_name="error", role="alert"),
                ),
                remember(row, "info"),
                wishes(row, "info"),
                _consequence(live),
                class_name="modal-body stack",
            ),
            class_name=rx.cond(live, "tone-live", "tone-need"),
        ),
        subject=row.id,
        label="info-question",
        on_later=QuestionState.put_off,
        custom_attrs=hook("info-modal", question_id=row.id, phase=row.phase),
    )


def wishes(row: rx.Var[QuestionRow], place: str) -> rx.Component:
    """What else than an answer the creator may give while the recipient waits."""

    def wish(label: str, test_id: str, handler: Any, title: str) -> rx.Component:
        return el.button(
            label,
            type="button",
            class_name="chip",
            title=title,
            on_click=handler,
            custom_attrs=hook(f"{place}-{test_id}"),
        )

    return rx.cond(
        row.phase == "open",
        el.div(
            rx.cond(
                row.extended,
                rx.fragment(),
                wish(
                    _("Need more time"),
                    "more-time",
                    QuestionState.more_time(row.id),
                    _("Once: the agent asks them to wait a little longer"),
                ),
            ),
            wish(
                _("You decide"),
                "you-decide",
                QuestionState.suggest(row.id, YOU_DECIDE),
                _("You do not know: the agent decides"),
            ),
            wish(
                _("Call back later"),
                "postpone",
                QuestionState.postpone(row.id),
                _("The agent says goodbye now, and calls again once you have answered"),
            ),
            class_name="chips",
            role="group",
            aria_label=_("Without an answer"),
        ),
    )


def _heard() -> rx.Component:
    return rx.cond(
        QuestionState.heard.length() > 0,
        el.div(
            rx.foreach(
                QuestionState.heard,
                lambda line: el.div(
                    rx.cond(line.by != "", el.b(line.by, ": ")), line.text, class_name="clamp"
                ),
            ),
            class_name="heard",
            aria_label=_("What was just said"),
        ),
    )


def _suggestions(question_id: rx.Var[str], suggestions: rx.Var[list[str]]) -> rx.Component:
    return el.div(
        rx.foreach(
            suggestions,
            lambda text: el.button(
                text,
                type="button",
                class_name="chip",
                on_click=QuestionState.suggest(question_id, text),
                custom_attrs=hook("info-suggestion"),
            ),
        ),
        class_name="chips",
        role="group",
        aria_label=_("Suggested answers"),
    )


def _consequence(live: rx.Var[bool]) -> rx.Component:
    return el.div(
        el.span(
            rx.cond(
                live,
                _(
                    "At zero the agent says a polite goodbye. Your question stays in the inbox, and a later answer makes a new call."
                ),
                _("The agent said goodbye. When you answer, OpenDeep calls them back with it."),
            ),
            class_name="faint small grow",
        ),
        AlertChoices.create(class_name="btn ghost"),
        el.button(
            _("Hide"),
            type="button",
            class_name="btn ghost",
            on_click=QuestionState.put_off,
            custom_attrs=hook("info-later"),
        ),
        class_name="row consequence",
    )
