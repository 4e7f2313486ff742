"""Posting to addresses that users have chosen, without becoming their way into our network.

The name is looked up here, every address that it stands for is judged, and the connection goes
to one that was judged: a name that changes its mind between look-up and connection gains
nothing. Redirects are answers like others, and no proxy is asked.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from opendeep_app.models.webhooks import ANSWER_START, Attempt

CONNECT_SECONDS = 5
ANSWER_SECONDS = 15
"""For the whole attempt."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class _Refused(Exception):
    """The address may not be reached."""


class _Judging(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only."""

    def __init__(self) -> None:
        self._wire = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
        except OSError:
            raise _Refused("The name could not be found.") from None
        addresses = [str(entry[4][0]) for entry in found]
        # One that is not public condemns all: which one is used is a matter of chance.
        if not addresses or not all(map(_public, addresses)):
            raise _Refused("The name stands for an address that is not public.")
        return await self._wire.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )


def _public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in disguise is judged as what it is.
        translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None
        teredo = ip.teredo[1] if ip.teredo else None
        return _open(ip) and _open(ip.ipv4_mapped or ip.sixtofour or teredo or translated or ip)
    return _open(ip)


def _open(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


async def post(url: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> Attempt:
    """Posts once and reads the beginning of the answer; `private` allows any address."""
    began = time.monotonic()
    code, answer, error = None, b"", ""
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            httpcore.AsyncConnectionPool(
                ssl_context=_tls(), network_backend=None if private else _Judging()
            ) as pool,
            pool.stream(
                "POST",
                url,
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": {"connect": CONNECT_SECONDS}},
            ) as response,
        ):
            code = response.status
            async for chunk in response.aiter_stream():
                answer += chunk
                if len(answer) >= ANSWER_START * 4:
                    break
    except _Refused as refused:
        error = str(refused)
    except TimeoutError:
        error = f"No answer within {ANSWER_SECONDS} seconds." if code is None else ""
    except httpcore.TimeoutException:
        error = "No connection in time."
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as failure:
        # The status has decided; what comes after it does not matter.
        error = f"The connection failed: {type(failure).__name__}." if code is None else ""
    milliseconds = round((time.monotonic() - began) * 1000)
    return Attempt(code, milliseconds, answer.decode(errors="replace"), error)
