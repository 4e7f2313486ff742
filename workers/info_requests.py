"""Jobs for the question loop."""

from datetime import timedelta
from typing import Any

from opendeep_app.dependencies import Dependencies
from opendeep_app.models import InfoRequest
from opendeep_app.repositories import info_requests as question_rows
from opendeep_app.services import info_requests

#: The voice session that holds the call ends the wait itself; this repairs what it could not.
GRACE = timedelta(seconds=2)


async def expire_info_requests(ctx: dict[str, Any]) -> int:
    """Ends the wait of questions past their deadline; returns how many this call ended."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.reading() as session:
        overdue = await question_rows.overdue(session, deps.clock() - GRACE)
    ended = 0
    for request_id in overdue:
        async with deps.db.unit_of_work() as uow:
            request = await uow.session.get_one(InfoRequest, request_id)
            # The creator may have asked for more time since.
            if request.deadline_at < uow.now:
                ended += await info_requests.expire(uow, request_id)
    return ended
