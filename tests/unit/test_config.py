"""Settings: practice by default, live with all four credentials, one clear line when wrong."""

import os
import stat
from pathlib import Path

import pytest

from opendeep_app.config import CREDENTIALS, PRACTICE_FROM_NUMBER, Settings
from opendeep_app.errors import SetupError
from opendeep_app.rules import ALWAYS, CallingHours

LIVE = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0" * 32,
    "OPENDEEP_FROM_NUMBER": "+12025550143",
    "OPENAI_API_KEY": "key",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment that configures nothing but the data directory; no `.env` is near."""
    for name in list(os.environ):
        if name.startswith(("OPENDEEP_", "TWILIO_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENDEEP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def test_without_credentials_it_practises(tmp_path: Path) -> None:
    settings = Settings.load().with_line()
    data = tmp_path / "data"
    assert settings.practice
    assert settings.database_url == f"sqlite:///{data}/opendeep.db"
    assert settings.redis_url == f"unix://{settings.redis_socket}"
    assert settings.embedded_redis
    assert (settings.web_url, settings.public_url) == (
        "http://127.0.0.1:3000",
        "http://127.0.0.1:8080",
    )
    assert settings.twilio_api_url == "http://127.0.0.1:8090"
    assert settings.openai_base_url == "http://127.0.0.1:8090/v1"
    assert settings.from_number == PRACTICE_FROM_NUMBER
    assert settings.twilio_account_sid.startswith("AC")
    assert len(settings.twilio_account_sid) == 34
    assert settings.policy.hours == ALWAYS
    assert (settings.retry_base_seconds, settings.calls_per_second) == (10, 50)


def test_with_all_credentials_it_is_live(environment: pytest.MonkeyPatch) -> None:
    for name, value in LIVE.items():
        environment.setenv(name, value)
    settings = Settings.load().with_line()
    assert not settings.practice
    assert settings.twilio_api_url == settings.openai_base_url == ""
    assert settings.from_number == "+12025550143"
    assert settings.policy.hours == CallingHours()
    assert (settings.retry_base_seconds, settings.calls_per_second) == (300, 1)


@pytest.mark.parametrize("missing", sorted(LIVE))
def test_with_some_credentials_it_names_the_missing_one(
    environment: pytest.MonkeyPatch, missing: str
) -> None:
    for name, value in LIVE.items():
        environment.setenv(name, "" if name == missing else value)
    with pytest.raises(SetupError, match=f"half configured: {missing} is missing"):
        Settings.load()


def test_one_credential_alone_names_the_other_three(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENAI_API_KEY", "key")
    with pytest.raises(SetupError) as error:
        Settings.load()
    for name in set(CREDENTIALS.values()) - {"OPENAI_API_KEY"}:
        assert name in error.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENDEEP_WEB_PORT", "0"),
        ("OPENDEEP_WEB_PORT", "65536"),
        ("OPENDEEP_WEB_PORT", "three thousand"),
        ("OPENDEEP_RETRY_BASE_SECONDS", "-1"),
        ("OPENDEEP_RETRY_BASE_SECONDS", "inf"),
        ("OPENDEEP_RETRY_BASE_SECONDS", "nan"),
        ("OPENDEEP_CALLS_PER_SECOND", "inf"),
        ("OPENDEEP_CALLS_PER_SECOND", "-3"),
        ("OPENDEEP_PRACTICE_SPEED", "0"),
        ("OPENDEEP_INFO_TIMEOUT_SECONDS", "601"),
        ("OPENDEEP_MAX_USER_CALLS", "0"),
        ("OPENDEEP_DATABASE_URL", "calls.db"),
        ("OPENDEEP_DATABASE_URL", "mysql://localhost/calls"),
        ("OPENDEEP_DATABASE_URL", "postgres://localhost/calls"),
        ("OPENDEEP_DATABASE_URL", "postgresql://localhost/calls"),
        ("OPENDEEP_REDIS_URL", "localhost:6379"),
        ("OPENDEEP_REDIS_URL", "http://localhost:6379"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_setting(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SetupError) as error:
        Settings.load()
    assert error.value.message.startswith(f"{name}: ")
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENDEEP_DATABASE_URL", "sqlite:////var/lib/calls.db"),
        ("OPENDEEP_DATABASE_URL", "postgresql+psycopg://ada:secret@db/calls"),
        ("OPENDEEP_REDIS_URL", "redis://localhost:6379/1"),
        ("OPENDEEP_REDIS_URL", "rediss://:secret@redis:6380"),
        ("OPENDEEP_REDIS_URL", "unix:///run/redis.sock"),
    ],
)
def test_good_addresses_are_taken_as_they_are(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    assert getattr(Settings.load(), name.removeprefix("OPENDEEP_").lower()) == value


def test_an_empty_variable_counts_as_unset(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENDEEP_WEB_PORT", "")
    assert Settings.load().web_port == 3000


def test_addresses_follow_host_and_ports(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENDEEP_WEB_PORT", "4000")
    environment.setenv("OPENDEEP_PUBLIC_URL", "https://calls.example.com/")
    settings = Settings.load()
    assert settings.web_url == "http://127.0.0.1:4000"
    assert settings.public_url == "https://calls.example.com"


def test_the_secret_is_made_once_and_is_private() -> None:
    first, second = Settings.load(), Settings.load()
    assert len(first.secret) == 32
    assert first.secret == second.secret
    path = first.data_dir / "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in first.data_dir.iterdir()] == ["secret"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one, other = (Settings.load(data_dir=tmp_path / name) for name in ("one", "other"))
    assert one.derived_key("x") != other.derived_key("x")
    assert one.derived_key("x") != one.derived_key("y")


def test_a_data_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SetupError, match=r"data directory .* cannot be used: .*--data-dir"):
        _ = Settings.load().secret


def test_a_data_directory_with_a_long_name_still_gets_a_socket(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path / ("x" * 120))
    assert len(os.fsencode(settings.redis_socket)) < 100
    assert settings.embedded_redis


def test_a_call_is_not_taken_back_while_its_request_may_be_under_way(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("OPENDEEP_WITHDRAW_AFTER_SECONDS", "2")
    assert Settings.load().policy.withdraw_after_seconds == 2
    for name, value in LIVE.items():
        environment.setenv(name, value)
    with pytest.raises(SetupError, match="OPENDEEP_WITHDRAW_AFTER_SECONDS: At least 30"):
        Settings.load()
