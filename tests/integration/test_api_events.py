"""Server-sent events over a real socket: as it happens, resumed without gap or repetition, ended."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from redis.asyncio import Redis
from sqlalchemy import delete, select
from sqlmodel import col

from opendeep_app.api.events import MOST_STREAMS
from opendeep_app.bus import NOTICES, Bus
from opendeep_app.essentials import Essentials
from opendeep_app.event_stream import EventStream
from opendeep_app.models import AccessToken, TaskEvent
from opendeep_app.services import accounts, tasks
from opendeep_app.services.tasks import NewTask
from opendeep_app.supervisor import ports
from tests.fixtures.apis import Api
from tests.fixtures.gateways import serving, until
from tests.fixtures.lives import Life, add_user

Events = AsyncGenerator[dict[str, Any]]


@pytest.fixture
async def url(api: Api) -> AsyncIterator[str]:
    """The API behind a real server."""
    port = ports.free("127.0.0.1")
    config = uvicorn.Config(api.app, port=port, log_config=None, timeout_graceful_shutdown=1)
    async with serving(config):
        yield f"http://127.0.0.1:{port}/api/events"


@asynccontextmanager
async def following(
    url: str, client: httpx.AsyncClient, query: str = "", **headers: str
) -> AsyncIterator[Events]:
    """What comes, once the stream is open."""
    async with (
        httpx.AsyncClient(headers=client.headers, timeout=20) as http,
        http.stream("GET", url + query, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        while not headers and await anext(lines) != ": all sent":
            pass

        async def events() -> Events:
            event: dict[str, Any] = {}
            async for line in lines:
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif "data" in event:
                    event["data"] = json.loads(event["data"])
                    yield event
                    event = {}

        async with aclosing(events()) as found:
            yield found


async def take(events: Events, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


async def create(client: httpx.AsyncClient, number: int = 0) -> str:
    body = {"phone_number": f"+1202555{2000 + number}", "goal": "Hello"}
    created = await client.post("/api/tasks", json=body)
    assert created.status_code == 201, created.text
    task_id: str = created.json()["id"]
    return task_id


async def test_what_happens_comes_to_its_owner_alone(
    url: str, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    before = await create(ada)
    async with following(url, ada) as events:
        await create(bob, 1)
        after = await create(ada, 2)
        await ada.post(f"/api/tasks/{before}/hold")
        created, held = await take(events, 2)
    assert (created["event"], created["data"]["task_id"]) == ("task_created", after)
    assert (held["event"], held["data"]["sequence"]) == ("task_held", 2)
    assert held["data"]["to_status"] == "ON_HOLD"
    stored = (await ada.get(f"/api/tasks/{before}")).json()["events"][-1]
    assert held["data"] == {**stored, "task_id": before}
    assert held["id"] == stored["id"]


async def test_a_stream_goes_on_where_it_was_broken(url: str, ada: httpx.AsyncClient) -> None:
    async with following(url, ada) as events:
        task_id = await create(ada)
        (created,) = await take(events, 1)
    for wish in ("hold", "resume"):
        await ada.post(f"/api/tasks/{task_id}/{wish}")
    async with following(url, ada, **{"Last-Event-ID": created["id"]}) as events:
        await ada.post(f"/api/tasks/{task_id}/cancel")
        came = await take(events, 3)
    assert [event["event"] for event in came] == ["task_held", "task_resumed", "task_cancelled"]
    assert [event["data"]["sequence"] for event in came] == [2, 3, 4]


async def test_filters(url: str, ada: httpx.AsyncClient) -> None:
    task_id = await create(ada)
    query = f"?task_id={task_id}&type=task_held,task_cancelled"
    async with following(url, ada, query) as events:
        await create(ada, 1)
        for wish in ("hold", "resume", "cancel"):
            await ada.post(f"/api/tasks/{task_id}/{wish}")
        came = await take(events, 2)
    assert [event["event"] for event in came] == ["task_held", "task_cancelled"]


async def test_what_cannot_be_followed_is_a_problem(url: str, ada: httpx.AsyncClient) -> None:
    async with httpx.AsyncClient(headers=ada.headers) as http:
        for query in ("?type=task_exploded", "?task_id=1", "?since=1"):
            response = await http.get(url + query)
            assert response.status_code == 422
            assert response.headers["content-type"] == "application/problem+json"


async def test_streams_of_a_user_are_bounded(url: str, ada: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20), httpx.AsyncClient(headers=ada.headers) as http:

        async def status() -> int:
            async with http.stream("GET", url) as response:
                return response.status_code

        async with AsyncExitStack() as streams:
            for _ in range(MOST_STREAMS):
                await streams.enter_async_context(following(url, ada))
            assert await status() == 429

        async def reopened() -> bool:
            return await status() == 200

        await until(reopened)


async def events_of(stream: EventStream, after: str | None = None) -> AsyncGenerator[list[str]]:
    async with aclosing(stream.follow(after)) as batches:
        async for batch in batches:
            yield [event.id for event in batch]


@pytest.fixture
def deps(api: Api, bus: Bus) -> Essentials:
    return Essentials(api.settings, api.db, bus, api.db.clock)


async def test_a_transaction_that_ends_late_is_not_passed_over(
    deps: Essentials, life: Life
) -> None:
    """Its events bear an earlier time and id than what was sent before them."""
    async with asyncio.timeout(20), aclosing(events_of(EventStream(deps, life.user_id))) as batches:
        assert await anext(batches) == []
        earlier = life.clock()
        life.clock.advance(5)
        new = await life.create("+12025550145")
        (created,) = await anext(batches)
        life.clock.now = earlier
        late = await life.create("+12025550146")
        (came,) = await anext(batches)
    async with life.db.reading() as session:
        assert (await session.get_one(TaskEvent, created)).task_id == new
        assert (await session.get_one(TaskEvent, came)).task_id == late


async def test_a_lost_notice_is_made_good_by_the_next_heartbeat(
    deps: Essentials, life: Life, redis_url: str
) -> None:
    stream = EventStream(deps, life.user_id, heartbeat=0.05)
    async with asyncio.timeout(20), aclosing(events_of(stream)) as batches:
        assert await anext(batches) == []
        other = Bus(redis_url)
        silent = type(life.db)(str(life.db._engine.url), other, life.clock)
        # Somebody else's transaction, after which nothing is sent.
        async with silent.unit_of_work() as uow:
            await tasks.create(uow, life.user_id, NewTask("+12025550147", "Hello"))
            uow.notices.clear()
        came: list[str] = []
        while not came:
            came = await anext(batches)
        assert len(came) == 1
        assert await anext(batches) == []
        await silent.close()
        await other.close()


async def test_a_long_absence_is_caught_up_in_order(
    deps: Essentials, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opendeep_app.event_stream.PAGE", 3)
    made = []
    for number in range(8):
        made.append(await life.create(f"+1202555{3000 + number}"))
        life.clock.advance(30)
    async with life.db.reading() as session:
        rows = await session.scalars(select(TaskEvent).order_by(col(TaskEvent.created_at)))
        ids = [row.id for row in rows]
    came: list[str] = []
    async with asyncio.timeout(20):
        async for batch in events_of(EventStream(deps, life.user_id, heartbeat=0.05), ids[0]):
            came += batch
            if not batch:
                break
    assert came == ids[1:]
    # What belongs to somebody else, or to nobody, begins now.
    eve = await add_user(life.db, "eve@example.com")
    async for batch in events_of(EventStream(deps, eve, heartbeat=0.05), ids[0]):
        assert batch == []
        break


async def test_a_key_that_is_taken_back_ends_its_stream(
    api: Api, url: str, ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(EventStream.__init__, "__defaults__", (0.05,))
    async with asyncio.timeout(20), following(url, ada) as events:
        async with api.db.unit_of_work() as uow:
            user = await accounts.find_user(uow.session, "ada@example.com")
            assert user is not None
            await uow.session.execute(
                delete(AccessToken).where(col(AccessToken.user_id) == user.id)
            )
        assert [event async for event in events] == []
    async with Redis.from_url(redis_url) as client:
        # One subscription, however many streams.
        assert [heard for _, heard in await client.pubsub_numsub(NOTICES)] == [1]
