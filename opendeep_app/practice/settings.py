"""What the practice line needs to know."""

from dataclasses import dataclass

from opendeep_app.config import Settings


@dataclass(frozen=True, slots=True)
class PracticeSettings:
    """The accounts the practice line accepts and how fast its clock runs."""

    account_sid: str
    auth_token: str
    api_key: str
    from_number: str = "+12025550100"
    sms_url: str = ""
    """Where texts to our number are told of."""
    speed: float = 1.0
    """Divides ring times, audio pacing and people's pauses."""

    @classmethod
    def of(cls, settings: Settings) -> "PracticeSettings":
        """The practice line's part of the settings."""
        line = settings.with_line()
        return cls(
            account_sid=line.twilio_account_sid,
            auth_token=line.twilio_auth_token,
            api_key=line.openai_api_key,
            from_number=line.from_number,
            sms_url=f"{line.public_url}/twilio/sms",
            speed=line.practice_speed,
        )
