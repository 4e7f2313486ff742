"""Function call → modal → click → function output, and what happens when nobody clicks."""

import asyncio
from itertools import cycle
from typing import Any

from benchmarks.figures import summary
from benchmarks.questions.people import NUMBERS, Person, Site

#: Between two calls that begin: as many at one moment would measure how they are answered.
BETWEEN_CALLS = 0.25


async def answered(site: Site, people: int, rounds: int) -> dict[str, Any]:
    """So many people are asked, each in a call and a tab of their own, and then all answer."""
    everybody = [await site.person() for _ in range(people)]
    numbers, to_modal, to_model = cycle(NUMBERS), [], []

    async def take_part(person: Person, number: str, turn: int, all_asked: asyncio.Barrier) -> None:
        await asyncio.sleep(turn * BETWEEN_CALLS)
        task_id = await site.call(person, number, seconds=120)
        request = await site.question(task_id)
        shown = await person.observed.until("modal", request.id)
        await all_asked.wait()
        await asyncio.sleep(turn * BETWEEN_CALLS)
        await person.page.get_by_test_id("info-answer").fill("The third of May 1980")
        await asyncio.sleep(0.5)
        await person.page.get_by_test_id("info-submit").click()
        clicked = await person.observed.until("click", request.id)
        to_modal.append(shown - await site.crossed(request.function_call_id, "called"))
        to_model.append(await site.crossed(request.function_call_id, "returned") - clicked)
        await site.over(task_id)

    for _ in range(rounds):
        all_asked = asyncio.Barrier(people)
        await asyncio.gather(
            *(
                take_part(person, next(numbers), turn, all_asked)
                for turn, person in enumerate(everybody)
            )
        )
    await asyncio.gather(*(person.page.context.close() for person in everybody))
    return {"question_to_modal": summary(to_modal), "answer_to_model": summary(to_model)}


async def unanswered(site: Site, people: int, seconds: float) -> dict[str, Any]:
    """Nobody answers: how true the countdown is all the way, and when the wait ends."""
    everybody = [await site.person() for _ in range(people)]
    drift: list[float] = []
    ended: list[float] = []

    async def wait(person: Person, number: str) -> None:
        request = await site.question(await site.call(person, number, seconds))
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
