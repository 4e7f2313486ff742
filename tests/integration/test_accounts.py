"""Who people are: passwords, sessions, one-time links and keys, and what is kept of them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from opendeep_app.clock import utc_now
from opendeep_app.db import Database
from opendeep_app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from opendeep_app.models import AccessToken, TokenKind
from opendeep_app.services import accounts
from tests.fixtures.clocks import FakeClock
from tests.fixtures.lives import add_user

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> FakeClock:
    """Tokens are compared with the real time when they are shown, so the clock begins there."""
    return FakeClock(utc_now())


async def register(db: Database, email: str = "ada@example.com") -> str:
    async with db.unit_of_work() as uow:
        return (await accounts.create_user(uow, email, PASSWORD, " Ada ")).id


async def enter(db: Database, email: str, password: str) -> str:
    async with db.unit_of_work() as uow:
        return (await accounts.authenticate(uow, email, password)).id


async def test_a_person_enters_with_their_password_in_any_case_of_the_address(
    db: Database,
) -> None:
    user_id = await register(db, " Ada@Example.com ")
    assert await enter(db, "ADA@example.COM", PASSWORD) == user_id
    async with db.reading() as session:
        user = await accounts.find_user(session, "ada@example.com")
    assert user is not None
    assert (user.email, user.name) == ("ada@example.com", "Ada")
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")


WRONG = [
    ("ada@example.com", "wrong"),
    ("ada@example.com", ""),
    ("ada@example.com", "\x00\ud800"),
    ("ada@example.com", PASSWORD + "x" * 100_000),
    ("nobody@example.com", PASSWORD),
    ("link@example.com", PASSWORD),
    ("\x00@\ud800", PASSWORD),
    ("", ""),
]


async def test_a_wrong_pair_is_refused_without_saying_which_is_wrong(db: Database) -> None:
    await register(db)
    await add_user(db, "link@example.com")
    for email, password in WRONG:
        with pytest.raises(NotAllowed, match=r"^E-mail or password is not right\.$"):
            await enter(db, email, password)


async def test_an_address_must_look_like_one(db: Database) -> None:
    for email in ("", "ada", "ada@", "@example.com", "a da@example.com", "a@b@c"):
        with pytest.raises(InvalidInput) as refused:
            await register(db, email)
        assert refused.value.field == "email"


async def test_a_short_password_is_refused(db: Database) -> None:
    with pytest.raises(InvalidInput, match="at least 10"):
        async with db.unit_of_work() as uow:
            await accounts.create_user(uow, "ada@example.com", "short")


async def test_an_address_is_taken_once_also_at_the_same_moment(db: Database) -> None:
    async def register_without_password() -> str:
        async with db.unit_of_work() as uow:
            return (await accounts.create_user(uow, "ada@example.com")).id

    results = await asyncio.gather(
        *(register_without_password() for _ in range(6)), return_exceptions=True
    )
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 5


async def test_a_session_lasts_until_it_is_closed_or_too_old(
    db: Database, clock: FakeClock
) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        token, other = [await accounts.open_session(uow, user_id) for _ in range(2)]
    clock.advance(days=-31)
    async with db.unit_of_work() as uow:
        old = await accounts.open_session(uow, user_id)
    async with db.unit_of_work() as uow:
        await accounts.close_session(uow, other)
    async with db.reading() as session:
        user = await accounts.user_for_session(session, token)
        assert user is not None
        assert user.id == user_id
        for wrong in (old, other, "", "guess", token + "x", "\x00"):
            assert await accounts.user_for_session(session, wrong) is None
        assert await accounts.user_for_api_key(session, token) is None


async def test_a_sign_in_link_works_once_also_at_the_same_moment(db: Database) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        link = await accounts.issue_sign_in_link(uow, user_id)

    async def redeem() -> str:
        async with db.unit_of_work() as uow:
            return await accounts.redeem_sign_in_link(uow, link)

    results = await asyncio.gather(*(redeem() for _ in range(5)), return_exceptions=True)
    [token] = [result for result in results if isinstance(result, str)]
    assert sum(isinstance(result, NotAllowed) for result in results) == 4
    async with db.reading() as session:
        assert await accounts.user_for_session(session, token) is not None


async def test_a_sign_in_link_is_good_for_a_day_and_for_nothing_else(
    db: Database, clock: FakeClock
) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        link = await accounts.issue_sign_in_link(uow, user_id)
        session_token = await accounts.open_session(uow, user_id)
    async with db.reading() as session:
        assert await accounts.user_for_session(session, link) is None
    clock.advance(hours=24, seconds=1)
    for token in (link, session_token, "guess"):
        with pytest.raises(NotAllowed):
            async with db.unit_of_work() as uow:
                await accounts.redeem_sign_in_link(uow, token)


async def test_an_api_key_stands_for_its_user(db: Database) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        key = await accounts.create_api_key(uow, user_id, "laptop")
    assert key.startswith("od_")
    async with db.reading() as session:
        user = await accounts.user_for_api_key(session, key)
        assert user is not None
        assert user.id == user_id
        assert await accounts.user_for_session(session, key) is None
    with pytest.raises(NotFound):
        async with db.unit_of_work() as uow:
            await accounts.create_api_key(uow, "nobody")


async def test_only_fingerprints_of_tokens_are_kept(db: Database) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        tokens = [
            await accounts.open_session(uow, user_id),
            await accounts.issue_sign_in_link(uow, user_id),
            await accounts.create_api_key(uow, user_id),
        ]
    async with db.reading() as session:
        rows = list(await session.scalars(select(AccessToken)))
    assert len(rows) == len(tokens)
    for row in rows:
        assert len(row.token_hash) == 64
        assert not any(token in row.model_dump_json() for token in tokens)


async def test_expired_tokens_are_swept_when_somebody_enters(
    db: Database, clock: FakeClock
) -> None:
    user_id = await add_user(db)
    async with db.unit_of_work() as uow:
        await accounts.open_session(uow, user_id)
        await accounts.create_api_key(uow, user_id)
    clock.advance(seconds=timedelta(days=31).total_seconds())
    async with db.unit_of_work() as uow:
        await accounts.open_session(uow, user_id)
    async with db.reading() as session:
        kinds = [row.kind for row in await session.scalars(select(AccessToken))]
    assert sorted(kinds) == [TokenKind.API_KEY, TokenKind.SESSION]


async def test_a_person_says_who_they_are_and_how_to_reach_them(db: Database) -> None:
    user_id = await register(db)

    async def say(name: str = "Ada", zone: str = "Europe/Berlin", mobile: str = "") -> str | None:
        async with db.unit_of_work() as uow:
            user = await accounts.update_profile(
                uow, user_id, name=name, time_zone=zone, mobile_number=mobile
            )
            return user.mobile_number

    assert await say(mobile=" +1 202 555 0199 ") == "+12025550199"
    assert await say(mobile=" ") is None
    for field, wrong in {
        "name": {"name": "a" * 121},
        "time_zone": {"zone": "Europe/Atlantis"},
        "mobile_number": {"mobile": "0170 1234567"},
    }.items():
        with pytest.raises(InvalidInput) as refused:
            await say(**wrong)
        assert refused.value.field == field
    async with db.reading() as session:
        user = await accounts.find_user(session, "ada@example.com")
    assert user is not None
    assert (user.name, user.time_zone, user.mobile_number) == ("Ada", "Europe/Berlin", None)


async def test_a_revoked_key_opens_nothing_and_only_its_owner_revokes_it(db: Database) -> None:
    ada, bob = await register(db), await register(db, "bob@example.com")
    async with db.unit_of_work() as uow:
        secret = await accounts.create_api_key(uow, ada, "Calendar")
    async with db.reading() as session:
        [key] = await accounts.api_keys(session, ada)
        assert key.label == "Calendar"
        assert await accounts.api_keys(session, bob) == []
    with pytest.raises(NotFound):
        async with db.unit_of_work() as uow:
            await accounts.revoke_api_key(uow, bob, key.id)
    async with db.unit_of_work() as uow:
        await accounts.revoke_api_key(uow, ada, key.id)
    async with db.reading() as session:
        assert await accounts.user_for_api_key(session, secret) is None
