"""Webhooks: messages to a user's own programs about what becomes of their tasks.

A message is a row, written in the transaction of the event that it tells of, so that whatever
happens to Redis or a process, it is sent; a sweep finds what no job has taken. Signed as the
Standard Webhooks specification says (github.com/standard-webhooks/standard-webhooks).
"""

import base64
import hashlib
import hmac
import ipaddress
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from opendeep_app.bus import Topic
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import (
    Call,
    DeliveryStatus,
    InfoRequest,
    Task,
    TaskEvent,
    User,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookType,
)
from opendeep_app.models import TaskEventType as Event
from opendeep_app.models.webhooks import (
    ANSWER_START,
    Attempt,
    ToldCall,
    ToldQuestion,
    ToldTask,
    WebhookData,
    WebhookMessage,
)
from opendeep_app.repositories import webhooks as rows

MOST_ENDPOINTS = 20
MOST_LOGGED = 20

#: The pauses between attempts, in seconds: about a day in all, and a fifth of chance on top.
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 36000)
JITTER = 0.2

#: An endpoint that has taken nothing for so long is told nothing more.
PATIENCE = timedelta(days=3)

#: Longer than an attempt can take; then whoever took it has died.
LEASE = timedelta(seconds=60)

#: The events of a task that are told.
TOLD: dict[Event, WebhookType] = {
    Event.GOAL_MET: WebhookType.TASK_COMPLETED,
    Event.GAVE_UP: WebhookType.TASK_FAILED,
    Event.TASK_CANCELLED: WebhookType.TASK_CANCELLED,
    Event.DO_NOT_CALL_REQUESTED: WebhookType.TASK_CANCELLED,
    Event.CALL_ENDED: WebhookType.CALL_ENDED,
    Event.INFO_REQUESTED: WebhookType.QUESTION_ASKED,
    Event.INFO_ANSWERED: WebhookType.QUESTION_ANSWERED,
    Event.INFO_EXPIRED: WebhookType.QUESTION_EXPIRED,
}


@dataclass(frozen=True)
class Outgoing:
    """One attempt to deliver a message."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Wishes:
    """What a user says of an endpoint; no `types` means all."""

    url: str
    description: str = ""
    types: Sequence[WebhookType] = ()


async def create(uow: UnitOfWork, user_id: str, wishes: Wishes) -> WebhookEndpoint:
    """A new endpoint with a secret of its own."""
    await uow.session.get_one(User, user_id, with_for_update={"key_share": True})
    if await rows.count_endpoints(uow.session, user_id) >= MOST_ENDPOINTS:
        raise Conflict(f"You have {MOST_ENDPOINTS} webhooks already. Delete one first.")
    checked = _checked(uow, wishes)
    endpoint = WebhookEndpoint(
        user_id=user_id,
        url=checked.url,
        description=checked.description,
        types=list(checked.types),
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        created_at=uow.now,
    )
    uow.session.add(endpoint)
    await uow.session.flush()
    uow.notify(user_id, Topic.WEBHOOK)
    return endpoint


async def change(
    uow: UnitOfWork, user_id: str, endpoint_id: str, wishes: Wishes, *, enabled: bool
) -> WebhookEndpoint:
    """Says all of an endpoint anew, but for its secret."""
    endpoint = await _own(uow, user_id, endpoint_id)
    checked = _checked(uow, wishes)
    endpoint.url, endpoint.description = checked.url, checked.description
    endpoint.types = list(checked.types)
    return await enable(uow, user_id, endpoint_id, enabled=enabled)


async def enable(
    uow: UnitOfWork, user_id: str, endpoint_id: str, *, enabled: bool
) -> WebhookEndpoint:
    """Tells an endpoint what happens from now on, and what has waited for it; or no longer."""
    endpoint = await _own(uow, user_id, endpoint_id)
    if enabled != (endpoint.disabled_at is None):
        endpoint.disabled_at = None if enabled else uow.now
        endpoint.disabled_reason = "" if enabled else "You disabled it."
        endpoint.failing_since = None
    await uow.session.flush()
    uow.notify(user_id, Topic.WEBHOOK)
    return endpoint


async def remove(uow: UnitOfWork, user_id: str, endpoint_id: str) -> None:
    """Deletes an endpoint with all that was sent to it."""
    await uow.session.delete(await _own(uow, user_id, endpoint_id))
    uow.notify(user_id, Topic.WEBHOOK)


async def announce(uow: UnitOfWork, task: Task, event: TaskEvent) -> None:
    """Writes a message about the event for every endpoint that wants to hear of it."""
    kind = TOLD.get(event.type)
    if kind is None:
        return
    endpoints = [
        endpoint
        for endpoint in await rows.listening(uow.session, task.user_id)
        if not endpoint.types or kind in endpoint.types
    ]
    if not endpoints:
        return
    data = WebhookData(
        event_id=event.id, sequence=event.sequence, task=ToldTask.model_validate(task)
    )
    if event.call_id:
        call = await uow.session.get_one(Call, event.call_id, populate_existing=True)
        data.call = ToldCall.model_validate(call)
    if question_id := event.payload.get("info_request_id"):
        question = await uow.session.get_one(InfoRequest, question_id, populate_existing=True)
        data.question = ToldQuestion.model_validate(question)
    for endpoint in endpoints:
        _send(uow, endpoint, kind, data)


async def ping(uow: UnitOfWork, user_id: str, endpoint_id: str) -> WebhookDelivery:
    """Sends a message that tells of nothing, to see whether it arrives."""
    endpoint = await _own(uow, user_id, endpoint_id)
    _refuse_disabled(endpoint)
    sent = _send(uow, endpoint, WebhookType.PING, WebhookData())
    await uow.session.flush()
    return sent


async def replay(
    uow: UnitOfWork, user_id: str, endpoint_id: str, delivery_id: str
) -> WebhookDelivery:
    """Sends a message once more, under its own id, as if it had never been sent."""
    _refuse_disabled(await _own(uow, user_id, endpoint_id))
    sent = await rows.delivery(uow.session, endpoint_id, delivery_id)
    if sent is None:
        raise NotFound("There is no such message.")
    sent.status, sent.attempts = DeliveryStatus.PENDING, 0
    sent.next_attempt_at, sent.delivered_at = uow.now, None
    _enqueue(uow, sent)
    await uow.session.flush()
    uow.notify(user_id, Topic.WEBHOOK)
    return sent


async def begin(uow: UnitOfWork, delivery_id: str) -> Outgoing | None:
    """Takes a message for one attempt; None when it is not due, or no longer wanted."""
    taken = await rows.take(uow.session, delivery_id, uow.now, uow.now + LEASE)
    if taken is None:
        return None
    endpoint = await uow.session.get_one(WebhookEndpoint, taken.endpoint_id)
    if endpoint.disabled_at is not None:
        taken.attempts, taken.next_attempt_at = taken.attempts - 1, uow.now
        return None
    body = taken.body.encode()
    return Outgoing(
        endpoint.url,
        {
            "Content-Type": "application/json",
            "User-Agent": "OpenDeep-Webhooks/1",
            **signed(endpoint.secret, taken.id, uow.now, body),
        },
        body,
    )


def signed(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent the message, and when."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = str(int(at.timestamp()))
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


async def attempted(uow: UnitOfWork, delivery_id: str, attempt: Attempt) -> DeliveryStatus | None:
    """Notes how an attempt went and decides on the next; None when the message is gone."""
    sent = await uow.session.get(WebhookDelivery, delivery_id, with_for_update=True)
    if sent is None:
        return None
    endpoint = await uow.session.get_one(
        WebhookEndpoint, sent.endpoint_id, with_for_update={"key_share": True}
    )
    entry = {
        "at": uow.now.isoformat(),
        "code": attempt.code,
        "milliseconds": attempt.milliseconds,
        "answer": attempt.answer[:ANSWER_START],
        "error": attempt.error,
    }
    sent.log = [*sent.log, entry][-MOST_LOGGED:]
    if attempt.code is not None and 200 <= attempt.code < 300:
        sent.status, sent.next_attempt_at = DeliveryStatus.DELIVERED, None
        sent.delivered_at, endpoint.failing_since = uow.now, None
    else:
        endpoint.failing_since = endpoint.failing_since or uow.now
        if sent.attempts > len(PAUSES):
            sent.status, sent.next_attempt_at = DeliveryStatus.FAILED, None
        else:
            pause = PAUSES[sent.attempts - 1] * (1 + random.uniform(0, JITTER))
            # The sweep finds it then; a job may wait for the first attempt only.
            sent.next_attempt_at = uow.now + timedelta(seconds=pause)
        _give_up_on(uow, endpoint, attempt)
    await uow.session.flush()
    uow.notify(endpoint.user_id, Topic.WEBHOOK)
    return sent.status


def _give_up_on(uow: UnitOfWork, endpoint: WebhookEndpoint, attempt: Attempt) -> None:
    if endpoint.disabled_at is not None or endpoint.failing_since is None:
        return
    if attempt.code == HTTPStatus.GONE:
        reason = "It answered 410 Gone, which says that nobody wants these messages any more."
    elif uow.now - endpoint.failing_since >= PATIENCE:
        reason = f"It has taken no message for {PATIENCE.days} days."
    else:
        return
    endpoint.disabled_at, endpoint.disabled_reason = uow.now, reason


def _send(
    uow: UnitOfWork, endpoint: WebhookEndpoint, kind: WebhookType, data: WebhookData
) -> WebhookDelivery:
    message = WebhookMessage(type=kind, timestamp=uow.now, data=data)
    sent = WebhookDelivery(
        endpoint_id=endpoint.id,
        task_id=data.task.id if data.task else None,
        type=kind,
        body=message.model_dump_json(),
        next_attempt_at=uow.now,
        created_at=uow.now,
    )
    uow.session.add(sent)
    _enqueue(uow, sent)
    uow.notify(endpoint.user_id, Topic.WEBHOOK)
    return sent


def _enqueue(uow: UnitOfWork, sent: WebhookDelivery) -> None:
    uow.enqueue("deliver_webhook", sent.id, job_id=f"webhook:{sent.id}")


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.disabled_at is not None:
        raise Conflict("This webhook is disabled. Enable it first.")


async def _own(uow: UnitOfWork, user_id: str, endpoint_id: str) -> WebhookEndpoint:
    endpoint = await rows.endpoint(uow.session, user_id, endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such webhook.")
    return endpoint


def _checked(uow: UnitOfWork, wishes: Wishes) -> Wishes:
    url = wishes.url.strip()
    if len(url) > 2000:
        raise InvalidInput("url", "Keep this under 2,000 characters.")
    schemes = ("https", "http") if uow.policy.private_webhooks else ("https",)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
        usable = usable and url.isascii() and url.isprintable() and " " not in url
        if not usable or parts.username is not None or parts.fragment:
            raise ValueError
    except ValueError:
        raise InvalidInput(
            "url", f"Give an address that begins with {schemes[0]}://, without a password or #."
        ) from None
    if not uow.policy.private_webhooks and _private(parts.hostname or ""):
        raise InvalidInput("url", "Give an address that the internet can reach.")
    if len(wishes.description) > 200:
        raise InvalidInput("description", "Keep this under 200 characters.")
    types = [kind for kind in WebhookType if kind in wishes.types]
    return Wishes(url, wishes.description.strip(), types)


def _private(host: str) -> bool:
    # Only what can be seen at once; names are looked up, and judged, for every attempt.
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
