"""A call as the task page shows it: facts, conversation, analysis."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from opendeep_app.models import (
    AnswerState,
    Call,
    CallStatus,
    Direction,
    EndedBy,
    Finding,
    InfoRequest,
    InfoRequestStatus,
    Speaker,
    TaskEvent,
    TranscriptLine,
)
from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.state.rows import CallRow, duration, event_row, money, text_of
from opendeep_app.words import _

#: Events that stand between the lines of a conversation; questions come from their own rows.
INLINE = (Event.FUNCTION_CALLED, Event.RESCHEDULE_REQUESTED)

ENDED_BY = {
    EndedBy.AGENT: _("The agent"),
    EndedBy.RECIPIENT: _("The recipient"),
    EndedBy.CREATOR: _("You"),
    EndedBy.CARRIER: _("The phone network"),
    EndedBy.SYSTEM: "OpenDeep",
}
ANSWERED_BY = {
    AnswerState.HUMAN: _("A person"),
    AnswerState.VOICEMAIL: _("A voicemail"),
    AnswerState.SCREENING: _("A call screening assistant"),
    AnswerState.MENU: _("A phone menu"),
    AnswerState.HOLD: _("Hold music"),
    AnswerState.MAILBOX_FULL: _("A full mailbox"),
    AnswerState.SILENCE: _("Nobody spoke"),
}


@dataclass
class AttemptRow(CallRow):
    """The line of an attempt; what was said on it is loaded when it is opened."""

    number: int = 0
    cost: str = ""


@dataclass
class FactRow:
    """A name and a value; `time` instead of a value is RFC 3339 text."""

    name: str = ""
    value: str = ""
    time: str = ""


@dataclass
class ClaimRow:
    """Something learnt, and the words that prove it; `line` 0 means that no line does."""

    field: str = ""
    value: str = ""
    quote: str = ""
    line: int = 0


@dataclass
class SaidRow:
    """A line of a conversation, or what happened between two lines (`kind` step or wait)."""

    #: The line's number, by which claims point at it; 0 for what is no line.
    line: int = 0
    kind: str = "line"
    side: str = "system"
    by: str = ""
    text: str = ""
    detail: str = ""
    #: Since the line was connected: for people, and in milliseconds for the player.
    at: str = ""
    ms: int = 0
    tone: str = "wait"
    icon: str = "dot"


@dataclass
class CallView:
    """The open attempt but for what is said on it."""

    id: str = ""
    live: bool = False
    talking: bool = False
    #: What the agent is doing at this moment, and what the call has cost so far.
    doing: str = ""
    cost: str = ""
    facts: list[FactRow] = field(default_factory=list)
    brief: str = ""
    recording: str = ""
    summary: str = ""
    claims: list[ClaimRow] = field(default_factory=list)
    analysed: bool = False


def attempt_row(row: CallRow, call: Call) -> AttemptRow:
    """An attempt's line from what cards show of it."""
    title = _("They called back") if call.direction is Direction.INBOUND else row.title
    shown = {**vars(row), "title": title, "lines": []}
    return AttemptRow(
        **shown,
        number=call.attempt_number,
        cost=money(call.cost_micros) if call.cost_micros else "",
    )


def call_view(
    call: Call, questions: list[InfoRequest], findings: list[Finding], said: list[SaidRow]
) -> CallView:
    """The open attempt."""
    talking = call.status is CallStatus.ANSWERED and call.session_opened_at is not None
    found: dict[str, Any] = call.analysis or {}
    return CallView(
        id=call.id,
        live=call.status.live,
        talking=talking,
        doing=_doing(questions, said) if talking else "",
        cost=money(call.cost_micros) if call.cost_micros else "",
        facts=_facts(call),
        brief=call.brief,
        recording=f"/api/calls/{call.id}/recording" if call.recording_file else "",
        summary=str(found.get("summary", "")),
        claims=_claims(found, findings),
        analysed=call.analysed_at is not None,
    )


def _doing(questions: list[InfoRequest], said: list[SaidRow]) -> str:
    if any(question.status is InfoRequestStatus.OPEN for question in questions):
        return _("Waiting for your answer")
    last = said[-1] if said else None
    if last is None:
        return _("About to speak")
    return last.text if last.kind == "step" else _("In conversation")


def _facts(call: Call) -> list[FactRow]:
    measures = call.measures
    answered = ANSWERED_BY.get(call.answer_state, "") if call.answer_state else ""
    parts = " · ".join(f"{name} {money(call.costs[name])}" for name in sorted(call.costs))
    ringing = (
        duration(round((call.answered_at - call.dialled_at) / timedelta(seconds=1)))
        if call.answered_at and call.dialled_at
        else ""
    )
    facts = [
        FactRow(_("Ended by"), ENDED_BY[call.ended_by] if call.ended_by else ""),
        FactRow(_("Why"), call.end_reason),
        FactRow(_("Answered by"), answered or (call.answered_by or "")),
        FactRow(_("Started"), time=text_of(call.dialled_at or call.created_at)),
        FactRow(_("Rang for"), ringing),
        FactRow(_("Duration"), duration(call.duration_seconds)),
        FactRow(_("Cost"), money(call.cost_micros) if call.cost_micros else ""),
        FactRow(_("Cost by part"), parts),
        FactRow(_("First word after"), _seconds(measures.get("first_word_ms"))),
        FactRow(_("Reply time"), _percentiles(measures, "reply")),
        FactRow(_("Delay on the line"), _percentiles(measures, "relay")),
        FactRow(_("Waited for you"), _seconds(measures.get("waiting_ms"))),
        FactRow(_("Interruptions"), str(measures.get("barge_ins") or "")),
        FactRow(_("Network code"), str(call.carrier_error or "")),
        FactRow(_("Brief version"), call.brief_version),
    ]
    return [fact for fact in facts if fact.value or fact.time]


def _seconds(milliseconds: Any) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds else ""


def _percentiles(measures: dict[str, Any], name: str) -> str:
    middle, slow = measures.get(f"{name}_p50_ms"), measures.get(f"{name}_p95_ms")
    if middle is None or slow is None:
        return ""
    return _("{middle:.0f} ms typical, {slow:.0f} ms at the 95th percentile").format(
        middle=middle, slow=slow
    )


def _claims(analysis: dict[str, Any], findings: list[Finding]) -> list[ClaimRow]:
    claims = [ClaimRow(f.field, f.value, f.quote, f.line or 0) for f in findings]
    known = {claim.field.casefold() for claim in claims}
    for answer in analysis.get("answers", []):
        if answer["field"].casefold() not in known:
            claims.append(
                ClaimRow(answer["field"], answer["value"], answer["quote"], answer["line"])
            )
    return claims


def said_rows(
    call: Call,
    lines: list[TranscriptLine],
    events: list[TaskEvent],
    questions: list[InfoRequest],
    recipient: str,
    now: datetime,
) -> list[SaidRow]:
    """The conversation with what happened in it, in the order in which it began."""
    began = call.session_opened_at or call.answered_at or call.created_at
    rows = [_line(line, recipient) for line in lines]
    rows += [_step(event, began) for event in events if not _asks(event)]
    rows += [_wait(question, began, now) for question in questions]
    return sorted(rows, key=lambda row: row.ms)


def _asks(event: TaskEvent) -> bool:
    return bool(event.payload.get("name") == "request_user_info")


def _clock(milliseconds: int) -> str:
    return duration(max(0, milliseconds) // 1000)


def _line(line: TranscriptLine, recipient: str) -> SaidRow:
    by = {Speaker.AGENT: _("Agent"), Speaker.RECIPIENT: recipient}.get(line.speaker, "")
    return SaidRow(
        line=line.sequence,
        side=line.speaker.value.lower(),
        by=by,
        text=line.text,
        detail="" if line.heard_ms is None else _("Interrupted"),
        at=_clock(line.offset_ms),
        ms=line.offset_ms,
    )


def _step(event: TaskEvent, began: datetime) -> SaidRow:
    row, ms = event_row(event), _since(began, event.created_at)
    return SaidRow(
        kind="step",
        text=row.title,
        detail=str(event.payload.get("result", "")) if not event.payload.get("ok", True) else "",
        at=_clock(ms),
        ms=ms,
        tone=row.tone,
        icon=row.icon,
    )


def _wait(question: InfoRequest, began: datetime, now: datetime) -> SaidRow:
    ms = _since(began, question.asked_at)
    until = question.answered_at or min(now, question.deadline_at)
    waited = f"{round((until - question.asked_at) / timedelta(seconds=1))} s"
    detail = {
        InfoRequestStatus.ANSWERED: _("You answered after {time}: “{answer}”").format(
            time=waited, answer=question.answer
        ),
        InfoRequestStatus.ANSWERED_LATE: _("You answered later: “{answer}”").format(
            answer=question.answer
        ),
        InfoRequestStatus.EXPIRED: _("No answer within {time}.").format(time=waited),
        InfoRequestStatus.CANCELLED: _("Not needed any more."),
    }.get(question.status, _("Waiting for your answer."))
    return SaidRow(
        kind="wait",
        text=question.question,
        detail=detail,
        at=_clock(ms),
        ms=ms,
        tone="good" if question.status is InfoRequestStatus.ANSWERED else "need",
        icon="question",
    )


def _since(began: datetime, at: datetime) -> int:
    return round((at - began) / timedelta(milliseconds=1))
