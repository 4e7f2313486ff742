"""What a conversation with the practice model is made of, and what the model may reply."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Heard:
    """The recipient said this; empty when it could not be understood."""

    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """The agent said this; not `whole` when it was cut short."""

    text: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """A system message."""

    text: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody has said anything for a while."""


@dataclass(frozen=True, slots=True)
class Called:
    """The agent called a function."""

    call_id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Returned:
    """A function's output."""

    call_id: str
    output: str


Item = Heard | Said | Told | Idle | Called | Returned


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function to call."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, and what to call after saying it."""

    speech: str = ""
    calls: tuple[FunctionCall, ...] = ()
