"""The settings' first page: who you are, how to reach you, and the keys of your programs."""

from zoneinfo import available_timezones

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.icons import icon
from opendeep_app.components.settings import settings_page
from opendeep_app.components.shell import loading, skeleton
from opendeep_app.state.settings import KeyRow, SettingsState
from opendeep_app.words import _, pieces

el = rx.el

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and zone[:4] != "Etc/")


@rx.page(route="/settings", title=_("Settings · OpenDeep"), on_load=loading(SettingsState.load))
def settings() -> rx.Component:
    """You and your keys."""
    return settings_page(
        _("You"),
        rx.cond(SettingsState.loaded, rx.fragment(_you(), _keys()), skeleton()),
        here="/settings",
        loaders=loading(),
    )


def _you() -> rx.Component:
    errors = SettingsState.errors
    return el.section(
        el.h2(_("You"), class_name="panel-head"),
        el.form(
            field(
                "name",
                _("Your name"),
                el.input(
                    id="name",
                    name="name",
                    class_name="field",
                    max_length=120,
                    auto_complete="name",
                    default_value=SettingsState.name,
                    aria_invalid=invalid(errors, "name"),
                    custom_attrs=hook("settings-name"),
                ),
                _("as the agent says it"),
                errors=errors,
            ),
            field(
                "time_zone",
                _("Time zone"),
                el.div(
                    el.input(
                        id="time_zone",
                        name="time_zone",
                        class_name="field",
                        list="time-zones",
                        auto_complete="off",
                        spell_check=False,
                        default_value=SettingsState.time_zone,
                        aria_invalid=invalid(errors, "time_zone"),
                        custom_attrs=hook("settings-time-zone"),
                    ),
                    el.datalist(*(el.option(value=zone) for zone in ZONES), id="time-zones"),
                ),
                _("type a city, for example Berlin"),
                errors=errors,
            ),
            field(
                "mobile_number",
                _("Mobile number for text messages"),
                el.input(
                    id="mobile_number",
                    name="mobile_number",
                    type="tel",
                    class_name="field num",
                    auto_complete="tel",
                    placeholder="+1 202 555 0143",
                    default_value=SettingsState.mobile_number,
                    aria_invalid=invalid(errors, "mobile_number"),
                    custom_attrs=hook("settings-mobile"),
                ),
                _("optional"),
                errors=errors,
            ),
            el.p(
                _(
                    "When no tab of yours answers a question by half of its time, it is sent to this "
                    "number, and your reply goes into the call. Reply STOP to end that."
                ),
                class_name="faint small",
                margin="-8px 0 0",
            ),
            el.div(
                el.button(
                    _("Save"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("settings-save"),
                ),
            ),
            on_submit=SettingsState.save,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
        ),
        class_name="panel",
    )


def _keys() -> rx.Component:
    return el.section(
        el.h2(_("API keys"), class_name="panel-head"),
        el.div(
            el.p(
                _("A key lets a program do what you may do, over REST. "),
                el.a(_("The API's pages"), href="/api/docs", class_name="link"),
                class_name="soft small",
                margin="0",
            ),
            rx.cond(SettingsState.fresh_key != "", _fresh()),
            rx.foreach(SettingsState.keys, _key),
            el.form(
                el.label(_("What is the key for?"), html_for="key-label", class_name="hidden-text"),
                el.div(
                    el.input(
                        id="key-label",
                        name="label",
                        class_name="field",
                        max_length=120,
                        placeholder=_("What is it for?"),
                        auto_complete="off",
                        custom_attrs=hook("key-label"),
                    ),
                    el.button(
                        icon("plus", 15),
                        _("Create key"),
                        type="submit",
                        class_name="btn",
                        custom_attrs=hook("key-create"),
                    ),
                    class_name="row",
                ),
                on_submit=SettingsState.create_key,
                reset_on_submit=True,
            ),
            class_name="pad stack",
        ),
        class_name="panel",
    )


def _fresh() -> rx.Component:
    return el.div(
        el.b(_("Copy this key now: it is not shown again.")),
        el.div(
            el.code(
                SettingsState.fresh_key,
                class_name="grow",
                overflow_wrap="anywhere",
                custom_attrs=hook("key-fresh"),
            ),
            el.button(
                _("Copy"),
                type="button",
                class_name="btn",
                on_click=[
                    rx.set_clipboard(SettingsState.fresh_key),
                    rx.toast.success(_("Copied.")),
                ],
            ),
            class_name="row",
        ),
        class_name="callout tone-need stack",
        role="status",
    )


def _key(row: rx.Var[KeyRow]) -> rx.Component:
    return el.div(
        el.div(
            el.div(row.label, font_weight="550", class_name="clip"),
            el.div(
                *pieces(_("Made {when}"), when=Ago.create(at=row.created_at)),
                class_name="faint small",
            ),
            class_name="grow",
        ),
        el.button(
            _("Revoke"),
            type="button",
            class_name="btn ghost danger",
            on_click=SettingsState.revoke_key(row.id),
            aria_label=_("Revoke {label}").format(label=row.label),
            custom_attrs=hook("key-revoke"),
        ),
        class_name="row",
        custom_attrs=hook("api-key"),
        key=row.id,
    )
