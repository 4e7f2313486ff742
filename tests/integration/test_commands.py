"""The small commands: users, API keys, migrations and the doctor, on a real database."""

import io
import os
import sqlite3
from pathlib import Path

import pytest

from opendeep_app.cli import main
from tests.fixtures.stacks import FOREIGN

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENDEEP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def add_user(monkeypatch: pytest.MonkeyPatch, email: str, password: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    return main(["user", "add", email, "--password-stdin"])


def test_a_user_gets_a_key_alone_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, data_dir: Path
) -> None:
    assert add_user(monkeypatch, "Ada@Example.com", "correct horse") == 0
    assert capsys.readouterr().out == "Added ada@example.com.\n"
    assert main(["api-key", "create", "ada@example.com"]) == 0
    key = capsys.readouterr().out
    assert key.count("\n") == 1
    assert len(key.strip()) > 40
    assert key.strip().encode() not in (data_dir / "opendeep.db").read_bytes()
    assert data_dir.stat().st_mode & 0o777 == 0o700


def test_what_is_wrong_with_a_user_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    for email, password, words in (
        ("ada@example.com", "short", "at least 10 characters"),
        ("ada", "correct horse", "Enter an e-mail address"),
    ):
        assert add_user(monkeypatch, email, password) == 2
        said = capsys.readouterr()
        assert words in said.err
        assert said.err.count("\n") == 1
        assert said.out == ""
    assert main(["api-key", "create", "nobody@example.com"]) == 2
    assert "There is no user nobody@example.com" in capsys.readouterr().err


def test_the_same_user_twice_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    assert add_user(monkeypatch, "ada@example.com", "correct horse") == 0
    assert add_user(monkeypatch, "ADA@example.com", "correct horse") == 2
    assert "already" in capsys.readouterr().err


def test_migrate_says_where_the_database_stands(capsys: Printed) -> None:
    assert main(["migrate"]) == 0
    assert "from new." in capsys.readouterr().out
    assert main(["migrate"]) == 0
    assert "from" not in capsys.readouterr().out


def test_commands_leave_a_newer_database_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed, data_dir: Path
) -> None:
    assert main(["migrate"]) == 0
    connection = sqlite3.connect(data_dir / "opendeep.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert main(["migrate"]) == 2
    assert "newer version" in capsys.readouterr().err
    assert add_user(monkeypatch, "ada@example.com", "correct horse") == 2
    assert "newer version" in capsys.readouterr().err
    assert main(["doctor"]) == 1
    assert "from a newer OpenDeep (9999)" in capsys.readouterr().out


def test_the_doctor_finds_nothing_wrong_with_a_new_installation(capsys: Printed) -> None:
    assert main(["doctor", "--web-port", "39517", "--gateway-port", "39518"]) == 0
    said = capsys.readouterr().out
    assert "✗" not in said
    for what in ("python", "bun", "phone line", "data directory", "redis", "database", "web port"):
        assert what in said


def test_the_doctor_names_what_is_half_configured(
    monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    assert main(["doctor"]) == 1
    assert "TWILIO_ACCOUNT_SID" in capsys.readouterr().out
