"""The tables and their enums, one noun a file."""

from opendeep_app.models.calls import (
    AnswerState,
    Call,
    CallOutcome,
    CallStatus,
    Direction,
    EndedBy,
    Speaker,
    TranscriptLine,
)
from opendeep_app.models.campaigns import Campaign
from opendeep_app.models.carrier_health import CarrierHealth
from opendeep_app.models.do_not_call import DoNotCall
from opendeep_app.models.facts import Disclosure, Fact, FactDisclosure, FactScope
from opendeep_app.models.findings import Finding
from opendeep_app.models.idempotency_keys import IdempotencyKey
from opendeep_app.models.info_requests import InfoRequest, InfoRequestStatus
from opendeep_app.models.saved_views import SavedView
from opendeep_app.models.spending import DailySpending
from opendeep_app.models.task_events import Actor, TaskEvent, TaskEventType
from opendeep_app.models.task_words import TaskWords
from opendeep_app.models.tasks import Task, TaskStatus, VoicemailPolicy
from opendeep_app.models.text_messages import TextMessage, TextStatus
from opendeep_app.models.users import AccessToken, TokenKind, User
from opendeep_app.models.webhooks import (
    DeliveryStatus,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookType,
)

__all__ = [
    "AccessToken",
    "Actor",
    "AnswerState",
    "Call",
    "CallOutcome",
    "CallStatus",
    "Campaign",
    "CarrierHealth",
    "DailySpending",
    "DeliveryStatus",
    "Direction",
    "Disclosure",
    "DoNotCall",
    "EndedBy",
    "Fact",
    "FactDisclosure",
    "FactScope",
    "Finding",
    "IdempotencyKey",
    "InfoRequest",
    "InfoRequestStatus",
    "SavedView",
    "Speaker",
    "Task",
    "TaskEvent",
    "TaskEventType",
    "TaskStatus",
    "TaskWords",
    "TextMessage",
    "TextStatus",
    "TokenKind",
    "TranscriptLine",
    "User",
    "VoicemailPolicy",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookType",
]
