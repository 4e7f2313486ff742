"""Who people are: passwords, sessions, one-time links and API keys.

Only the SHA-256 of a token is stored: tokens are random, so a slow hash would add nothing.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.clock import utc_now
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from opendeep_app.models import AccessToken, InfoRequest, TokenKind, User
from opendeep_app.services import phone_numbers

SESSION_LIFETIME = timedelta(days=30)
LINK_LIFETIME = timedelta(hours=24)
ANSWER_LINK_LIFETIME = timedelta(days=7)
MINIMUM_PASSWORD = 10

_hasher = PasswordHasher()
# Checked when no such user exists, so that the answer takes as long as with one.
_NOBODY = _hasher.hash(secrets.token_hex(8))
# Made once: asked at every request and at every change of what a tab shows.
_HOLDER: Any = (
    select(User)
    .join(AccessToken, col(AccessToken.user_id) == col(User.id))
    .where(
        col(AccessToken.token_hash) == bindparam("hash"),
        col(AccessToken.kind) == bindparam("kind"),
        or_(col(AccessToken.expires_at).is_(None), col(AccessToken.expires_at) > bindparam("now")),
    )
)


async def create_user(
    uow: UnitOfWork, email: str, password: str | None = None, name: str = ""
) -> User:
    """A new user; without a password they enter by a one-time link."""
    email = email.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 320:
        raise InvalidInput("email", "Enter an e-mail address, for example ada@example.com.")
    if password is not None and len(password) < MINIMUM_PASSWORD:
        raise InvalidInput("password", f"Use at least {MINIMUM_PASSWORD} characters.")
    user = User(
        email=email,
        name=name.strip()[:120],
        password_hash=_hasher.hash(_bytes(password)) if password else None,
        created_at=uow.now,
    )
    if not await uow.add_unless_exists(user):
        raise Conflict(f"There is a user {email} already.")
    return user


async def find_user(session: AsyncSession, email: str) -> User | None:
    """The user with this address, in any letter case."""
    return await session.scalar(select(User).where(col(User.email) == email.strip().lower()))


async def count_users(session: AsyncSession) -> int:
    """How many people this installation has."""
    return await session.scalar(select(func.count()).select_from(User)) or 0


async def owner(uow: UnitOfWork) -> User:
    """The first user; made when there is nobody yet, to be entered by a one-time link."""
    first = await uow.session.scalar(select(User).order_by(User.created_at, User.id).limit(1))  # type: ignore[arg-type]
    return first or await create_user(uow, "owner@localhost", name="Owner")


async def authenticate(uow: UnitOfWork, email: str, password: str) -> User:
    """The user whom e-mail and password prove; raises `NotAllowed` without saying which is wrong."""
    user = await find_user(uow.session, email)
    try:
        known = user.password_hash if user and user.password_hash else _NOBODY
        _hasher.verify(known, _bytes(password))
    except (VerificationError, InvalidHashError):
        user = None
    if user is None or user.password_hash is None:
        raise NotAllowed("E-mail or password is not right.")
    return user


async def open_session(uow: UnitOfWork, user_id: str) -> str:
    """A session token for the browser's cookie."""
    await uow.session.execute(delete(AccessToken).where(col(AccessToken.expires_at) < uow.now))
    return await _issue(uow, user_id, TokenKind.SESSION, lifetime=SESSION_LIFETIME)


async def close_session(uow: UnitOfWork, token: str) -> None:
    """Signs the browser out."""
    await uow.session.execute(
        delete(AccessToken).where(col(AccessToken.token_hash) == _digest(token))
    )


async def user_for_session(session: AsyncSession, token: str) -> User | None:
    """The user whose browser holds this token, unless it has expired."""
    return await _user_for(session, token, TokenKind.SESSION)


async def issue_sign_in_link(uow: UnitOfWork, user_id: str) -> str:
    """A token that opens one session, once, within a day."""
    return await _issue(uow, user_id, TokenKind.SIGN_IN_LINK, lifetime=LINK_LIFETIME)


async def redeem_sign_in_link(uow: UnitOfWork, token: str) -> str:
    """Trades a one-time token for a session token; raises `NotAllowed` the second time."""
    user_id = await uow.session.scalar(
        delete(AccessToken)
        .where(
            col(AccessToken.token_hash) == _digest(token),
            col(AccessToken.kind) == TokenKind.SIGN_IN_LINK,
            col(AccessToken.expires_at) > uow.now,
        )
        .returning(col(AccessToken.user_id))
    )
    if user_id is None:
        raise NotAllowed("This sign-in link has been used or is too old.")
    return await open_session(uow, user_id)


async def issue_answer_link(uow: UnitOfWork, user_id: str, info_request_id: str) -> str:
    """A token that opens one question, without signing in, for a week."""
    return await _issue(
        uow,
        user_id,
        TokenKind.ANSWER_LINK,
        lifetime=ANSWER_LINK_LIFETIME,
        info_request_id=info_request_id,
    )


async def question_of_link(session: AsyncSession, token: str, now: datetime) -> InfoRequest | None:
    """The question that the link is for, answered or not; None when it opens nothing any more."""
    return await session.scalar(
        select(InfoRequest)
        .join(AccessToken, col(AccessToken.info_request_id) == col(InfoRequest.id))
        .where(
            col(AccessToken.token_hash) == _digest(token),
            col(AccessToken.kind) == TokenKind.ANSWER_LINK,
            col(AccessToken.expires_at) > now,
        )
    )


async def create_api_key(uow: UnitOfWork, user_id: str, label: str = "") -> str:
    """An API key; it is shown once and never again."""
    if await uow.session.get(User, user_id) is None:
        raise NotFound("There is no such user.")
    return await _issue(uow, user_id, TokenKind.API_KEY, label=label, prefix="od_")


async def user_for_api_key(session: AsyncSession, key: str) -> User | None:
    """The user whom the key stands for."""
    return await _user_for(session, key, TokenKind.API_KEY)


async def api_keys(session: AsyncSession, user_id: str) -> list[AccessToken]:
    """The user's API keys, newest first."""
    rows = await session.scalars(
        select(AccessToken)
        .where(col(AccessToken.user_id) == user_id, col(AccessToken.kind) == TokenKind.API_KEY)
        .order_by(col(AccessToken.id).desc())
    )
    return list(rows)


async def revoke_api_key(uow: UnitOfWork, user_id: str, key_id: str) -> None:
    """Makes a key of the user's useless at once; raises `NotFound`."""
    gone = await uow.session.scalar(
        delete(AccessToken)
        .where(
            col(AccessToken.id) == key_id,
            col(AccessToken.user_id) == user_id,
            col(AccessToken.kind) == TokenKind.API_KEY,
        )
        .returning(col(AccessToken.id))
    )
    if gone is None:
        raise NotFound("There is no such key.")


async def update_profile(
    uow: UnitOfWork, user_id: str, *, name: str, time_zone: str, mobile_number: str
) -> User:
    """What a person says about themselves; an empty mobile number means no text messages.

    Raises `InvalidInput` with the field's name.
    """
    user = await uow.session.get_one(User, user_id)
    name, zone, mobile = name.strip(), time_zone.strip(), mobile_number.strip()
    if len(name) > 120:
        raise InvalidInput("name", "Keep the name under 120 characters.")
    if zone not in available_timezones():
        raise InvalidInput("time_zone", "Choose a time zone of the list, such as Europe/Berlin.")
    try:
        number = phone_numbers.parse(mobile).e164 if mobile else None
    except InvalidInput as error:
        raise InvalidInput("mobile_number", error.message) from None
    if number != user.mobile_number:
        user.texts_stopped_at = None
    user.name, user.time_zone, user.mobile_number = name, zone, number
    return user


async def _issue(
    uow: UnitOfWork,
    user_id: str,
    kind: TokenKind,
    *,
    lifetime: timedelta | None = None,
    label: str = "",
    prefix: str = "",
    info_request_id: str | None = None,
) -> str:
    token = prefix + secrets.token_urlsafe(32)
    uow.session.add(
        AccessToken(
            user_id=user_id,
            kind=kind,
            token_hash=_digest(token),
            label=label[:120],
            info_request_id=info_request_id,
            created_at=uow.now,
            expires_at=uow.now + lifetime if lifetime else None,
        )
    )
    await uow.session.flush()
    return token


async def _user_for(session: AsyncSession, token: str, kind: TokenKind) -> User | None:
    if not token:
        return None
    values = {"hash": _digest(token), "kind": kind, "now": utc_now()}
    holder: User | None = await session.scalar(_HOLDER, values)
    return holder


def _digest(token: str) -> str:
    return hashlib.sha256(_bytes(token)).hexdigest()


def _bytes(secret: str) -> bytes:
    # JSON can carry half a surrogate pair, which plain UTF-8 refuses.
    return secret.encode("utf-8", "surrogatepass")
