"""Who is calling: API keys, checked before anything else of a request is looked at."""

import math
from collections.abc import MutableMapping
from email.message import Message
from typing import Annotated, Any

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from opendeep_app.api.problems import problem
from opendeep_app.essentials import Essentials
from opendeep_app.limits import Limit
from opendeep_app.models import User
from opendeep_app.services import accounts

PUBLIC = ("/", "/docs", "/openapi.json")
LIMIT = "requests"
CHALLENGE = 'Bearer realm="OpenDeep"'


class KeyRequired:
    """Middleware that lets only the bearers of an API key pass, and notes who they are."""

    def __init__(self, app: ASGIApp, deps: Essentials) -> None:
        self._app = app
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on or answers 401."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["type"] == "http" and path not in PUBLIC:
            scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
            user = await self._user(key.strip()) if scheme.lower() == "bearer" else None
            if user is None:
                await _refusal(given=bool(scheme))(scope, receive, send)
                return
            scope.setdefault("state", {})["user"] = user
            if path.endswith("\n"):
                # The routes' patterns would overlook it.
                await problem(404, "There is nothing at this path.")(scope, receive, send)
                return
            await self._in_turn(user, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _in_turn(self, user: User, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on unless there were too many, and tells how many more there may be.

        The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
        """
        limit = Limit(LIMIT, self._deps.settings.api_requests_per_minute, 60)
        turn = await self._deps.limits.take(limit, user.id)
        headers = {
            "RateLimit-Policy": f'"{LIMIT}";q={limit.quota};w=60',
            "RateLimit": f'"{LIMIT}";r={turn.remaining};t={math.ceil(turn.full_in)}',
        }

        async def tell(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        if turn.granted:
            await self._app(scope, receive, tell)
            return
        seconds = max(math.ceil(turn.retry_in), 1)
        refusal = problem(
            429,
            f"More than {limit.quota:,} requests a minute. Try again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )
        await refusal(scope, receive, tell)

    async def _user(self, key: str) -> User | None:
        async with self._deps.db.reading() as session:
            return await accounts.user_for_api_key(session, key)


def _refusal(*, given: bool) -> ASGIApp:
    if not given:
        detail = (
            "Send an API key: “Authorization: Bearer KEY”. `opendeep api-key create` makes one."
        )
        return problem(401, detail, headers={"WWW-Authenticate": CHALLENGE})
    challenge = f'{CHALLENGE}, error="invalid_token"'
    return problem(401, "This API key is not valid.", headers={"WWW-Authenticate": challenge})


def _dependencies(request: Request) -> Essentials:
    deps: Essentials = request.app.state.deps
    return deps


def _caller(request: Request) -> User:
    user: User = request.state.user
    return user


Deps = Annotated[Essentials, Depends(_dependencies)]
Caller = Annotated[User, Depends(_caller)]


async def refuse_media_types(request: Request) -> None:
    """Refuses bodies of another media type than the route's; routes that take several look themselves."""
    route: APIRoute = request.scope["route"]
    given = request.headers.get("content-type")
    if route.body_field is not None and given is not None:
        message = Message()
        message["Content-Type"] = given
        kind = message.get_content_type()
        if kind != "application/json" and not kind.endswith("+json"):
            raise HTTPException(415, "Send application/json.", {"Accept": "application/json"})


def refuse_parameters(request: Request) -> None:
    """Refuses query parameters of routes that take none; the others' models know theirs."""
    route: APIRoute = request.scope["route"]
    if not route.dependant.query_params:
        unknown = [
            {"type": "extra_forbidden", "loc": ("query", name)} for name in request.query_params
        ]
        if unknown:
            raise RequestValidationError(unknown)
