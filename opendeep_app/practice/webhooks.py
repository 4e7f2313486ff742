"""Requests from the network to the product, signed as Twilio signs them."""

from functools import cached_property
from typing import cast
from urllib.parse import urlsplit

import aiohttp
import structlog
from twilio.request_validator import RequestValidator

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 15.0
CONNECT_TIMEOUT_SECONDS = 5.0
MAX_CONNECTIONS = 200


class Webhooks:
    """Posts signed forms; one connection failure is tried again, as Twilio does."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def signature(self, url: str, form: dict[str, str] | None = None) -> str:
        """The `X-Twilio-Signature` of a request."""
        return cast(str, self._validator.compute_signature(url, form or {}))

    async def post(self, url: str, form: dict[str, str]) -> str | None:
        """The body of the answer; `None` when there was none or it was not a success."""
        headers = {"X-Twilio-Signature": self.signature(url, form)}
        path = urlsplit(url).path
        for attempt in (1, 2):
            try:
                async with self._client.post(
                    url, data=form, headers=headers, allow_redirects=False
                ) as response:
                    if 200 <= response.status < 300:
                        return await response.text()
                    log.warning("practice webhook refused", path=path, status=response.status)
                    return None
            except aiohttp.ClientConnectorError:
                if attempt == 2:
                    log.warning("practice webhook unreachable", path=path)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                log.warning("practice webhook failed", reason=type(error).__name__)
                return None
        return None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    @cached_property
    def _client(self) -> aiohttp.ClientSession:
        # Made within the running loop. Its pool stays quick with hundreds of requests at once.
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS),
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS),
        )
