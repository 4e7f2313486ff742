"""Random lives: any service call at any moment, and after each one everything must still hold.

Hypothesis invents the story and shortens one that breaks a rule to its essence.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from opendeep_app.adapters.telephony import CarrierCall
from opendeep_app.bus import Bus
from opendeep_app.db import Database
from opendeep_app.errors import CarrierError, OpenDeepError
from opendeep_app.models import EndedBy, Speaker
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.policy import Policy
from opendeep_app.services import calls, dialling, do_not_call, reconciling
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import Life, add_user, found, sid_of

NUMBERS = ["+12025550143", "+12025550144"]
STATUSES = ["queued", "initiated", "ringing", "in-progress", "completed", "busy", "no-answer"]


class SilentBus(Bus):
    """Redis is away for good: every message is lost."""

    def __init__(self) -> None:
        super().__init__("unix:///nowhere/redis.sock")


class Lives(RuleBasedStateMachine):
    """Creator, workers, carrier, gateway and clock, in any order."""

    template: Path
    tasks = Bundle("tasks")
    attempts = Bundle("attempts")
    questions = Bundle("questions")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory(prefix="od-machine-")
        path = Path(self.directory.name) / "opendeep.db"
        shutil.copy(self.template, path)
        self.clock = FakeClock(datetime(2026, 6, 16, 16, tzinfo=UTC))
        policy = Policy(max_user_calls=3)
        self.db = Database(f"sqlite:///{path}", SilentBus(), self.clock, policy)
        self.asked = 0

    def teardown(self) -> None:
        self.runner.run(self.db.close())
        self.runner.close()
        self.directory.cleanup()

    def run_step(self, step: Coroutine[Any, Any, Any]) -> Any:
        """What the step returns; None when it was refused with words."""
        try:
            return self.runner.run(step)
        except OpenDeepError as refusal:
            assert refusal.message.endswith((".", "”.")), refusal.message
            return None

    @initialize()
    def somebody_signs_up(self) -> None:
        self.life = Life(self.db, self.clock, self.runner.run(add_user(self.db)))

    @rule(target=tasks, number=st.sampled_from(NUMBERS), attempts=st.integers(1, 3))
    def create(self, number: str, attempts: int) -> Any:
        task_id = self.run_step(self.life.create(number, max_attempts=attempts))
        return multiple(task_id) if task_id else multiple()

    @rule(task_id=tasks, wish=st.sampled_from(["hold", "resume", "cancel", "reopen", "call_now"]))
    def wish(self, task_id: str, wish: str) -> None:
        self.run_step(self.life.wish(wish, task_id))

    @rule(target=attempts)
    def claim(self) -> Any:
        return multiple(*self.runner.run(self.life.claim()))

    @rule(target=attempts)
    def dial(self) -> Any:
        claimed = self.runner.run(self.life.claim())
        for call_id in claimed:
            if self.runner.run(self.life.begin(call_id)):
                self.runner.run(self.life.confirm(call_id))
        return multiple(*claimed)

    @rule(target=attempts, number=st.sampled_from(NUMBERS))
    def they_ring_back(self, number: str) -> Any:
        self.asked += 1
        call = self.runner.run(self.life.ring_back(number, f"CA-in-{self.asked}"))
        return multiple(call.id) if call else multiple()

    @rule(call_id=attempts)
    def begin(self, call_id: str) -> None:
        self.runner.run(self.life.begin(call_id))

    @rule(call_id=attempts, permanent=st.booleans(), maybe=st.booleans())
    def the_carrier_refuses(self, call_id: str, permanent: bool, maybe: bool) -> None:
        async def fail() -> None:
            if (await self.life.call(call_id)).dialled_at is None:
                return
            error = CarrierError("it has trouble.", permanent=permanent, maybe_placed=maybe)
            async with self.db.unit_of_work() as uow:
                await dialling.failed(uow, call_id, error)

        self.runner.run(fail())

    @rule(call_id=attempts, status=st.sampled_from(STATUSES))
    def the_carrier_reports(self, call_id: str, status: str) -> None:
        async def report() -> None:
            if (await self.life.call(call_id)).dialled_at is None:
                return
            async with self.db.unit_of_work() as uow:
                update = calls.CarrierStatus(sid_of(call_id), status)
                await calls.on_carrier_status(uow, call_id, update)

        self.runner.run(report())

    @rule(call_id=attempts, status=st.sampled_from([None, *STATUSES]))
    def reconcile(self, call_id: str, status: str | None) -> None:
        async def look() -> None:
            listed = CarrierCall(sid_of(call_id), status or "", None)
            async with self.db.unit_of_work() as uow:
                found_calls = [listed] if status else []
                await reconciling.adopt_or_withdraw(uow, call_id, found_calls)
            if status and (await self.life.call(call_id)).carrier_sid:
                async with self.db.unit_of_work() as uow:
                    await reconciling.take_look_up(uow, call_id, listed)

        self.runner.run(look())

    @rule(call_id=attempts)
    def pick_up(self, call_id: str) -> None:
        if self.runner.run(self.life.pick_up(call_id)):
            self.runner.run(self.life.say(call_id, Speaker.RECIPIENT, "Hello?"))

    @rule(call_id=attempts, ended_by=st.sampled_from(EndedBy))
    def hang_up(self, call_id: str, ended_by: EndedBy) -> None:
        async def end() -> None:
            if (await self.life.call(call_id)).session_opened_at is not None:
                await self.life.close(call_id, ended_by)

        self.runner.run(end())

    @rule(call_id=attempts, verdict=st.none() | st.sampled_from(Verdict))
    def analyse(self, call_id: str, verdict: Verdict | None) -> None:
        self.runner.run(self.life.analyse(call_id, found(verdict) if verdict else None))

    @rule(target=questions, call_id=attempts)
    def ask(self, call_id: str) -> Any:
        self.asked += 1
        question_id = self.run_step(self.life.ask(call_id, "Which?", f"f{self.asked}"))
        return multiple(question_id) if question_id else multiple()

    @rule(question_id=questions)
    def answer(self, question_id: str) -> None:
        self.run_step(self.life.answer(question_id))

    @rule(question_id=questions)
    def expire(self, question_id: str) -> None:
        self.runner.run(self.life.expire(question_id))

    @rule(task_id=tasks)
    def repair(self, task_id: str) -> None:
        async def call_back() -> None:
            async with self.db.unit_of_work() as uow:
                await reconciling.call_back_forgotten(uow, task_id)

        self.runner.run(call_back())

    @rule(number=st.sampled_from(NUMBERS))
    def never_again(self, number: str) -> None:
        async def list_and_take_off() -> None:
            async with self.db.unit_of_work() as uow:
                entry = await do_not_call.add(uow, self.life.user_id, number, "They asked.")
            async with self.db.unit_of_work() as uow:
                await do_not_call.remove(uow, self.life.user_id, entry.id)

        self.runner.run(list_and_take_off())

    @rule(seconds=st.sampled_from([1, 20, 70, 3600, 12 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def everything_holds(self) -> None:
        if hasattr(self, "life"):
            self.runner.run(self.life.check())


@pytest.mark.timeout(120)
def test_any_life_is_consistent_at_any_moment(sqlite_template: Path) -> None:
    Lives.template = sqlite_template
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
