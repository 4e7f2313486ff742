"""The pieces of `assets/list.jsx` as components."""

import reflex as rx
from reflex.event import EventHandler, no_args_event_spec, passthrough_event_spec

from opendeep_app.components.browser import Piece


class _List(Piece):
    library = "$/public/list.jsx"


class SearchBox(_List):
    """A search field that waits until typing pauses."""

    tag = "SearchBox"
    value: rx.Var[str]
    placeholder: rx.Var[str]
    on_search: EventHandler[passthrough_event_spec(str)]


class Reach(_List):
    """An end of a list; `row` is the one that stands there, so that it looks again after a page."""

    tag = "Reach"
    row: rx.Var[str]
    on_reach: EventHandler[no_args_event_spec]


class Leaving(_List):
    """Inside a row that leaves: says when that has been seen."""

    tag = "Leaving"
    on_gone: EventHandler[no_args_event_spec]
