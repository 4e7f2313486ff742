"""How sessions reach the voice model: the `openai` client, made once for all calls.

Making a client, loading the half of it that speaks Realtime, and reading the system's certificates
for a secure connection take tens to hundreds of milliseconds, during which no other call would move.
"""

import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any, cast

from openai import AsyncOpenAI
from openai.types.websocket_connection_options import WebSocketConnectionOptions

from opendeep_app.config import Settings
from opendeep_app.voice.conversation import Connect
from opendeep_app.voice.model import Connection
from opendeep_app.voice.wire import ModelWire

OPEN_SECONDS = 8
CLOSE_SECONDS = 0.5


def connector(settings: Settings) -> Connect:
    """A function that opens a Realtime session; leaving its context closes the session."""
    client = AsyncOpenAI(
        api_key=settings.openai_api_key, base_url=settings.openai_base_url or None, max_retries=0
    )
    realtime = client.realtime
    options: dict[str, Any] = {
        "compression": None,
        "open_timeout": OPEN_SECONDS,
        "close_timeout": CLOSE_SECONDS,
    }
    if str(client.base_url).startswith("https"):
        options["ssl"] = ssl.create_default_context()

    @contextlib.asynccontextmanager
    async def connect() -> AsyncIterator[Connection]:
        wires: list[ModelWire] = []

        def wire(*args: Any, **more: Any) -> ModelWire:
            wires.append(ModelWire(*args, **more))
            return wires[-1]

        # Everything that `websockets` takes is passed on, more than the type says.
        wired = cast(WebSocketConnectionOptions, options | {"create_connection": wire})
        async with realtime.connect(
            model=settings.realtime_model, websocket_connection_options=wired
        ):
            yield wires[-1]

    return connect
