"""Signing in."""

import reflex as rx

from opendeep_app.components.browser import hook
from opendeep_app.components.shell import brand
from opendeep_app.state.session import SignInState
from opendeep_app.words import _, pieces

el = rx.el


@rx.page(route="/sign-in", title=_("Sign in · OpenDeep"), on_load=SignInState.load)
def sign_in() -> rx.Component:
    """E-mail and password."""
    return el.main(
        el.div(
            brand(),
            el.h1(_("Welcome back")),
            el.p(
                _("Sign in to see what your agent is doing."), class_name="soft", margin="0 0 22px"
            ),
            el.form(
                el.div(
                    el.label(_("E-mail"), html_for="email", class_name="label"),
                    el.input(
                        id="email",
                        name="email",
                        type="email",
                        auto_complete="username",
                        required=True,
                        auto_focus=True,
                        class_name="field",
                        custom_attrs=hook("sign-in-email"),
                    ),
                ),
                el.div(
                    el.label(_("Password"), html_for="password", class_name="label"),
                    el.input(
                        id="password",
                        name="password",
                        type="password",
                        auto_complete="current-password",
                        required=True,
                        class_name="field",
                        custom_attrs=hook("sign-in-password"),
                    ),
                ),
                rx.cond(
                    SignInState.error != "",
                    el.div(SignInState.error, class_name="error", role="alert", margin_top="-8px"),
                ),
                el.button(
                    rx.cond(SignInState.busy, _("Signing in…"), _("Sign in")),
                    type="submit",
                    class_name="btn primary full big",
                    disabled=SignInState.busy,
                    custom_attrs=hook("sign-in-submit"),
                ),
                on_submit=SignInState.submit,
                reset_on_submit=False,
                class_name="stack",
                gap="16px",
            ),
            el.p(
                *pieces(
                    _("No password yet? Open the link that {command} printed."),
                    command=el.code("opendeep up"),
                ),
                class_name="faint small",
                margin="20px 0 0",
            ),
            class_name="panel",
        ),
        class_name="gate",
    )
