"""The pieces of `assets/ui.jsx` as components: they run in the browser without the server's help."""

from typing import Any, Self

import reflex as rx
from reflex.event import EventHandler, no_args_event_spec


class Piece(rx.Component):
    """A function of `assets/*.jsx`; its properties are the fields."""

    @classmethod
    def create(cls, *children: Any, **props: Any) -> Self:
        """With these properties.

        Raises:
            TypeError: There is no such property; Reflex takes it for a rule of CSS.
        """
        known = cls.get_fields().keys() | cls.get_event_triggers().keys()
        given = {each for each in props if not each.startswith(("aria_", "data_"))}
        if unknown := sorted(given - known):
            raise TypeError(f"{cls.__name__} has no {', '.join(unknown)}.")
        return super().create(*children, **props)


class _Browser(Piece):
    library = "$/public/ui.jsx"


class Ago(_Browser):
    """A time relative to now, the exact one on hover, there too if `zone` is given; RFC 3339 text.

    `due` marks the time of something planned, which is never in the past.
    """

    tag = "Ago"
    at: rx.Var[str]
    zone: rx.Var[str]
    due: rx.Var[bool]
    server_now: rx.Var[str]


class At(_Browser):
    """A time of day, in the viewer's zone."""

    tag = "At"
    at: rx.Var[str]
    zone: rx.Var[str]


class Exact(_Browser):
    """Date and time in full, in the viewer's zone and, if another, in `zone`."""

    tag = "Exact"
    at: rx.Var[str]
    zone: rx.Var[str]


class Elapsed(_Browser):
    """Minutes and seconds since a moment."""

    tag = "Elapsed"
    since: rx.Var[str]
    server_now: rx.Var[str]


class Countdown(_Browser):
    """A ring that empties until `deadline`, by the server's clock."""

    tag = "Countdown"
    deadline: rx.Var[str]
    asked: rx.Var[str]
    server_now: rx.Var[str]


class Modal(_Browser):
    """A native modal alert dialog about a `subject` (an id), closed when that is empty.

    `label` is the id of the element that names it.
    """

    tag = "Modal"
    subject: rx.Var[str]
    label: rx.Var[str]
    on_later: EventHandler[no_args_event_spec]


class Heartbeat(_Browser):
    """Re-reads the page's data while it is visible; counts `pending` in the tab's title."""

    tag = "Heartbeat"
    seconds: rx.Var[int]
    pending: rx.Var[int]
    on_beat: EventHandler[no_args_event_spec]
    on_hide: EventHandler[no_args_event_spec]


class Connection(_Browser):
    """A quiet line while the server cannot be reached; `on_back` when it can be again."""

    tag = "Connection"
    failures: rx.Var[int]
    on_back: EventHandler[no_args_event_spec]


class Alerts(_Browser):
    """Calls the person: a sound, a badge on the tab's icon, a notification when it is hidden.

    `asking` holds the ids of the questions of live calls; each of them calls once per browser.
    """

    tag = "Alerts"
    asking: rx.Var[str]
    pending: rx.Var[int]
    question: rx.Var[str]


class AlertChoices(_Browser):
    """Sound on or off, and leave to show notifications, which is asked for only here."""

    tag = "AlertChoices"


class Passing(_Browser):
    """Words that stay for a moment."""

    tag = "Passing"
    text: rx.Var[str]
    on_gone: EventHandler[no_args_event_spec]


class Follow(_Browser):
    """A box that keeps its newest line in sight; `lines` is how many there are, 0 to stay put."""

    tag = "Follow"
    lines: rx.Var[int]


def hook(test_id: str, **data: Any) -> dict[str, Any]:
    """Attributes that tests find an element by; these names are a contract."""
    return {"data-testid": test_id} | {
        f"data-{key.replace('_', '-')}": value for key, value in data.items()
    }
