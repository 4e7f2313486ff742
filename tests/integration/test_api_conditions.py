"""Conditional reads: 304 while nothing has changed, and never after something has."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import event

from opendeep_app.models import Call, Speaker
from opendeep_app.services import calls, info_requests
from tests.fixtures.apis import Api
from tests.integration.test_api_tasks import claim_and_answer, create

Change = Callable[[], Awaitable[object]]


async def test_a_task_is_sent_again_after_every_change_and_only_then(
    api: Api, ada: httpx.AsyncClient
) -> None:
    task = await create(ada)
    paths = (f"/api/tasks/{task['id']}", "/api/tasks/details?limit=5")
    call_id = ""

    async def dial() -> None:
        nonlocal call_id
        call_id = await claim_and_answer(api)

    async def speak() -> None:
        async with api.db.unit_of_work() as uow:
            await calls.add_line(uow, call_id, Speaker.AGENT, "Hello?", "item", 900)

    async def spend() -> None:
        async with api.db.unit_of_work() as uow:
            (await uow.session.get_one(Call, call_id)).cost_micros = 7

    async def ask() -> None:
        async with api.db.unit_of_work() as uow:
            await info_requests.ask(uow, call_id, "fc", "How many people?")

    async def cancel() -> None:
        await ada.post(f"/api/tasks/{task['id']}/cancel")

    changes: tuple[Change, ...] = (dial, speak, spend, ask, cancel)
    for change in changes:
        tags = {}
        for path in paths:
            first = await ada.get(path)
            tags[path] = first.headers["etag"]
            assert first.headers["cache-control"] == "private, no-cache"
            for condition in (tags[path], f'"other", {tags[path]}', "*", tags[path][2:]):
                again = await ada.get(path, headers={"If-None-Match": condition})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["etag"] == tags[path]
        await change()
        for path in paths:
            fresh = await ada.get(path, headers={"If-None-Match": tags[path]})
            assert fresh.status_code == 200, change.__name__
            assert fresh.headers["etag"] != tags[path]


@pytest.mark.parametrize("path", ["/api/info-requests", "/api/info-requests?status=open"])
async def test_questions_are_sent_again_when_one_changes(
    api: Api, ada: httpx.AsyncClient, path: str
) -> None:
    await create(ada)
    call_id = await claim_and_answer(api)
    tag = (await ada.get(path)).headers["etag"]
    async with api.db.unit_of_work() as uow:
        asked = await info_requests.ask(uow, call_id, "fc", "How many people?")
    changed = await ada.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    tag = changed.headers["etag"]
    assert (await ada.get(path, headers={"If-None-Match": tag})).status_code == 304
    await ada.post(f"/api/info-requests/{asked.id}/answer", json={"answer": "Two"})
    assert (await ada.get(path, headers={"If-None-Match": tag})).status_code == 200


async def test_somebody_elses_tag_tells_nothing(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    path = f"/api/tasks/{(await create(ada))['id']}"
    tag = (await ada.get(path)).headers["etag"]
    assert (await bob.get(path, headers={"If-None-Match": tag})).status_code == 404
    assert (await bob.get(path, headers={"If-None-Match": "*"})).status_code == 404


async def test_what_has_not_changed_is_not_read(api: Api, ada: httpx.AsyncClient) -> None:
    for number in range(5):
        await create(ada, phone_number=f"+1202555014{number}")
    statements: list[str] = []
    event.listen(
        api.db._engine.sync_engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )
    tag = (await ada.get("/api/tasks/details")).headers["etag"]
    # Who asks, how many, the page and its four relations; no more for more.
    assert len([each for each in statements if each.startswith("SELECT")]) <= 7
    statements.clear()
    await ada.get("/api/tasks/details", headers={"If-None-Match": tag})
    # No relations then, but two queries for their version.
    assert len([each for each in statements if each.startswith("SELECT")]) <= 5
