"""Bare clients of the page's WebSocket in place of tabs.

A tab repeats what a real Chromium said when it opened the same page: as many Chromium pages do
not fit into a small machine.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
from playwright.async_api import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.questions.people import Site

PING_EVERY = 0.05


@dataclass
class Opening:
    """How a real tab opened the page."""

    url: str = ""
    said: list[str] = field(default_factory=list)


@dataclass
class Tab:
    """A client that is told what a tab is told; keeps when it first saw each mark."""

    user_id: str
    mark: re.Pattern[str]
    seen: dict[str, float] = field(default_factory=dict)

    async def read(self, socket: ClientConnection) -> None:
        """Until the socket closes."""
        with suppress(ConnectionClosed):
            async for frame in socket:
                text = frame if isinstance(frame, str) else frame.decode(errors="replace")
                if text == "2":
                    await socket.send("3")
                    continue
                now = time.time()
                for found in self.mark.findall(text):
                    self.seen.setdefault(found, now)


async def opening(site: Site) -> Opening:
    """What a Chromium says when it opens the dashboard."""
    found = Opening()

    def listen(socket: WebSocket) -> None:
        found.url = socket.url
        socket.on("framesent", lambda frame: found.said.append(str(frame)))

    _, token = await site.account()
    context = await site.browser.new_context()
    await context.add_cookies(
        [{"name": "opendeep_session", "value": token, "url": site.stack.web_url}]
    )
    page = await context.new_page()
    page.on("websocket", listen)
    await page.goto(site.stack.web_url)
    await page.get_by_test_id("new-task").first.wait_for()
    await asyncio.sleep(2)
    await context.close()
    found.said = [frame for frame in found.said if frame.startswith("4")]
    return found


@asynccontextmanager
async def tabs(
    how: Opening, people: Iterable[tuple[str, str]], each: int, mark: re.Pattern[str]
) -> AsyncIterator[list[Tab]]:
    """So many open tabs of each person (user id and session), looking for marks."""
    opened: list[Tab] = []
    sockets: list[ClientConnection] = []
    readers: list[asyncio.Task[None]] = []
    try:
        for user_id, session in people:
            for _ in range(each):
                url = re.sub(r"token=[^&]+", f"token={uuid4()}", how.url)
                cookie = {"Cookie": f"opendeep_session={session}"}
                socket = await connect(url, additional_headers=cookie, max_size=None)
                await socket.recv()
                tab = Tab(user_id, mark)
                readers.append(asyncio.create_task(tab.read(socket)))
                for frame in how.said:
                    await socket.send(frame)
                opened.append(tab)
                sockets.append(socket)
        yield opened
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
        await asyncio.gather(*readers)


async def ping(url: str, pings: list[float]) -> None:
    """Asks a server again and again whether it lives, and how long the answer takes."""
    async with httpx.AsyncClient(base_url=url) as client:
        while True:
            began = time.perf_counter()
            (await client.get("/ping")).raise_for_status()
            pings.append(time.perf_counter() - began)
            await asyncio.sleep(PING_EVERY)
