"""Many tabs, many questions: each to exactly the right tabs, and the web process stays quick.

A tab is a bare client of the page's WebSocket that repeats what a real Chromium said when it
opened the same page: as many Chromium pages do not fit into a small machine.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from playwright.async_api import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.figures import summary
from benchmarks.questions.people import NUMBERS, Site
from opendeep_app.models import Call, CallStatus, TaskStatus
from opendeep_app.services import info_requests, tasks

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}")
ANSWER_AFTER = 2.0
PING_EVERY = 0.05


@dataclass
class Opening:
    """How a real tab opened the page."""

    url: str = ""
    said: list[str] = field(default_factory=list)


@dataclass
class Tab:
    """A client that is told what a tab is told; keeps when it first saw each id."""

    user_id: str
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
                for found in ID.findall(text):
                    self.seen.setdefault(found, now)


@dataclass
class Asker:
    """Somebody with a call that does not end."""

    user_id: str
    session: str
    call_id: str


async def load(
    site: Site, people: int, tabs_each: int, per_second: float, seconds: float
) -> dict[str, Any]:
    """Asks and answers for so long; every question must reach its owner's tabs and no other."""
    opening = await _opening(site)
    askers = [await _asker(site, NUMBERS[place]) for place in range(people)]
    asked: dict[str, tuple[str, float]] = {}
    pings: list[float] = []
    async with _tabs(opening, askers, tabs_each) as tabs:
        await asyncio.sleep(3)
        pinging = asyncio.create_task(_ping(site, pings))
        asking: set[asyncio.Task[None]] = set()
        began = time.monotonic()
        for number in range(round(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            one = _ask(site, askers[number % people], number, asked)
            asking.add(asyncio.create_task(one))
        await asyncio.gather(*asking)
        pinging.cancel()
        await asyncio.sleep(1)
    latencies, missed, strayed = [], 0, 0
    for question_id, (user_id, at) in asked.items():
        for tab in tabs:
            saw = tab.seen.get(question_id)
            strayed += saw is not None and tab.user_id != user_id
            if tab.user_id == user_id:
                missed += saw is None
                latencies += [] if saw is None else [saw - at]
    return {
        "tabs": len(tabs),
        "people": people,
        "questions": len(asked),
        "missed": missed,
        "in_wrong_tabs": strayed,
        "question_to_tab": summary(latencies),
        "ping": summary(pings),
    }


async def _opening(site: Site) -> Opening:
    opening = Opening()

    def listen(socket: WebSocket) -> None:
        opening.url = socket.url
        socket.on("framesent", lambda frame: opening.said.append(str(frame)))

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
    opening.said = [frame for frame in opening.said if frame.startswith("4")]
    return opening


async def _asker(site: Site, number: str) -> Asker:
    user_id, session = await site.account()
    async with site.db.unit_of_work() as uow:
        task = await tasks.create(uow, user_id, tasks.NewTask(number, "Talk for long."))
        task.status, task.next_action_at = TaskStatus.IN_PROGRESS, None
        # Seen in times to come, so that nobody takes it for lost.
        later = uow.now + timedelta(days=1)
        call = Call(
            task_id=task.id,
            attempt_number=1,
            phone_number=number,
            carrier_sid=f"CA{task.id}",
            status=CallStatus.ANSWERED,
            created_at=later,
            dialled_at=later,
            answered_at=later,
            session_opened_at=later,
            session_seen_at=later,
        )
        uow.session.add(call)
        return Asker(user_id, session, call.id)


async def _ask(site: Site, asker: Asker, number: int, asked: dict[str, tuple[str, float]]) -> None:
    began = time.time()
    async with site.db.unit_of_work() as uow:
        request = await info_requests.ask(uow, asker.call_id, f"f{number}", f"Number {number}?")
        asked[request.id] = (asker.user_id, began)
    await asyncio.sleep(ANSWER_AFTER)
    async with site.db.unit_of_work() as uow:
        await info_requests.answer(uow, asker.user_id, request.id, "Yes.", via="api")


async def _ping(site: Site, pings: list[float]) -> None:
    async with httpx.AsyncClient(base_url=site.stack.web_url) as client:
        while True:
            began = time.perf_counter()
            (await client.get("/ping")).raise_for_status()
            pings.append(time.perf_counter() - began)
            await asyncio.sleep(PING_EVERY)


@asynccontextmanager
async def _tabs(opening: Opening, askers: list[Asker], each: int) -> AsyncIterator[list[Tab]]:
    tabs: list[Tab] = []
    sockets: list[ClientConnection] = []
    readers: list[asyncio.Task[None]] = []
    try:
        for asker in askers:
            for _ in range(each):
                url = re.sub(r"token=[^&]+", f"token={uuid4()}", opening.url)
                cookie = {"Cookie": f"opendeep_session={asker.session}"}
                socket = await connect(url, additional_headers=cookie, max_size=None)
                await socket.recv()
                tab = Tab(asker.user_id)
                readers.append(asyncio.create_task(tab.read(socket)))
                for frame in opening.said:
                    await socket.send(frame)
                tabs.append(tab)
                sockets.append(socket)
        yield tabs
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))
        await asyncio.gather(*readers)
