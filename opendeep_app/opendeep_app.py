"""The Reflex app: pages, the doors mounted next to them, and the listener that keeps tabs live."""

import reflex as rx

from opendeep_app import live, runtime, words
from opendeep_app.pages import (
    budgets,
    calling,
    campaign,
    campaigns,
    do_not_call,
    facts,
    info_requests,
    new_task,
    overview,
    settings,
    sign_in,
    task,
    tasks,
    webhooks,
)
from opendeep_app.routes import doors

PAGES = (
    tasks,
    overview,
    campaigns,
    campaign,
    calling,
    new_task,
    task,
    info_requests,
    facts,
    settings,
    budgets,
    do_not_call,
    webhooks,
    sign_in,
)

app = rx.App(
    stylesheets=[
        "/opendeep.css",
        "/task.css",
        "/overview.css",
        "/schedule.css",
        "/list.css",
        "/campaigns.css",
    ],
    head_components=[
        rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        *([rx.el.script(words.script())] if words.script() else []),
    ],
    html_lang=words.language(),
    # The page says itself, and in words for people, that the server cannot be reached.
    extra_app_wraps={(5, "Overlay"): lambda _stateful: rx.fragment()},
    api_transformer=doors(),
)
app.register_lifespan_task(runtime.running)
app.register_lifespan_task(live.follow)
