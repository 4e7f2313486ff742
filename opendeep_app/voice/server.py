"""How the gateway is served: its sockets, its end in good order, and what the process may not do."""

import asyncio
from types import FrameType

import uvicorn
import uvloop
from starlette.applications import Starlette

from opendeep_app.collector import spare_collector
from opendeep_app.config import Settings
from opendeep_app.dependencies import dependencies
from opendeep_app.logs import configure_logs
from opendeep_app.voice.gateway import Gateway, build_app
from opendeep_app.voice.wire import CarrierWire


class DrainingServer(uvicorn.Server):
    """A server that on SIGTERM or SIGINT drains its calls first; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self.gateway = gateway
        self.draining: asyncio.Task[None] | None = None
        self._told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal."""
        if self._told or not self.started:
            super().handle_exit(sig, frame)
            return
        self._told = True
        # A signal comes between any two steps of the loop, and has to wake it.
        asyncio.get_running_loop().call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        self.draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        await self.gateway.drain()
        self.should_exit = True


def server_config(settings: Settings, app: Starlette) -> uvicorn.Config:
    """How the application is served, in production and wherever it is measured."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.gateway_port,
        log_level="warning",
        access_log=False,
        ws=CarrierWire,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )


def serve(settings: Settings) -> None:
    """Runs the gateway until told to stop."""
    configure_logs()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with dependencies(settings) as deps:
        app = build_app(deps)
        spare_collector()
        await DrainingServer(server_config(settings, app), app.state.gateway).serve()
