"""Every error of the API as problem details: application/problem+json (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opendeep_app.api.conditions import NotModified, not_modified
from opendeep_app.errors import Conflict, InvalidInput, NotAllowed, NotFound, OpenDeepError
from opendeep_app.services.campaigns import InvalidContacts

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

STATUS: dict[type[OpenDeepError], HTTPStatus] = {
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
}
"""The status of each deliberate error; the others are 503 when trying again can help, else 500."""

_OUR_WORDS = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such parameter; check the spelling.",
    "model_attributes_type": "Send a JSON object, with Content-Type: application/json.",
    "dict_type": "Send a JSON object, with Content-Type: application/json.",
}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="The field or parameter, with dots into nested values.")
    message: str
    row: int | None = Field(None, description="Of uploaded contacts: the row, or the file's line.")


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = Field("about:blank", description="The title says it all while it is about:blank.")
    title: str
    status: int
    detail: str = Field(description="What went wrong this time, for a person.")
    errors: list[FieldProblem] | None = Field(None, description="Present when input is not valid.")


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for a failed request."""
    known = HTTPStatus(status)
    body = Problem(
        title=known.phrase, status=known, detail=detail, errors=list(errors) if errors else None
    )
    # Escaped, because names that the client made up may hold what UTF-8 cannot.
    content = json.dumps(body.model_dump(mode="python", exclude_none=True))
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes the app answer with problems only."""
    app.add_exception_handler(OpenDeepError, _deliberate)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(NotModified, not_modified)
    app.add_exception_handler(Exception, _unexpected)


async def _deliberate(request: Request, error: Exception) -> Response:
    assert isinstance(error, OpenDeepError)
    if isinstance(error, InvalidContacts):
        rows = [FieldProblem(field=r.field, message=r.message, row=r.row) for r in error.rows]
        return problem(STATUS[InvalidInput], error.message, rows)
    fields = None
    if isinstance(error, InvalidInput):
        fields = [FieldProblem(field=error.field, message=error.message)]
    for kind, status in STATUS.items():
        if isinstance(error, kind):
            return problem(status, error.message, fields)
    return problem(503 if error.retryable else 500, error.message)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return invalid(error.errors(), known_parameters(request))


def known_parameters(request: Request) -> list[str]:
    """The query parameters that the request's route takes."""
    route: APIRoute = request.scope["route"]
    names: list[str] = []
    for parameter in route.dependant.query_params:
        model = parameter.field_info.annotation
        fields = getattr(model, "model_fields", None)
        names += list(fields) if fields else [parameter.alias]
    return names


def invalid(errors: Sequence[Mapping[str, Any]], parameters: Sequence[str] = ()) -> Response:
    """The response for what Pydantic found wrong; `parameters` are those of the query."""
    fields = [_field(error, parameters) for error in errors]
    detail = " ".join(f"{field.field}: {field.message}" for field in fields[:3])
    if len(fields) > 3:
        detail += f" And {len(fields) - 3} more."
    return problem(422, detail, fields)


def _field(error: Mapping[str, Any], parameters: Sequence[str]) -> FieldProblem:
    where = [str(part) for part in error["loc"]]
    if error["type"] == "extra_forbidden" and where[0] == "query":
        known = f"This path takes {', '.join(parameters)}." if parameters else "This path has none."
        return FieldProblem(field=where[-1], message=f"There is no such parameter. {known}")
    if error["type"] == "json_invalid":
        message = f"This is not JSON: {error['ctx']['error']} (at character {where[-1]})."
        return FieldProblem(field="body", message=message)
    message = _OUR_WORDS.get(error["type"]) or error["msg"].removeprefix("Value error, ")
    name = ".".join(where[1:]) or where[0]
    return FieldProblem(field=name, message=message if message.endswith(".") else f"{message}.")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:
        detail = f"{detail}: {request.method} {request.url.path}. See /api/docs."
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Routes know their own method only, not what else their path takes.
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        allowed = (names for regex, names in request.app.state.methods if regex.match(path))
        headers["Allow"] = next(allowed, "GET")
    return problem(error.status_code, detail, headers=headers)


async def _busy(request: Request, error: Exception) -> Response:
    log.warning("api_database_unavailable", error=type(error).__name__)
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return problem(503, "The database is busy. Try again in a moment.", headers=headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    return problem(500, "Something went wrong on our side; it has been logged.")
