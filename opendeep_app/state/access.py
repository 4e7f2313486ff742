"""Who is looking: every handler and loader asks here before it reads or changes anything.

The session's token is in an HttpOnly cookie, which the browser sends when the page's socket
opens; Reflex keeps the socket's headers on the server.
"""

import reflex as rx
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.api.auth import session_token
from opendeep_app.models import User
from opendeep_app.runtime import deps
from opendeep_app.services import accounts

SIGN_IN = "/sign-in"


async def viewer(state: rx.State, session: AsyncSession | None = None) -> User | None:
    """The person who is signed in on this tab, None when nobody is (any more)."""
    token = session_token(state.router.headers.cookie)
    if not token:
        return None
    if session is not None:
        return await accounts.user_for_session(session, token)
    async with deps().db.reading() as fresh:
        return await accounts.user_for_session(fresh, token)
