"""The pieces of `assets/task.jsx` as components."""

import reflex as rx
from reflex.event import EventHandler, no_args_event_spec, passthrough_event_spec

from opendeep_app.components.browser import Piece


class _Browser(Piece):
    library = "$/public/task.jsx"


class CallBody(_Browser):
    """A call; what is inside may lead to its lines (`data-goto`) and times (`data-seek`)."""

    tag = "CallBody"
    recording: rx.Var[str]


class PointAt(_Browser):
    """Shows the event that the address names; `on_named` gets its number as text."""

    tag = "PointAt"
    event: rx.Var[int]
    on_named: EventHandler[passthrough_event_spec(str)]


class Copy(_Browser):
    """Copies `text`, or the address of `path`."""

    tag = "Copy"
    text: rx.Var[str]
    path: rx.Var[str]
    label: rx.Var[str]


class Undo(_Browser):
    """What was just done, and the way back for a moment."""

    tag = "Undo"
    text: rx.Var[str]
    on_undo: EventHandler[no_args_event_spec]
    on_gone: EventHandler[no_args_event_spec]


class Print(_Browser):
    """Prints the page."""

    tag = "Print"
