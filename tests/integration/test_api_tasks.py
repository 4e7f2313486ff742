"""Tasks over REST: delegated once, listed in pages, acted upon, and never somebody else's."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from opendeep_app.models import Speaker, Task
from opendeep_app.services import calls, dialling, info_requests
from tests.fixtures.apis import Api
from tests.fixtures.clocks import FakeClock

NUMBER = "+12025550143"
GOAL = {"phone_number": "+1 (202) 555-0143", "goal": "Book a table for two"}


async def create(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    response = await client.post("/api/tasks", json={**GOAL, **fields})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def claim_and_answer(api: Api) -> str:
    """The id of a call that has been dialled and is being talked on."""
    async with api.db.unit_of_work() as uow:
        (call_id,) = await dialling.claim_due(uow)
    async with api.db.unit_of_work() as uow:
        assert await dialling.begin(uow, call_id)
    async with api.db.unit_of_work() as uow:
        await dialling.confirm(uow, call_id, "CA" + "0" * 32)
    async with api.db.unit_of_work() as uow:
        assert await calls.session_opened(uow, call_id, "gateway", "the brief")
    return call_id


async def test_a_task_is_delegated_and_read_back(ada: httpx.AsyncClient) -> None:
    response = await ada.post(
        "/api/tasks",
        json={
            **GOAL,
            "contact_name": "Chez Ada",
            "context": "Friday, 7 pm",
            "max_attempts": 5,
            "priority": 7,
            "not_before": "2026-06-17T11:00:00+02:00",
            "time_zone": "America/Chicago",
            "language": "fr",
            "info_timeout_seconds": 20,
            "campaign_id": None,
        },
    )
    assert response.status_code == 201
    task = response.json()
    assert response.headers["location"] == f"/api/tasks/{task['id']}"
    assert task["phone_number"] == NUMBER
    assert task["status"] == "PENDING"
    assert task["not_before"] == "2026-06-17T09:00:00Z"
    # Nine in the morning UTC is four in Chicago; people are called from eight.
    assert task["next_action_at"] == "2026-06-17T13:00:00Z"
    assert task["current_attempt_count"] == 0

    detail = (await ada.get(response.headers["location"])).json()
    assert {name: detail[name] for name in task} == task
    assert [event["type"] for event in detail["events"]] == ["task_created"]
    assert (detail["calls"], detail["info_requests"]) == ([], [])


async def test_the_same_idempotency_key_gives_the_same_task(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": "order 66"}
    first = await ada.post("/api/tasks", json=GOAL, headers=headers)
    again = await ada.post("/api/tasks", json={**GOAL, "phone_number": NUMBER}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]

    for difference in ({"goal": "Cancel"}, {"context": "Urgent"}, {"max_attempts": 9}):
        other = await ada.post("/api/tasks", json={**GOAL, **difference}, headers=headers)
        assert other.status_code == 409
        assert "Idempotency-Key" in other.json()["detail"]
    # Another person's keys are their own.
    theirs = await bob.post("/api/tasks", json=GOAL, headers=headers)
    assert theirs.json()["id"] != first.json()["id"]
    assert (await ada.get("/api/tasks/details")).json()["total"] == 1


async def test_simultaneous_requests_with_one_key_make_one_task(ada: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    requests = [ada.post("/api/tasks", json=GOAL, headers=headers) for _ in range(12)]
    responses = await asyncio.gather(*requests)
    assert {response.status_code for response in responses} == {201}
    assert len({response.json()["id"] for response in responses}) == 1
    assert (await ada.get("/api/tasks/details")).json()["total"] == 1


async def test_what_is_wrong_is_said_for_each_field(ada: httpx.AsyncClient) -> None:
    response = await ada.post("/api/tasks", json={"goal": "", "max_attempts": 99, "phone": "1"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 422
    errors = {error["field"]: error["message"] for error in problem["errors"]}
    assert set(errors) == {"goal", "max_attempts", "phone", "phone_number"}
    assert errors["phone_number"] == "This is required."
    assert errors["phone"] == "There is no such parameter; check the spelling."


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"phone_number": "911"}, "phone_number"),
        ({"phone_number": "+1 900 555 0143"}, "phone_number"),
        ({"goal": "   "}, "goal"),
        ({"goal": "x" * 4001}, "goal"),
        ({"goal": "with \x00 inside"}, "goal"),
        ({"goal": 7}, "goal"),
        ({"goal": None}, "goal"),
        ({"context": ["a"]}, "context"),
        ({"max_attempts": True}, "max_attempts"),
        ({"max_attempts": "3"}, "max_attempts"),
        ({"max_attempts": 10**30}, "max_attempts"),
        ({"priority": 101}, "priority"),
        ({"not_before": "2026-06-17T09:00:00"}, "not_before"),
        ({"not_before": 1781600000}, "not_before"),
        ({"not_before": "tomorrow"}, "not_before"),
        ({"not_before": "0001-01-01T00:00:00+14:00"}, "not_before"),
        ({"not_before": "9999-12-31T23:59:59Z"}, "not_before"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"language": "English, please"}, "language"),
        ({"info_timeout_seconds": 1}, "info_timeout_seconds"),
        ({"campaign_id": ""}, "campaign_id"),
        ({"status": "COMPLETED"}, "status"),
    ],
)
async def test_bad_values_are_refused(
    ada: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    response = await ada.post("/api/tasks", json={**GOAL, **fields})
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_pages_hold_every_task_once(ada: httpx.AsyncClient, clock: FakeClock) -> None:
    made = []
    for priority in range(7):
        made.append((await create(ada, priority=priority % 3))["id"])
        clock.advance(60)
    for sort in ("-created_at", "created_at", "-updated_at", "-priority"):
        seen: list[dict[str, Any]] = []
        parameters = {"limit": "3", "sort": sort}
        while True:
            page = (await ada.get("/api/tasks/details", params=parameters)).json()
            assert page["total"] == 7
            seen += page["items"]
            if page["next_cursor"] is None:
                break
            assert len(page["items"]) == 3
            parameters["cursor"] = page["next_cursor"]
        assert sorted(task["id"] for task in seen) == sorted(made)
        keys = [task[sort.removeprefix("-")] for task in seen]
        assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_filters_narrow_the_list(ada: httpx.AsyncClient, clock: FakeClock) -> None:
    old = await create(ada, contact_name="Zoë")
    middle = clock.advance(hours=1).isoformat()
    held = await create(ada, goal="100%_sure", phone_number="+12025550144")
    new = await create(ada, phone_number="+12025550145")
    await ada.post(f"/api/tasks/{held['id']}/hold")
    await ada.post(f"/api/tasks/{new['id']}/cancel")

    async def found(query: str) -> set[str]:
        response = await ada.get(f"/api/tasks/details?{query}")
        assert response.status_code == 200, response.text
        page = response.json()
        assert page["total"] == len(page["items"])
        return {task["id"] for task in page["items"]}

    assert await found("status=ON_HOLD") == {held["id"]}
    assert await found("status=ON_HOLD&status=CANCELLED") == {held["id"], new["id"]}
    assert await found("status=on_hold,CANCELLED") == {held["id"], new["id"]}
    assert await found("q=zo%C3%AB") == {old["id"]}
    assert await found("q=100%25_") == {held["id"]}
    assert await found("q=555-0144") == {held["id"]}
    # A plus in a query that nobody has escaped arrives as a space.
    assert await found(f"created_after={middle}") == {held["id"], new["id"]}
    assert await found(f"created_before={middle}") == {old["id"]}
    assert await found("campaign_id=0197f000-0000-7000-8000-000000000000") == set()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("status=DONE", "status.0"),
        ("status=PENDING,", "status.1"),
        ("sort=goal", "sort"),
        ("created_after=0", "created_after"),
        ("created_after=2026-06-17", "created_after"),
        ("q=%00", "q"),
        ("campaign_id=%00", "campaign_id"),
        ("cursor=%00", "cursor"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0=", "cursor"),
        ("cursor=WyIyMDI2LTA2LTE2VDE2OjAwOjAwKzAwOjAwIiwgIlx1MDAwMCJd", "cursor"),
        ("page=2", "page"),
    ],
)
async def test_bad_queries_are_refused(ada: httpx.AsyncClient, query: str, field: str) -> None:
    response = await ada.get(f"/api/tasks/details?{query}")
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_a_cursor_serves_its_own_sort_only(ada: httpx.AsyncClient) -> None:
    await create(ada)
    await create(ada, phone_number="+12025550144")
    page = (await ada.get("/api/tasks/details?limit=1")).json()
    parameters = {"sort": "-priority", "cursor": page["next_cursor"]}
    assert (await ada.get("/api/tasks/details", params=parameters)).status_code == 422


async def test_the_creator_acts(ada: httpx.AsyncClient, clock: FakeClock) -> None:
    later = (clock() + timedelta(days=1)).isoformat()
    task = await create(ada, not_before=later)

    async def act(action: str, status: int = 200) -> dict[str, Any]:
        response = await ada.post(f"/api/tasks/{task['id']}/{action}")
        assert response.status_code == status, response.text
        result: dict[str, Any] = response.json()
        return result

    assert (await act("hold"))["status"] == "ON_HOLD"
    assert "on hold" in (await act("hold", 409))["detail"]
    assert (await act("resume"))["status"] == "PENDING"
    assert (await act("call-now"))["next_action_at"] == "2026-06-16T16:00:00Z"
    assert (await act("cancel"))["status"] == "CANCELLED"
    for action in ("cancel", "hold", "resume", "call-now"):
        assert (await act(action, 409))["status"] == 409
    await act("explode", 404)


async def test_a_question_is_listed_and_answered_once(api: Api, ada: httpx.AsyncClient) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.unit_of_work() as uow:
        await calls.add_line(uow, call_id, Speaker.RECIPIENT, "For how many?", "item", 900)
        asked = await info_requests.ask(uow, call_id, "fc", "How many people?", suggestions=["2"])

    listed = (await ada.get("/api/info-requests?status=open")).json()["items"]
    assert [(item["id"], item["status"]) for item in listed] == [(asked.id, "OPEN")]
    assert listed[0]["suggestions"] == ["2"]
    where = f"/api/info-requests/{asked.id}/answer"
    for bad in ({"answer": "  "}, {"answer": "\x00"}, {"answer": "x" * 2001}, {}, {"answer": 2}):
        assert (await ada.post(where, json=bad)).status_code == 422
    answered = await ada.post(where, json={"answer": "Two, please"})
    assert (answered.status_code, answered.json()["status"]) == (200, "ANSWERED")
    assert answered.json()["answered_via"] == "api"
    assert (await ada.post(where, json={"answer": "Three"})).status_code == 409
    assert (await ada.get("/api/info-requests?status=open")).json()["items"] == []
    assert [q["answer"] for q in (await ada.get("/api/info-requests")).json()["items"]] == [
        "Two, please"
    ]

    detail = (await ada.get(f"/api/tasks/{task['id']}")).json()
    (call,) = detail["calls"]
    assert [line["text"] for line in call["transcript"]] == ["For how many?"]
    assert detail["info_requests"][0]["answer"] == "Two, please"
    assert "info_answered" in [event["type"] for event in detail["events"]]


async def test_a_question_whose_time_is_up_still_wants_an_answer(
    api: Api, ada: httpx.AsyncClient
) -> None:
    await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.unit_of_work() as uow:
        asked = await info_requests.ask(uow, call_id, "fc", "How many people?")
        assert await info_requests.expire(uow, asked.id)
    (item,) = (await ada.get("/api/info-requests?status=open")).json()["items"]
    assert item["status"] == "EXPIRED"
    late = await ada.post(f"/api/info-requests/{asked.id}/answer", json={"answer": "Two"})
    assert late.json()["status"] == "ANSWERED_LATE"


async def test_what_belongs_to_others_is_not_there(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.unit_of_work() as uow:
        asked = await info_requests.ask(uow, call_id, "fc", "How many people?")
    mine = await ada.post("/api/do-not-call", json={"phone_number": "+12025550177"})
    campaign = await ada.post(
        "/api/campaigns", json={"goal": "Hello", "contacts": [{"phone_number": "+12025550199"}]}
    )
    absent = "0197f000-0000-7000-8000-000000000000"
    for task_id in (task["id"], absent, "nonsense", "%00"):
        assert (await bob.get(f"/api/tasks/{task_id}")).status_code == 404
        for action in ("cancel", "hold", "resume", "call-now"):
            assert (await bob.post(f"/api/tasks/{task_id}/{action}")).status_code == 404
    answer = await bob.post(f"/api/info-requests/{asked.id}/answer", json={"answer": "Two"})
    assert answer.status_code == 404
    assert (await bob.delete(f"/api/do-not-call/{mine.json()['id']}")).status_code == 404
    theirs = {**GOAL, "campaign_id": campaign.json()["id"]}
    assert (await bob.post("/api/tasks", json=theirs)).status_code == 404
    for empty in ("tasks/details", "info-requests", "info-requests?status=open", "do-not-call"):
        assert (await bob.get(f"/api/{empty}")).json()["items"] == []


async def test_nothing_secret_is_given(api: Api, ada: httpx.AsyncClient) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.reading() as session:
        row = await session.get_one(Task, task["id"])
    detail = (await ada.get(f"/api/tasks/{task['id']}")).json()
    assert detail["calls"][0]["id"] == call_id
    assert not {"user_id", "idempotency_key", "event_count"} & set(detail)
    assert not {"brief", "gateway_id"} & set(detail["calls"][0])
    assert row.user_id not in str(detail)
