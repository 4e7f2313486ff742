"""Integration: how live calls end, by whomever and by whatever, and that nothing of them stays."""

import asyncio
import contextlib
import functools
import gc
import random
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from opendeep_app.models import CallOutcome, EndedBy, Speaker
from opendeep_app.services import budgets, tasks
from opendeep_app.supervisor import ports
from opendeep_app.voice import gateway as gateway_module
from opendeep_app.voice import session as session_module
from opendeep_app.voice.conversation import UNREACHABLE, Connect
from opendeep_app.voice.model import Connection
from opendeep_app.voice.server import DrainingServer
from opendeep_app.voice.session import SORRY, CallSession
from opendeep_app.voice.wire import CarrierWire, ModelWire
from tests.fixtures.gateways import Exchange, until

# The `twilio` client still passes credentials as aiohttp 3 wants them.
pytestmark = pytest.mark.filterwarnings("ignore:.*(BasicAuth|auth).*:DeprecationWarning")

AGREEABLE = "+12025550101"
CLINIC = "+12025550140"
CUT_OFF = "+12025550175"


async def test_the_creator_stops_the_call(exchange: Exchange) -> None:
    call_id = await exchange.dial(CLINIC)
    await exchange.question(call_id)
    task_id = (await exchange.call(call_id)).task_id
    async with exchange.deps.db.unit_of_work() as uow:
        await tasks.cancel(uow, exchange.user_id, task_id)
    call = await exchange.ended(call_id, seconds=5)
    assert call.ended_by is EndedBy.CREATOR


async def test_who_hangs_up_closes_the_model_session_within_a_second(exchange: Exchange) -> None:
    closed = asyncio.Event()
    real: Connect = exchange.gateway.connect

    @contextlib.asynccontextmanager
    async def watched() -> AsyncIterator[Connection]:
        try:
            async with real() as connection:
                yield connection
        finally:
            closed.set()

    exchange.gateway.connect = watched
    call_id = await exchange.dial(CUT_OFF)
    session = await until(lambda: exchange.gateway.sessions.get(call_id))
    await until(lambda: session.over)
    async with asyncio.timeout(1):
        await closed.wait()
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.RECIPIENT
    # What they had begun to say is written down all the same.
    assert await exchange.said(call_id, Speaker.RECIPIENT)


def open_wires() -> list[object]:
    """The sockets to the carrier and to the model that are open in this process."""
    return [
        each
        for each in gc.get_objects()
        if type(each) in (CarrierWire, ModelWire) and not each.transport.is_closing()
    ]


def voice_tasks() -> set[asyncio.Task[Any]]:
    """What runs for calls."""
    return {task for task in asyncio.all_tasks() if "opendeep_app/voice" in str(task.get_coro())}


async def test_nothing_of_calls_is_left_behind_however_they_end(exchange: Exchange) -> None:
    def hang_up(session: CallSession) -> None:
        session.finish(EndedBy.CREATOR, "You stopped the task.")

    def kill_line(session: CallSession) -> None:
        stream = session.line._stream
        assert stream is not None
        stream.send.__self__.transport.abort()  # type: ignore[attr-defined]

    def kill_model(session: CallSession) -> None:
        connection: Any = session.model._connection
        connection.transport.abort()

    def nothing(_: CallSession) -> None:
        """It ends by itself."""

    before = voice_tasks()
    gateway, dice = exchange.gateway, random.Random(1)
    calls = []
    for area in (202, 212, 303, 312, 404, 415):
        calls.append(await exchange.dial(f"+1{area}5550101"))
        session = await until(functools.partial(gateway.sessions.get, calls[-1]))
        await session.line.connected.wait()
        dice.choice([hang_up, kill_line, kill_model, nothing])(session)
    await asyncio.gather(*(exchange.ended(call_id, 40) for call_id in calls))
    await until(lambda: voice_tasks() <= before and not gateway.sessions, 5)
    await until(lambda: not open_wires(), 5)


async def test_a_budget_that_is_lowered_ends_the_call_with_a_goodbye(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "SETTLE_SECONDS", 0.2)
    call_id = await exchange.dial(CLINIC, budget_micros=50_000_000)
    await exchange.question(call_id)
    async with exchange.deps.db.unit_of_work() as uow:
        await budgets.set_task(uow, exchange.user_id, (await exchange.call(call_id)).task_id, 1)
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.AGENT
    reason = "The budget of this task ($0.00) ran out."
    assert await exchange.said(call_id, Speaker.SYSTEM) == [reason]
    assert call.measures["first_word_ms"] > 0 and call.measures["relay_p95_ms"] >= 0


@pytest.mark.parametrize(
    "exchange_settings",
    [{"openai_base_url": f"http://127.0.0.1:{ports.free('127.0.0.1')}/v1"}],
    indirect=True,
)
async def test_without_a_model_the_carrier_apologises(exchange: Exchange) -> None:
    call_id = await exchange.dial(AGREEABLE)
    call = await exchange.ended(call_id)
    assert (call.ended_by, call.end_reason) == (EndedBy.SYSTEM, UNREACHABLE)

    async def apologised() -> bool:
        [seen] = await exchange.heard()
        return SORRY in seen["heard"]

    await until(apologised)


async def test_a_lost_model_is_replaced_once_and_then_the_call_ends_politely(
    exchange: Exchange,
) -> None:
    call_id = await exchange.dial(CLINIC)
    await exchange.question(call_id)
    model: Any = exchange.gateway.sessions[call_id].model
    first = model._connection
    await first.close()
    second = await until(lambda: model._connection is not first and model._connection)
    await second.close()
    call = await exchange.ended(call_id)
    assert (call.ended_by, call.end_reason) == (EndedBy.SYSTEM, UNREACHABLE)


async def test_draining_takes_leave_of_live_calls(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "DRAIN_SECONDS", 0.2)
    call_id = await exchange.dial(CLINIC)
    await exchange.question(call_id)
    draining = asyncio.create_task(exchange.gateway.drain())
    await until(lambda: exchange.gateway.draining)
    refused = await exchange.dial(AGREEABLE)
    await draining
    assert not exchange.gateway.sessions
    call = await exchange.ended(call_id)
    assert call.ended_by is EndedBy.AGENT
    heard = {seen["to"]: seen["heard"] for seen in await exchange.heard()}
    assert "Goodbye" in heard[CLINIC][-1]
    assert (await exchange.ended(refused)).outcome is CallOutcome.HUNG_UP_EARLY


async def test_the_first_signal_drains_and_the_second_stops_at_once(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def server() -> DrainingServer:
        server = DrainingServer(uvicorn.Config(Starlette()), exchange.gateway)
        server.started = True
        return server

    patient = server()
    patient.handle_exit(signal.SIGTERM, None)
    await until(lambda: patient.should_exit)
    assert exchange.gateway.draining

    async def long_drain() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(exchange.gateway, "drain", long_drain)
    hurried = server()
    hurried.handle_exit(signal.SIGTERM, None)
    await asyncio.sleep(0.05)
    assert not hurried.should_exit
    hurried.handle_exit(signal.SIGTERM, None)
    assert hurried.should_exit
    assert hurried.draining is not None
    hurried.draining.cancel()
