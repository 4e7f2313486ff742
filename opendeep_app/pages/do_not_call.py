"""Numbers that must not be called."""

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.icons import icon
from opendeep_app.components.settings import settings_page
from opendeep_app.components.shell import loading, skeleton
from opendeep_app.state.do_not_call import DoNotCallState, EntryRow
from opendeep_app.words import _

el = rx.el


@rx.page(
    route="/settings/do-not-call",
    title=_("Do not call · OpenDeep"),
    on_load=loading(DoNotCallState.load),
)
def do_not_call() -> rx.Component:
    """The list, and adding to it."""
    return settings_page(
        _("Do not call"),
        rx.cond(DoNotCallState.loaded, rx.fragment(_add(), _list()), skeleton()),
        here="/settings/do-not-call",
        loaders=loading(),
    )


def _add() -> rx.Component:
    errors = DoNotCallState.errors
    return el.section(
        el.h2(_("Leave a number alone"), class_name="panel-head"),
        el.form(
            field(
                "phone_number",
                _("Phone number"),
                el.input(
                    id="phone_number",
                    name="phone_number",
                    type="tel",
                    class_name="field num",
                    placeholder="+1 202 555 0143",
                    auto_complete="off",
                    aria_invalid=invalid(errors, "phone_number"),
                    custom_attrs=hook("do-not-call-number"),
                ),
                errors=errors,
            ),
            field(
                "reason",
                _("Reason"),
                el.input(
                    id="reason",
                    name="reason",
                    class_name="field",
                    max_length=500,
                    auto_complete="off",
                    custom_attrs=hook("do-not-call-reason"),
                ),
                _("optional"),
                errors=errors,
            ),
            el.p(
                _(
                    "Every open task of yours to this number stops at once, a call that is going on "
                    "too. People who ask the agent not to call again are added by themselves."
                ),
                class_name="faint small",
                margin="-8px 0 0",
            ),
            el.div(
                el.button(
                    _("Add"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("do-not-call-add"),
                )
            ),
            on_submit=DoNotCallState.add,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
        ),
        class_name="panel",
    )


def _list() -> rx.Component:
    return el.section(
        el.h2(_("Never called"), class_name="panel-head"),
        el.div(
            rx.cond(
                DoNotCallState.entries.length() > 0,
                rx.foreach(DoNotCallState.entries, _entry),
                el.p(_("No number is on your list."), class_name="soft small", margin="0"),
            ),
            class_name="pad stack",
        ),
        class_name="panel",
    )


def _entry(row: rx.Var[EntryRow]) -> rx.Component:
    return el.div(
        icon("phone", 15),
        el.div(
            el.div(row.number, class_name="num clip", font_weight="550"),
            el.div(row.reason, " ", Ago.create(at=row.created_at), class_name="faint small"),
            class_name="grow",
        ),
        el.button(
            _("Remove"),
            type="button",
            class_name="btn ghost danger",
            on_click=DoNotCallState.remove(row.id),
            aria_label=_("Remove {number}").format(number=row.number),
            custom_attrs=hook("do-not-call-remove"),
        ),
        class_name="row",
        custom_attrs=hook("do-not-call-entry"),
        key=row.id,
    )
