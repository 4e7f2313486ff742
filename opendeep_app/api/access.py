"""Who is calling: API keys, checked before anything else of a request is looked at."""

from typing import Annotated

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from opendeep_app.api.problems import problem
from opendeep_app.essentials import Essentials
from opendeep_app.models import User
from opendeep_app.services import accounts

PUBLIC = ("/", "/docs", "/openapi.json")
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
        await self._app(scope, receive, send)

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


def refuse_parameters(request: Request) -> None:
    """Refuses query parameters of routes that take none; the others' models know theirs."""
    route: APIRoute = request.scope["route"]
    if not route.dependant.query_params:
        unknown = [
            {"type": "extra_forbidden", "loc": ("query", name)} for name in request.query_params
        ]
        if unknown:
            raise RequestValidationError(unknown)
