"""What happens when the model calls one of the functions.

Errors go back to the model in words it can act on; every call of a function is logged as an
event of the task.
"""

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from opendeep_app.errors import CarrierError, OpenDeepError
from opendeep_app.services import calls, facts, findings, info_requests, spoken_times
from opendeep_app.voice import functions, metrics, questions, realtime_codec
from opendeep_app.voice.functions import (
    BadArguments,
    DoNotCall,
    EndCall,
    RecordAnswer,
    RequestUserInfo,
    RescheduleCall,
    SendDtmf,
)
from opendeep_app.voice.realtime_codec import FunctionCalled
from opendeep_app.voice.scribe import DATABASE_TROUBLE

if TYPE_CHECKING:
    from opendeep_app.voice.session import CallSession

log = structlog.get_logger()

WRITTEN_SECONDS = 1.0


async def act(session: "CallSession", function: FunctionCalled) -> None:
    """Carries out one function call; the same call of the model is never carried out twice."""
    try:
        arguments = functions.parse(function.name, function.arguments)
        match arguments:
            case RequestUserInfo():
                await _request_user_info(session, function, arguments)
            case EndCall():
                await _end_call(session, function, arguments)
            case SendDtmf():
                await _send_dtmf(session, function, arguments)
            case RescheduleCall():
                await _reschedule_call(session, function, arguments)
            case RecordAnswer():
                await _record_answer(session, function, arguments)
            case DoNotCall():
                await _do_not_call(session, function, arguments)
    except (BadArguments, OpenDeepError) as error:
        await _refuse(session, function, str(error))
    except DATABASE_TROUBLE as error:
        log.warning("function_failed", call_id=session.call_id, error=type(error).__name__)
        await _refuse(session, function, "This does not work at the moment. Go on without it.")


async def _request_user_info(
    session: "CallSession", function: FunctionCalled, arguments: RequestUserInfo
) -> None:
    async with session.deps.db.unit_of_work() as uow:
        fact = await facts.recall(uow, session.call_id, arguments.question)
    if fact:
        _record(session, function.name, arguments.model_dump(), ok=True, result="remembered")
        output = questions.given(fact.answer)
        session.model.tell(realtime_codec.function_output(function.call_id, output))
        return
    async with session.deps.db.unit_of_work() as uow:
        request = await info_requests.ask(
            uow,
            session.call_id,
            function.call_id,
            arguments.question,
            arguments.recipient_message,
            arguments.timeout_seconds,
            arguments.suggestions,
        )
    _record(session, function.name, arguments.model_dump(), ok=True, result="asked")
    if request.function_call_id != function.call_id:
        output = {"status": "pending", "note": "You have asked this already. Wait for the reply."}
        session.model.note(realtime_codec.function_output(function.call_id, output))
        return
    session.asked()
    await session.questions.wait(request, function.call_id)


async def _end_call(session: "CallSession", function: FunctionCalled, arguments: EndCall) -> None:
    _record(session, function.name, arguments.model_dump(mode="json"), ok=True, result="ending")
    await session.hang_up_when_heard(arguments.reason)


async def _send_dtmf(session: "CallSession", function: FunctionCalled, arguments: SendDtmf) -> None:
    try:
        await session.press_keys(arguments.digits)
    except CarrierError as error:
        raise BadArguments(f"The keys were not pressed: {error.message}. Try again.") from error
    _record(session, function.name, arguments.model_dump(), ok=True, result="pressed")
    # No response is asked for: what the menu says next makes the model's next turn.
    session.model.note(realtime_codec.function_output(function.call_id, {"status": "pressed"}))


async def _reschedule_call(
    session: "CallSession", function: FunctionCalled, arguments: RescheduleCall
) -> None:
    at = spoken_times.parse(arguments.when, session.deps.clock(), session.time_zone)
    if at is None:
        raise BadArguments(
            f"“{arguments.when}” is not a time in the future that can be understood. "
            "Ask the recipient for a day and an hour, then call reschedule_call again."
        )
    async with session.deps.db.unit_of_work() as uow:
        reason = arguments.reason or arguments.when
        await calls.request_reschedule(uow, session.call_id, at, reason)
    local = f"{at.astimezone(ZoneInfo(session.time_zone)):%A %d %B %H:%M}"
    _record(session, function.name, arguments.model_dump(), ok=True, result=local)
    output = {"status": "noted", "their_local_time": local}
    session.model.tell(realtime_codec.function_output(function.call_id, output))


async def _record_answer(
    session: "CallSession", function: FunctionCalled, arguments: RecordAnswer
) -> None:
    # The recipient's words may still be on their way to the transcript.
    await session.scribe.finish(WRITTEN_SECONDS)
    async with session.deps.db.unit_of_work() as uow:
        await findings.note(uow, session.call_id, arguments.field, arguments.value, arguments.quote)
    _record(session, function.name, arguments.model_dump(), ok=True, result="noted")
    output = {"status": "noted", "note": "Go on. Do not tell the recipient that you note things."}
    session.model.tell(realtime_codec.function_output(function.call_id, output))


async def _do_not_call(
    session: "CallSession", function: FunctionCalled, arguments: DoNotCall
) -> None:
    async with session.deps.db.unit_of_work() as uow:
        await calls.forbid(uow, session.call_id, arguments.reason)
    _record(session, function.name, arguments.model_dump(), ok=True, result="listed")
    session.expect_goodbye("The recipient asked not to be called again.")
    output = {
        "status": "noted",
        "note": "They will not be called again. Say goodbye and call end_call.",
    }
    session.model.tell(realtime_codec.function_output(function.call_id, output))


async def _refuse(session: "CallSession", function: FunctionCalled, message: str) -> None:
    log.warning("function_refused", call_id=session.call_id, function=function.name)
    _record(session, function.name, {}, ok=False, result=message)
    output = {"status": "error", "error": message}
    session.model.tell(realtime_codec.function_output(function.call_id, output))


def _record(
    session: "CallSession", name: str, arguments: dict[str, Any], *, ok: bool, result: str
) -> None:
    metrics.FUNCTIONS.labels(name if name in functions.FUNCTIONS else "unknown", ok).inc()
    session.scribe.record_function(name, arguments, ok=ok, result=result)
