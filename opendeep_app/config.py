"""Settings: the only module that reads the environment."""

import hashlib
import hmac
import os
import secrets
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from opendeep_app.errors import SetupError
from opendeep_app.policy import Policy, Prices
from opendeep_app.rules import ALWAYS, CallingHours

CREDENTIALS = {
    "twilio_account_sid": "TWILIO_ACCOUNT_SID",
    "twilio_auth_token": "TWILIO_AUTH_TOKEN",
    "from_number": "OPENDEEP_FROM_NUMBER",
    "openai_api_key": "OPENAI_API_KEY",
}
SCHEMES = {
    "database_url": ("sqlite:///", "postgresql+psycopg://"),
    "redis_url": ("redis://", "rediss://", "unix://"),
}
PRACTICE_FROM_NUMBER = "+12025550100"
PRICES = tuple(field.name for field in fields(Prices))
SOONEST_WITHDRAWAL = 30
ENGLISH, QPS = "en", "qps"
"""The pages' own language, and nobody's: see `opendeep_app.words`."""
CATALOGUE = "opendeep"
LOCALES = Path(__file__).parent / "locale"
LONGEST_SOCKET_PATH = 100
"""Bytes; macOS takes 103 and Linux 107."""


def languages() -> list[str]:
    """Every language that the pages can be read in."""
    found = (path.parts[-3] for path in LOCALES.glob(f"*/LC_MESSAGES/{CATALOGUE}.mo"))
    return sorted({ENGLISH, QPS, *found})


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "opendeep"


class Settings(BaseSettings):
    """Everything that can be configured, from the environment or a `.env` file.

    With all four credentials the line is live; with none it is the practice line;
    with some, loading fails and names the missing ones.
    """

    model_config = SettingsConfigDict(
        env_prefix="OPENDEEP_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        allow_inf_nan=False,
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: str = ""
    redis_url: str = ""
    host: str = "127.0.0.1"
    web_port: int = Field(3000, ge=1, le=65535)
    gateway_port: int = Field(8080, ge=1, le=65535)
    practice_port: int = Field(8090, ge=1, le=65535)
    web_url: str = ""
    public_url: str = ""
    language: str = ENGLISH
    """Of the pages."""

    twilio_api_url: str = ""
    twilio_account_sid: str = Field("", validation_alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: str = Field("", validation_alias="TWILIO_AUTH_TOKEN")
    from_number: str = ""
    openai_api_key: str = Field("", validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field("", validation_alias="OPENAI_BASE_URL")
    realtime_model: str = "gpt-realtime-2.1"
    text_model: str = "gpt-5.2-mini"

    retry_base_seconds: float = Field(0, ge=0)
    calls_per_second: float = Field(0, ge=0)
    max_concurrent_calls: int = Field(100, ge=1)
    max_user_calls: int = Field(50, ge=1)
    info_timeout_seconds: float = Field(30, gt=0, le=600)
    info_extension_seconds: float = Field(30, gt=0, le=600)
    """What "need more time" adds to the deadline of a question, once."""
    price_text_input: float = Field(Prices.text_input, ge=0)
    """US dollars for a million tokens; the prices below likewise, unless their name says else."""
    price_text_cached: float = Field(Prices.text_cached, ge=0)
    price_text_output: float = Field(Prices.text_output, ge=0)
    price_audio_input: float = Field(Prices.audio_input, ge=0)
    price_audio_cached: float = Field(Prices.audio_cached, ge=0)
    price_audio_output: float = Field(Prices.audio_output, ge=0)
    price_transcription_minute: float = Field(Prices.transcription_minute, ge=0)
    price_carrier_minute: float = Field(Prices.carrier_minute, ge=0)
    price_carrier_call: float = Field(Prices.carrier_call, ge=0)

    delete_carrier_recordings: bool = True
    """Once a recording is stored here, the carrier's copy is deleted."""
    machine_detection: Literal["Enable", "DetectMessageEnd", "off"] = "Enable"
    """The carrier's answering machine detection: as early as it can, at the beep, or none."""
    dtmf: Literal["carrier", "inband"] = "carrier"
    """Whether the carrier plays keys, which interrupts the stream, or we send them as sound."""
    hold_seconds: float = Field(600, gt=0, le=3600)
    """How long the agent waits on hold before it leaves and tries again later."""
    text_segment_micros: int = Field(8300, ge=0)
    """What the carrier charges for 160 characters of text: millionths of a US dollar."""
    job_lost_seconds: float = Field(5, gt=0)
    adopt_after_seconds: float = Field(10, gt=0)
    withdraw_after_seconds: float = Field(60, gt=0)
    session_lost_seconds: float = Field(15, gt=0)
    keep_transcripts_days: int = Field(0, ge=0)
    """Days after a call, unless its user says otherwise; 0 for ever."""
    keep_recordings_days: int = Field(0, ge=0)

    api_requests_per_minute: int = Field(6000, ge=1)
    """Of each user."""
    private_webhooks: bool = False
    shared_cost_numbers: bool = False
    """Lets webhooks go to addresses of this machine and network, and without TLS."""

    practice: bool = False
    practice_speed: float = Field(1.0, gt=0, le=1000)
    """Divides the practice line's ring times, audio pacing and pauses."""

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Reads the settings; raises `SetupError` with one clear line when they make no sense."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]) or "settings"
            raise SetupError(
                f"{_variable(name)}: {first['msg'].removeprefix('Value error, ')}"
            ) from None

    @field_validator("language")
    @classmethod
    def _spoken(cls, value: str) -> str:
        if value not in (known := languages()):
            raise ValueError(
                f"There is no catalogue for {value!r}. Choose one of {', '.join(known)}"
            )
        return value

    @field_validator("database_url", "redis_url")
    @classmethod
    def _known_scheme(cls, value: str, info: ValidationInfo) -> str:
        schemes = SCHEMES[info.field_name or ""]
        if value and not value.startswith(schemes):
            raise ValueError(f"Begin with {' or '.join(schemes)}")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in CREDENTIALS if not getattr(self, name)]
        if missing and len(missing) < len(CREDENTIALS) and not self.practice:
            names = ", ".join(CREDENTIALS[name] for name in missing)
            raise SetupError(
                f"The phone line is only half configured: {names} is missing. "
                "Set all four credentials to go live, or none to use the practice line."
            )
        self.practice = bool(missing)
        if not self.practice and self.withdraw_after_seconds < SOONEST_WITHDRAWAL:
            # A request for a call may be under way for 15 s; what it asks for must not be
            # taken back, and asked for again, before its end.
            raise SetupError(f"OPENDEEP_WITHDRAW_AFTER_SECONDS: At least {SOONEST_WITHDRAWAL}")
        self.data_dir = self.data_dir.expanduser().absolute()
        self.database_url = self.database_url or f"sqlite:///{self.data_dir / 'opendeep.db'}"
        self.redis_url = self.redis_url or f"unix://{self.redis_socket}"
        self.web_url = (self.web_url or f"http://{self.host}:{self.web_port}").rstrip("/")
        self.public_url = (self.public_url or f"http://{self.host}:{self.gateway_port}").rstrip("/")
        self.retry_base_seconds = self.retry_base_seconds or (10 if self.practice else 300)
        # Twilio's default for a new account is one call a second; the practice line has no limit.
        self.calls_per_second = self.calls_per_second or (50 if self.practice else 1)
        return self

    @property
    def policy(self) -> Policy:
        """What services need to know; nobody sleeps on the practice line, so it is always open."""
        return Policy(
            hours=ALWAYS if self.practice else CallingHours(),
            prices=Prices(**{name: getattr(self, f"price_{name}") for name in PRICES}),
            retry_base_seconds=self.retry_base_seconds,
            info_timeout_seconds=self.info_timeout_seconds,
            info_extension_seconds=self.info_extension_seconds,
            job_lost_seconds=self.job_lost_seconds,
            adopt_after_seconds=self.adopt_after_seconds,
            withdraw_after_seconds=self.withdraw_after_seconds,
            session_lost_seconds=self.session_lost_seconds,
            calls_per_second=self.calls_per_second,
            max_concurrent_calls=self.max_concurrent_calls,
            max_user_calls=self.max_user_calls,
            private_webhooks=self.private_webhooks,
            shared_cost_numbers=self.shared_cost_numbers,
        )

    @property
    def embedded_redis(self) -> bool:
        """True when Redis is the one that `opendeep up` starts in the data directory."""
        return self.redis_url == f"unix://{self.redis_socket}"

    @property
    def redis_socket(self) -> Path:
        """Where the embedded Redis listens.

        Systems limit a socket's path to about 100 bytes; below a longer data directory it
        moves to a private directory with a short name.
        """
        socket = self.data_dir / "redis.sock"
        if len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH:
            return socket
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(f"/tmp/opendeep-{os.geteuid()}-{digest}/redis.sock")

    @cached_property
    def secret(self) -> bytes:
        """The installation's secret key, created on first use, readable by its owner only."""
        path = self.data_dir / "secret"
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_name(f"secret.{os.getpid()}.{secrets.token_hex(4)}")
            if not path.exists():
                with os.fdopen(
                    os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
                ) as file:
                    file.write(secrets.token_bytes(32))
                try:
                    os.link(fresh, path)
                except FileExistsError:
                    pass
                finally:
                    fresh.unlink()
            return path.read_bytes()
        except OSError as error:
            raise SetupError(
                f"The data directory {self.data_dir} cannot be used: {error.strerror}. "
                "Choose another with --data-dir or OPENDEEP_DATA_DIR."
            ) from None

    def environment(self) -> dict[str, str]:
        """The environment in which another process loads these same settings."""
        return {
            str(field.validation_alias or _variable(name)): str(getattr(self, name))
            for name, field in type(self).model_fields.items()
        }

    def derived_key(self, purpose: str) -> str:
        """A 32-digit hexadecimal key for one purpose, derived from the installation's secret."""
        return hmac.new(self.secret, purpose.encode(), hashlib.sha256).hexdigest()[:32]

    def with_line(self) -> Self:
        """These settings with the practice line's credentials filled in when no real ones are set."""
        if not self.practice:
            return self
        practice_url = f"http://{self.host}:{self.practice_port}"
        return self.model_copy(
            update={
                "twilio_api_url": self.twilio_api_url or practice_url,
                "twilio_account_sid": "AC" + self.derived_key("practice account"),
                "twilio_auth_token": self.derived_key("practice auth token"),
                "from_number": PRACTICE_FROM_NUMBER,
                "openai_api_key": "practice-" + self.derived_key("practice model key"),
                "openai_base_url": self.openai_base_url or f"{practice_url}/v1",
            }
        )


def _variable(name: str) -> str:
    return name if name.isupper() else f"OPENDEEP_{name.upper()}"
