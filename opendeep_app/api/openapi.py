"""The API's description: FastAPI's, with the errors that this API really gives."""

import re
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.routing import compile_path

from opendeep_app.api.campaigns import NewCampaign
from opendeep_app.api.problems import MEDIA_TYPE, Problem

PREFIX = "/api"
"""Where the web process mounts the API."""

DESCRIPTION = """\
Delegate phone calls to an AI agent and follow what becomes of them.

Send an API key as `Authorization: Bearer KEY`; `opendeep api-key create EMAIL` makes one. \
Times are RFC 3339 in UTC, ids are UUIDv7. What belongs to somebody else is not there (404). \
Errors are problem details (RFC 9457); when input is not valid, `errors` names each field."""

REFERENCE = "#/components/schemas/{model}"

PROBLEMS = {
    "400": "The body cannot be read.",
    "401": "There is no valid API key.",
    "404": "There is no such thing, or it is not yours.",
    "409": "The state has moved on, or the key was used for something else.",
    "413": "The body is too large.",
    "415": "Bodies of this media type are not taken.",
    "422": "The input is not valid.",
    "default": "Something went wrong on our side; 503 says that trying again helps.",
}
ANYWHERE = ("401", "422", "default")
WITH_BODY = ("400", "409", "413")


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
        [(Problem, "serialization"), (NewCampaign, "validation")], ref_template=REFERENCE
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
    return schema


def methods(description: dict[str, Any]) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the paths within the API, and the methods for the `Allow` header of each."""
    return [
        (compile_path(path.removeprefix(PREFIX))[0], ", ".join(sorted(map(str.upper, operations))))
        for path, operations in description["paths"].items()
    ]


def _possible(path: str, method: str) -> list[str]:
    codes = {*ANYWHERE, *(WITH_BODY if method == "post" else ())}
    if "{" in path or method == "delete" or "/practice/" in path or path.endswith("/tasks"):
        codes.add("404")
    if path.endswith("/campaigns"):
        codes.add("415")
    return sorted(codes)


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": REFERENCE.format(model="Problem")}
    return {"description": words, "content": {MEDIA_TYPE: {"schema": schema}}}
