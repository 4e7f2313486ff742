"""The circuit breaker: the provider's trouble stops dialling, one call finds out when it is over."""

import asyncio

import httpx
import pytest
from sqlalchemy import select

from opendeep_app.adapters.telephony import Telephony
from opendeep_app.clock import uptime
from opendeep_app.errors import CarrierError, TooLate
from opendeep_app.models import CallStatus, CarrierHealth, Task, TaskStatus
from opendeep_app.services import carrier_health, dialling
from opendeep_app.services.carrier_health import TRIP_AFTER
from tests.fixtures.lives import Life, sid_of
from tests.fixtures.practice_lines import Practice

pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

TROUBLE = CarrierError("it is receiving too many requests", code=20429)
LOST = CarrierError("it did not answer", maybe_placed=True)


async def health(life: Life) -> CarrierHealth:
    async with life.db.reading() as session:
        return await carrier_health.current(session)


async def fail(life: Life, call_id: str, error: CarrierError = TROUBLE) -> None:
    assert await life.begin(call_id)
    async with life.db.unit_of_work() as uow:
        await dialling.failed(uow, call_id, error)


async def trip(life: Life, tasks: int = TRIP_AFTER) -> list[str]:
    """Stops dialling; returns calls that were claimed before and not dialled yet."""
    for index in range(tasks):
        await life.create(f"+1202555{index:04}")
    claimed = await life.claim()
    for call_id in claimed[:TRIP_AFTER]:
        await fail(life, call_id)
    return claimed[TRIP_AFTER:]


async def tasks(life: Life) -> list[Task]:
    async with life.db.reading() as session:
        return list(await session.scalars(select(Task)))


async def test_trouble_in_a_row_stops_dialling_and_says_so(life: Life) -> None:
    await trip(life)
    broken = await health(life)
    assert broken.retry_at == life.clock.now + carrier_health.FIRST_PAUSE
    task_id = await life.create("+12025550999")
    assert await life.claim() == []
    task = await life.task(task_id)
    assert task.next_action_at == broken.retry_at
    assert task.next_action_reason.startswith("The phone provider has trouble (it is receiving")
    assert "we try again at" in task.next_action_reason
    assert (await life.events(task_id))[-1] == "dialling_delayed"
    assert all(task.current_attempt_count == 0 for task in await tasks(life))
    await life.check()


async def test_what_was_claimed_before_waits_too(life: Life) -> None:
    [waiting] = await trip(life, TRIP_AFTER + 1)
    assert not await life.begin(waiting)
    call = await life.call(waiting)
    assert call.status is CallStatus.WITHDRAWN
    task = await life.task(call.task_id)
    assert task.next_action_at == (await health(life)).retry_at
    await life.check()


async def test_one_call_probes_and_its_success_lets_the_others_go(life: Life) -> None:
    await trip(life)
    life.clock.advance(hours=1)
    claims = await asyncio.gather(*(life.claim() for _ in range(8)))
    [probe] = [call_id for claim in claims for call_id in claim]
    assert (await health(life)).probe_call_id == probe
    assert await life.begin(probe)
    await life.confirm(probe)
    assert (await health(life)).retry_at is None
    assert len(await life.claim()) == TRIP_AFTER - 1
    await life.check()


async def test_each_failed_probe_makes_the_pause_longer_up_to_a_limit(life: Life) -> None:
    await trip(life)
    pauses = []
    for error in [TROUBLE, LOST] * 4:
        life.clock.now = (await health(life)).retry_at or life.clock.now
        life.clock.advance(hours=1)
        [probe] = await life.claim()
        await fail(life, probe, error)
        retry_at = (await health(life)).retry_at
        assert retry_at is not None
        pauses.append((retry_at - life.clock.now).total_seconds())
        if error is LOST:
            async with life.db.unit_of_work() as uow:
                await dialling.confirm(uow, probe, sid_of(probe), adopted=True)
            await life.carrier(probe, "busy")
            await life.analyse(probe)
    assert pauses == [30, 60, 120, 240, 300, 300, 300, 300]
    await life.check()


async def test_a_probe_that_is_lost_is_followed_by_another(life: Life) -> None:
    await trip(life)
    life.clock.advance(hours=1)
    [lost] = await life.claim()
    life.clock.advance(minutes=2)
    [probe] = await life.claim()
    assert not await life.begin(lost)
    assert await life.begin(probe)


@pytest.mark.parametrize(
    "answer", [None, CarrierError("No such number.", code=21211, permanent=True)], ids=["yes", "no"]
)
async def test_an_answer_in_between_begins_the_count_anew(
    life: Life, answer: CarrierError | None
) -> None:
    for index in range(2 * TRIP_AFTER):
        await life.create(f"+1202555{index:04}")
    for index, call_id in enumerate(await life.claim()):
        if index % TRIP_AFTER != TRIP_AFTER - 1:
            await fail(life, call_id)
        elif answer:
            await fail(life, call_id, answer)
        else:
            assert await life.begin(call_id)
            await life.confirm(call_id)
    assert (await health(life)).retry_at is None
    await life.check()


async def test_trouble_reported_at_once_by_many_stops_dialling_once(life: Life) -> None:
    for index in range(10):
        await life.create(f"+1202555{index:04}")
    await asyncio.gather(*(fail(life, call_id) for call_id in await life.claim()))
    assert (await health(life)).trips == 1
    assert {task.status for task in await tasks(life)} == {TaskStatus.PENDING}
    await life.check()


async def test_after_its_time_a_call_is_not_asked_for(practice: Practice) -> None:
    """The clock is read in the step that writes to the socket, not before connecting."""
    settings = practice.settings
    auth = (settings.twilio_account_sid, settings.twilio_auth_token)
    async with Telephony(settings) as telephony, httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(TooLate):
            await telephony.create_call("c1", "+12025550115", uptime() - 0.001)
        sid = await telephony.create_call("c2", "+12025550115", uptime() + 10)
        listed = await client.get(f"{practice.url}/practice/calls", auth=auth)
    assert [call["sid"] for call in listed.json()["calls"]] == [sid]


async def test_a_provider_that_cannot_be_reached_has_no_call(practice: Practice) -> None:
    settings = practice.settings.model_copy(update={"twilio_api_url": "http://127.0.0.1:9"})
    async with Telephony(settings) as telephony:
        with pytest.raises(CarrierError) as caught:
            await telephony.create_call("c1", "+12025550115", uptime() + 10)
    assert not caught.value.maybe_placed
    assert not caught.value.permanent


async def test_refused_credentials_are_trouble_of_the_installation_not_of_the_call(
    practice: Practice,
) -> None:
    settings = practice.settings.model_copy(update={"twilio_auth_token": "f" * 32})
    async with Telephony(settings) as telephony:
        with pytest.raises(CarrierError, match="check TWILIO_ACCOUNT_SID") as caught:
            await telephony.create_call("c1", "+12025550115", uptime() + 10)
    assert (caught.value.code, caught.value.permanent, caught.value.maybe_placed) == (
        20003,
        False,
        False,
    )
