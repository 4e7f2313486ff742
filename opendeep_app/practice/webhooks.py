"""Requests from the network to the product, signed as Twilio signs them."""

from typing import cast

import httpx
import structlog
from twilio.request_validator import RequestValidator

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 15.0
CONNECT_TIMEOUT_SECONDS = 5.0


class Webhooks:
    """Posts signed forms; one connection failure is tried again, as Twilio does."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50),
            trust_env=False,
        )

    def signature(self, url: str, form: dict[str, str] | None = None) -> str:
        """The `X-Twilio-Signature` of a request."""
        return cast(str, self._validator.compute_signature(url, form or {}))

    async def post(self, url: str, form: dict[str, str]) -> str | None:
        """The body of the answer; `None` when there was none or it was not a success."""
        headers = {"X-Twilio-Signature": self.signature(url, form)}
        for attempt in (1, 2):
            try:
                response = await self._client.post(url, data=form, headers=headers)
            except httpx.ConnectError:
                if attempt == 1:
                    continue
                log.warning("practice webhook unreachable", path=httpx.URL(url).path)
                return None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                log.warning("practice webhook failed", reason=type(error).__name__)
                return None
            if response.is_success:
                return response.text
            log.warning(
                "practice webhook refused", path=response.url.path, status=response.status_code
            )
            return None
        return None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()
