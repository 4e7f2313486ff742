"""Icons by what they mean."""

import reflex as rx

_LUCIDE = {
    "plus": "plus",
    "phone": "phone-outgoing",
    "ring": "bell-ring",
    "talk": "audio-lines",
    "hangup": "phone-off",
    "undo": "undo-2",
    "spark": "sparkles",
    "clock": "clock",
    "question": "circle-help",
    "answer": "message-square-reply",
    "check": "check",
    "x": "x",
    "pause": "pause",
    "note": "message-square-text",
}


def icon(name: str, size: int = 16) -> rx.Component:
    """A decorative icon; what it says is also said in words."""
    return rx.icon(name, size=size, aria_hidden="true", stroke_width=1.9)


def event_icon(name: rx.Var[str]) -> rx.Component:
    """The icon of a timeline event, by the names used in `theme.EVENT`."""
    return rx.match(name, *((key, icon(tag, 14)) for key, tag in _LUCIDE.items()), icon("dot", 14))
