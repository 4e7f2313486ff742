"""Webhooks: addresses that are told what happens, a test for each, and what was sent to it."""

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.icons import icon
from opendeep_app.components.settings import settings_page
from opendeep_app.components.shell import loading, skeleton
from opendeep_app.state.webhooks import TYPES, DeliveryRow, WebhookRow, WebhooksState
from opendeep_app.words import _, pieces

el = rx.el


@rx.page(
    route="/settings/webhooks",
    title=_("Webhooks · OpenDeep"),
    on_load=loading(WebhooksState.forget_secret, WebhooksState.load),
)
def webhooks() -> rx.Component:
    """The viewer's webhooks and a form for another."""
    return settings_page(
        _("Webhooks"),
        rx.cond(
            WebhooksState.loaded,
            rx.fragment(
                rx.cond(WebhooksState.fresh_secret != "", _fresh()),
                rx.foreach(WebhooksState.webhooks, _webhook),
                _new(),
            ),
            skeleton(),
        ),
        here="/settings/webhooks",
        loaders=loading(WebhooksState.load),
    )


def _fresh() -> rx.Component:
    return el.div(
        el.b(_("Copy this secret now: it is not shown again.")),
        el.div(
            el.code(
                WebhooksState.fresh_secret,
                class_name="grow",
                overflow_wrap="anywhere",
                custom_attrs=hook("webhook-secret"),
            ),
            el.button(
                _("Copy"),
                type="button",
                class_name="btn",
                on_click=[
                    rx.set_clipboard(WebhooksState.fresh_secret),
                    rx.toast.success(_("Copied.")),
                ],
            ),
            class_name="row",
        ),
        el.span(
            _("Your program proves with it that a message comes from here."),
            class_name="soft small",
        ),
        class_name="callout tone-need stack",
        role="status",
    )


def _webhook(row: rx.Var[WebhookRow]) -> rx.Component:
    return el.section(
        el.div(
            el.div(
                el.h2(
                    rx.cond(row.description != "", row.description, row.url),
                    class_name="clip",
                    font_size="14px",
                    margin="0",
                ),
                rx.cond(row.description != "", el.div(row.url, class_name="faint small clip")),
                el.div(row.types, class_name="soft small"),
                class_name="grow",
                min_width="0",
            ),
            el.span(
                el.span(class_name="dot"),
                rx.cond(row.enabled, _("Enabled"), _("Disabled")),
                class_name=rx.cond(row.enabled, "status tone-good", "status tone-off"),
                custom_attrs=hook("webhook-state"),
            ),
            class_name="row pad",
        ),
        rx.cond(
            row.trouble != "",
            el.div(
                el.div(
                    el.b(_("Nothing is sent. ")),
                    row.trouble,
                    class_name="callout tone-need",
                    role="status",
                ),
                class_name="pad",
                padding_top="0",
            ),
        ),
        el.div(
            _act(
                _("Send a test"), "webhook-ping", WebhooksState.ping(row.id), disabled=~row.enabled
            ),
            _act(
                rx.cond(row.enabled, _("Disable"), _("Enable")),
                "webhook-enable",
                WebhooksState.enable(row.id, ~row.enabled),
            ),
            el.button(
                rx.cond(row.open, _("Hide messages"), _("Messages")),
                type="button",
                class_name="btn",
                on_click=WebhooksState.toggle(row.id),
                custom_attrs={**hook("webhook-messages"), "aria-expanded": row.open},
            ),
            el.div(class_name="grow"),
            el.button(
                _("Delete"),
                type="button",
                class_name="btn ghost danger",
                on_click=WebhooksState.remove(row.id),
                aria_label=_("Delete the webhook {url}").format(url=row.url),
                custom_attrs=hook("webhook-delete"),
            ),
            class_name="row wrap pad",
            padding_top="0",
        ),
        rx.cond(row.open, _messages(row)),
        class_name="panel",
        custom_attrs=hook("webhook"),
        key=row.id,
    )


def _act(
    label: rx.Var[str] | str, name: str, act: rx.event.EventSpec, **more: object
) -> rx.Component:
    return el.button(
        label, type="button", class_name="btn", on_click=act, custom_attrs=hook(name), **more
    )


def _messages(row: rx.Var[WebhookRow]) -> rx.Component:
    return el.div(
        rx.cond(
            row.deliveries.length() > 0,
            rx.foreach(row.deliveries, lambda sent: _delivery(row, sent)),
            el.p(_("Nothing has been sent yet."), class_name="soft", margin="0"),
        ),
        class_name="pad stack",
        border_top="1px solid var(--line)",
    )


def _delivery(row: rx.Var[WebhookRow], sent: rx.Var[DeliveryRow]) -> rx.Component:
    return el.details(
        el.summary(
            icon("chevron-right", 14),
            el.span(sent.type, font_weight="550"),
            el.span(el.span(class_name="dot"), sent.status, class_name=f"status {sent.tone}"),
            el.span(sent.outcome, class_name="soft small num"),
            el.span(
                Ago.create(at=sent.at, server_now=WebhooksState.server_now),
                class_name="faint small",
            ),
            flex_wrap="wrap",
        ),
        el.div(
            rx.cond(
                sent.next_at != "",
                el.div(
                    *pieces(
                        _("Attempt {number} is made {when}"),
                        number=sent.attempts + 1,
                        when=Ago.create(
                            at=sent.next_at, server_now=WebhooksState.server_now, due=True
                        ),
                    ),
                    class_name="soft small",
                ),
            ),
            rx.cond(
                sent.answer != "",
                el.div(el.div(_("Answer"), class_name="faint small"), _text(sent.answer)),
            ),
            el.div(el.div(_("Message"), class_name="faint small"), _text(sent.body)),
            el.div(
                el.button(
                    icon("rotate-cw", 14),
                    _("Send again"),
                    type="button",
                    class_name="btn",
                    disabled=~row.enabled,
                    on_click=WebhooksState.replay(row.id, sent.id),
                    custom_attrs=hook("webhook-replay"),
                )
            ),
            class_name="stack",
            padding="10px 0 6px 20px",
        ),
        class_name="more",
        custom_attrs=hook("webhook-delivery"),
        key=sent.id,
    )


def _text(text: rx.Var[str]) -> rx.Component:
    return el.pre(
        text,
        class_name="small",
        margin="4px 0 0",
        padding="10px 12px",
        border_radius="8px",
        background="var(--slate-a3)",
        white_space="pre-wrap",
        overflow_wrap="anywhere",
        max_height="320px",
        overflow_y="auto",
        tab_index=0,
    )


def _new() -> rx.Component:
    errors = WebhooksState.errors
    return el.section(
        el.h2(_("Add a webhook"), class_name="panel-head"),
        el.form(
            el.p(
                _("We post a signed message to your program when something happens. "),
                el.a(
                    _("How to check a message"), href="/api/docs#create_webhook", class_name="link"
                ),
                class_name="soft small",
                margin="0",
            ),
            field(
                "url",
                _("Address"),
                el.input(
                    id="url",
                    name="url",
                    type="url",
                    class_name="field",
                    placeholder="https://example.com/opendeep",
                    max_length=2000,
                    auto_complete="off",
                    aria_invalid=invalid(errors, "url"),
                    custom_attrs=hook("webhook-url"),
                ),
                _("https, reachable from the internet"),
                errors=errors,
            ),
            field(
                "description",
                _("What is it for?"),
                el.input(
                    id="description",
                    name="description",
                    class_name="field",
                    max_length=200,
                    auto_complete="off",
                    aria_invalid=invalid(errors, "description"),
                ),
                _("optional"),
                errors=errors,
            ),
            el.fieldset(
                el.legend(_("Tell it when"), class_name="label"),
                el.div(
                    *(
                        el.label(
                            el.input(
                                type="checkbox", name=kind, default_checked=True, margin_right="6px"
                            ),
                            words,
                            title=kind,
                            class_name="small",
                        )
                        for kind, words in TYPES.items()
                    ),
                    display="grid",
                    grid_template_columns="repeat(auto-fill, minmax(210px, 1fr))",
                    gap="8px",
                    id="types",
                    tab_index=-1,
                ),
                rx.cond(
                    errors.contains("types"),
                    el.div(errors["types"], class_name="error", role="alert"),
                ),
                border="0",
                padding="0",
                margin="0",
            ),
            el.div(
                el.button(
                    icon("plus", 15),
                    _("Add webhook"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("webhook-create"),
                )
            ),
            id="new-webhook",
            on_submit=WebhooksState.create,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="18px",
        ),
        class_name="panel",
    )
