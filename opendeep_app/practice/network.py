"""The telephone network: every call, who was rung how often, and who rings back."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from urllib.parse import urljoin

from opendeep_app.practice.calls import FINAL, Call, Order
from opendeep_app.practice.messages import Messages
from opendeep_app.practice.personas import persona_of
from opendeep_app.practice.scripts import Answers, NoAnswer, Refused
from opendeep_app.practice.settings import PracticeSettings
from opendeep_app.practice.webhooks import Webhooks

KEPT_CALLS = 20_000
"""Finished calls beyond this many are forgotten, the oldest first."""


class CallRefusedError(Exception):
    """The API does not take the call: an HTTP status, Twilio's code and its message."""

    def __init__(self, refused: Refused, number: str) -> None:
        self.status = refused.status
        self.code = refused.code
        self.message = refused.message.format(number=number)
        super().__init__(self.message)


class Network:
    """Places calls and keeps them."""

    def __init__(self, settings: PracticeSettings) -> None:
        self.settings = settings
        self.calls: dict[str, Call] = {}
        self.attempts: Counter[str] = Counter()
        """How often a call to each number was asked for, refused ones included."""
        self.messages = Messages(settings)
        self._webhooks = Webhooks(settings.auth_token)
        self._tasks: set[asyncio.Task[None]] = set()

    def place(self, order: Order) -> Call:
        """Starts a call; raises `CallRefusedError` when its persona is one that cannot be called."""
        self.attempts[order.to] += 1
        ring = persona_of(order.to).attempt(self.attempts[order.to])
        if isinstance(ring, Refused):
            raise CallRefusedError(ring, order.to)
        call = Call(order, self.settings.account_sid, ring, self.settings.speed, self._webhooks)
        self._keep(call)
        self._start(self._live(call))
        return call

    def rings(self) -> dict[str, int]:
        """How often each telephone actually rang."""
        counted: Counter[str] = Counter()
        for call in self.calls.values():
            counted[call.order.to] += call.rings
        return dict(counted)

    async def close(self) -> None:
        """Ends every call, with its last callbacks, and closes the connections."""
        for call in self.calls.values():
            if call.status not in FINAL:
                call.hang_up()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=2)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._webhooks.close()
        await self.messages.close()

    async def _live(self, call: Call) -> None:
        await call.run()
        ring = call.ring
        if (
            isinstance(ring, NoAnswer)
            and ring.rings_back is not None
            and call.status == "no-answer"
            and call.order.url
        ):
            await asyncio.sleep(ring.rings_back / self.settings.speed)
            await self._ring_back(call, ring)

    async def _ring_back(self, missed: Call, ring: NoAnswer) -> None:
        order = Order(
            to=missed.order.from_,
            from_=missed.order.to,
            url=urljoin(missed.order.url or "", "/twilio/inbound"),
            direction="inbound",
        )
        call = Call(
            order,
            self.settings.account_sid,
            Answers(ring.script),
            self.settings.speed,
            self._webhooks,
        )
        self._keep(call)
        await call.run()

    def _keep(self, call: Call) -> None:
        self.calls[call.sid] = call
        if len(self.calls) > KEPT_CALLS:
            oldest = next((sid for sid, each in self.calls.items() if each.status in FINAL), None)
            self.calls.pop(oldest or "", None)

    def _start(self, life: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
