"""Function call → modal → click → function output, and what happens when nobody clicks."""

import asyncio
from itertools import cycle, islice
from typing import Any

from benchmarks import bare_tabs
from benchmarks.bare_tabs import Tab
from benchmarks.figures import summary
from benchmarks.questions.people import NUMBERS, Person, Site
from benchmarks.questions.tabs import ID
from opendeep_app.services import info_requests

#: How long the agent waits: for the last one to be asked, and then for everybody's turn to answer.
WAIT_SECONDS = 300
#: People whose tab is a Chromium, which is all that a small machine has room for.
MOST_WATCHED = 5


async def answered(site: Site, people: int, rounds: int, between: float) -> dict[str, Any]:
    """So many people are asked, each in a call and a tab of their own, and then all answer.

    `between` two calls that begin, and between two answers, so many seconds pass.
    Only the first ones' tabs are real browsers; the others' are told the same, and they answer
    through a service.
    """
    everybody = [await site.person() for _ in range(min(people, MOST_WATCHED))]
    others = [await site.account() for _ in range(people - len(everybody))]
    how = await bare_tabs.opening(site)
    to_modal: list[float] = []
    to_model: list[float] = []
    to_tab: list[float] = []

    async def watched(person: Person, number: str, turn: int, all_asked: asyncio.Barrier) -> None:
        await asyncio.sleep(turn * between)
        task_id = await site.call(person.user_id, number, WAIT_SECONDS)
        request = await site.question(task_id)
        shown = await person.observed.until("modal", request.id)
        await all_asked.wait()
        await person.page.get_by_test_id("info-answer").fill("The third of May 1980")
        await asyncio.sleep(0.5 + turn * between)
        await person.page.get_by_test_id("info-submit").click()
        clicked = await person.observed.until("click", request.id)
        to_modal.append(shown - await site.crossed(request.function_call_id, "called"))
        to_model.append(await site.crossed(request.function_call_id, "returned") - clicked)
        await site.over(task_id)

    async def told(tab: Tab, number: str, turn: int, all_asked: asyncio.Barrier) -> None:
        await asyncio.sleep(turn * between)
        task_id = await site.call(tab.user_id, number, WAIT_SECONDS)
        request = await site.question(task_id)
        await all_asked.wait()
        await asyncio.sleep(0.5 + turn * between)
        async with site.db.unit_of_work() as uow:
            await info_requests.answer(uow, tab.user_id, request.id, "3 May 1980", via="api")
        to_tab.append(tab.seen[request.id] - await site.crossed(request.function_call_id, "called"))
        await site.over(task_id)

    async with bare_tabs.tabs(how, others, 1, ID) as tabs:
        for round_ in range(rounds):
            all_asked = asyncio.Barrier(people)
            numbers = list(islice(cycle(NUMBERS), round_ * people, (round_ + 1) * people))
            # Those who are watched are called in between the others.
            turns = range(people)
            seldom = turns[:: people // len(everybody)][: len(everybody)]
            often = [turn for turn in turns if turn not in seldom]
            await asyncio.gather(
                *(
                    watched(p, numbers[t], t, all_asked)
                    for p, t in zip(everybody, seldom, strict=True)
                ),
                *(told(tab, numbers[t], t, all_asked) for tab, t in zip(tabs, often, strict=True)),
            )
    await asyncio.gather(*(person.page.context.close() for person in everybody))
    found = {"question_to_modal": summary(to_modal), "answer_to_model": summary(to_model)}
    return found | ({"question_to_bare_tab": summary(to_tab)} if to_tab else {})


async def unanswered(site: Site, people: int, seconds: float) -> dict[str, Any]:
    """Nobody answers: how true the countdown is all the way, and when the wait ends."""
    everybody = [await site.person() for _ in range(people)]
    drift: list[float] = []
    ended: list[float] = []

    async def wait(person: Person, number: str) -> None:
        request = await site.question(await site.call(person.user_id, number, seconds))
        deadline = request.deadline_at.timestamp()
        ended.append(await site.crossed(request.function_call_id, "returned") - deadline)
        seen = {int(what.split()[1]): at for (what, _), at in person.observed.times.items()
                if what.startswith("second ")}  # fmt: skip
        # The first second that was shown is cut by the time it took to be shown.
        drift.extend(abs(deadline - at - left) for left, at in seen.items() if left < max(seen))

    await asyncio.gather(*(wait(*pair) for pair in zip(everybody, NUMBERS, strict=False)))
    await asyncio.gather(*(person.page.context.close() for person in everybody))
    return {
        "countdown_drift_most_ms": round(max(drift) * 1000, 1),
        "deadline_to_model": summary(ended),
        "seconds": seconds,
    }
