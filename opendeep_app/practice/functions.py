"""Functions as the practice model sees them: what they want, and what they give back."""

import json
from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
"""A function's JSON schema, as the session declares it."""

_PENDING = {"pending", "waiting", "asked", "open", "in_progress", "queued"}


def fitted(schema: Schema, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the function takes, with a value for each that it requires."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    fitted = {
        key: _fit(value, properties[key]) for key, value in arguments.items() if key in properties
    }
    for key in schema.get("required", ()):
        fitted.setdefault(key, _default(properties.get(key, {})))
    return fitted


def choices(schema: Schema, argument: str) -> list[str]:
    """The values that the function declares for an argument; none if it may be anything."""
    return list(schema.get("properties", {}).get(argument, {}).get("enum", ()))


def answer(output: str) -> str | None:
    """The answer in a function's output; empty when there will be none, `None` while it is open."""
    try:
        data = json.loads(output)
    except ValueError:
        return output.strip()
    if not isinstance(data, dict):
        return str(data)
    if data.get("answer"):
        return str(data["answer"])
    return None if str(data.get("status", "")).lower() in _PENDING else ""


def failed(output: str) -> bool:
    """Whether a function reports that it could not do what was asked."""
    try:
        data = json.loads(output)
    except ValueError:
        return False
    return isinstance(data, dict) and ("error" in data or data.get("status") == "error")


def _fit(value: Any, schema: Schema) -> Any:
    choices = schema.get("enum")
    if not choices or value in choices:
        return value
    words = set(str(value).split("_"))
    return max(choices, key=lambda choice: len(words & set(str(choice).split("_"))))


def _default(schema: Schema) -> Any:
    if choices := schema.get("enum"):
        return choices[0]
    kind = schema.get("type", "string")
    kind = kind[-1] if isinstance(kind, list) else kind
    defaults: dict[str, Any] = {
        "array": [],
        "boolean": False,
        "integer": 10,
        "number": 10,
        "null": None,
        "object": {},
    }
    return defaults.get(kind, "")
