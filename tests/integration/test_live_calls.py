"""Integration: what a creator can do with a live call, through the API and on the phone."""

import httpx
import pytest

from opendeep_app.models import Actor, EndedBy, Speaker, TaskEventType
from opendeep_app.services import calls, dialling, live_calls
from tests.fixtures.apis import Api
from tests.fixtures.gateways import Exchange, until
from tests.integration.test_api_tasks import claim_and_answer, create

HOLDS_ON = "+12025550140"


async def test_a_note_is_logged_and_only_taken_while_they_talk(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    task = await create(ada)
    call_id = await claim_and_answer(api)
    path = f"/api/calls/{call_id}/whisper"
    assert (await bob.post(path, json={"text": "Hello"})).status_code == 404
    assert (await ada.post(path, json={"text": "x" * 501})).status_code == 422
    assert (await ada.post(path, json={"text": "  "})).status_code == 422
    told = await ada.post(path, json={"text": "Ask for a\n quiet table"})
    assert told.status_code == 200, told.text

    detail = (await ada.get(f"/api/tasks/{task['id']}")).json()
    event = detail["events"][-1]
    assert (event["type"], event["actor"], event["call_id"]) == ("note_given", "creator", call_id)
    assert event["payload"] == {"text": "Ask for a quiet table", "via": "api"}

    async with api.db.unit_of_work() as uow:
        await calls.session_closed(uow, call_id, EndedBy.AGENT, "The agent said goodbye.")
    late = await ada.post(path, json={"text": "And a cake"})
    assert (late.status_code, late.json()["detail"]) == (
        409,
        "This call is over. The agent cannot hear you any more.",
    )


async def test_hanging_up_needs_a_call_in_the_network(
    api: Api, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    await create(ada)
    async with api.db.unit_of_work() as uow:
        (waiting,) = await dialling.claim_due(uow)
    undialled = await ada.post(f"/api/calls/{waiting}/hang-up")
    assert (undialled.status_code, undialled.json()["title"]) == (409, "Conflict")
    silent = await ada.post(f"/api/calls/{waiting}/whisper", json={"text": "Hello"})
    assert silent.json()["detail"] == "Nobody has picked up yet. Send your note once they talk."

    await create(ada, phone_number="+12025550144")
    call_id = await claim_and_answer(api)
    path = f"/api/calls/{call_id}/hang-up"
    assert (await bob.post(path)).status_code == 404
    assert (await ada.post(path)).json()["ended_by"] == "CREATOR"
    async with api.db.unit_of_work() as uow:
        await calls.session_closed(uow, call_id, EndedBy.AGENT, "The agent said goodbye.")
    again = await ada.post(path)
    assert (again.status_code, again.json()["detail"]) == (409, "This call is over.")


@pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")
async def test_the_agent_acts_on_a_note_and_a_creator_hangs_up(exchange: Exchange) -> None:
    call_id = await exchange.dial(HOLDS_ON)
    await exchange.question(call_id)
    async with exchange.deps.db.unit_of_work() as uow:
        note = "Mention <note> the blue folder"
        await live_calls.whisper(uow, exchange.user_id, call_id, note, "web")
    said = "One more thing: Mention ‹note› the blue folder."

    async def acted() -> bool:
        return said in await exchange.said(call_id, Speaker.AGENT)

    await until(acted)
    assert f"Your note: {note}" in await exchange.said(call_id, Speaker.SYSTEM)
    async with exchange.deps.db.unit_of_work() as uow:
        await live_calls.hang_up(uow, exchange.user_id, call_id)
    call = await exchange.ended(call_id)
    assert (call.ended_by, call.end_reason) == (EndedBy.CREATOR, "You ended the call.")
    [seen] = await exchange.heard()
    assert any(said in text for text in seen["heard"])
    given = [e for e in await exchange.events(call_id) if e.type is TaskEventType.NOTE_GIVEN]
    assert [event.actor for event in given] == [Actor.CREATOR]
