"""The door to a session: one ticket, one session, a cookie that no script can read."""

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from opendeep_app.api.auth import COOKIE, build_auth, session_token
from opendeep_app.clock import utc_now
from opendeep_app.db import Database
from opendeep_app.dependencies import Dependencies
from opendeep_app.limits import SIGN_IN_LINK, Limits
from opendeep_app.services import accounts


@dataclasses.dataclass
class Door:
    """A browser in front of the sign-in routes."""

    db: Database
    web_url: str = "http://localhost:3000"

    def __post_init__(self) -> None:
        settings = SimpleNamespace(web_url=self.web_url)
        deps = SimpleNamespace(db=self.db, settings=settings, limits=Limits(self.db._bus))
        app = build_auth(cast(Dependencies, deps))
        transport = httpx.ASGITransport(app=cast(Any, app))
        self.browser = httpx.AsyncClient(transport=transport, base_url=self.web_url)

    async def ticket(self, email: str = "ada@example.com") -> str:
        async with self.db.unit_of_work() as uow:
            user = await accounts.find_user(uow.session, email)
            user = user or await accounts.create_user(uow, email)
            return await accounts.issue_sign_in_link(uow, user.id)

    async def viewer(self) -> str | None:
        async with self.db.reading() as session:
            token = self.browser.cookies.get(COOKIE) or ""
            user = await accounts.user_for_session(session, token)
        return user.email if user else None


@pytest.fixture
def door(db: Database) -> Door:
    db.clock = utc_now
    return Door(db)


async def test_a_ticket_opens_one_session(door: Door) -> None:
    ticket = await door.ticket()
    response = await door.browser.get("/enter", params={"ticket": ticket})
    assert (response.status_code, response.headers["location"]) == (303, "/")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert response.headers["cache-control"] == "no-store"
    assert await door.viewer() == "ada@example.com"

    door.browser.cookies.clear()
    again = await door.browser.get("/enter", params={"ticket": ticket})
    assert again.headers["location"] == "/sign-in?link=used"
    assert await door.viewer() is None


async def test_a_guessed_ticket_opens_nothing(door: Door) -> None:
    response = await door.browser.get("/enter", params={"ticket": "guessed"})
    assert response.headers["location"] == "/sign-in?link=used"
    assert "set-cookie" not in response.headers


async def test_links_cannot_be_tried_without_end(door: Door) -> None:
    ticket = await door.ticket()
    for _ in range(SIGN_IN_LINK.quota):
        response = await door.browser.get("/enter", params={"ticket": "guessed"})
        assert response.headers["location"] == "/sign-in?link=used"
    response = await door.browser.get("/enter", params={"ticket": ticket})
    assert response.headers["location"] == "/sign-in?link=wait"
    assert await door.viewer() is None


async def test_signing_out_ends_the_session_and_not_only_the_cookie(door: Door) -> None:
    await door.browser.get("/enter", params={"ticket": await door.ticket()})
    stolen = door.browser.cookies.get(COOKIE) or ""
    assert (await door.browser.get("/leave")).status_code == 405
    await door.browser.post("/leave")
    assert door.browser.cookies.get(COOKIE) is None
    async with door.db.reading() as session:
        assert await accounts.user_for_session(session, stolen) is None


async def test_the_cookie_is_secure_where_the_pages_are(db: Database) -> None:
    db.clock = utc_now
    door = Door(db, "https://calls.example.com")
    response = await door.browser.get("/enter", params={"ticket": await door.ticket()})
    assert "; secure" in response.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("opendeep_session=abc", "abc"),
        ("theme=dark; opendeep_session=a-b_c; x=y", "a-b_c"),
        ("opendeep_sessions=abc", ""),
        ("", ""),
    ],
)
def test_the_token_in_a_cookie_header(header: str, token: str) -> None:
    assert session_token(header) == token
