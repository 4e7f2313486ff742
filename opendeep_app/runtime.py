"""What one web process works with, from its start to its end."""

import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from opendeep_app.collector import spare_collector
from opendeep_app.config import Settings
from opendeep_app.essentials import Essentials, essentials

_current: Essentials | None = None


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Essentials]:
    """Opens the process's dependencies; while it runs, `deps()` gives them."""
    global _current
    async with essentials(Settings.load()) as _current:
        spare_collector()
        try:
            yield _current
        finally:
            _current = None


def deps() -> Essentials:
    """The process's dependencies; only while it serves."""
    if _current is None:
        raise RuntimeError("the web process is not running")
    return _current


class BuiltOnFirstUse:
    """An ASGI app that needs the dependencies, which exist only once the process runs."""

    def __init__(self, build: Callable[[Essentials], ASGIApp]) -> None:
        self._build = build
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if self._app is None:
            self._app = self._build(deps())
        await self._app(scope, receive, send)
