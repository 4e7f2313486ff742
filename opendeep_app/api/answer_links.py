"""The page behind an answer link: one question, for whoever holds the link, without signing in.

Plain HTML that needs no script, so that it opens at once on any phone. Only a POST answers: what
previews links does not.
"""

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from opendeep_app.errors import Conflict, InvalidInput
from opendeep_app.essentials import Essentials
from opendeep_app.models import InfoRequest, InfoRequestStatus
from opendeep_app.services import accounts, info_requests

VIA = "link"
WAYS = {"web": "in the browser", "text": "by text message", "api": "through the API"}
LARGEST_FORM = 16 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
STYLE = """
:root { color-scheme: light dark; --ink: #16181d; --soft: #5b626e; --line: #d9dce3; --card: #fff;
  --back: #f6f7f9; --accent: #3e63dd; --bad: #c62a2f; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a4abb6; --line: #363a41;
  --card: #1a1d21; --back: #0e0f11; --bad: #ff9592; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px;
  background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(440px, 100%); background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; padding: 24px; overflow-wrap: anywhere; }
p { margin: 0 0 12px; } .soft { color: var(--soft); font-size: 14px; } .bad { color: var(--bad); }
h1 { font-size: 20px; line-height: 1.35; letter-spacing: -.01em; margin: 4px 0 18px; }
form { display: grid; gap: 10px; margin: 0 0 14px; } label { font-size: 14px; color: var(--soft); }
textarea, button { width: 100%; font: inherit; border-radius: 10px; border: 1px solid var(--line);
  padding: 11px 14px; background: transparent; color: inherit; }
textarea { min-height: 84px; resize: vertical; }
button { cursor: pointer; text-align: left; min-height: 46px; }
button.main { background: var(--accent); border-color: transparent; color: #fff; font-weight: 600;
  text-align: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
"""


def build_answer_links(deps: Essentials) -> Starlette:
    """The routes below /answer."""

    async def show(request: Request) -> Response:
        """The question, or what has become of it."""
        async with deps.db.reading() as session:
            question = await accounts.question_of_link(
                session, request.path_params["token"], deps.clock()
            )
        return _gone() if question is None else _shown(question, deps)

    async def answer(request: Request) -> Response:
        """Takes the answer; whoever is first counts, here as everywhere."""
        length = request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_FORM:
            return _page("<h1>This is too long for an answer.</h1>", 413)
        form = await request.form()
        text, token = str(form.get("answer", "")), request.path_params["token"]
        async with deps.db.reading() as session:
            question = await accounts.question_of_link(session, token, deps.clock())
        if question is None:
            return _gone()
        try:
            async with deps.db.unit_of_work() as uow:
                question = await info_requests.answer(uow, question.user_id, question.id, text, VIA)
        except InvalidInput as error:
            return _shown(question, deps, error.message)
        except Conflict:
            async with deps.db.reading() as session:
                question = await session.get_one(InfoRequest, question.id)
            return _shown(question, deps, "Somebody was faster.")
        late = question.status is InfoRequestStatus.ANSWERED_LATE
        words = (
            "The call was over already, so OpenDeep rings them back with it."
            if late
            else "It is in the call."
        )
        return _page(f"<h1>Thank you for your answer.</h1><p>{words}</p>")

    return Starlette(
        routes=[
            Route("/{token}", show),
            Route("/{token}", answer, methods=["POST"]),
        ]
    )


def _shown(question: InfoRequest, deps: Essentials, problem: str = "") -> Response:
    asked = f"<h1>{escape(question.question)}</h1>"
    error = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
    if question.answer is not None:
        way = WAYS.get(question.answered_via or "", "through this link")
        body = f"{asked}{error}<p>Answered {way}: <b>“{escape(question.answer)}”</b></p>"
        return _page(body, 409 if problem else 200)
    if question.status is InfoRequestStatus.CANCELLED:
        return _page(f"{asked}<p>This answer is not needed any more.</p>", 409 if problem else 200)
    live = question.status is InfoRequestStatus.OPEN
    left = max(0, round((question.deadline_at - deps.clock()).total_seconds()))
    about = f"{left} seconds" if left < 100 else f"{round(left / 60)} minutes"
    head, then = (
        (
            "Your agent is on the phone and asks",
            f"They wait for about {about} more; after that a later answer makes a new call.",
        )
        if live
        else ("Your agent asked", "The call is over: with your answer OpenDeep rings them back.")
    )
    suggested = "".join(
        f'<button name="answer" value="{escape(text)}">{escape(text)}</button>'
        for text in question.suggestions
    )
    choices = f'<form method="post">{suggested}</form>' if suggested else ""
    body = (
        f'<p class="soft">{head}</p>{asked}{error}{choices}'
        '<form method="post"><label for="answer">Your answer</label>'
        '<textarea id="answer" name="answer" maxlength="2000" required></textarea>'
        f'<button class="main">Answer</button></form><p class="soft">{then}</p>'
    )
    return _page(body, 422 if problem else 200)


def _gone() -> Response:
    return _page(
        "<h1>This link does not open anything any more.</h1>"
        "<p>Sign in to see the questions that wait for you.</p>",
        404,
    )


def _page(body: str, status: int = 200) -> Response:
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>A question · OpenDeep</title><style>{STYLE}</style></head>"
        f'<body><main data-testid="answer-page">{body}</main></body></html>',
        status,
        HEADERS,
    )
