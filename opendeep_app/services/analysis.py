"""Post-call analysis: what came of a call, and what happens to its task next."""

from opendeep_app.db import UnitOfWork
from opendeep_app.models import (
    Actor,
    Call,
    CallOutcome,
    CallStatus,
    Speaker,
    Task,
    TaskEventType,
    TaskStatus,
    TranscriptLine,
)
from opendeep_app.models.call_analysis import CallAnalysis, Verdict
from opendeep_app.models.task_events import Analysed, Reason
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import do_not_call, retry, spoken_times
from opendeep_app.services.retry import Attempt, GiveUp
from opendeep_app.services.scheduling import dispatch, scheduled
from opendeep_app.services.transitions import move, record

OUTCOMES = {
    Verdict.GOAL_MET: CallOutcome.GOAL_MET,
    Verdict.NOT_MET: CallOutcome.INCONCLUSIVE,
    Verdict.VOICEMAIL: CallOutcome.FAILED_VOICEMAIL,
    Verdict.HUNG_UP_EARLY: CallOutcome.HUNG_UP_EARLY,
    Verdict.DECLINED: CallOutcome.DECLINED,
    Verdict.CALLBACK_REQUESTED: CallOutcome.CALLBACK_REQUESTED,
    Verdict.DO_NOT_CALL: CallOutcome.DO_NOT_CALL,
    Verdict.WRONG_NUMBER: CallOutcome.FAILED_INVALID_NUMBER,
    Verdict.INCONCLUSIVE: CallOutcome.INCONCLUSIVE,
}


INCONCLUSIVE = CallAnalysis(
    outcome=Verdict.INCONCLUSIVE,
    goal_met=False,
    summary="The call could not be analysed.",
    answers=[],
    do_not_call=False,
    callback_when=None,
    callback_quote=None,
)


def prove(analysis: CallAnalysis, lines: list[TranscriptLine]) -> CallAnalysis:
    """The analysis without claims that the transcript does not bear out.

    An extracted answer stays only if its quote is really in the line it names, or else in
    exactly one other; a model's slip must not become a person's fact.
    """
    said = {
        line.sequence: _plain(line.text) for line in lines if line.speaker is not Speaker.SYSTEM
    }
    proven = []
    for answer in analysis.answers:
        quote = _plain(answer.quote)
        places = [number for number, text in said.items() if quote and quote in text]
        if answer.line in places:
            proven.append(answer)
        elif len(places) == 1:
            proven.append(answer.model_copy(update={"line": places[0]}))
    return analysis.model_copy(update={"answers": proven})


async def apply(uow: UnitOfWork, call_id: str, analysis: CallAnalysis | None) -> bool:
    """Stores the analysis of an ended call and moves its task on; False when done before.

    `analysis` is None for calls on which nothing was said; their outcome speaks for itself.
    """
    call = await uow.session.get_one(Call, call_id)
    task = await task_rows.lock(uow.session, call.task_id)
    await uow.session.refresh(call)
    if call.status is not CallStatus.ENDED or call.analysed_at is not None:
        return False
    call.analysed_at = uow.now
    if analysis is not None:
        call.analysis = analysis.model_dump(mode="json")
        if call.outcome is not CallOutcome.AWAITING_INFO:
            call.outcome = OUTCOMES[analysis.outcome]
        if call.callback_at is None and analysis.callback_when:
            call.callback_at = spoken_times.parse(
                analysis.callback_when, call.ended_at or uow.now, task.time_zone
            )
    outcome = call.outcome or CallOutcome.INCONCLUSIVE
    summary = analysis.summary if analysis else retry.WORDS[outcome]
    await uow.session.flush()
    await record(
        uow,
        task,
        TaskEventType.CALL_ANALYSED,
        Analysed(
            outcome=outcome,
            goal_met=bool(analysis and analysis.goal_met),
            summary=summary,
        ),
        call_id=call_id,
    )
    if analysis is not None and analysis.do_not_call:
        reason = "The recipient asked not to be called again."
        await do_not_call.add(
            uow,
            task.user_id,
            task.phone_number,
            reason,
            actor=Actor.RECIPIENT,
            call_id=call_id,
        )
        await uow.session.refresh(task)
    elif analysis is not None and analysis.goal_met:
        await _complete(uow, task, call_id, summary)
    elif task.status is TaskStatus.PENDING_ANALYSIS:
        await _retry_or_give_up(uow, task, call, outcome, summary)
    return True


async def _complete(uow: UnitOfWork, task: Task, call_id: str, summary: str) -> None:
    if task.status not in (TaskStatus.PENDING_ANALYSIS, TaskStatus.ON_HOLD):
        return
    await move(
        uow,
        task,
        TaskEventType.GOAL_MET,
        Reason(reason=summary),
        call_id=call_id,
        result_summary=summary[:4000],
        result_reason="The goal was reached.",
    )


async def _retry_or_give_up(
    uow: UnitOfWork, task: Task, call: Call, outcome: CallOutcome, summary: str
) -> None:
    decision = retry.decide(
        Attempt(
            outcome=outcome,
            attempts=task.current_attempt_count,
            max_attempts=task.max_attempts,
            ended_at=call.ended_at or uow.now,
            time_zone=task.time_zone,
            hours=uow.policy.hours,
            retry_base_seconds=uow.policy.retry_base_seconds,
            callback_at=call.callback_at,
            callback_reason=call.callback_reason,
        )
    )
    if isinstance(decision, GiveUp):
        await move(
            uow,
            task,
            TaskEventType.GAVE_UP,
            Reason(reason=decision.reason),
            call_id=call.id,
            result_summary=summary[:4000],
            result_reason=decision.reason[:500],
        )
        return
    await move(
        uow,
        task,
        TaskEventType.RETRY_SCHEDULED,
        scheduled(decision),
        call_id=call.id,
        next_action_at=decision.at,
        next_action_reason=decision.reason,
    )
    dispatch(uow, decision.at)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?\"'“”")
