"""Campaigns and the do-not-call list over REST."""

import asyncio
from typing import Any

import httpx
import pytest

NUMBERS = ["+12025550143", "+12025550144", "+12025550145"]
CSV = {"Content-Type": "text/csv"}


def contacts(*numbers: str) -> list[dict[str, Any]]:
    return [{"phone_number": number, "name": f"No. {i}"} for i, number in enumerate(numbers)]


async def test_each_contact_gets_a_task(ada: httpx.AsyncClient) -> None:
    body = {
        "name": "Spring",
        "goal": "Ask for their opening hours",
        "context": "We are a travel guide.",
        "max_attempts": 2,
        "contacts": [
            {"phone_number": "+1 202 555 0143", "name": "Ada", "context": "A museum."},
            {"phone_number": NUMBERS[1]},
        ],
    }
    response = await ada.post("/api/campaigns", json=body)
    assert response.status_code == 201, response.text
    campaign = response.json()
    assert (campaign["name"], campaign["skipped"]) == ("Spring", [])
    page = (
        await ada.get(f"/api/tasks/details?campaign_id={campaign['id']}&sort=created_at")
    ).json()
    assert [task["id"] for task in page["items"]] == campaign["task_ids"]
    first, second = page["items"]
    assert first["contact_name"] == "Ada"
    assert first["context"] == "We are a travel guide.\n\nA museum."
    assert second["context"] == "We are a travel guide."
    assert (second["goal"], second["max_attempts"]) == (body["goal"], 2)


@pytest.mark.parametrize(
    "file",
    [
        'name,phone_number,context\nAda,+12025550143,"Mornings, please"\n\nBob,+12025550144,\n',
        "\ufeffPhone Number;Name;Notes\r\n+12025550143;Ada;Mornings, please\r\n+12025550144;Bob;\r\n",
        "phone\tcontact-name\tcontext\n+12025550143\tAda\tMornings, please\n+12025550144\tBob",
    ],
)
async def test_contacts_come_as_spreadsheets_write_them(ada: httpx.AsyncClient, file: str) -> None:
    response = await ada.post(
        "/api/campaigns",
        params={"goal": "Say hello", "max_attempts": "4"},
        content=file.encode(),
        headers=CSV,
    )
    assert response.status_code == 201, response.text
    assert response.json()["name"] == "Say hello"
    page = (await ada.get("/api/tasks/details?sort=created_at")).json()
    assert [
        (task["contact_name"], task["phone_number"], task["context"], task["max_attempts"])
        for task in page["items"]
    ] == [("Ada", NUMBERS[0], "Mornings, please", 4), ("Bob", NUMBERS[1], "", 4)]


async def test_one_bad_row_and_nothing_is_created(ada: httpx.AsyncClient) -> None:
    await ada.post("/api/do-not-call", json={"phone_number": NUMBERS[1]})
    file = f"name,phone_number\nA,{NUMBERS[0]}\nB,12\nC,{NUMBERS[1]}\nD,+1 202 555 0143\nE,\n"
    response = await ada.post("/api/campaigns?goal=Hello", content=file.encode(), headers=CSV)
    assert response.status_code == 422
    problem = response.json()
    assert problem["detail"] == "4 of 5 contacts cannot be used, so nothing was created."
    assert [(error["row"], error["field"]) for error in problem["errors"]] == [
        (3, "phone_number"),
        (4, "phone_number"),
        (5, "phone_number"),
        (6, "phone_number"),
    ]
    assert problem["errors"][2]["message"] == "Row 2 has the same number."
    assert (await ada.get("/api/tasks/details")).json()["total"] == 0

    skipping = "/api/campaigns?goal=Hello&skip_invalid=true"
    response = await ada.post(skipping, content=file.encode(), headers=CSV)
    assert response.status_code == 201
    assert len(response.json()["task_ids"]) == 1
    assert [bad["row"] for bad in response.json()["skipped"]] == [3, 4, 5, 6]
    none_left = await ada.post(skipping, content=b"phone_number\n12\n", headers=CSV)
    assert none_left.status_code == 422


@pytest.mark.parametrize(
    ("file", "field"),
    [
        (b"", "contacts"),
        (b"phone_number\n", "contacts"),
        (b"name,context\nAda,x\n", "contacts"),
        (b"phone_number,email\n+12025550143,a@b\n", "contacts"),
        (b"phone_number,phone\n+12025550143,+12025550143\n", "contacts"),
        (b"phone_number\n+12025550143,surplus\n", "contacts"),
        (b'phone_number\n"+12025550143\n', "contacts"),
        (b"phone_number\n\xff\xfe\n", "contacts"),
        ("phone_number\n+12025550143\n".encode("utf-16"), "contacts"),
        (b"phone_number\n" + b"\n".join(b"+1%010d" % i for i in range(2001)), "contacts"),
    ],
)
async def test_files_that_cannot_be_read(ada: httpx.AsyncClient, file: bytes, field: str) -> None:
    response = await ada.post("/api/campaigns?goal=Hello", content=file, headers=CSV)
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contacts": contacts(NUMBERS[0])}, "goal"),
        ({"goal": "  ", "contacts": contacts(NUMBERS[0])}, "goal"),
        ({"goal": "Hello"}, "contacts"),
        ({"goal": "Hello", "contacts": []}, "contacts"),
        ({"goal": "Hello", "contacts": contacts("+1\x002025550143")}, "contacts.0.phone_number"),
        ({"goal": "Hello", "contacts": [{"number": "1"}]}, "contacts.0.phone_number"),
        ({"goal": "Hello", "contacts": contacts(NUMBERS[0]), "time_zone": "Moon"}, "time_zone"),
    ],
)
async def test_bodies_that_make_no_sense(
    ada: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    response = await ada.post("/api/campaigns", json=body)
    assert response.status_code == 422, response.text
    assert field in [error["field"] for error in response.json()["errors"]]


async def test_only_json_and_csv_are_taken(ada: httpx.AsyncClient) -> None:
    response = await ada.post("/api/campaigns?goal=Hello", content=b"<contacts/>")
    assert response.status_code == 415
    response = await ada.post(
        "/api/campaigns?goal=Hello", json={"goal": "Hello", "contacts": contacts(NUMBERS[0])}
    )
    assert response.status_code == 422


async def test_a_listed_number_is_left_alone(ada: httpx.AsyncClient) -> None:
    task = (await ada.post("/api/tasks", json={"phone_number": NUMBERS[0], "goal": "Hi"})).json()
    body = {"phone_number": "+1 202-555-0143", "reason": "They asked"}
    entry = (await ada.post("/api/do-not-call", json=body)).json()
    assert entry["phone_number"] == NUMBERS[0]
    stopped = (await ada.get(f"/api/tasks/{task['id']}")).json()
    assert (stopped["status"], stopped["result_reason"]) == ("CANCELLED", "They asked")
    refused = await ada.post("/api/tasks", json={"phone_number": NUMBERS[0], "goal": "Hi"})
    assert refused.json()["errors"][0]["field"] == "phone_number"

    assert (await ada.post("/api/do-not-call", json=body)).json()["id"] == entry["id"]
    assert (await ada.get("/api/do-not-call")).json()["items"] == [entry]
    gone = await ada.delete(f"/api/do-not-call/{entry['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await ada.delete(f"/api/do-not-call/{entry['id']}")).status_code == 404
    assert (await ada.get("/api/do-not-call")).json()["items"] == []


async def test_a_number_is_listed_once_however_often_asked(ada: httpx.AsyncClient) -> None:
    body = {"phone_number": NUMBERS[0]}
    responses = await asyncio.gather(*(ada.post("/api/do-not-call", json=body) for _ in range(8)))
    assert len({response.json()["id"] for response in responses}) == 1


@pytest.mark.parametrize("query", ["%2B12025550143", "+1 202 555 0143"])
async def test_a_number_is_taken_off_by_itself(ada: httpx.AsyncClient, query: str) -> None:
    await ada.post("/api/do-not-call", json={"phone_number": NUMBERS[0]})
    assert (await ada.delete(f"/api/do-not-call?phone_number={query}")).status_code == 204
    assert (await ada.delete(f"/api/do-not-call?phone_number={query}")).status_code == 404
    assert (await ada.delete("/api/do-not-call")).status_code == 422
    assert (await ada.delete("/api/do-not-call?phone_number=12")).status_code == 422


async def test_campaigns_tell_how_far_they_are_and_what_they_may_cost(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    body = {"goal": "Say hello", "contacts": contacts(*NUMBERS), "campaign_budget_micros": 5}
    first = (await ada.post("/api/campaigns", json=body)).json()
    body = {"name": "Two", "goal": "Hi", "contacts": contacts(NUMBERS[0])}
    second = (await ada.post("/api/campaigns", json=body)).json()
    await ada.post(f"/api/tasks/{first['task_ids'][0]}/cancel")

    page = (await ada.get("/api/campaigns?limit=1")).json()
    assert [item["id"] for item in page["items"]] == [second["id"]]
    page = (await ada.get(f"/api/campaigns?limit=1&cursor={page['next_cursor']}")).json()
    (item,) = page["items"]
    assert page["next_cursor"] is None
    assert (item["id"], item["budget_micros"], item["spent_micros"]) == (first["id"], 5, 0)
    assert item["statuses"] == {"CANCELLED": 1, "PENDING": 2}
    assert (await ada.get(f"/api/campaigns/{first['id']}")).json() == item

    path = f"/api/campaigns/{first['id']}"
    changed = (await ada.patch(path, json={"budget_micros": None})).json()
    assert changed == item | {"budget_micros": None}
    assert (await ada.patch(path, json={"budget_micros": 0})).status_code == 422
    assert (await ada.patch(path, json={})).status_code == 422
    assert (await bob.get("/api/campaigns")).json() == {"items": [], "next_cursor": None}
    assert (await bob.get(path)).status_code == 404
    assert (await bob.patch(path, json={"budget_micros": 7})).status_code == 404


async def test_all_tasks_of_a_campaign_are_held_resumed_and_cancelled(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    other = (await ada.post("/api/tasks", json={"phone_number": NUMBERS[0], "goal": "Hi"})).json()
    body = {"goal": "Say hello", "contacts": contacts(*NUMBERS)}
    campaign = (await ada.post("/api/campaigns", json=body)).json()
    await ada.post(f"/api/tasks/{campaign['task_ids'][0]}/cancel")
    path = f"/api/campaigns/{campaign['id']}"

    held = (await ada.post(f"{path}/hold")).json()
    assert held["statuses"] == {"CANCELLED": 1, "ON_HOLD": 2}
    assert held == (await ada.get(path)).json() == (await ada.post(f"{path}/hold")).json()
    resumed = (await ada.post(f"{path}/resume")).json()
    assert resumed["statuses"] == {"CANCELLED": 1, "PENDING": 2}
    assert (await bob.post(f"{path}/cancel")).status_code == 404
    assert (await ada.post(f"{path}/cancel")).json()["statuses"] == {"CANCELLED": 3}
    assert (await ada.get(f"/api/tasks/{other['id']}")).json()["status"] == "PENDING"
    unknown = await ada.post(f"{path}/explode")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "action")
