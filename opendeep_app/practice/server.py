"""The practice line as one ASGI process on loopback: carrier, people and model."""

import hmac
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from opendeep_app.collector import spare_collector
from opendeep_app.config import Settings
from opendeep_app.practice import responses_api
from opendeep_app.practice.network import Network
from opendeep_app.practice.realtime_session import RealtimeSession
from opendeep_app.practice.settings import PracticeSettings
from opendeep_app.practice.twilio_api import TwilioApi

OBSERVATIONS = 5000
"""How many function calls and returns are remembered."""

__all__ = ["PracticeSettings", "build_app", "serve"]


def build_app(settings: PracticeSettings) -> Starlette:
    """The application; calls that are under way end with it."""
    network = Network(settings)
    observed: deque[dict[str, str | float]] = deque(maxlen=OBSERVATIONS)

    def observe(what: str, function_call_id: str) -> None:
        observed.append({"what": what, "call_id": function_call_id, "at": time.time()})

    def authorized(connection: HTTPConnection) -> bool:
        given = connection.headers.get("authorization", "").removeprefix("Bearer ").encode()
        return hmac.compare_digest(given, settings.api_key.encode())

    async def realtime(socket: WebSocket) -> None:
        if not authorized(socket):
            await socket.send_denial_response(_unauthorized())
            return
        await socket.accept()
        model = socket.query_params.get("model", "")
        await RealtimeSession(socket, model, settings.speed, observe).run()

    async def functions(request: Request) -> Response:
        """When functions were called and returned, for benchmarks: the end that only we see."""
        return JSONResponse(list(observed)) if authorized(request) else _unauthorized()

    async def responses(request: Request) -> Response:
        return (
            await responses_api.create_response(request) if authorized(request) else _unauthorized()
        )

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await network.close()

    return Starlette(
        routes=[
            *TwilioApi(network).routes(),
            WebSocketRoute("/v1/realtime", realtime),
            Route("/v1/responses", responses, methods=["POST"]),
            Route("/practice/functions", functions),
            Route("/healthz", healthz),
        ],
        lifespan=lifespan,
    )


def server_config(settings: PracticeSettings, host: str, port: int) -> uvicorn.Config:
    """How the application is served: no access log, no compression of audio."""
    return uvicorn.Config(
        build_app(settings),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=3,
    )


async def serve(settings: Settings) -> None:
    """Runs the practice line until the process is told to stop."""
    config = server_config(PracticeSettings.of(settings), settings.host, settings.practice_port)
    spare_collector()
    await uvicorn.Server(config).serve()


def _unauthorized() -> JSONResponse:
    return responses_api.refusal(
        401, "invalid_request_error", "Incorrect API key provided.", "invalid_api_key"
    )
