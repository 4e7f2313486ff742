"""The inbox: what the agent asked, and what became of it."""

from typing import Any

import reflex as rx

from opendeep_app.components.answer import answer_form
from opendeep_app.components.browser import Ago, AlertChoices, Countdown, hook
from opendeep_app.components.facts import remember
from opendeep_app.components.icons import icon
from opendeep_app.components.info_modal import wishes
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.state.inbox import TO_ANSWER, InboxState
from opendeep_app.state.info_requests import QuestionState
from opendeep_app.state.rows import QuestionRow
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/questions",
    title=_("Questions · OpenDeep"),
    on_load=loading(InboxState.load),
)
def questions() -> rx.Component:
    """What waits for an answer, or what was settled."""
    return page(
        _("Questions"),
        el.div(
            el.div(
                _tab(_("To answer"), TO_ANSWER, QuestionState.pending_count),
                _tab(_("Answered"), "answered"),
                _tab(_("Expired"), "expired"),
                class_name="chips grow",
                role="group",
                aria_label=_("Which questions"),
            ),
            AlertChoices.create(class_name="btn ghost"),
            class_name="row wrap narrow inbox-head",
        ),
        rx.cond(
            InboxState.loaded,
            el.div(
                rx.cond(
                    InboxState.shown == TO_ANSWER,
                    rx.cond(
                        QuestionState.waiting.length() > 0,
                        rx.foreach(QuestionState.waiting, _waiting),
                        _nothing_waits(),
                    ),
                    rx.cond(InboxState.settled.length() > 0, _settled(), _nothing_settled()),
                ),
                class_name="stack narrow",
            ),
            skeleton(),
        ),
        here="/questions",
        loaders=loading(InboxState.load),
    )


def _tab(label: str, which: str, count: Any = None) -> rx.Component:
    return el.button(
        label,
        rx.cond(count > 0, el.span(count, class_name="num"))
        if count is not None
        else rx.fragment(),
        type="button",
        class_name="chip",
        aria_pressed=rx.cond(InboxState.shown == which, "true", "false"),
        on_click=InboxState.show(which),
        custom_attrs=hook(f"inbox-tab-{which}"),
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
        answer_form(row, "inbox", rx.cond(live, _("Answer"), _("Answer and call back"))),
        remember(row, "inbox"),
        wishes(row, "inbox"),
        class_name=rx.cond(live, "panel pad stack tone-live", "panel pad stack tone-need"),
        custom_attrs=hook("inbox-question", question_id=row.id, phase=row.phase),
        key=row.id,
    )


def _settled() -> rx.Component:
    return rx.fragment(
        el.section(
            rx.foreach(
                InboxState.settled,
                lambda row: el.a(
                    el.span(row.question, class_name="settled-asked"),
                    Ago.create(
                        at=rx.cond(row.answered_at != "", row.answered_at, row.asked_at),
                        class_name="soft small",
                    ),
                    rx.cond(row.answer != "", el.span(row.answer, class_name="settled-wide clamp")),
                    el.span(row.who, " · ", row.outcome, class_name="settled-wide soft small"),
                    href=f"/tasks/{row.task_id}",
                    class_name="settled",
                    custom_attrs=hook("inbox-settled", phase=row.phase),
                    key=row.id,
                ),
            ),
            class_name="panel list",
        ),
        el.nav(
            _turn(_("Newer"), "inbox-newer", InboxState.newer, InboxState.passed.length() == 0),
            _turn(_("Older"), "inbox-older", InboxState.older, ~InboxState.more),
            class_name="row turns",
            aria_label=_("Pages"),
        ),
    )


def _turn(label: str, test_id: str, handler: Any, last: Any) -> rx.Component:
    return el.button(
        label,
        type="button",
        class_name="btn",
        disabled=last,
        on_click=handler,
        custom_attrs=hook(test_id),
    )


def _nothing_settled() -> rx.Component:
    return el.div(
        el.h2(_("Nothing here")),
        el.p(
            rx.cond(
                InboxState.shown == "answered",
                _("Questions that you answered are kept here, with what became of your answer."),
                _(
                    "Questions that nobody answered in time are kept here. They can still be answered, "
                    "and OpenDeep calls back."
                ),
            )
        ),
        class_name="panel empty",
        custom_attrs=hook("inbox-empty"),
    )


def _nothing_waits() -> rx.Component:
    return el.div(
        el.div(icon("inbox", 22), class_name="glyph"),
        el.h2(_("No questions")),
        el.p(
            _(
                "When the agent is asked something only you know, it says “one moment” and asks you here, "
                "with a countdown, on whichever page you are."
            )
        ),
        class_name="panel empty",
        custom_attrs=hook("inbox-empty"),
    )
