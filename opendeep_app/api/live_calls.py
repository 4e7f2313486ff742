"""What a creator can do with a call that is going on."""

from fastapi import APIRouter
from pydantic import Field

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.calls import Call
from opendeep_app.api.fields import Input, PathId, Words
from opendeep_app.services import live_calls as service

router = APIRouter(prefix="/calls", tags=["Live calls"])


class Note(Input):
    """Something for the agent's ears only."""

    text: Words = Field(max_length=service.MAX_NOTE)


@router.post("/{call_id}/whisper")
async def whisper_to_call(caller: Caller, deps: Deps, call_id: PathId, body: Note) -> Call:
    """Tell the agent something during the call; the recipient does not hear it.

    409 while nobody has picked up, and when the call is over.
    """
    async with deps.db.unit_of_work() as uow:
        call = await service.whisper(uow, caller.id, call_id, body.text, "api")
    return Call.model_validate(call)


@router.post("/{call_id}/hang-up")
async def hang_up_call(caller: Caller, deps: Deps, call_id: PathId) -> Call:
    """End a call that is in the network; its task goes on as after any other call.

    409 when it is over or has not been dialled.
    """
    async with deps.db.unit_of_work() as uow:
        return Call.model_validate(await service.hang_up(uow, caller.id, call_id))
