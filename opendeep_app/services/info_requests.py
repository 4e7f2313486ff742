"""The question loop: asked in the middle of a call, answered in time, or too late, exactly once.

Every end of a question is a compare-and-set on its row. The task's row is locked first, so
that an answer, a deadline and the end of the call that arrive together are decided in turn.
"""

import unicodedata
from datetime import timedelta

from sqlalchemy import ColumnElement, update
from sqlmodel import col

from opendeep_app.bus import AnswerGiven, ExtendWait, Topic, WaitEnded
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import (
    Actor,
    Call,
    InfoRequest,
    InfoRequestStatus,
    Task,
    TaskEventType,
    TaskStatus,
    User,
)
from opendeep_app.models.task_events import Asked, InfoAnswered, InfoExtended, InfoRequestRef
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import facts
from opendeep_app.services.scheduling import call_back
from opendeep_app.services.transitions import record

Status = InfoRequestStatus

MAX_ANSWER = 2000
MOST_SUGGESTIONS = 6
LONGEST_SUGGESTION = 200
NO_SUCH_QUESTION = "There is no such question."
NOBODY_WAITS = "Nobody is waiting on the line any more."
SHORTEST_WAIT_SECONDS = 5
LONGEST_WAIT_SECONDS = 600


async def ask(
    uow: UnitOfWork,
    call_id: str,
    function_call_id: str,
    question: str,
    recipient_message: str = "",
    timeout_seconds: float | None = None,
    suggestions: list[str] | None = None,
) -> InfoRequest:
    """Opens a question of a live call; the same `function_call_id` gives the same row again.

    The creator gets at least as long as their task, or else the installation, says:
    the model's own idea of a deadline may only lengthen the wait.
    """
    call = await uow.session.get_one(Call, call_id)
    task = await task_rows.lock(uow.session, call.task_id)
    await uow.session.refresh(call)
    asked = await question_rows.for_call(uow.session, call_id)
    for earlier in asked:
        same_words = earlier.status is Status.OPEN and earlier.question == question
        if earlier.function_call_id == function_call_id or same_words:
            return earlier
    if task.status.terminal or not call.status.live:
        raise Conflict("The call is over, so nothing can be asked any more.")
    if call.session_opened_at is None:
        raise Conflict("Nobody is on the line yet, so nothing can have been asked.")
    least = task.info_timeout_seconds or uow.policy.info_timeout_seconds
    wait = min(max(timeout_seconds or 0, least, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
    suggestions = [text[:LONGEST_SUGGESTION] for text in suggestions or []]
    remembered = await facts.asked_for(uow, task.id, question)
    if remembered and len(remembered.answer) <= LONGEST_SUGGESTION:
        suggestions = list(dict.fromkeys([remembered.answer, *suggestions]))
    request = InfoRequest(
        user_id=task.user_id,
        task_id=task.id,
        call_id=call_id,
        function_call_id=function_call_id,
        question=question[:1000],
        recipient_message=recipient_message[:1000],
        suggestions=suggestions[:MOST_SUGGESTIONS],
        timeout_seconds=wait,
        asked_at=uow.now,
        deadline_at=uow.now + timedelta(seconds=wait),
    )
    uow.session.add(request)
    await uow.session.flush()
    await record(
        uow,
        task,
        TaskEventType.INFO_REQUESTED,
        Asked(
            info_request_id=request.id,
            question=request.question,
            deadline_at=request.deadline_at,
        ),
        actor=Actor.AGENT,
        call_id=call_id,
    )
    _tell(uow, request)
    user = await uow.session.get_one(User, request.user_id)
    if user.mobile_number and user.texts_stopped_at is None:
        uow.enqueue(
            "text_question",
            request.id,
            job_id=f"text:{request.id}",
            defer_until=uow.now + timedelta(seconds=wait / 2),
        )
    return request


async def get(uow: UnitOfWork, user_id: str, info_request_id: str) -> InfoRequest:
    """The question, if it is this user's; raises `NotFound`."""
    request = await question_rows.get(uow.session, user_id, info_request_id)
    if request is None:
        raise NotFound(NO_SUCH_QUESTION)
    return request


async def answer(
    uow: UnitOfWork, user_id: str, info_request_id: str, text: str, via: str
) -> InfoRequest:
    """Takes the creator's answer: ANSWERED goes into the live call, ANSWERED_LATE calls back.

    `via` names the way it came (web, api …). Raises `InvalidInput` for an unusable text,
    `NotFound`, and `Conflict` when somebody answered before or no answer is needed any more.
    """
    text = clean_answer(text)
    request, task = await _lock(uow, user_id, info_request_id)
    values = {"answer": text, "answered_at": uow.now, "answered_via": via}
    if await _set(uow, request, Status.OPEN, Status.ANSWERED, **values):
        uow.command(AnswerGiven(call_id=request.call_id, info_request_id=request.id, answer=text))
    elif not await _set(uow, request, Status.EXPIRED, Status.ANSWERED_LATE, **values):
        if request.status is Status.CANCELLED:
            raise Conflict("The task has ended, so this answer is not needed any more.")
        raise Conflict(f"This question has been answered already: “{request.answer}”.")
    # What must be asked about first was among the suggestions.
    if text in request.suggestions:
        remembered = await facts.asked_for(uow, task.id, request.question)
        if remembered and remembered.answer == text:
            await facts.disclosed(uow, request.call_id, [remembered.id])
    await record(
        uow,
        task,
        TaskEventType.INFO_ANSWERED,
        InfoAnswered(
            info_request_id=request.id,
            answer=text,
            via=via,
            late=request.status is Status.ANSWERED_LATE,
        ),
        actor=Actor.CREATOR,
        call_id=request.call_id,
    )
    if task.status is TaskStatus.PENDING_USER_INFO and not await question_rows.owed(
        uow.session, task.id
    ):
        await call_back(uow, task, request.call_id)
    return request


async def extend(uow: UnitOfWork, user_id: str, info_request_id: str) -> InfoRequest:
    """Gives the creator more time, once: the recipient is asked to wait a little longer.

    Raises `NotFound`, and `Conflict` when nobody waits any more or it was extended before.
    """
    request, task = await _lock(uow, user_id, info_request_id)
    later = timedelta(seconds=uow.policy.info_extension_seconds)
    values = {"deadline_at": max(request.deadline_at, uow.now) + later, "extended_at": uow.now}
    never_before = col(InfoRequest.extended_at).is_(None)
    if not await _set(uow, request, Status.OPEN, Status.OPEN, never_before, **values):
        still_open = request.status is Status.OPEN
        raise Conflict("You have asked for more time already." if still_open else NOBODY_WAITS)
    uow.command(ExtendWait(call_id=request.call_id, info_request_id=request.id))
    await record(
        uow,
        task,
        TaskEventType.INFO_EXTENDED,
        InfoExtended(info_request_id=request.id, deadline_at=request.deadline_at),
        actor=Actor.CREATOR,
        call_id=request.call_id,
    )
    return request


async def postpone(uow: UnitOfWork, user_id: str, info_request_id: str) -> InfoRequest:
    """Ends the wait at once on the creator's wish: the question waits in their inbox instead.

    Raises `NotFound`, and `Conflict` when nobody waits any more.
    """
    request, task = await _lock(uow, user_id, info_request_id)
    reason = "You answer later; OpenDeep then calls back."
    if not await _end(uow, task, request, Status.EXPIRED, reason, Actor.CREATOR):
        raise Conflict(NOBODY_WAITS)
    uow.command(WaitEnded(call_id=request.call_id, info_request_id=request.id))
    return request


async def expire(uow: UnitOfWork, info_request_id: str, reason: str = "") -> bool:
    """Ends the wait without an answer; True for exactly one caller, and only if none came.

    A deadline that moves while this waits for its turn has won.
    """
    request = await uow.session.get_one(InfoRequest, info_request_id)
    seen = request.deadline_at
    task = await task_rows.lock(uow.session, request.task_id)
    await uow.session.refresh(request)
    if request.deadline_at != seen:
        return False
    return await _end(uow, task, request, Status.EXPIRED, reason or "No answer came in time.")


async def expire_all(uow: UnitOfWork, task: Task, call_id: str, reason: str) -> None:
    """Ends the wait for every open question of a call; the task's row is locked."""
    for request in await question_rows.for_call(uow.session, call_id):
        await _end(uow, task, request, Status.EXPIRED, reason)


async def cancel_all(uow: UnitOfWork, task: Task, reason: str) -> None:
    """Closes every question of a task that has ended; the task's row is locked."""
    for request in await question_rows.waiting(uow.session, task.id):
        await _end(uow, task, request, Status.CANCELLED, reason)


def clean_answer(text: str) -> str:
    """The answer without control characters; raises `InvalidInput` when empty or too long."""
    kept = (c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
    text = "".join(kept).strip()
    if not text:
        raise InvalidInput("answer", "Type an answer first.")
    if len(text) > MAX_ANSWER:
        raise InvalidInput(
            "answer",
            f"Keep the answer under {MAX_ANSWER:,} characters; this has {len(text):,}.",
        )
    return text


async def _lock(uow: UnitOfWork, user_id: str, info_request_id: str) -> tuple[InfoRequest, Task]:
    """The question and its task, which is ours from now on; raises `NotFound`."""
    locked = await question_rows.lock(uow.session, user_id, info_request_id)
    if locked is None:
        raise NotFound(NO_SUCH_QUESTION)
    return locked


async def _end(
    uow: UnitOfWork,
    task: Task,
    request: InfoRequest,
    status: Status,
    reason: str,
    actor: Actor = Actor.SYSTEM,
) -> bool:
    sources = (Status.OPEN, Status.EXPIRED) if status is Status.CANCELLED else (Status.OPEN,)
    if not any([await _set(uow, request, source, status) for source in sources]):
        return False
    event = TaskEventType.INFO_EXPIRED if status is Status.EXPIRED else TaskEventType.INFO_CANCELLED
    await record(
        uow,
        task,
        event,
        InfoRequestRef(info_request_id=request.id, reason=reason),
        actor=actor,
        call_id=request.call_id,
    )
    return True


async def _set(
    uow: UnitOfWork,
    request: InfoRequest,
    source: Status,
    target: Status,
    *conditions: ColumnElement[bool],
    **values: object,
) -> bool:
    # The row as it is now comes with the same statement.
    changed = await uow.session.scalar(
        update(InfoRequest)
        .where(col(InfoRequest.id) == request.id, col(InfoRequest.status) == source, *conditions)
        .values(status=target, **values)
        .returning(InfoRequest)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if changed is None:
        await uow.session.refresh(request)
        return False
    _tell(uow, request)
    return True


def _tell(uow: UnitOfWork, request: InfoRequest) -> None:
    uow.notify(
        request.user_id,
        Topic.INFO_REQUEST,
        task_id=request.task_id,
        call_id=request.call_id,
        info_request_id=request.id,
    )
