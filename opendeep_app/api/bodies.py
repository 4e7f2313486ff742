"""How large a request's body may be."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 256 * 1024
"""Bytes."""

#: Paths below the API that take more: uploads of contacts.
MORE = {"/campaigns": 8 * 1024 * 1024}


class LimitedBody:
    """Middleware that stops reading a body that is too large; 413 then, as a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with a body that ends at the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = MORE.get(scope["path"].removeprefix(scope.get("root_path", "")), MOST)
        announced = Headers(scope=scope).get("content-length", "")
        too_large = HTTPException(413, f"Send at most {most // 1024:,} KiB.")
        received = 0

        async def limited() -> Message:
            nonlocal received
            if announced.isdecimal() and int(announced) > most:
                raise too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise too_large
            return message

        await self._app(scope, limited, send)
