"""The TwiML that we answer with (twilio.com/docs/voice/twiml)."""

import hashlib
import hmac

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Connect, VoiceResponse

from opendeep_app.config import Settings

MEDIA_PATH = "/twilio/media"


def connect_stream(settings: Settings, call_id: str, number: int, digits: str = "") -> str:
    """Connects the call to its nth stream, counted from 0, after playing keys if any."""
    response = VoiceResponse()
    if digits:
        response.play("", digits=digits)
    connect = Connect()
    stream = connect.stream(url=media_url(settings))
    stream.parameter(name="call_id", value=call_id)
    stream.parameter(name="token", value=stream_token(settings, call_id, number))
    response.append(connect)
    return str(response)


def hang_up() -> str:
    """Ends the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def say_and_hang_up(text: str) -> str:
    """Says a sentence and ends the call."""
    response = VoiceResponse()
    response.say(text)
    response.hangup()
    return str(response)


def message(text: str) -> str:
    """Sends a text back; nothing when it is empty."""
    response = MessagingResponse()
    if text:
        response.message(text)
    return str(response)


def media_url(settings: Settings) -> str:
    """The media socket's address as Twilio sees it, which is also what Twilio signs."""
    return "ws" + settings.public_url.removeprefix("http") + MEDIA_PATH


def stream_token(settings: Settings, call_id: str, number: int) -> str:
    """Proves that the call's nth stream was asked for by our TwiML; no other may use it."""
    key = settings.derived_key("media stream").encode()
    return hmac.new(key, f"{call_id}:{number}".encode(), hashlib.sha256).hexdigest()[:32]
