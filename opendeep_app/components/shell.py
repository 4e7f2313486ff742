"""The frame around every page: navigation, bell, practice badge, and the question modal."""

from typing import Any

import reflex as rx
from reflex.style import color_mode, set_color_mode
from reflex_components_core.core.banner import connection_errors_count

from opendeep_app.components.browser import Alerts, Connection, Heartbeat, Passing, hook
from opendeep_app.components.icons import icon
from opendeep_app.components.info_modal import info_modal
from opendeep_app.components.keyboard import PLACES, Place, keyboard
from opendeep_app.state.info_requests import QuestionState
from opendeep_app.state.session import SessionState
from opendeep_app.words import _

HEARTBEAT_SECONDS = 20

el = rx.el


def loading(*loaders: Any) -> list[Any]:
    """What every page loads first, and then what the page itself loads.

    `SessionState.enter` sends strangers away; the loaders after it load nothing for them.
    """
    return [SessionState.enter, QuestionState.load, *loaders]


def page(
    title: Any, *content: rx.Component, here: str, loaders: list[Any], actions: Any = None
) -> rx.Component:
    """A page for people who are signed in; `here` is the navigation entry it belongs to.

    The `loaders` run again with every heartbeat and when a lost connection is back, which heals
    what a lost push missed.
    """
    return el.div(
        _navigation(here),
        el.div(
            el.header(
                title if isinstance(title, rx.Component) else el.h1(title),
                el.div(class_name="grow"),
                _practice_badge(),
                actions or rx.fragment(),
                _bell(),
                _color_mode(),
                class_name="top",
            ),
            Connection.create(
                failures=connection_errors_count,
                on_back=loaders,
                custom_attrs=hook("connection"),
            ),
            _carrier_trouble(),
            el.main(
                rx.cond(SessionState.signed_in, rx.fragment(*content), skeleton()),
                class_name="body",
            ),
            class_name="main",
        ),
        rx.cond(
            SessionState.signed_in,
            rx.fragment(
                info_modal(),
                Heartbeat.create(
                    seconds=HEARTBEAT_SECONDS,
                    pending=QuestionState.pending_count,
                    on_beat=loaders,
                    on_hide=SessionState.hide,
                ),
                Alerts.create(
                    asking=QuestionState.asking,
                    pending=QuestionState.pending_count,
                    question=QuestionState.current.question,
                ),
                Passing.create(
                    text=QuestionState.elsewhere,
                    on_gone=QuestionState.forget_elsewhere,
                    custom_attrs=hook("info-elsewhere"),
                ),
                keyboard(),
            ),
        ),
        class_name="app",
    )


def _carrier_trouble() -> rx.Component:
    return rx.cond(
        SessionState.carrier_trouble != "",
        el.p(
            _(
                "The phone provider has trouble ({trouble}). Calls wait and go out by themselves; no "
                "attempt is lost."
            ).format(trouble=SessionState.carrier_trouble),
            class_name="callout tone-wait small",
            margin="12px 16px 0",
            role="status",
            custom_attrs=hook("carrier-trouble"),
        ),
    )


def skeleton(rows: int = 4) -> rx.Component:
    """What is shown until the data is there."""
    return el.div(
        *(el.div(class_name="skeleton") for _row in range(rows)),
        el.span(_("Loading"), class_name="hidden-text"),
        class_name="stack",
        aria_busy="true",
    )


def brand() -> rx.Component:
    """Mark and name."""
    return el.div(
        el.span(icon("audio-lines", 15), class_name="mark"), "OpenDeep", class_name="brand"
    )


def _navigation(here: str) -> rx.Component:
    return el.nav(
        brand(),
        *(_entry(place, here) for place in PLACES),
        el.details(
            el.summary(
                icon("ellipsis", 17), _("More"), class_name="nav", custom_attrs=hook("more")
            ),
            el.div(
                *(_entry(place, here) for place in PLACES if place.seldom),
                _sign_out("sign-out-small"),
                class_name="more-menu",
            ),
            class_name="more-places",
        ),
        el.div(
            el.div(SessionState.name, class_name="clip", font_weight="550"),
            el.div(SessionState.email, class_name="clip faint small"),
            _sign_out("sign-out"),
            class_name="side-foot",
        ),
        class_name="side",
        aria_label=_("Main"),
    )


def _entry(place: Place, here: str) -> rx.Component:
    waiting = rx.cond(
        QuestionState.pending_count > 0,
        el.span(QuestionState.pending_count, class_name="count", aria_hidden="true"),
    )
    return rx.el.a(
        icon(place.icon, 17),
        place.label,
        waiting if place.href == "/questions" else rx.fragment(),
        href=place.href,
        class_name="nav seldom" if place.seldom else "nav",
        custom_attrs={"aria-current": "page"} if here == place.href else {},
    )


def _sign_out(name: str) -> rx.Component:
    return el.button(
        icon("log-out", 14),
        _("Sign out"),
        type="button",
        class_name="btn ghost",
        padding="0 6px",
        margin="6px 0 0 -6px",
        on_click=SessionState.leave,
        custom_attrs=hook(name),
    )


def _practice_badge() -> rx.Component:
    return rx.cond(
        SessionState.practice,
        el.span(
            icon("graduation-cap", 14),
            _("Practice"),
            el.span(_("line"), class_name="long"),
            class_name="practice",
            title=_(
                "No real phone rings: calls go to the practice line. Set the four credentials to go live."
            ),
            custom_attrs=hook("practice-badge"),
        ),
    )


def _bell() -> rx.Component:
    return rx.el.a(
        icon("bell", 17),
        rx.cond(
            QuestionState.pending_count > 0,
            el.span(
                QuestionState.pending_count, class_name="count", custom_attrs=hook("pending-count")
            ),
        ),
        href="/questions",
        class_name="btn ghost icon bell",
        aria_label=rx.cond(
            QuestionState.pending_count > 0,
            _("{count} questions wait for you").format(count=QuestionState.pending_count),
            _("No questions wait for you"),
        ),
        title=_("Questions"),
        custom_attrs=hook("pending-bell"),
    )


def _color_mode() -> rx.Component:
    colours = {"light": _("light"), "dark": _("dark"), "system": _("system")}

    def choice(mark: str, now: str, then: str) -> rx.Component:
        said = colours[now]
        return el.button(
            icon(mark, 17),
            on_click=set_color_mode(then),
            class_name="btn ghost icon",
            type="button",
            aria_label=_("Colours: {now}. Switch to {then}.").format(now=said, then=colours[then]),
            title=_("Colours: {now}").format(now=said),
            custom_attrs=hook("color-mode", mode=now),
        )

    return rx.match(
        color_mode,
        ("light", choice("sun", "light", "dark")),
        ("dark", choice("moon", "dark", "system")),
        choice("monitor", "system", "light"),
    )
