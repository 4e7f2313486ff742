"""The text messages of the practice line: what was sent, and people who reply.

Fields, codes and the webhook follow Twilio's reference for the Message resource and its guide to
incoming messages (twilio.com/docs/messaging).
"""

from datetime import UTC, datetime
from xml.etree import ElementTree

import structlog

from opendeep_app.practice.calls import new_sid, rfc2822
from opendeep_app.practice.settings import PracticeSettings
from opendeep_app.practice.webhooks import Webhooks

log = structlog.get_logger()

SEGMENT = 160
STOP_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})

Message = dict[str, object]


class Stopped(Exception):
    """The recipient has sent STOP to this sender."""


class Messages:
    """Every text message, newest last, and who wants none."""

    def __init__(self, settings: PracticeSettings) -> None:
        self._settings = settings
        self._webhooks = Webhooks(settings.auth_token)
        self._stopped: set[tuple[str, str]] = set()
        self.all: list[Message] = []

    def send(self, from_: str, to: str, body: str) -> Message:
        """Takes a message of the product's; raises `Stopped`."""
        if (to, from_) in self._stopped:
            raise Stopped
        return self._keep(from_, to, body, "outbound-api", "queued")

    async def reply(self, from_: str, body: str) -> list[Message]:
        """Somebody sends a text to our number; returns what came back."""
        ours = self._settings.from_number
        message = self._keep(from_, ours, body, "inbound", "received")
        word = body.strip().upper()
        if word in STOP_WORDS:
            self._stopped.add((from_, ours))
        elif word in START_WORDS:
            self._stopped.discard((from_, ours))
        form = {
            "MessageSid": str(message["sid"]),
            "SmsSid": str(message["sid"]),
            "SmsMessageSid": str(message["sid"]),
            "AccountSid": self._settings.account_sid,
            "From": from_,
            "To": ours,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": str(message["num_segments"]),
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        document = await self._webhooks.post(self._settings.sms_url, form)
        return [
            self._keep(ours, from_, text, "outbound-reply", "queued")
            for text in _texts(document or "")
            if (from_, ours) not in self._stopped
        ]

    async def close(self) -> None:
        """Closes the connections."""
        await self._webhooks.close()

    def _keep(self, from_: str, to: str, body: str, direction: str, status: str) -> Message:
        account, sid = self._settings.account_sid, new_sid("SM")
        now = rfc2822(datetime.now(UTC))
        message: Message = {
            "sid": sid,
            "account_sid": account,
            "api_version": "2010-04-01",
            "to": to,
            "from": from_,
            "body": body,
            "status": status,
            "direction": direction,
            "num_segments": str(max(1, -(-len(body) // SEGMENT))),
            "num_media": "0",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "messaging_service_sid": None,
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
            "subresource_uris": {},
        }
        self.all.append(message)
        return message


def _texts(document: str) -> list[str]:
    """What a webhook's answer wants sent back."""
    if not document.strip():
        return []
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError:
        log.warning("practice webhook answered with something unreadable")
        return []
    found = ["".join(each.itertext()).strip() for each in root.iter("Message")]
    return [text for text in found if text]
