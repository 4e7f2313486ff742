"""What a creator can do with a call that is going on: tell the agent something, hang up."""

from opendeep_app.bus import Whisper
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import Actor, Call, CallStatus, TaskEventType
from opendeep_app.models.task_events import NoteGiven
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import ending
from opendeep_app.services.transitions import record

MAX_NOTE = 500
OVER = "This call is over."


async def whisper(uow: UnitOfWork, user_id: str, call_id: str, text: str, via: str) -> Call:
    """Tells the agent something that the recipient does not hear; it acts on it from then on.

    Raises `InvalidInput` for an empty or too long note and `Conflict` unless the agent is on
    the phone.
    """
    text = " ".join(text.split())
    if not text:
        raise InvalidInput("text", "Write what the agent should know.")
    if len(text) > MAX_NOTE:
        raise InvalidInput("text", f"Keep a note under {MAX_NOTE} characters.")
    call = await _own(uow, user_id, call_id)
    if not call.status.live or call.session_closed_at is not None:
        raise Conflict(f"{OVER} The agent cannot hear you any more.")
    if call.status is not CallStatus.ANSWERED or call.session_opened_at is None:
        raise Conflict("Nobody has picked up yet. Send your note once they talk.")
    task = await task_rows.lock(uow.session, call.task_id)
    payload = NoteGiven(text=text, via=via)
    await record(uow, task, TaskEventType.NOTE_GIVEN, payload, actor=Actor.CREATOR, call_id=call.id)
    uow.command(Whisper(call_id=call.id, text=text))
    return call


async def hang_up(uow: UnitOfWork, user_id: str, call_id: str) -> Call:
    """Ends a call that is in the network; its task goes on as after any other call.

    Raises `Conflict` for a call that is over or has not been dialled.
    """
    call = await _own(uow, user_id, call_id)
    if call.status is CallStatus.INTENT:
        raise Conflict("This call has not been dialled yet. Hold or cancel its task instead.")
    if not call.status.live:
        raise Conflict(OVER)
    await ending.hang_up(uow, call, "You ended the call.")
    return call


async def _own(uow: UnitOfWork, user_id: str, call_id: str) -> Call:
    call = await call_rows.get(uow.session, user_id, call_id)
    if call is None:
        raise NotFound("There is no such call.")
    return call
