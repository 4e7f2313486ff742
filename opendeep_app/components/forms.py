"""A labelled field with its hint and, where the input was refused, what is wrong with it."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import hook

el = rx.el


def field(
    name: str,
    label: str,
    control: rx.Component,
    hint: Any = "",
    *,
    errors: Any,
) -> rx.Component:
    """`errors` holds messages by the field's name; the control's id is the name."""
    return el.div(
        el.label(
            label,
            el.span(hint, class_name="faint") if hint else rx.fragment(),
            html_for=name,
            class_name="label",
        ),
        control,
        rx.cond(
            errors.contains(name),
            el.div(
                errors[name],
                class_name="error",
                role="alert",
                custom_attrs=hook(f"error-{name}"),
            ),
        ),
    )


def invalid(errors: Any, name: str) -> Any:
    """Whether the field's input was refused, for `aria_invalid`."""
    return rx.cond(errors.contains(name), "true", "false")
