"""A question that no tab has answered by half of its time goes to its creator's mobile phone.

The row is written before the carrier is asked, and there is one for each question at most: a text
whose sending was not confirmed is never sent again, because the carrier knows no idempotency.
Only what provably was not taken is taken back, and the sweep sends it anew.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import CarrierError, Conflict, InvalidInput
from opendeep_app.models import (
    InfoRequest,
    InfoRequestStatus,
    Task,
    TaskEventType,
    TextMessage,
    TextStatus,
    User,
)
from opendeep_app.models.info_requests import WAITING
from opendeep_app.models.task_events import InfoRequestRef
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.repositories import text_messages as rows
from opendeep_app.services import accounts, info_requests, phone_numbers
from opendeep_app.services.transitions import record

VIA = "text"
#: How long a reply still finds its question.
REMEMBERED = timedelta(days=7)
LONGEST_QUOTE = 320
#: What the carrier takes as a wish for silence, and for its end (twilio.com/docs/messaging/opt-out).
STOP_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"]
)
START_WORDS = frozenset({"START", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
#: The carrier's answer when the recipient has sent it STOP.
STOPPED_AT_CARRIER = 21610
_CODED = re.compile(r"\s*(Q\d{1,3})\b[\s:.,)\-]*(.*)", re.IGNORECASE | re.DOTALL)

STOPPED = "OpenDeep sends you no more texts. Reply START to get your agent's questions again."
STARTED = "OpenDeep texts you the questions of your phone agent again. Reply STOP to end that."
HELP = (
    "OpenDeep texts you the questions that your phone agent meets during a call. Reply with the "
    "answer, or with its number if answers are numbered. Reply STOP to end these texts."
)
NOTHING_OPEN = "No question of your agent's waits for you at the moment."


@dataclass(frozen=True)
class Outgoing:
    """A text to be sent now; its words are kept nowhere."""

    id: str
    phone_number: str
    body: str


def due_at(request: InfoRequest) -> datetime:
    """When half of a question's first deadline has passed."""
    return request.asked_at + timedelta(seconds=request.timeout_seconds / 2)


async def claim(uow: UnitOfWork, info_request_id: str, web_url: str) -> Outgoing | None:
    """Takes a question for sending; None when it is not due, settled or somebody's already."""
    request = await uow.session.get(InfoRequest, info_request_id)
    if request is None:
        return None
    task = await task_rows.lock(uow.session, request.task_id)
    await uow.session.refresh(request)
    user = await uow.session.get_one(User, request.user_id)
    if (
        request.status is not InfoRequestStatus.OPEN
        or not user.mobile_number
        or user.texts_stopped_at is not None
        or not due_at(request) <= uow.now < request.deadline_at
    ):
        return None
    sent = await rows.recent(uow.session, user.mobile_number, uow.now - REMEMBERED)
    others = [text.code for text, asked in sent if asked.status in WAITING]
    text = TextMessage(
        user_id=user.id,
        info_request_id=request.id,
        phone_number=user.mobile_number,
        code=next(code for n in range(1, 1000) if (code := f"Q{n}") not in others),
        # Where an answer may be a number itself, numbers do not stand for answers.
        numbered=not any(re.search(r"^\d{1,2}$", s.strip()) for s in request.suggestions),
        created_at=uow.now,
    )
    if not await uow.add_unless_exists(text):
        return None
    token = await accounts.issue_answer_link(uow, user.id, request.id)
    await record(
        uow,
        task,
        TaskEventType.INFO_TEXTED,
        InfoRequestRef(
            info_request_id=request.id, reason="Nobody had answered by half of its time."
        ),
        call_id=request.call_id,
    )
    body = _body(uow, request, task, text, several=bool(others))
    return Outgoing(text.id, user.mobile_number, f"{body} {web_url}/answer/{token}")


async def sent(
    uow: UnitOfWork, text_id: str, carrier_sid: str, segments: int, segment_micros: int
) -> None:
    """The carrier has taken the text, and charges for each segment."""
    text = await uow.session.get_one(TextMessage, text_id)
    text.status, text.carrier_sid = TextStatus.SENT, carrier_sid
    text.cost_micros = segments * segment_micros


async def failed(uow: UnitOfWork, text_id: str, error: CarrierError) -> None:
    """The carrier has not taken it: what may be sent again is as if it had never been claimed."""
    text = await uow.session.get_one(TextMessage, text_id)
    if not error.permanent and not error.maybe_placed:
        await uow.session.delete(text)
        return
    text.status, text.carrier_error = TextStatus.FAILED, error.code or None
    if error.code == STOPPED_AT_CARRIER:
        for user in await rows.phone_owners(uow.session, text.phone_number):
            user.texts_stopped_at = uow.now


async def receive(uow: UnitOfWork, phone_number: str, body: str, opt_out: str = "") -> str:
    """Takes a text from a creator's phone; returns the reply, empty for none.

    `opt_out` is the carrier's own reading (STOP, START or HELP); it has replied then itself.
    """
    owners = await rows.phone_owners(uow.session, phone_number)
    if not owners:
        return ""
    word = body.strip().strip(".!").upper()
    wish = opt_out.upper() or _wish(word, stopped=any(user.texts_stopped_at for user in owners))
    if wish:
        for user in owners:
            if wish == "STOP":
                user.texts_stopped_at = uow.now
            elif wish == "START":
                user.texts_stopped_at = None
        return "" if opt_out else {"STOP": STOPPED, "START": STARTED}.get(wish, HELP)
    sent = await rows.recent(uow.session, phone_number, uow.now - REMEMBERED)
    meant = _meant(sent, body)
    if meant is None:
        return NOTHING_OPEN
    text, request, words = meant
    return await _answer(uow, request, _chosen(text, request, words))


def _wish(word: str, *, stopped: bool) -> str:
    if word in STOP_WORDS:
        return "STOP"
    # "Yes" ends the silence, and is an answer otherwise.
    if word in START_WORDS or (stopped and word == "YES"):
        return "START"
    return "HELP" if word in HELP_WORDS else ""


def _meant(
    sent: list[tuple[TextMessage, InfoRequest]], body: str
) -> tuple[TextMessage, InfoRequest, str] | None:
    """The question that a text answers, and its words without the code."""
    coded = _CODED.fullmatch(body)
    code = coded[1].upper() if coded else ""
    with_code = [pair for pair in sent if pair[0].code == code]
    words = coded[2] if coded and with_code else body
    candidates = with_code or sent
    # The latest that somebody waits for on the line, else that a call is owed for, else the latest.
    order = [InfoRequestStatus.OPEN, InfoRequestStatus.EXPIRED]
    candidates = sorted(candidates, key=lambda pair: [*order, pair[1].status].index(pair[1].status))
    return (*candidates[0], words) if candidates else None


def _chosen(text: TextMessage, request: InfoRequest, words: str) -> str:
    """The suggestion that a number stands for, or the words themselves."""
    number = words.strip().strip(".)")
    if text.numbered and number.isdecimal() and 1 <= int(number) <= len(request.suggestions):
        return request.suggestions[int(number) - 1]
    return words


async def _answer(uow: UnitOfWork, request: InfoRequest, words: str) -> str:
    quoted = f"“{_short(request.question, 80)}”"
    try:
        words = info_requests.clean_answer(words)
        request = await info_requests.answer(uow, request.user_id, request.id, words, VIA)
    except InvalidInput as error:
        return error.message
    except Conflict as error:
        # The carrier delivers a text again when it is not sure that we have got it.
        if request.answered_via != VIA or request.answer != words:
            return error.message
    if request.status is InfoRequestStatus.ANSWERED:
        return f"Thank you. Your answer to {quoted} is in the call."
    task = await uow.session.get_one(Task, request.task_id)
    return f"Thank you. The call is over, so we ring {_who(task)} back{_when(uow, task)}."


def _body(
    uow: UnitOfWork, request: InfoRequest, task: Task, text: TextMessage, *, several: bool
) -> str:
    left = round((request.deadline_at - uow.now).total_seconds())
    parts = [
        f"Your agent is on the phone with {_who(task)} and asks:",
        _short(request.question, LONGEST_QUOTE),
    ]
    if text.numbered:
        parts += [f"{n}) {_short(s, 60)}" for n, s in enumerate(request.suggestions, start=1)]
    how = f"Begin your reply with {text.code}, within" if several else "Reply within"
    parts.append(f"{how} {left} s; later we ring them back. Or:")
    return "\n".join(parts)


def _who(task: Task) -> str:
    return task.contact_name or phone_numbers.international(task.phone_number)


def _when(uow: UnitOfWork, task: Task) -> str:
    if task.next_action_at is None or task.next_action_at <= uow.now:
        return ""
    local = task.next_action_at.astimezone(ZoneInfo(task.time_zone))
    return f" on {local:%A at %H:%M} their time"


def _short(text: str, longest: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
