"""The kinds of values that the API takes, and what is wrong with those it does not."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from opendeep_app.errors import NotFound

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UUID = {"type": "string", "format": "uuid"}
_YEARS = range(1970, 2200)


class Input(BaseModel):
    """Base of request bodies: unknown fields and values of another type are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Output(BaseModel):
    """Base of what the API gives, read from the rows' attributes."""

    model_config = ConfigDict(from_attributes=True)


def _storable(text: str) -> str:
    # PostgreSQL keeps no U+0000, and UTF-8 no half of a surrogate pair.
    if _UNSTORABLE.search(text):
        raise ValueError("Remove the NUL characters and unpaired surrogates.")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("This may not be blank.")
    return text


def _instant(value: Any) -> datetime:
    # An unescaped + in a query arrives as a space.
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", str(value).upper())
    try:
        if not isinstance(value, str) or not _TIME.fullmatch(text):
            raise ValueError
        time = datetime.fromisoformat(text).astimezone(UTC)
        if time.year not in _YEARS:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(
            "Give a time with its zone (RFC 3339), for example 2027-01-31T09:00:00Z."
        ) from None
    return time


def _known_form(text: str) -> str:
    if not _ID.fullmatch(text):
        raise NotFound("There is nothing with this id.")
    return text


Id = Annotated[str, Field(pattern=f"^{_ID.pattern}$"), WithJsonSchema(_UUID)]
"""An id in a body or a query."""

Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can keep."""

Words = Annotated[
    Text, AfterValidator(_not_blank), Field(json_schema_extra={"minLength": 1, "pattern": r"\S"})
]
"""Text that says something."""

Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An RFC 3339 time, in UTC; numbers, which Pydantic would take as seconds, are refused."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description=(
            "The same key with the same request gets the same answer, however often it comes; "
            "with another request it is a conflict."
        ),
    ),
]
"""What makes a request safe to repeat."""

PathId = Annotated[
    str,
    AfterValidator(_known_form),
    WithJsonSchema(_UUID),
    Path(),
]
"""An id in the path; what cannot be one does not exist."""
