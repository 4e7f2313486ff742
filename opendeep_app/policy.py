"""The rules of an installation, as data: what services need to know of the settings."""

from dataclasses import dataclass

from opendeep_app.rules import USUAL_HOURS, CallingHours


@dataclass(frozen=True)
class Prices:
    """US dollars: for a million tokens of the voice model, for minutes, and for a call.

    The model's are those of developers.openai.com/api/docs/models/gpt-realtime-2 (2026), the
    carrier's Twilio's list prices for a call within the USA: voice, media stream and, for each
    answered call, machine detection (twilio.com/voice/pricing/us).
    """

    text_input: float = 4.00
    text_cached: float = 0.40
    text_output: float = 24.00
    audio_input: float = 32.00
    audio_cached: float = 0.40
    audio_output: float = 64.00
    transcription_minute: float = 0.006
    carrier_minute: float = 0.018
    carrier_call: float = 0.0075


@dataclass(frozen=True)
class Policy:
    """Limits and delays; seconds throughout."""

    hours: CallingHours = USUAL_HOURS
    prices: Prices = Prices()
    retry_base_seconds: float = 300
    info_timeout_seconds: float = 30
    info_extension_seconds: float = 30
    calls_per_second: float = 50
    max_concurrent_calls: int = 100
    max_user_calls: int = 50
    #: A job that has not run by now, or of whose worker nothing is heard, is lost.
    job_lost_seconds: float = 5
    #: How long the carrier may take to show a call whose creation was not confirmed.
    adopt_after_seconds: float = 10
    withdraw_after_seconds: float = 60
    #: A voice session that has not been seen for so long is dead.
    session_lost_seconds: float = 15
    #: Numbers whose callers pay a share may be called; premium-rate numbers never are.
    shared_cost_numbers: bool = False
    #: Webhooks may go to any address, without TLS too.
    private_webhooks: bool = False
    #: How long an analysis may fail before the call counts as inconclusive.
    analysis_patience_seconds: float = 900
