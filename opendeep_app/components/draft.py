"""The pieces of `assets/draft.jsx` as components."""

import reflex as rx
from reflex.event import EventHandler, passthrough_event_spec

from opendeep_app.components.browser import Piece


class _Browser(Piece):
    library = "$/public/draft.jsx"


class Draft(_Browser):
    """Keeps what is typed into the form around it under `name`, and brings it back.

    `prefill` (JSON) comes first if given. `on_typed` gets all values, and the name of the field
    that was just left, empty while typing goes on.
    """

    tag = "Draft"
    name: rx.Var[str]
    prefill: rx.Var[str]
    rows: rx.Var[int]
    on_typed: EventHandler[passthrough_event_spec(dict[str, str], str)]


class Put(_Browser):
    """A button that types `text` into the field with the id `into`."""

    tag = "Put"
    into: rx.Var[str]
    text: rx.Var[str]
