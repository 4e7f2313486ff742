"""The form for a new task."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page
from opendeep_app.state.new_task import NewTaskState, PersonRow

el = rx.el


@rx.page(
    route="/tasks/new",
    title="New task · OpenDeep",
    on_load=loading(NewTaskState.load),
)
def new_task() -> rx.Component:
    """Whom to call and what for."""
    return page(
        el.h1(
            rx.el.a("Tasks", href="/", class_name="crumb"),
            el.span(" / ", class_name="faint"),
            "New task",
        ),
        el.form(
            _phone(),
            rx.cond(NewTaskState.people.length() > 0, _practice()),
            _field(
                "goal",
                "What should the call achieve?",
                el.textarea(
                    name="goal",
                    id="goal",
                    class_name="field",
                    max_length=4000,
                    rows=3,
                    placeholder="Move my dentist appointment to next week, mornings only.",
                    aria_invalid=_invalid("goal"),
                    custom_attrs=hook("task-goal"),
                ),
            ),
            el.div(
                _field(
                    "contact_name",
                    "Who is that?",
                    el.input(
                        name="contact_name",
                        id="contact_name",
                        class_name="field",
                        max_length=120,
                        placeholder="Bright Smile Dental",
                    ),
                    "optional",
                ),
                _field(
                    "max_attempts",
                    "Attempts",
                    el.input(
                        name="max_attempts",
                        id="max_attempts",
                        type="number",
                        min=1,
                        max=20,
                        default_value="3",
                        class_name="field num",
                        aria_invalid=_invalid("max_attempts"),
                    ),
                    "when nobody answers",
                ),
                class_name="pair",
            ),
            _field(
                "context",
                "What else should the agent know?",
                el.textarea(
                    name="context",
                    id="context",
                    class_name="field",
                    max_length=8000,
                    rows=3,
                    placeholder="Names, dates, reference numbers. It asks you when something is missing.",
                ),
                "optional",
            ),
            el.details(
                el.summary(icon("chevron-right", 15), "More options"),
                el.div(
                    _field(
                        "priority",
                        "Priority",
                        el.input(
                            name="priority",
                            id="priority",
                            type="number",
                            min=-100,
                            max=100,
                            default_value="0",
                            class_name="field num",
                            aria_invalid=_invalid("priority"),
                        ),
                        "higher goes first",
                    ),
                    _field(
                        "info_timeout_seconds",
                        "Seconds you get to answer a question",
                        el.input(
                            name="info_timeout_seconds",
                            id="info_timeout_seconds",
                            type="number",
                            min=5,
                            max=600,
                            placeholder="30",
                            class_name="field num",
                            aria_invalid=_invalid("info_timeout_seconds"),
                        ),
                    ),
                    class_name="pair",
                    margin_top="14px",
                ),
                class_name="more",
            ),
            rx.cond(
                NewTaskState.errors.contains("form"),
                el.div(NewTaskState.errors["form"], class_name="error", role="alert"),
            ),
            el.div(
                el.button(
                    icon("phone-outgoing", 16),
                    "Start the task",
                    type="submit",
                    class_name="btn primary big",
                    custom_attrs=hook("task-submit"),
                ),
                el.a("Cancel", href="/", class_name="btn ghost big"),
                class_name="row",
            ),
            on_submit=NewTaskState.submit,
            reset_on_submit=False,
            no_validate=True,
            class_name=rx.cond(NewTaskState.people.length() > 0, "form with-aside", "form"),
        ),
        here="/tasks/new",
        loaders=loading(),
    )


def _phone() -> rx.Component:
    return _field(
        "phone_number",
        "Number to call",
        el.div(
            rx.el.input(
                name="phone_number",
                id="phone_number",
                type="tel",
                class_name="field num",
                placeholder="+1 202 555 0143",
                auto_complete="tel",
                key=NewTaskState.picked,
                default_value=NewTaskState.picked,
                on_change=NewTaskState.type_phone.debounce(250),
                on_blur=NewTaskState.leave_phone,
                aria_invalid=_invalid("phone_number"),
                custom_attrs=hook("task-phone"),
            ),
            rx.cond(
                NewTaskState.checked,
                el.div(
                    el.span(NewTaskState.flag, aria_hidden="true", font_size="16px"),
                    el.b(NewTaskState.international, class_name="num"),
                    el.span(
                        NewTaskState.country,
                        " · it is ",
                        NewTaskState.local_time,
                        " there",
                        class_name="num",
                    ),
                    class_name="checked",
                    aria_live="polite",
                    custom_attrs=hook("phone-check"),
                ),
            ),
        ),
        "with country code",
    )


def _practice() -> rx.Component:
    return el.div(
        el.div(
            "Or somebody on the practice line",
            el.span("no real phone rings", class_name="faint"),
            class_name="label",
        ),
        el.div(rx.foreach(NewTaskState.people, _person), class_name="people"),
        class_name="aside",
    )


def _person(row: rx.Var[PersonRow]) -> rx.Component:
    return el.button(
        el.b(row.name),
        el.span(row.behaviour),
        type="button",
        class_name="person",
        on_click=NewTaskState.pick(row.number),
        custom_attrs=hook("practice-person", phone=row.number)
        | {"aria-pressed": rx.cond(NewTaskState.picked == row.number, "true", "false")},
    )


def _field(name: str, label: str, control: rx.Component, hint: str = "") -> rx.Component:
    return el.div(
        el.label(
            label,
            el.span(hint, class_name="faint") if hint else rx.fragment(),
            html_for=name,
            class_name="label",
        ),
        control,
        rx.cond(
            NewTaskState.errors.contains(name),
            el.div(
                NewTaskState.errors[name],
                class_name="error",
                role="alert",
                custom_attrs=hook(f"error-{name}"),
            ),
        ),
    )


def _invalid(name: str) -> Any:
    return rx.cond(NewTaskState.errors.contains(name), "true", "false")
