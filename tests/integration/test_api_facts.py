"""The question loop and its facts over REST."""

import httpx

from opendeep_app.services import accounts, facts
from tests.fixtures.apis import Api
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import Life

BIRTH = {"question": "What is your date of birth?", "answer": "3 May 1980"}
ABSENT = "/api/facts/01890000-0000-7000-8000-000000000000"


async def asking(api: Api, email: str, clock: FakeClock) -> tuple[Life, str, str]:
    """A life of the API's user with a question in a live call: life, call and question."""
    async with api.db.reading() as session:
        user = await accounts.find_user(session, email)
    assert user is not None
    life = Life(api.db, clock, user.id)
    await life.create()
    call_id = await life.talk()
    return life, call_id, await life.ask(call_id, BIRTH["question"])


async def test_more_time_later_and_remembered(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient, clock: FakeClock
) -> None:
    life, call_id, question_id = await asking(api, "ada@example.com", clock)
    path = f"/api/info-requests/{question_id}"
    for wish in ("extend", "postpone"):
        assert (await bob.post(f"{path}/{wish}")).status_code == 404
    assert (await bob.post(f"{path}/remember", json={})).status_code == 404
    extended = await ada.post(f"{path}/extend")
    assert extended.status_code == 200 and extended.json()["extended_at"]
    assert (await ada.post(f"{path}/extend")).status_code == 409
    assert (await ada.post(f"{path}/postpone")).json()["status"] == "EXPIRED"
    assert (await ada.post(f"{path}/postpone")).status_code == 409
    assert (await ada.post(f"{path}/remember", json={})).status_code == 422
    await ada.post(f"{path}/answer", json={"answer": BIRTH["answer"]})
    kept = await ada.post(f"{path}/remember", json={"scope": "EVERYWHERE"})
    assert (kept.status_code, kept.json()["info_request_id"]) == (201, question_id)
    async with life.db.unit_of_work() as uow:
        assert await facts.recall(uow, call_id, BIRTH["question"])
    told = await ada.get(f"/api/facts/{kept.json()['id']}/disclosures")
    assert [one["call_id"] for one in told.json()["items"]] == [call_id]


async def test_facts_are_kept_changed_and_forgotten(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    made = await ada.post("/api/facts", json=BIRTH | {"disclosure": "ASK_FIRST"})
    assert made.status_code == 201, made.text
    fact = made.json()
    assert (fact["scope"], fact["disclosure"]) == ("EVERYWHERE", "ASK_FIRST")
    again = await ada.post("/api/facts", json=BIRTH | {"answer": "4 May 1980"})
    assert again.json()["id"] == fact["id"]
    path = f"/api/facts/{fact['id']}"
    change = {"answer": "5 May 1980", "disclosure": "NEVER_SAY"}
    assert (await ada.put(path, json=change)).json()["answer"] == "5 May 1980"
    assert [f["answer"] for f in (await ada.get("/api/facts")).json()["items"]] == ["5 May 1980"]
    for wrong in (
        {},
        BIRTH | {"scope": "CONTACT"},
        BIRTH | {"scope": "NOWHERE"},
        BIRTH | {"expires_at": "2001-01-01T00:00:00Z"},
        BIRTH | {"answer": " "},
    ):
        assert (await ada.post("/api/facts", json=wrong)).status_code == 422
    assert (await bob.get("/api/facts")).json()["items"] == []
    for stranger in (
        await bob.put(path, json=change),
        await bob.delete(path),
        await bob.get(f"{path}/disclosures"),
        await ada.delete(ABSENT),
    ):
        assert stranger.status_code == 404
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get("/api/facts")).json()["items"] == []
