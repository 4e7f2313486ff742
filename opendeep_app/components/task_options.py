"""The folded part of the form for a new task: everything that has a sensible default."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.hours import holiday_fields, hours_fields, tick
from opendeep_app.components.icons import icon
from opendeep_app.models import VoicemailPolicy
from opendeep_app.rules import RetryCase, Weekday
from opendeep_app.state.new_task import NewTaskState
from opendeep_app.words import _

el = rx.el

VOICEMAIL = {
    VoicemailPolicy.HANG_UP: _("hang up and try again later"),
    VoicemailPolicy.LEAVE_MESSAGE: _("leave a message"),
    VoicemailPolicy.LAST_ATTEMPT: _("leave a message on the last attempt"),
}
WAITS = {
    RetryCase.BUSY: _("line busy"),
    RetryCase.NO_ANSWER: _("nobody answers"),
    RetryCase.VOICEMAIL: _("voicemail"),
}


def options() -> rx.Component:
    """More options."""
    return el.details(
        el.summary(icon("chevron-right", 15), _("More options"), custom_attrs=hook("more-options")),
        el.div(_findings(), _call(), _attempts(), _hours(), class_name="more-body"),
        class_name="more",
    )


def _findings() -> rx.Component:
    def row(number: rx.Var[str]) -> rx.Component:
        return el.div(
            el.input(
                name=f"finding_{number}",
                class_name="field",
                max_length=80,
                placeholder=_("Price"),
                aria_label=_("What to find out"),
                custom_attrs=hook("finding"),
            ),
            el.input(
                name=f"finding_{number}_words",
                class_name="field",
                max_length=400,
                placeholder=_("What does it cost, with delivery?"),
                aria_label=_("In more words"),
            ),
            class_name="wanted",
            key=number,
        )

    return rx.fragment(
        el.h3(_("What to find out")),
        el.div(rx.foreach(NewTaskState.findings, row), class_name="stack", gap="6px", role="group"),
        _error("findings_wanted"),
    )


def _call() -> rx.Component:
    return rx.fragment(
        el.h3(_("The call")),
        el.div(
            field(
                "voicemail_policy",
                _("When voicemail answers"),
                el.select(
                    *(el.option(words, value=policy.value) for policy, words in VOICEMAIL.items()),
                    id="voicemail_policy",
                    name="voicemail_policy",
                    class_name="field",
                ),
                errors=NewTaskState.errors,
            ),
            _number(
                "max_call_minutes", _("Longest call"), _("minutes"), 1, 60, "15", "max_call_seconds"
            ),
            _number(
                "info_timeout_seconds", _("Time you get for a question"), _("seconds"), 5, 600, "30"
            ),
            _number(
                "budget",
                _("Most it may cost"),
                _("US dollars"),
                0,
                10000,
                _("no limit"),
                "budget_micros",
            ),
            class_name="pair",
        ),
        tick(
            "record_call",
            _("Record the call"),
            False,
            _(
                "In many places everybody on the line must agree to that. The agent says so at once."
            ),
        ),
    )


def _attempts() -> rx.Component:
    return rx.fragment(
        el.h3(_("Attempts")),
        el.div(
            _number("max_attempts", _("Attempts"), _("when nobody answers"), 1, 20, "3"),
            _number("priority", _("Priority"), _("higher goes first"), -100, 100, "0"),
            class_name="pair",
        ),
        el.div(
            *(
                _number(
                    f"wait_{case}",
                    _("After “{outcome}”").format(outcome=words),
                    _("minutes"),
                    0,
                    43200,
                    NewTaskState.waits[case.value],
                )
                for case, words in WAITS.items()
            ),
            class_name="pair",
        ),
        _error("retry_policy"),
    )


def _hours() -> rx.Component:
    nothing = {day.value: "" for day in Weekday}
    return rx.fragment(
        el.h3(_("When they may be called"), el.span(_(" by their clock"), class_name="faint")),
        hours_fields(nothing, NewTaskState.usual, NewTaskState.errors),
        _error("hours"),
        el.div(
            tick("avoid_holidays", _("Not on public holidays"), False),
            tick("outside_usual_hours", _("Also before 8:00 or after 21:00"), False),
            class_name="checklist",
        ),
        holiday_fields("", "", NewTaskState.errors),
    )


def _number(
    name: str, label: str, hint: str, least: int, most: int, usual: Any, error: str = ""
) -> rx.Component:
    control = el.input(
        id=name,
        name=name,
        type="number",
        min=least,
        max=most,
        step="any",
        class_name="field num",
        placeholder=usual,
        aria_invalid=invalid(NewTaskState.errors, error or name),
    )
    return rx.fragment(
        el.div(
            field(name, label, control, hint, errors=NewTaskState.errors),
            _error(error) if error else rx.fragment(),
        )
    )


def _error(name: str) -> rx.Component:
    return rx.cond(
        NewTaskState.errors.contains(name),
        el.div(
            NewTaskState.errors[name],
            class_name="error",
            role="alert",
            custom_attrs=hook(f"error-{name}"),
        ),
    )
