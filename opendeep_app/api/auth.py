"""Browser sessions: the one-time door that sets the session cookie, and the way out.

The cookie is HttpOnly, so that no script on a page can read it, and SameSite=Lax, so that
other sites' forms and sockets do not carry it.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from opendeep_app.errors import NotAllowed
from opendeep_app.essentials import Essentials
from opendeep_app.limits import SIGN_IN_LINK
from opendeep_app.services import accounts

COOKIE = "opendeep_session"
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def session_token(cookie_header: str) -> str:
    """The session's token in a Cookie header, empty when there is none."""
    try:
        morsel = SimpleCookie(cookie_header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def build_auth(deps: Essentials) -> Starlette:
    """The routes below /auth."""
    secure = urlsplit(deps.settings.web_url).scheme == "https"

    async def enter(request: Request) -> Response:
        """Trades a one-time ticket for a session."""
        place = request.client.host if request.client else ""
        if not (await deps.limits.take(SIGN_IN_LINK, place)).granted:
            return RedirectResponse("/sign-in?link=wait", status_code=303, headers=_PRIVATE)
        try:
            async with deps.db.unit_of_work() as uow:
                token = await accounts.redeem_sign_in_link(
                    uow, request.query_params.get("ticket", "")
                )
        except NotAllowed:
            return RedirectResponse("/sign-in?link=used", status_code=303, headers=_PRIVATE)
        await deps.limits.forgive(SIGN_IN_LINK, place)
        response = RedirectResponse("/", status_code=303, headers=_PRIVATE)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(accounts.SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=secure,
        )
        return response

    async def leave(request: Request) -> Response:
        """Ends the session; a POST, so that no link or image can sign anybody out."""
        token = request.cookies.get(COOKIE, "")
        if token:
            async with deps.db.unit_of_work() as uow:
                await accounts.close_session(uow, token)
        response = RedirectResponse("/sign-in", status_code=303, headers=_PRIVATE)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=secure)
        return response

    return Starlette(routes=[Route("/enter", enter), Route("/leave", leave, methods=["POST"])])
