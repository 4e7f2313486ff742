"""The person who is signed in, and signing in and out."""

from typing import Any
from urllib.parse import quote

import reflex as rx

from opendeep_app.errors import NotAllowed
from opendeep_app.limits import PASSWORD, PASSWORD_ANYWHERE
from opendeep_app.live import tabs
from opendeep_app.runtime import deps
from opendeep_app.services import accounts, carrier_health
from opendeep_app.state.access import SIGN_IN, viewer
from opendeep_app.words import _


class SessionState(rx.State):
    """What the frame around every page shows."""

    signed_in: bool = False
    name: str = ""
    email: str = ""
    practice: bool = False
    #: What keeps every call from going out, in words; empty when nothing does.
    carrier_trouble: str = ""

    @rx.event
    async def enter(self) -> Any:
        """First of every page's loaders: sends strangers to the sign-in page."""
        user = await viewer(self)
        if user is None:
            self.reset()  # type: ignore[no-untyped-call]
            tabs.forget(self.router.session.client_token)
            return rx.redirect(SIGN_IN)
        tabs.enter(self.router.session.client_token, user.id)
        self.signed_in = True
        self.email = user.email
        self.name = user.name or user.email.split("@")[0]
        self.practice = deps().settings.practice
        async with deps().db.reading() as session:
            health = await carrier_health.current(session)
        self.carrier_trouble = health.reason if health.retry_at else ""
        return None

    @rx.event
    def hide(self) -> None:
        """Nobody looks at the tab any more; its return runs the page's loaders."""
        tabs.hide(self.router.session.client_token)

    @rx.event
    def leave(self) -> Any:
        """Signs out: the cookie can only be cleared by the server, the whole page goes with it."""
        return rx.call_script(
            "fetch('/auth/leave', {method: 'POST', redirect: 'manual'})"
            ".finally(() => window.location.assign('/sign-in'))"
        )


#: What came of a sign-in link.
LINKS = {
    "used": _("This sign-in link has been used or is too old. Use your password."),
    "wait": _("Too many sign-in links were tried from your address. Try again in a minute."),
}


class SignInState(rx.State):
    """The sign-in page."""

    error: str = ""
    busy: bool = False

    @rx.event
    async def load(self) -> Any:
        """Passes on who is signed in already."""
        self.busy = False
        self.error = LINKS.get(self.router.url.query_parameters.get("link", ""), "")
        return rx.redirect("/") if await viewer(self) else None

    @rx.event
    async def submit(self, form: dict[str, Any]) -> Any:
        """Checks e-mail and password; the session's cookie is set by the ticket's page."""
        self.error, self.busy = "", True
        yield
        email = str(form.get("email", ""))
        limits, whose = deps().limits, email.strip().lower()
        here = f"{whose} {self.router.session.client_ip}"
        try:
            await limits.check(PASSWORD, here)
            await limits.check(PASSWORD_ANYWHERE, whose)
            async with deps().db.unit_of_work() as uow:
                user = await accounts.authenticate(uow, email, str(form.get("password", "")))
                ticket = await accounts.issue_sign_in_link(uow, user.id)
        except NotAllowed as error:
            self.error, self.busy = error.message, False
            return
        await limits.forgive(PASSWORD, here)
        await limits.forgive(PASSWORD_ANYWHERE, whose)
        yield rx.call_script(f"window.location.assign('/auth/enter?ticket={quote(ticket)}')")
