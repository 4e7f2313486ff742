"""Webhooks over REST: set up, tried out, looked through, sent again; and requests that come twice."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from opendeep_app.services.idempotency_keys import KEPT
from tests.fixtures.apis import Api
from tests.fixtures.clocks import FakeClock

HOOK = {"url": "https://example.com/hook", "types": ["task.completed", "ping"]}


async def create(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/api/webhooks", json={**HOOK, **fields})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/api/webhooks/{response.json()['id']}"
    created: dict[str, Any] = response.json()
    return created


async def test_a_webhook_is_set_up_changed_and_deleted(ada: httpx.AsyncClient) -> None:
    created = await create(ada, description="Our CRM")
    assert created.pop("secret").startswith("whsec_")
    where = f"/api/webhooks/{created['id']}"
    assert (await ada.get(where)).json() == created
    assert (await ada.get("/api/webhooks")).json()["items"] == [created]
    changed = await ada.put(where, json={"url": "https://example.org/", "enabled": False})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["types"], changed.json()["disabled_reason"]) == ([], "You disabled it.")
    assert (await ada.post(f"{where}/ping")).status_code == 409
    again = (await ada.put(where, json=HOOK)).json()
    assert (again["disabled_at"], again["types"]) == (None, ["task.completed", "ping"])
    assert (await ada.delete(where)).status_code == 204
    assert (await ada.get(where)).status_code == 404


async def test_deliveries_come_in_pages_and_are_sent_again(
    ada: httpx.AsyncClient, clock: FakeClock
) -> None:
    where = f"/api/webhooks/{(await create(ada))['id']}"
    sent = []
    for _ in range(5):
        response = await ada.post(f"{where}/ping")
        assert response.status_code == 202, response.text
        sent.append(response.json()["id"])
    assert response.json()["message"]["type"] == "ping"
    seen: list[str] = []
    parameters = {"limit": "2", "status": "pending"}
    while True:
        page = (await ada.get(f"{where}/deliveries", params=parameters)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert seen == sent[::-1]
    replayed = await ada.post(f"{where}/deliveries/{sent[0]}/replay")
    assert (replayed.status_code, replayed.json()["id"]) == (202, sent[0])


async def test_webhooks_of_others_are_not_there(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    where = f"/api/webhooks/{(await create(ada))['id']}"
    ping = (await ada.post(f"{where}/ping")).json()["id"]
    for method, path in (
        ("GET", where),
        ("PUT", where),
        ("DELETE", where),
        ("POST", f"{where}/ping"),
        ("GET", f"{where}/deliveries"),
        ("POST", f"{where}/deliveries/{ping}/replay"),
    ):
        body = HOOK if method == "PUT" else None
        assert (await bob.request(method, path, json=body)).status_code == 404
    other = f"/api/webhooks/{(await create(bob))['id']}"
    assert (await bob.post(f"{other}/deliveries/{ping}/replay")).status_code == 404
    assert (await bob.get("/api/webhooks")).json()["items"] != []


async def test_what_is_wrong_with_a_webhook_is_said(ada: httpx.AsyncClient) -> None:
    for fields, field in (
        ({"url": "http://example.com"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"types": ["task.exploded"]}, "types.0"),
        ({"secret": "mine"}, "secret"),
    ):
        response = await ada.post("/api/webhooks", json={**HOOK, **fields})
        assert response.status_code == 422, response.text
        assert [error["field"] for error in response.json()["errors"]] == [field]
    for _ in range(20):
        await create(ada)
    assert (await ada.post("/api/webhooks", json=HOOK)).status_code == 409


CREATES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("/api/webhooks", HOOK, {**HOOK, "types": []}),
    (
        "/api/do-not-call",
        {"phone_number": "+12025550143"},
        {"phone_number": "+12025550143", "reason": "They asked"},
    ),
    (
        "/api/campaigns",
        {"goal": "Hello", "contacts": [{"phone_number": "+12025550144"}]},
        {"goal": "Hello", "contacts": [{"phone_number": "+12025550145"}]},
    ),
    (
        "/api/tasks",
        {"goal": "Hello", "phone_number": "+12025550146"},
        {"goal": "Hello", "phone_number": "+12025550147"},
    ),
]


async def test_a_create_that_comes_again_gets_the_same_answer(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    for path, body, other in CREATES:
        headers = {"Idempotency-Key": f"once for {path}"}
        responses = await asyncio.gather(
            *(ada.post(path, json=body, headers=headers) for _ in range(6))
        )
        assert {response.status_code for response in responses} == {201}, responses[0].text
        assert len({response.text for response in responses}) == 1
        different = await ada.post(path, json=other, headers=headers)
        assert different.status_code == 409
        assert "Idempotency-Key" in different.json()["detail"]
        theirs = await bob.post(path, json=body, headers=headers)
        assert theirs.json()["id"] != responses[0].json()["id"]
    assert len((await ada.get("/api/webhooks")).json()["items"]) == 1
    assert (await ada.get("/api/tasks/details")).json()["total"] == 2


async def test_a_key_serves_one_kind_of_request(ada: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "shared"}
    await ada.post("/api/webhooks", json=HOOK, headers=headers)
    response = await ada.post("/api/do-not-call", json=CREATES[1][1], headers=headers)
    assert response.status_code == 409


async def test_a_failed_request_may_be_repeated_and_a_key_lasts_a_day(
    api: Api, ada: httpx.AsyncClient, clock: FakeClock
) -> None:
    headers = {"Idempotency-Key": "again"}
    bad = await ada.post("/api/webhooks", json={"url": "http://x"}, headers=headers)
    assert bad.status_code == 422
    first = await ada.post("/api/webhooks", json=HOOK, headers=headers)
    clock.advance((KEPT - timedelta(seconds=1)).total_seconds())
    assert (await ada.post("/api/webhooks", json=HOOK, headers=headers)).text == first.text
    clock.advance(2)
    second = await ada.post("/api/webhooks", json=HOOK, headers=headers)
    assert second.json()["id"] != first.json()["id"]
