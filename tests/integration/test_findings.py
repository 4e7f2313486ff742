"""What a call finds out is held against what was said; who asks never to be called is heard."""

import pytest
from sqlmodel import select

from opendeep_app.bus import Bus, CarrierEnded
from opendeep_app.db import Database
from opendeep_app.errors import InvalidInput
from opendeep_app.models import CallStatus, EndedBy, Finding, Speaker, TaskStatus
from opendeep_app.services import calls, do_not_call, findings
from opendeep_app.services.tasks import FindingWanted
from tests.fixtures.gateways import Exchange
from tests.fixtures.lives import NUMBER, Life

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

WANTED = (FindingWanted("Price", "With tax"), FindingWanted("Opening hours"))
NEVER_AGAIN, AGREEABLE = "+12025550165", "+12025550101"


async def note(life: Life, call_id: str, field: str, value: str, quote: str) -> Finding:
    async with life.db.unit_of_work() as uow:
        return await findings.note(uow, call_id, field, value, quote)


async def talk(life: Life) -> str:
    await life.create(findings_wanted=WANTED)
    call_id = await life.talk()
    await life.say(call_id, Speaker.AGENT, "It costs nothing, does it?")
    await life.say(call_id, Speaker.RECIPIENT, "That is twenty euros,  everything included.")
    return call_id


async def test_a_finding_names_the_line_that_proves_it(life: Life) -> None:
    call_id = await talk(life)
    finding = await note(life, call_id, "price", "20 €", "Twenty euros, everything included")
    assert (finding.field, finding.value, finding.line) == ("Price", "20 €", 3)


async def test_what_the_recipient_did_not_say_is_unproven(life: Life) -> None:
    call_id = await talk(life)
    for quote in ("It costs nothing", "ten euros", "…"):
        assert (await note(life, call_id, "Price", "0", quote)).line is None


async def test_noting_again_corrects(life: Life, db: Database) -> None:
    call_id = await talk(life)
    first = await note(life, call_id, "Price", "0 €", "It costs nothing")
    again = await note(life, call_id, "PRICE ", "20 €", "That is twenty euros")
    assert first.id == again.id
    async with db.reading() as session:
        stored = await session.get_one(Finding, first.id)
    assert (stored.value, stored.line) == ("20 €", 3)


async def test_words_that_arrive_after_they_were_noted_prove_it_in_the_end(life: Life) -> None:
    call_id = await talk(life)
    finding = await note(life, call_id, "Opening hours", "9 to 5", "nine to five")
    assert finding.line is None
    await life.say(call_id, Speaker.RECIPIENT, "We are open nine to five.")
    await life.close(call_id)
    async with life.db.reading() as session:
        assert (await session.get_one(Finding, finding.id)).line == 4


@pytest.mark.parametrize(("field", "words"), [("Weather", "Price, Opening hours"), ("", "Price")])
async def test_only_what_was_asked_for_is_noted(life: Life, field: str, words: str) -> None:
    call_id = await talk(life)
    with pytest.raises(InvalidInput, match=words):
        await note(life, call_id, field, "Rain", "twenty euros")


@pytest.mark.parametrize(
    "wanted",
    [
        [FindingWanted(f"f{n}") for n in range(21)],
        [FindingWanted(" ")],
        [FindingWanted("a" * 81)],
        [FindingWanted("a", "d" * 301)],
        [FindingWanted("Price"), FindingWanted("price ")],
    ],
)
async def test_what_is_to_be_found_out_is_checked(life: Life, wanted: list[FindingWanted]) -> None:
    with pytest.raises(InvalidInput) as refused:
        await life.create(findings_wanted=tuple(wanted))
    assert refused.value.field == "findings_wanted"


@pytest.mark.parametrize("seconds", [59, 3601])
async def test_the_longest_call_has_limits(life: Life, seconds: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        await life.create(max_call_seconds=seconds)
    assert refused.value.field == "max_call_seconds"


async def test_who_asks_never_to_be_called_stops_all_tasks_but_hears_a_goodbye(
    life: Life, bus: Bus
) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    waiting = await life.create()
    async with bus.commands(call_id) as commands:
        async with life.db.unit_of_work() as uow:
            await calls.forbid(uow, call_id, "Never call me again.")
        assert [(await life.task(one)).status for one in (task_id, waiting)] == [
            TaskStatus.CANCELLED
        ] * 2
        async with life.db.reading() as session:
            assert await do_not_call.is_listed(session, life.user_id, NUMBER)
        assert (await life.call(call_id)).status is CallStatus.ANSWERED, "hung up on them"
        assert (await life.call(call_id)).ended_by is None
        await bus.send_command(CarrierEnded(call_id=call_id))
        first = await anext(commands)
        assert isinstance(first, CarrierEnded), "the session was told to hang up"
    await life.close(call_id)
    await life.check()


async def test_what_is_found_out_on_a_call_is_noted_with_their_words(exchange: Exchange) -> None:
    call_id = await exchange.dial(AGREEABLE, findings_wanted=WANTED)
    await exchange.ended(call_id)
    async with exchange.deps.db.reading() as session:
        noted = list(await session.scalars(select(Finding)))
    assert {each.field for each in noted} == {"Price", "Opening hours"}
    assert all(each.line is not None for each in noted), "nobody said so"
    [seen] = await exchange.heard()
    assert sum("Goodbye" in text for text in seen["heard"]) == 1


async def test_never_again_is_promised_and_kept(exchange: Exchange) -> None:
    call_id = await exchange.dial(NEVER_AGAIN)
    call = await exchange.ended(call_id)
    assert call.ended_by in (EndedBy.AGENT, EndedBy.RECIPIENT)
    [seen] = await exchange.heard()
    assert any("We will not call you again" in text for text in seen["heard"])
    assert (await exchange.task(call_id)).status is TaskStatus.CANCELLED
    names = [
        event.payload["name"]
        for event in await exchange.events(call_id)
        if event.type.value == "function_called"
    ]
    assert names[0] == "do_not_call"
    async with exchange.deps.db.reading() as session:
        assert await do_not_call.is_listed(session, exchange.user_id, NEVER_AGAIN)
