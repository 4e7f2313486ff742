"""The command line: what is said, where, and with which exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from opendeep_app.cli import main

CREDENTIALS = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "OPENDEEP_FROM_NUMBER", "OPENAI_API_KEY")


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENDEEP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Runs a command that must fail with exit code 2 and one line; returns the line."""
    try:
        code = main(arguments)
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.startswith("opendeep: ")
    assert printed.err.count("\n") == 1, printed.err
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["upp"], "invalid choice: 'upp'"),
        (["up", "--wokers", "2"], "unrecognized arguments: --wokers"),
        (["up", "--web", "3000"], "unrecognized arguments: --web"),
        (["up", "--workers", "0"], "'0' is not a number between 1 and 64"),
        (["up", "--web-port", "http"], "'http' is not a port"),
        (["gateway", "--gateway-port", "70000"], "'70000' is not a port"),
        (["up", "--web-port", "4000", "--gateway-port", "4000"], "Port 4000 cannot serve both"),
        (["user", "add"], "required: EMAIL"),
    ],
)
def test_a_wrong_argument_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in refused(capsys, *arguments)


def test_half_set_credentials_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    line = refused(capsys, "up")
    assert "TWILIO_AUTH_TOKEN, OPENDEEP_FROM_NUMBER" in line
    assert "OPENAI_API_KEY" not in line


def test_a_setting_that_makes_no_sense_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENDEEP_WEB_PORT", "many")
    assert "OPENDEEP_WEB_PORT" in refused(capsys, "up")


def test_a_command_without_its_subcommand_shows_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["user"]) == 2
    assert "add" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("opendeep 0.")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from opendeep_app.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'sqlalchemy', 'reflex', 'twilio', 'openai', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
