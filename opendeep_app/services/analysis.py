"""Post-call analysis: what came of a call, and what happens to its task next."""

from dataclasses import replace

from opendeep_app.db import UnitOfWork
from opendeep_app.models import (
    Actor,
    Call,
    CallOutcome,
    CallStatus,
    Speaker,
    Task,
    TaskEventType,
    TranscriptLine,
)
from opendeep_app.models.call_analysis import CallAnalysis, Verdict
from opendeep_app.models.task_events import Analysed, Reason
from opendeep_app.repositories import calls as call_rows
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import do_not_call, retry, rules, spoken_times
from opendeep_app.services.retry import Attempt, GiveUp
from opendeep_app.services.scheduling import dispatch
from opendeep_app.services.timing import Schedule, sentence
from opendeep_app.services.transitions import allowed, move, record

OUTCOMES = {
    Verdict.GOAL_MET: CallOutcome.GOAL_MET,
    Verdict.NOT_MET: CallOutcome.INCONCLUSIVE,
    Verdict.VOICEMAIL: CallOutcome.FAILED_VOICEMAIL,
    Verdict.HUNG_UP_EARLY: CallOutcome.HUNG_UP_EARLY,
    Verdict.DECLINED: CallOutcome.DECLINED,
    Verdict.CALLBACK_REQUESTED: CallOutcome.CALLBACK_REQUESTED,
    Verdict.DO_NOT_CALL: CallOutcome.DO_NOT_CALL,
    Verdict.WRONG_NUMBER: CallOutcome.WRONG_NUMBER,
    Verdict.INCONCLUSIVE: CallOutcome.INCONCLUSIVE,
}


#: Twilio error codes for calls that it will never place, although the number may be a good one:
#: the country is not enabled, the number is blocked, a trial account (twilio.com/docs/api/errors).
REFUSALS = frozenset({21215, 21216, 21219})

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
    exactly one other; a wish to be called again only if the recipient uttered it. A model's
    slip must not become a person's fact.
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
    wish = _plain(analysis.callback_quote or "")
    wished = wish and any(
        wish in said[line.sequence] for line in lines if line.speaker is Speaker.RECIPIENT
    )
    when = analysis.callback_when if wished else None
    return analysis.model_copy(update={"answers": proven, "callback_when": when})


def verdict(analysis: CallAnalysis | None) -> CallOutcome:
    """What came of a call that was answered; None when nothing was said on it.

    Where an analysis contradicts itself, whether the goal was met is what counts.
    """
    if analysis is None:
        return CallOutcome.INCONCLUSIVE
    if analysis.goal_met:
        return CallOutcome.GOAL_MET
    if analysis.do_not_call:
        return CallOutcome.DO_NOT_CALL
    outcome = OUTCOMES[analysis.outcome]
    return CallOutcome.INCONCLUSIVE if outcome is CallOutcome.GOAL_MET else outcome


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
        if call.callback_at is None and analysis.callback_when:
            call.callback_at = spoken_times.parse(
                analysis.callback_when, call.ended_at or uow.now, task.time_zone
            )
    if call.outcome is not CallOutcome.AWAITING_INFO and (
        analysis is not None or call.outcome is CallOutcome.ANSWERED
    ):
        call.outcome = verdict(analysis)
    outcome = call.outcome or CallOutcome.INCONCLUSIVE
    goal_met = analysis is not None and analysis.goal_met
    summary = analysis.summary if analysis else sentence(retry.WORDS[outcome]) + "."
    await uow.session.flush()
    await record(
        uow,
        task,
        TaskEventType.CALL_ANALYSED,
        Analysed(outcome=outcome, goal_met=goal_met, summary=summary),
        call_id=call_id,
    )
    if goal_met:
        await _complete(uow, task, call_id, summary)
    if analysis is not None and _never_again(analysis):
        await do_not_call.add(
            uow,
            task.user_id,
            task.phone_number,
            "The recipient asked not to be called again.",
            actor=Actor.RECIPIENT,
            call_id=call_id,
        )
    elif not goal_met and outcome is not CallOutcome.AWAITING_INFO:
        await _retry_or_give_up(uow, task, call, outcome, summary)
    return True


async def decide_anew(uow: UnitOfWork, task: Task, call: Call | None) -> None:
    """Moves on a task whose last call has been analysed and that nobody decided about."""
    if call is None:
        reason = "It waited for the analysis of a call that was never made."
        await move(uow, task, TaskEventType.GAVE_UP, Reason(reason=reason), result_reason=reason)
    elif call.outcome is CallOutcome.GOAL_MET:
        await _complete(uow, task, call.id, task.result_summary)
    else:
        outcome = call.outcome or CallOutcome.INCONCLUSIVE
        summary = sentence(retry.WORDS[outcome]) + "."
        await _retry_or_give_up(uow, task, call, outcome, summary)


async def _complete(uow: UnitOfWork, task: Task, call_id: str, summary: str) -> None:
    if not allowed(task.status, TaskEventType.GOAL_MET):
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
    place, policy = await rules.for_task(uow, task)
    decision = retry.decide(
        Attempt(
            outcome=outcome,
            attempts=task.current_attempt_count,
            max_attempts=task.max_attempts,
            ended_at=call.ended_at or uow.now,
            # Leave to ring outside hours is given for one call.
            place=replace(place, waived_until=None),
            policy=policy,
            calls=await call_rows.count_placed(uow.session, task.id),
            callback_at=call.callback_at,
            refusal=call.end_reason if call.carrier_error in REFUSALS else "",
        )
    )
    if isinstance(decision, GiveUp) and allowed(task.status, TaskEventType.GAVE_UP):
        await move(
            uow,
            task,
            TaskEventType.GAVE_UP,
            Reason(reason=decision.reason),
            call_id=call.id,
            result_summary=summary[:4000],
            result_reason=decision.reason[:500],
        )
    elif isinstance(decision, Schedule) and allowed(task.status, TaskEventType.RETRY_SCHEDULED):
        await move(
            uow,
            task,
            TaskEventType.RETRY_SCHEDULED,
            decision.payload,
            call_id=call.id,
            next_action_at=decision.at,
            next_action_reason=decision.reason,
            hours_waived_until=None,
            current_attempt_count=task.current_attempt_count - decision.attempt_returned,
        )
        dispatch(uow, decision.at)


def _never_again(analysis: CallAnalysis) -> bool:
    return analysis.do_not_call or analysis.outcome is Verdict.DO_NOT_CALL


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .!?\"'“”")
