"""Jobs that send questions to mobile phones."""

from typing import Any

import structlog

from opendeep_app.dependencies import Dependencies
from opendeep_app.errors import CarrierError
from opendeep_app.repositories import text_messages as rows
from opendeep_app.services import text_messages

log = structlog.get_logger()


async def text_question(ctx: dict[str, Any], info_request_id: str) -> bool:
    """Sends a question that nobody has answered; True for the one job that does."""
    deps: Dependencies = ctx["deps"]
    async with deps.db.unit_of_work() as uow:
        text = await text_messages.claim(uow, info_request_id, deps.settings.web_url)
    if text is None:
        return False
    try:
        sid, segments = await deps.telephony.send_text(text.phone_number, text.body)
    except CarrierError as error:
        log.warning("text_not_sent", info_request_id=info_request_id, code=error.code)
        async with deps.db.unit_of_work() as uow:
            await text_messages.failed(uow, text.id, error)
        return False
    price = deps.settings.text_segment_micros
    async with deps.db.unit_of_work() as uow:
        await text_messages.sent(uow, text.id, sid, segments, price)
    return True


async def sweep_texts(ctx: dict[str, Any]) -> int:
    """Sends what no job has sent; returns how many."""
    deps: Dependencies = ctx["deps"]
    now = deps.clock()
    async with deps.db.reading() as session:
        waiting = await rows.unsent(session, now)
    due = [request.id for request in waiting if text_messages.due_at(request) <= now]
    return sum([await text_question(ctx, request_id) for request_id in due])
