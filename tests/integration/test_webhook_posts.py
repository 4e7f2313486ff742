"""Sending to addresses that strangers gave: any answer is survived, our own network is not reached."""

import socket

import pytest

from opendeep_app.adapters import webhooks as adapter
from opendeep_app.adapters.webhooks import _public, post
from tests.fixtures.receivers import Receiver, answer


@pytest.mark.parametrize(
    ("reply", "code", "start"),
    [
        (answer("200 OK", b"x" * 100_000), 200, "x" * 500),
        (answer("302 Found", b"", "Location: http://127.0.0.1:1/"), 302, ""),
        (answer("200 OK", b"\xff\xfe"), 200, "\ufffd\ufffd"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", 200, "short"),
        (b"nonsense\r\n\r\n", None, ""),
        (b"", None, ""),
    ],
)
async def test_answers_of_all_kinds_are_survived(
    receiver: Receiver, reply: bytes, code: int | None, start: str
) -> None:
    receiver.answers = [reply]
    attempt = await post(receiver.url, {}, b"{}", private=True)
    assert attempt.code == code
    assert attempt.answer[:500] == start
    assert len(attempt.answer) < 80_000
    assert bool(attempt.error) == (code is None)


async def test_an_endpoint_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "ANSWER_SECONDS", 0.05)
    silent = socket.create_server(("127.0.0.1", 0))
    attempt = await post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, b"{}", private=True)
    silent.close()
    assert (attempt.code, attempt.error) == (None, "No answer within 0.05 seconds.")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
async def test_our_own_network_is_out_of_reach(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    attempt = await post(url, {}, b"{}", private=False)
    assert (attempt.code, receiver.received) == (None, [])
    assert "not public" in attempt.error


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert _public(address) is public
