"""What the web process serves besides pages: sign-in door, REST API, health and metrics."""

import re

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from opendeep_app.api.answer_links import build_answer_links
from opendeep_app.api.auth import build_auth
from opendeep_app.api.recordings import recording
from opendeep_app.essentials import Essentials
from opendeep_app.runtime import BuiltOnFirstUse, deps


def doors() -> Starlette:
    """The outer app; Reflex mounts its own below it."""
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Mount("/auth", app=BuiltOnFirstUse(build_auth)),
            Mount("/answer", app=BuiltOnFirstUse(build_answer_links)),
            Route("/api/calls/{call_id}/recording", recording),
            everything_below("/api", BuiltOnFirstUse(_build_api)),
        ]
    )


def everything_below(path: str, app: ASGIApp) -> Mount:
    """A mount that gets every path below its own, also one with line ends in it."""
    mount = Mount(path, app=app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


async def healthz(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """Database and Redis answer too; says which does not."""
    problems = {}
    try:
        async with deps().db.reading() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        problems["database"] = type(error).__name__
    try:
        redis = deps().bus.redis
        await redis.execute_command("PING")  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        problems["redis"] = type(error).__name__
    return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)


async def metrics(request: Request) -> Response:
    """Prometheus text."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _build_api(deps: Essentials) -> ASGIApp:
    from opendeep_app.api.app import build_api

    return build_api(deps)
