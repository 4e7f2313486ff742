"""The dry run of a task over REST, its own rules, and having the next call at another time."""

from typing import Any

import httpx

from tests.fixtures.apis import Api

TASK = {"phone_number": "+1 (202) 555-0143", "goal": "Book a table for two"}
HOURS: dict[str, Any] = {
    "days": {"tue": [{"start": "14:00", "end": "16:00"}], "wed": []},
    "avoid_holidays": True,
}


async def test_the_dry_run_is_what_happens_then(ada: httpx.AsyncClient) -> None:
    wishes = {**TASK, "hours": HOURS, "retry_policy": {"no_answer": {"base_seconds": 7200}}}
    response = await ada.post("/api/tasks/preview", json={**wishes, "goal": ""})
    assert response.status_code == 200, response.text
    preview = response.json()
    assert preview["summary"].startswith("First call today 14:00 their time; if nobody answers, ")
    assert preview["calling_hours"].startswith("Mon 08:00–21:00, Tue 14:00–16:00, Thu")
    assert [call["steps"][-1]["rule"] for call in preview["calls"]][:2] == [
        "calling_hours",
        "calling_hours",
    ]
    assert (await ada.get("/api/tasks/details")).json()["total"] == 0
    task = (await ada.post("/api/tasks", json=wishes)).json()
    assert task["next_action_at"] == preview["calls"][0]["at"]
    detail = (await ada.get(f"/api/tasks/{task['id']}")).json()
    assert detail["events"][0]["payload"]["steps"] == preview["calls"][0]["steps"]


async def test_rules_that_make_no_sense_are_problems(ada: httpx.AsyncClient) -> None:
    wishes: list[dict[str, Any]] = [
        {"hours": {"days": {"tue": [{"start": "04:00", "end": "05:00"}]}}},
        {"hours": {"days": {"noday": []}}},
        {"retry_policy": {"busy": {"factor": 0}}},
        {"phone_number": "+61 412 345 678"},
    ]
    for wish in wishes:
        response = await ada.post("/api/tasks/preview", json={**TASK, **wish})
        assert response.status_code == 422, response.text
        assert response.headers["content-type"] == "application/problem+json"


async def test_the_next_call_is_moved_and_skipped_by_its_owner_only(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    task = (await ada.post("/api/tasks", json=TASK)).json()
    path = f"/api/tasks/{task['id']}"
    night = {"at": "2026-06-17T07:00:00Z"}
    assert (await bob.post(f"{path}/move", json=night)).status_code == 404
    assert (await bob.post(f"{path}/skip")).status_code == 404
    refused = await ada.post(f"{path}/move", json=night)
    assert refused.status_code == 422
    assert "Confirm" in refused.text
    moved = await ada.post(f"{path}/move", json={**night, "outside_hours": True})
    assert moved.json()["next_action_at"] == night["at"]
    skipped = await ada.post(f"{path}/skip")
    assert skipped.json()["next_action_at"] == "2026-06-17T12:00:00Z"


async def test_a_campaign_has_rules_of_its_own(api: Api, ada: httpx.AsyncClient) -> None:
    contacts = [{"phone_number": "+1 202 555 0143"}, {"phone_number": "+61 412 345 678"}]
    body = {"goal": "Ask", "hours": HOURS, "contacts": contacts}
    refused = await ada.post("/api/campaigns", json=body)
    assert refused.status_code == 422
    assert "time_zone" in refused.text
    contacts[1]["time_zone"] = "Australia/Sydney"
    created = await ada.post("/api/campaigns", json=body)
    assert created.status_code == 201, created.text
    task = (await ada.get(f"/api/tasks/{created.json()['task_ids'][0]}")).json()
    assert task["next_action_at"] == "2026-06-16T18:00:00Z"
