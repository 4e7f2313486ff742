"""Where the viewer's own programs are told what happens, and whether it arrived."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput, OpenDeepError
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import WebhookDelivery, WebhookEndpoint, WebhookType
from opendeep_app.repositories import webhooks as rows
from opendeep_app.runtime import deps
from opendeep_app.services import webhooks as service
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.state.rows import text_of
from opendeep_app.words import _

SHOWN = 25
TYPES = {
    WebhookType.TASK_COMPLETED.value: _("A task reaches its goal"),
    WebhookType.TASK_FAILED.value: _("A task is given up"),
    WebhookType.TASK_CANCELLED.value: _("A task is cancelled"),
    WebhookType.CALL_ENDED.value: _("A call ends"),
    WebhookType.QUESTION_ASKED.value: _("The agent asks you something"),
    WebhookType.QUESTION_ANSWERED.value: _("A question is answered"),
    WebhookType.QUESTION_EXPIRED.value: _("Nobody answers in time"),
}


@dataclass
class DeliveryRow:
    """A message and how its latest attempt went."""

    id: str = ""
    type: str = ""
    status: str = ""
    tone: str = ""
    at: str = ""
    next_at: str = ""
    attempts: int = 0
    outcome: str = ""
    answer: str = ""
    body: str = ""


@dataclass
class WebhookRow:
    """A webhook; its messages are read while it is open."""

    id: str = ""
    url: str = ""
    description: str = ""
    types: str = ""
    enabled: bool = True
    trouble: str = ""
    open: bool = False
    deliveries: list[DeliveryRow] = field(default_factory=list)


class WebhooksState(LiveState, rx.State):
    """The page about webhooks."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.WEBHOOK})

    loaded: bool = False
    webhooks: list[WebhookRow] = []
    #: Messages by field.
    errors: dict[str, str] = {}
    #: The secret of the webhook that was just made, shown until the page is left.
    fresh_secret: str = ""
    opened: str = ""
    server_now: str = ""

    @rx.event
    async def load(self) -> None:
        """Begins to follow the viewer's webhooks."""
        user = await viewer(self)
        if user is None:
            return
        tabs.add(self.router.session.client_token, user.id, WebhooksState)
        self.errors = {}
        await self.refresh()

    @rx.event
    def forget_secret(self) -> None:
        """First of the page's loaders: a secret is shown once."""
        self.fresh_secret = ""

    @rx.event
    async def create(self, form: dict[str, Any]) -> Any:
        """Adds a webhook and shows its secret this once."""
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        self.errors, self.fresh_secret = {}, ""
        chosen = [WebhookType(kind) for kind in TYPES if form.get(kind)]
        wishes = service.Wishes(
            str(form.get("url", "")),
            str(form.get("description", "")),
            () if len(chosen) == len(TYPES) else chosen,
        )
        try:
            if not chosen:
                raise InvalidInput("types", _("Choose at least one."))
            async with deps().db.unit_of_work() as uow:
                endpoint = await service.create(uow, user.id, wishes)
                self.fresh_secret, self.opened = endpoint.secret, endpoint.id
        except InvalidInput as error:
            self.errors = {error.field: error.message}
            return rx.call_script(f"document.getElementById('{error.field}')?.focus()")
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        await self.refresh()
        return rx.call_script("document.getElementById('new-webhook')?.reset()")

    @rx.event
    async def toggle(self, webhook_id: str) -> None:
        """Shows or hides what was sent."""
        self.opened = "" if self.opened == webhook_id else webhook_id
        await self.refresh()

    @rx.event
    async def ping(self, webhook_id: str) -> Any:
        """Sends a message that tells of nothing."""

        async def act(uow: UnitOfWork, user_id: str) -> None:
            await service.ping(uow, user_id, webhook_id)

        self.opened = webhook_id
        return await self._act(act, _("A test message is on its way."))

    @rx.event
    async def replay(self, webhook_id: str, delivery_id: str) -> Any:
        """Sends a message once more."""

        async def act(uow: UnitOfWork, user_id: str) -> None:
            await service.replay(uow, user_id, webhook_id, delivery_id)

        return await self._act(act, _("The message is sent once more."))

    @rx.event
    async def enable(self, webhook_id: str, enabled: bool) -> Any:
        """Tells it again what happens, or no longer."""

        async def act(uow: UnitOfWork, user_id: str) -> None:
            await service.enable(uow, user_id, webhook_id, enabled=enabled)

        return await self._act(act, _("Enabled.") if enabled else _("Disabled."))

    @rx.event
    async def remove(self, webhook_id: str) -> Any:
        """Deletes a webhook with all that was sent to it."""

        async def act(uow: UnitOfWork, user_id: str) -> None:
            await service.remove(uow, user_id, webhook_id)

        self.fresh_secret = ""
        return await self._act(act, _("Deleted."))

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the webhooks again, and what was sent to the open one."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self.webhooks, self.fresh_secret = [], ""
                return
            endpoints = await rows.endpoints(session, user.id)
            sent: list[WebhookDelivery] = []
            if self.opened in {endpoint.id for endpoint in endpoints}:
                sent = await rows.deliveries(session, self.opened, None, None, SHOWN)
        self.webhooks = [_row(each, sent if each.id == self.opened else None) for each in endpoints]
        self.server_now = text_of(deps().clock())
        self.loaded = True

    async def _act(self, act: Any, done: str) -> Any:
        user = await viewer(self)
        if user is None:
            return rx.redirect(SIGN_IN)
        try:
            async with deps().db.unit_of_work() as uow:
                await act(uow, user.id)
        except OpenDeepError as error:
            return rx.toast.error(error.message)
        await self.refresh()
        return rx.toast.success(done)


def _row(endpoint: WebhookEndpoint, sent: list[WebhookDelivery] | None) -> WebhookRow:
    return WebhookRow(
        id=endpoint.id,
        url=endpoint.url,
        description=endpoint.description,
        types=", ".join(endpoint.types) or _("Everything that happens"),
        enabled=endpoint.disabled_at is None,
        trouble=endpoint.disabled_reason,
        open=sent is not None,
        deliveries=[_delivery(each) for each in sent or []],
    )


def _delivery(row: WebhookDelivery) -> DeliveryRow:
    last = row.log[-1] if row.log else {}
    outcome = last.get("error", "")
    if last.get("code"):
        outcome = _("{code} in {milliseconds:,} ms").format(
            code=last["code"], milliseconds=last["milliseconds"]
        )
    return DeliveryRow(
        id=row.id,
        type=row.type.value,
        status={"PENDING": _("Waiting"), "DELIVERED": _("Delivered"), "FAILED": _("Given up")}[
            row.status
        ],
        tone={"PENDING": "tone-need", "DELIVERED": "tone-good", "FAILED": "tone-bad"}[row.status],
        at=text_of(row.created_at),
        next_at=text_of(row.next_attempt_at) if row.next_attempt_at and row.attempts else "",
        attempts=row.attempts,
        outcome=outcome or _("Not tried yet"),
        answer=last.get("answer", ""),
        body=json.dumps(json.loads(row.body), indent=2, ensure_ascii=False),
    )
