"""What else a task may be given, what is said of calls, and the description's own promises."""

from typing import Any

import httpx
import pytest

from opendeep_app.models import Call, EndedBy, Speaker
from opendeep_app.services import calls, info_requests
from tests.fixtures.apis import Api
from tests.integration.test_api_tasks import GOAL, claim_and_answer, create

OPTIONS: dict[str, Any] = {
    "voicemail_policy": "LAST_ATTEMPT",
    "max_call_seconds": 300,
    "record_call": True,
    "findings_wanted": [{"field": "Price", "description": "Of the menu"}, {"field": "Hours"}],
    "hours": {"days": {"mon": [{"start": "09:00", "end": "12:00"}]}},
    "retry_policy": {},
    "budget_micros": 2_500_000,
}


async def test_every_option_is_kept_and_given_back(ada: httpx.AsyncClient) -> None:
    task = await create(ada, **OPTIONS)
    assert task["findings_wanted"][1] == {"field": "Hours", "description": ""}
    for name in ("voicemail_policy", "max_call_seconds", "record_call", "budget_micros"):
        assert task[name] == OPTIONS[name]
    assert list(task["hours"]["days"]) == ["mon"]
    assert (task["spent_micros"], task["last_outcome"]) == (0, None)
    plain = await create(ada, phone_number="+12025550144")
    assert (plain["voicemail_policy"], plain["hours"], plain["budget_micros"]) == (
        "HANG_UP",
        None,
        None,
    )
    body = {"goal": "Hello", "contacts": [{"phone_number": "+12025550145"}], **OPTIONS}
    campaign = (await ada.post("/api/campaigns", json=body)).json()
    member = (await ada.get(f"/api/tasks/{campaign['task_ids'][0]}")).json()
    assert (member["max_call_seconds"], member["findings_wanted"]) == (300, task["findings_wanted"])
    by_csv = await ada.post(
        "/api/campaigns?goal=Hi&max_call_seconds=120&voicemail_policy=LEAVE_MESSAGE",
        content=b"phone_number\n+12025550146\n",
        headers={"Content-Type": "text/csv"},
    )
    member = (await ada.get(f"/api/tasks/{by_csv.json()['task_ids'][0]}")).json()
    assert (member["max_call_seconds"], member["voicemail_policy"]) == (120, "LEAVE_MESSAGE")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"voicemail_policy": "SHOUT"}, "voicemail_policy"),
        ({"max_call_seconds": 10}, "max_call_seconds"),
        ({"budget_micros": 0}, "budget_micros"),
        ({"findings_wanted": [{"field": " "}]}, "findings_wanted.0.field"),
        ({"findings_wanted": [{"field": "x"}] * 21}, "findings_wanted"),
        ({"hours": {"days": {"someday": []}}}, "hours.days.someday.[key]"),
        ({"retry_policy": {"bored": {}}}, "retry_policy.bored.[key]"),
    ],
)
async def test_options_that_make_no_sense(
    ada: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    response = await ada.post("/api/tasks", json={**GOAL, **fields})
    assert response.status_code == 422, response.text
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_a_call_by_itself_and_its_words(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.unit_of_work() as uow:
        await calls.add_line(uow, call_id, Speaker.AGENT, "Good\nmorning", "i1", 400)
        await calls.add_line(uow, call_id, Speaker.RECIPIENT, "Hello?", "i2", 61_900)
        (await uow.session.get_one(Call, call_id)).cost_micros = 1200
    response = await ada.get(f"/api/calls/{call_id}")
    call = response.json()
    assert (call["task_id"], call["cost_micros"], call["direction"]) == (
        task["id"],
        1200,
        "OUTBOUND",
    )
    assert [line["text"] for line in call["transcript"]] == ["Good\nmorning", "Hello?"]
    tag = {"If-None-Match": response.headers["etag"]}
    assert (await ada.get(f"/api/calls/{call_id}", headers=tag)).status_code == 304
    words = await ada.get(f"/api/calls/{call_id}/transcript")
    assert words.headers["content-type"].startswith("text/plain")
    assert words.text == "00:00 Agent: Good morning\n01:01 Recipient: Hello?\n"
    for path in (f"/api/calls/{call_id}", f"/api/calls/{call_id}/transcript"):
        assert (await bob.get(path)).status_code == 404


async def test_tasks_are_found_by_their_last_call_and_by_what_waits(
    api: Api, ada: httpx.AsyncClient
) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    async with api.db.unit_of_work() as uow:
        await info_requests.ask(uow, call_id, "fc", "How many people?")
    await create(ada, phone_number="+12025550144")

    async def ids(query: str) -> list[str]:
        response = await ada.get(f"/api/tasks/details?{query}")
        assert response.status_code == 200, response.text
        return [item["id"] for item in response.json()["items"]]

    assert await ids("needs_me=true") == [task["id"]]
    async with api.db.unit_of_work() as uow:
        await calls.session_closed(uow, call_id, EndedBy.RECIPIENT, "Goodbye.")
    assert await ids("outcome=awaiting_info,DECLINED") == [task["id"]]
    assert await ids("outcome=DECLINED") == []


async def test_the_description_tells_of_webhooks_headers_and_examples(api: Api) -> None:
    async with api.anybody() as anybody:
        document = (await anybody.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    told = document["webhooks"]["task.completed"]["post"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "/WebhookMessage"
    )
    assert "StreamedEvent" in document["components"]["schemas"]
    read = document["paths"]["/api/tasks/{task_id}"]["get"]["responses"]
    assert {"200", "304", "429"} <= set(read)
    assert {"ETag", "RateLimit", "RateLimit-Policy"} <= set(read["200"]["headers"])
    assert "Retry-After" in document["components"]["responses"]["429"]["headers"]
    assert document["components"]["schemas"]["NewTask"]["examples"]
