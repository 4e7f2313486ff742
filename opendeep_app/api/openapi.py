"""The API's description: FastAPI's, with the errors that this API really gives."""

import re
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.routing import compile_path

from opendeep_app.api.campaigns import NewCampaign
from opendeep_app.api.events import StreamedEvent
from opendeep_app.api.problems import MEDIA_TYPE, Problem
from opendeep_app.models.webhooks import WebhookMessage, WebhookType

PREFIX = "/api"
"""Where the web process mounts the API."""

DESCRIPTION = """\
Delegate phone calls to an AI agent and follow what becomes of them.

Send an API key as `Authorization: Bearer KEY`; `opendeep api-key create EMAIL` makes one. \
Times are RFC 3339 in UTC, ids are UUIDv7. What belongs to somebody else is not there (404). \
Errors are problem details (RFC 9457); when input is not valid, `errors` names each field.

Reads carry an `ETag`: send it as `If-None-Match` and get 304 while nothing has changed. Creates \
take an `Idempotency-Key`, so that a request whose answer was lost can be sent again. Every answer \
says in `RateLimit` how many more requests there may be; 429 comes with `Retry-After`.

To be told instead of asking, set up a webhook or follow `/api/events`."""

REFERENCE = "#/components/schemas/{model}"

PROBLEMS = {
    "400": "The body cannot be read.",
    "401": "There is no valid API key.",
    "404": "There is no such thing, or it is not yours.",
    "409": "The state has moved on, or the key was used for something else.",
    "413": "The body is too large.",
    "415": "Bodies of this media type are not taken.",
    "422": "The input is not valid.",
    "429": "Too many requests; `Retry-After` says in how many seconds the next one is welcome.",
    "default": "Something went wrong on our side; 503 says that trying again helps.",
}
ANYWHERE = ("401", "422", "429", "default")
WITH_BODY = ("400", "409", "413", "415")

#: Headers of answers: which they are, and of what type.
HEADERS: dict[str, tuple[str, str]] = {
    "RateLimit": ("string", "How many more requests there may be, and when all may be again."),
    "RateLimit-Policy": ("string", "How many requests there may be in how many seconds."),
    "Retry-After": ("integer", "Seconds."),
    "ETag": ("string", "Stands for the state; send it as `If-None-Match`."),
}
ALWAYS = ("RateLimit", "RateLimit-Policy")

WEBHOOK = """\
Posted to your webhooks. Signed as Standard Webhooks says: `webhook-signature` holds `v1,` and \
the base64 of the HMAC-SHA256, with the secret's decoded part after `whsec_` as its key, of \
`webhook-id`, `webhook-timestamp` and the body, joined by dots. Answer with a 2xx within 15 seconds."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the paths that clients see."""
    schema = get_openapi(
        title="OpenDeep",
        version=version("opendeep"),
        description=DESCRIPTION,
        routes=app.routes,
    )
    schema["paths"] = {PREFIX + path: operations for path, operations in schema["paths"].items()}
    schema["security"] = [{"key": []}]
    components = schema["components"]
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    components["responses"] = {code: _problem(words) for code, words in PROBLEMS.items()}
    _, by_hand = models_json_schema(
        [
            (Problem, "serialization"),
            (NewCampaign, "validation"),
            (StreamedEvent, "serialization"),
            (WebhookMessage, "serialization"),
        ],
        ref_template=REFERENCE,
    )
    schemas = components["schemas"] | by_hand["$defs"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for code in _possible(path, method):
                reference = {"$ref": f"#/components/responses/{code}"}
                operation["responses"][code] = reference
            _add_headers(operation)
    components["headers"] = {
        name: {"description": words, "schema": {"type": kind}}
        for name, (kind, words) in HEADERS.items()
    }
    schema["webhooks"] = {kind.value: {"post": _webhook(kind)} for kind in WebhookType}
    return schema


def _add_headers(operation: dict[str, Any]) -> None:
    conditional = any(each["name"] == "if-none-match" for each in operation.get("parameters", []))
    names = [*ALWAYS, "ETag"] if conditional else ALWAYS
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    responses = operation["responses"]
    for code in [code for code in responses if code.startswith("2")]:
        responses[code]["headers"] = headers
    if conditional:
        responses["304"] = {"description": "Nothing has changed since.", "headers": headers}


def _webhook(kind: WebhookType) -> dict[str, Any]:
    headers = {
        "webhook-id": "The message's id, the same for every attempt.",
        "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
        "webhook-signature": "One or more signatures, separated by spaces.",
    }
    return {
        "operationId": f"on_{kind.value.replace('.', '_')}",
        "summary": kind.value,
        "description": WEBHOOK,
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": words,
                "schema": {"type": "string"},
            }
            for name, words in headers.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": REFERENCE.format(model="WebhookMessage")}}
            },
        },
        "responses": {"2XX": {"description": "Taken. Anything else is tried again for a day."}},
    }


def methods(description: dict[str, Any]) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the paths within the API, and the methods for the `Allow` header of each."""
    return [
        (compile_path(path.removeprefix(PREFIX))[0], ", ".join(sorted(map(str.upper, operations))))
        for path, operations in description["paths"].items()
    ]


def _possible(path: str, method: str) -> list[str]:
    codes = {*ANYWHERE, *(WITH_BODY if method in ("post", "put") else ())}
    if "{" in path or method == "delete" or "/practice/" in path or path.endswith("/tasks"):
        codes.add("404")
    return sorted(codes)


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model="Problem")}
    names = ("Retry-After",) if "Retry-After" in words else ()
    return {
        "description": words,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
