"""What every table shares: ids that sort by time, and times that know their zone."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import uuid_utils
from pydantic import BaseModel
from sqlalchemy import JSON, DateTime, Dialect, Enum, String
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field


def new_id() -> str:
    """A UUIDv7 as text (RFC 9562): unique everywhere, ordered by creation."""
    return str(uuid_utils.uuid7())


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The value with its texts, however deep, free of what no database takes.

    PostgreSQL refuses NUL, UTF-8 knows no half of a surrogate pair, and JSON may carry both.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {key: storable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([storable(inner) for inner in value])
    return value


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which has no zones, keeps it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database; raises `ValueError` for a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database, always aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_type(kind: type[StrEnum]) -> Enum:
    """An enum stored as its text value, checked by the application and by the type's length only."""
    return Enum(
        kind,
        native_enum=False,
        length=40,
        values_callable=lambda members: [m.value for m in members],
    )


def id_field(**options: Any) -> Any:
    """A primary key."""
    return Field(default_factory=new_id, primary_key=True, sa_type=String(36), **options)


def reference(table: str, **options: Any) -> Any:
    """A foreign key to another table's id; rows go with the row they belong to."""
    return Field(foreign_key=f"{table}.id", ondelete="CASCADE", sa_type=String(36), **options)


def time_field(**options: Any) -> Any:
    """A UTC time column."""
    return Field(sa_type=UtcDateTime, **options)


class Json(TypeDecorator[Any]):
    """JSON that also takes Pydantic models."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """To the database, models as their JSON form."""
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        return storable(plain)
