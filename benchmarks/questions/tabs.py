"""Many tabs, many questions: each to exactly the right tabs, and the web process stays quick."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks import bare_tabs
from benchmarks.figures import summary
from benchmarks.questions.people import NUMBERS, Site
from opendeep_app.models import Call, CallStatus, TaskStatus
from opendeep_app.services import info_requests
from opendeep_app.services import tasks as task_service

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}")
ANSWER_AFTER = 2.0


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
    how = await bare_tabs.opening(site)
    askers = [await _asker(site, NUMBERS[place]) for place in range(people)]
    asked: dict[str, tuple[str, float]] = {}
    pings: list[float] = []
    owners = [(asker.user_id, asker.session) for asker in askers]
    async with bare_tabs.tabs(how, owners, tabs_each, ID) as tabs:
        await asyncio.sleep(3)
        pinging = asyncio.create_task(bare_tabs.ping(site.stack.web_url, pings))
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


async def _asker(site: Site, number: str) -> Asker:
    user_id, session = await site.account()
    async with site.db.unit_of_work() as uow:
        task = await task_service.create(
            uow, user_id, task_service.NewTask(number, "Talk for long.")
        )
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
