"""The settings of a Realtime session (GA shapes): what it begins with and what may change."""

import time
from typing import Any
from uuid import uuid4

Event = dict[str, Any]
SESSION_SECONDS = 3600
DEFAULT_VAD: Event = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}


class ClientError(Exception):
    """The client sent something that the API refuses; becomes an `error` event."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


def initial(model: str) -> Event:
    """A session before its client has said anything."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": f"sess_{uuid4().hex[:24]}",
        "model": model,
        "expires_at": int(time.time()) + SESSION_SECONDS,
        "instructions": "",
        "output_modalities": ["audio"],
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": dict(DEFAULT_VAD),
            },
            "output": {"format": {"type": "audio/pcmu"}, "voice": "marin", "speed": 1.0},
        },
    }


def update(session: Event, changes: Event) -> None:
    """Takes over what a `session.update` holds; raises `ClientError` for what the API refuses."""
    if changes.get("type") != "realtime":
        raise ClientError(
            "missing_required_parameter",
            "Missing required parameter: 'session.type'.",
            "session.type",
        )
    if changes.get("model", session["model"]) != session["model"]:
        raise ClientError(
            "cannot_update_model", "The model of a session cannot be changed.", "session.model"
        )
    for side in ("input", "output"):
        wanted = (changes.get("audio") or {}).get(side, {}).get("format")
        if wanted and wanted.get("type") != "audio/pcmu":
            raise ClientError(
                "invalid_value",
                "The practice model speaks audio/pcmu only.",
                f"session.audio.{side}.format",
            )
    detection = (changes.get("audio") or {}).get("input", {}).get("turn_detection")
    if detection and detection.get("type") == "server_vad":
        changes["audio"]["input"]["turn_detection"] = DEFAULT_VAD | detection
    _merge(session, changes)


def _merge(target: Event, changes: Event) -> None:
    """Takes over the fields that are present, nested objects field by field."""
    for key, value in changes.items():
        if (
            isinstance(value, dict)
            and isinstance(target.get(key), dict)
            and key != "turn_detection"
        ):
            _merge(target[key], value)
        else:
            target[key] = value
