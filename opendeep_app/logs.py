"""Logs: one JSON object a line, ids and numbers only.

Texts that people said or typed, phone numbers and secrets never go into a log; a field that
is named like one is redacted, whoever logs it.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset(
    {"phone_number", "to", "from", "text", "transcript", "question", "answer", "goal", "context"}
    | {"email", "token", "password", "auth_token", "api_key", "brief", "contact_name"}
)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces private fields, however deep they lie."""
    return {key: "[redacted]" if key in PRIVATE else _redacted(event[key]) for key in event}


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in value]
    return value


def configure_logs(level: int = logging.INFO) -> None:
    """Structured logs to standard error, for OpenDeep and the libraries it uses."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(message)s")
    # The clients log every request with its URL and parameters, phone numbers included.
    for noisy in ("twilio", "twilio.async_http_client", "httpx", "openai"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # arq reports the start and end of every job: several lines a second.
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
