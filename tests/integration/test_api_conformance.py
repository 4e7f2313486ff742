"""Schemathesis against the API's own description: whatever it makes up, the answers are described."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from opendeep_app.bus import Bus
from opendeep_app.config import Settings
from opendeep_app.db import Database
from opendeep_app.essentials import Essentials
from opendeep_app.supervisor import ports
from tests.fixtures.apis import Api, mounted

EXAMPLES = 5
NUMBER = "+12025550143"

#: What is made up: by the schema, the same with things that exist, and what the schema forbids.
MODES = (
    (GenerationMode.POSITIVE, False),
    (GenerationMode.POSITIVE, True),
    (GenerationMode.NEGATIVE, False),
)

Served = tuple[str, str, dict[str, str]]

#: Its answer never ends; tests/integration/test_api_events.py follows it.
ENDLESS = "/api/events"

#: What no schema can say (a number that exists, a time zone that does) is refused with these.
REFUSALS = ["2xx", "304", "404", "409", "413", "415", "422"]


@pytest.fixture
def served(sqlite_url: str, redis_url: str, tmp_path: Path) -> Iterator[Served]:
    """The API in a thread of its own, because Schemathesis calls it and waits; its URL, a key, ids."""
    ready = threading.Event()
    port = ports.free("127.0.0.1")
    found: dict[str, Any] = {}

    async def serve() -> None:
        settings = Settings.load(_env_file=None, data_dir=tmp_path).with_line()
        bus = Bus(redis_url)
        db = Database(sqlite_url, bus, policy=settings.policy)
        app = mounted(Essentials(settings, db, bus, db.clock))
        async with await Api(app, db, settings).client() as client:
            found["key"] = client.headers["authorization"]
            found["known"] = await _something(client)
        server = found["server"] = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        ready.set()
        await task
        await db.close()
        await bus.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield f"http://127.0.0.1:{port}", found["key"], found["known"]
    found["server"].should_exit = True
    thread.join(20)


async def _something(client: httpx.AsyncClient) -> dict[str, str]:
    """One of each thing that a path can name."""

    async def made(path: str, **body: Any) -> str:
        response = await client.post(f"/api/{path}", json=body)
        assert response.is_success, response.text
        made_id: str = response.json()["id"]
        return made_id

    webhook = await made("webhooks", url="https://example.com/")
    return {
        "task_id": await made("tasks", phone_number=NUMBER, goal="Hello"),
        "entry_id": await made("do-not-call", phone_number="+12025550144"),
        "webhook_id": webhook,
        "delivery_id": await made(f"webhooks/{webhook}/ping"),
    }


def _make_sense(case: Any, known: dict[str, str]) -> None:
    """Puts what no schema can say into a request: things that exist, numbers that can be rung."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known.get(name, case.path_parameters[name])
    bodies = [case.body] if isinstance(case.body, dict) else []
    bodies += [contact for body in bodies for contact in body.get("contacts", [])]
    for body in bodies:
        if "phone_number" in body:
            body["phone_number"] = NUMBER
        if "url" in body:
            body["url"] = "https://example.com/hook"
        for name in ("time_zone", "campaign_id", "hours", "retry_policy", "not_before"):
            body.pop(name, None)
    if "phone_number" in (case.query or {}):
        case.query["phone_number"] = NUMBER
    (case.query or {}).pop("cursor", None)


def test_whatever_is_made_up_the_answer_is_as_described(served: Served) -> None:
    url, key, known = served
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    schema.config.checks.positive_data_acceptance.expected_statuses = REFUSALS
    answered: list[tuple[str, int]] = []

    def try_out(operation: Any, mode: GenerationMode, sense: bool) -> None:
        @seed(20261123)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers(case: Any) -> None:
            if sense:
                _make_sense(case, known)
            response = case.call(headers={"Authorization": key})
            answered.append((operation.label, response.status_code))
            case.validate_response(response, headers={"Authorization": key})

        answers()

    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.path != ENDLESS:
            for mode, sense in MODES:
                try_out(operation, mode, sense)
    # Most of what can be done has been done, and not only refused.
    assert len({label for label, status in answered if status < 300}) > 14
