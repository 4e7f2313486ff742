"""The keyboard and the command palette: `assets/keys.jsx` with what it needs from the server."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventHandler, no_args_event_spec, passthrough_event_spec

from opendeep_app.components.browser import Piece
from opendeep_app.state.palette import PaletteState
from opendeep_app.state.rows import TaskRow
from opendeep_app.words import _


@dataclass(frozen=True)
class Place:
    """A page that the navigation and the palette lead to; `g` and its key open it.

    What is `seldom` wanted stands under *More* where there is no room for all.
    """

    label: str
    href: str
    icon: str
    key: str = ""
    seldom: bool = False


PLACES = (
    Place(_("Tasks"), "/", "list-checks", "t"),
    Place(_("Overview"), "/overview", "chart-column", "o"),
    Place(_("Campaigns"), "/campaigns", "megaphone", "c", seldom=True),
    Place(_("Questions"), "/questions", "inbox", "q"),
    Place(_("Facts"), "/facts", "book-user", "f", seldom=True),
    Place(_("New task"), "/tasks/new", "phone-outgoing", "n"),
    Place(_("Settings"), "/settings", "settings", "s", seldom=True),
)


class Keyboard(Piece):
    """Single keys, `?` for help and Ctrl-K for everything; hears nothing while somebody types."""

    library = "$/public/keys.jsx"
    tag = "Keyboard"
    pages: rx.Var[list[dict[str, str]]]
    found: rx.Var[list[TaskRow]]
    on_search: EventHandler[passthrough_event_spec(str)]
    on_theme: EventHandler[no_args_event_spec]


def keyboard() -> rx.Component:
    """For every page that is for people who are signed in."""
    pages: list[Any] = [
        {"label": place.label, "href": place.href, "key": place.key} for place in PLACES
    ]
    return Keyboard.create(
        pages=pages,
        found=PaletteState.found,
        on_search=PaletteState.search,
        on_theme=rx.toggle_color_mode,
    )
