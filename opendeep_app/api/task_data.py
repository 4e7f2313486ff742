"""What is kept of a task: all of it to take away, and none of it any more."""

from typing import Any

from fastapi import APIRouter, Response

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import PathId
from opendeep_app.services import task_data

router = APIRouter(prefix="/tasks", tags=["Tasks"])


@router.get("/{task_id}/export")
async def export_task(caller: Caller, deps: Deps, task_id: PathId) -> dict[str, Any]:
    """Everything that is kept of a task, by table."""
    async with deps.db.reading() as session:
        return await task_data.export(session, caller.id, task_id)


@router.delete("/{task_id}", status_code=204, response_class=Response)
async def erase_task(caller: Caller, deps: Deps, task_id: PathId) -> None:
    """Erase a task with its calls, transcripts, recordings and history, for good.

    Not while a call of it is going on (409).
    """
    async with deps.db.unit_of_work() as uow:
        await task_data.erase(uow, caller.id, task_id)
