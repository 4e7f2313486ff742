"""The frame around every page of the settings: their own navigation beside the content."""

from typing import Any

import reflex as rx

from opendeep_app.components.shell import page
from opendeep_app.words import _

el = rx.el

#: The pages there are, in their order.
ENTRIES = (
    (_("You"), "/settings"),
    (_("Calling"), "/settings/calling"),
    (_("Budget & data"), "/settings/data"),
    (_("Do not call"), "/settings/do-not-call"),
    (_("Webhooks"), "/settings/webhooks"),
)


def settings_page(
    title: str, *content: rx.Component, here: str, loaders: list[Any]
) -> rx.Component:
    """A page of the settings; `here` is its own address, `loaders` as for `page`."""
    return page(
        el.h1(_("Settings"), el.span(" / ", class_name="faint"), title),
        el.div(
            el.nav(
                *(
                    el.a(
                        label,
                        href=href,
                        class_name="nav",
                        custom_attrs={"aria-current": "page"} if href == here else {},
                    )
                    for label, href in ENTRIES
                ),
                class_name="sub-nav",
                aria_label=_("Settings"),
            ),
            el.div(*content, class_name="stack settings-content"),
            class_name="settings",
        ),
        here="/settings",
        loaders=loaders,
    )
