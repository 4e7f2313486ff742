"""The embedded Redis: private, on a socket only, and wherever the data directory is."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from opendeep_app.adapters import embedded
from opendeep_app.config import Settings
from opendeep_app.errors import SetupError
from tests.fixtures.redis_servers import running_redis


def settings_in(directory: Path) -> Settings:
    return Settings.load(_env_file=None, data_dir=directory)


@pytest.fixture
def long_directory(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / ("a long name " * 10)
    yield directory
    shutil.rmtree(settings_in(directory).redis_socket.parent, ignore_errors=True)


def test_it_opens_no_port_and_only_its_owner_gets_in(tmp_path: Path) -> None:
    socket = settings_in(tmp_path / "data").redis_socket
    with running_redis(socket) as url, redis.Redis.from_url(url) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700


def test_below_a_long_data_directory_it_still_works(long_directory: Path) -> None:
    settings = settings_in(long_directory)
    assert settings.embedded_redis
    assert len(str(settings.redis_socket)) < 100
    with running_redis(settings.redis_socket) as url:
        assert url == settings.redis_url


def test_it_does_not_move_into_a_directory_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(SetupError, match="belongs to somebody else"):
        embedded.prepare(tmp_path / "redis.sock")


def test_it_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(SetupError, match="belongs to somebody else"):
        embedded.prepare(tmp_path / "link" / "redis.sock")


def test_a_server_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried = embedded.find_server()
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).symlink_to(carried)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert embedded.find_server() == tmp_path / name


def test_without_any_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(SetupError, match="install valkey or redis"):
        embedded.find_server()


async def test_answers_tells_whether_somebody_listens(tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    assert not await embedded.answers(socket)
    process = subprocess.Popen(
        embedded.command(embedded.find_server(), socket), stdout=subprocess.DEVNULL
    )
    try:
        while not await embedded.answers(socket):
            assert process.poll() is None
    finally:
        process.terminate()
        process.wait()
