"""The rules of an installation, as data: what services need to know of the settings."""

from dataclasses import dataclass

from opendeep_app.rules import USUAL_HOURS, CallingHours


@dataclass(frozen=True)
class Policy:
    """Limits and delays; seconds throughout."""

    hours: CallingHours = USUAL_HOURS
    retry_base_seconds: float = 300
    info_timeout_seconds: float = 30
    info_extension_seconds: float = 30
    max_concurrent_calls: int = 100
    max_user_calls: int = 50
    #: A job that has not run by now, or of whose worker nothing is heard, is lost.
    job_lost_seconds: float = 5
    #: How long the carrier may take to show a call whose creation was not confirmed.
    adopt_after_seconds: float = 10
    withdraw_after_seconds: float = 60
    #: A voice session that has not been seen for so long is dead.
    session_lost_seconds: float = 15
    #: Webhooks may go to any address, without TLS too.
    private_webhooks: bool = False
    #: How long an analysis may fail before the call counts as inconclusive.
    analysis_patience_seconds: float = 900
