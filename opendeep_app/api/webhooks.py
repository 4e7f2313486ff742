"""Webhooks: where your own programs hear what happens, and what was sent to them."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Id, IdempotencyKey, Input, Output, PathId, Text, Words
from opendeep_app.errors import NotFound
from opendeep_app.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint, WebhookType
from opendeep_app.models.webhooks import WebhookMessage
from opendeep_app.repositories import webhooks as rows
from opendeep_app.services import webhooks as service
from opendeep_app.services.idempotency_keys import once

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])


class Webhook(Output):
    """An address that is told what happens; disabled by you or after three days of failure."""

    id: str
    url: str
    description: str
    types: list[WebhookType] = Field(description="What it is told of; none means everything.")
    failing_since: datetime | None = Field(description="The first failure since the last success.")
    disabled_at: datetime | None
    disabled_reason: str
    created_at: datetime


class CreatedWebhook(Webhook):
    """A new webhook with its secret, which is shown this once."""

    secret: str = Field(description="Proves that messages come from here; keep it safe.")


class WebhookList(BaseModel):
    """Your webhooks, newest first."""

    items: list[Webhook]


_Types = Annotated[list[Annotated[WebhookType, Field(strict=False)]], Field(max_length=20)]


class NewWebhook(Input):
    """Where to send messages, and of what."""

    url: Words = Field(
        max_length=2000, description="https, reachable from the internet; redirects are failures."
    )
    description: Text = Field("", max_length=200)
    types: _Types = Field([], description="What to be told of; none means everything.")

    @property
    def wishes(self) -> service.Wishes:
        """For the service."""
        return service.Wishes(self.url, self.description, self.types)


class ChangedWebhook(NewWebhook):
    """All that can be said of a webhook."""

    enabled: bool = Field(True, description="Enabling it again also sends what has waited.")


class DeliveryAttempt(BaseModel):
    """One attempt to deliver a message."""

    at: datetime
    code: int | None = Field(description="The answer's status; null when there was no answer.")
    milliseconds: int
    answer: str = Field(description="How the answer's body begins.")
    error: str


class Delivery(BaseModel):
    """A message and what became of it; `id` is the `webhook-id` of every attempt."""

    id: str
    type: WebhookType
    task_id: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    message: WebhookMessage
    log: list[DeliveryAttempt] = Field(description="The latest attempts, oldest first.")

    @classmethod
    def of(cls, row: WebhookDelivery) -> Self:
        """With its message as it is sent."""
        given = {name: getattr(row, name) for name in cls.model_fields if name != "message"}
        return cls(message=WebhookMessage.model_validate_json(row.body), **given)


class DeliveryPage(BaseModel):
    """Messages, newest first; `next_cursor` is null on the last page."""

    items: list[Delivery]
    next_cursor: str | None


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class DeliveryFilter(BaseModel):
    """Which messages to list."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[DeliveryStatus, BeforeValidator(_upper)] | None = None
    limit: int = Field(50, ge=1, le=200)
    cursor: Id | None = Field(None, description="`next_cursor` of the page before.")


@router.get("")
async def list_webhooks(caller: Caller, deps: Deps) -> WebhookList:
    """Your webhooks, newest first."""
    async with deps.db.reading() as session:
        found = await rows.endpoints(session, caller.id)
    return WebhookList(items=[Webhook.model_validate(each) for each in found])


@router.post("", status_code=201)
async def create_webhook(
    caller: Caller,
    deps: Deps,
    response: Response,
    body: NewWebhook,
    idempotency_key: IdempotencyKey = None,
) -> CreatedWebhook:
    """Be told what becomes of your tasks; the answer shows the secret that messages are signed with.

    Messages are signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`,
    `webhook-signature`), tried again for about a day until a 2xx answers, and may come twice or
    out of order: `webhook-id` and `sequence` tell.
    """

    async def create() -> CreatedWebhook:
        return CreatedWebhook.model_validate(await service.create(uow, caller.id, body.wishes))

    request = f"webhook {body.model_dump_json()}"
    async with deps.db.unit_of_work() as uow:
        created = await once(uow, caller.id, idempotency_key, request, CreatedWebhook, create)
    response.headers["Location"] = f"/api/webhooks/{created.id}"
    return created


@router.get("/{webhook_id}")
async def get_webhook(caller: Caller, deps: Deps, webhook_id: PathId) -> Webhook:
    """One webhook."""
    async with deps.db.reading() as session:
        return Webhook.model_validate(await _own(session, caller.id, webhook_id))


@router.put("/{webhook_id}")
async def change_webhook(
    caller: Caller, deps: Deps, webhook_id: PathId, body: ChangedWebhook
) -> Webhook:
    """Say all anew what a webhook is; its secret stays."""
    async with deps.db.unit_of_work() as uow:
        changed = await service.change(
            uow, caller.id, webhook_id, body.wishes, enabled=body.enabled
        )
        return Webhook.model_validate(changed)


@router.delete("/{webhook_id}", status_code=204, response_class=Response)
async def delete_webhook(caller: Caller, deps: Deps, webhook_id: PathId) -> None:
    """Delete a webhook with all that was sent to it."""
    async with deps.db.unit_of_work() as uow:
        await service.remove(uow, caller.id, webhook_id)


@router.post("/{webhook_id}/ping", status_code=202)
async def ping_webhook(caller: Caller, deps: Deps, webhook_id: PathId) -> Delivery:
    """Send a `ping`, to see whether messages arrive; what became of it is in the deliveries."""
    async with deps.db.unit_of_work() as uow:
        return Delivery.of(await service.ping(uow, caller.id, webhook_id))


@router.get("/{webhook_id}/deliveries")
async def list_deliveries(
    caller: Caller, deps: Deps, webhook_id: PathId, query: Annotated[DeliveryFilter, Query()]
) -> DeliveryPage:
    """What was sent in the last 30 days, newest first, with how each attempt went."""
    async with deps.db.reading() as session:
        await _own(session, caller.id, webhook_id)
        found = await rows.deliveries(
            session, webhook_id, query.status, query.cursor, query.limit + 1
        )
    items = [Delivery.of(row) for row in found[: query.limit]]
    more = len(found) > query.limit
    return DeliveryPage(items=items, next_cursor=items[-1].id if more else None)


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay", status_code=202)
async def replay_delivery(
    caller: Caller, deps: Deps, webhook_id: PathId, delivery_id: PathId
) -> Delivery:
    """Send a message once more, under its own id, whatever became of it before."""
    async with deps.db.unit_of_work() as uow:
        return Delivery.of(await service.replay(uow, caller.id, webhook_id, delivery_id))


async def _own(session: AsyncSession, user_id: str, webhook_id: str) -> WebhookEndpoint:
    endpoint = await rows.endpoint(session, user_id, webhook_id)
    if endpoint is None:
        raise NotFound("There is no such webhook.")
    return endpoint
