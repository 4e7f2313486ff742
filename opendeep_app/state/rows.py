"""What pages show, as small rows: plain text and RFC 3339 times, never database objects."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opendeep_app.models import (
    AnswerState,
    Call,
    CallOutcome,
    CallStatus,
    InfoRequest,
    InfoRequestStatus,
    Speaker,
    Task,
    TaskEvent,
    TaskStatus,
    TranscriptLine,
)
from opendeep_app.models.info_requests import WAITING
from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.repositories.task_list import Glance
from opendeep_app.repositories.tasks import CallDetail, TaskDetail
from opendeep_app.services import phone_numbers
from opendeep_app.theme import EVENT, OUTCOME, STATUS
from opendeep_app.words import _, ngettext


@dataclass
class TaskRow:
    """A card of the dashboard, and the head of the task page."""

    id: str = ""
    title: str = ""
    number: str = ""
    goal: str = ""
    status: str = ""
    label: str = ""
    tone: str = "wait"
    #: When the next call is due; empty when none is planned.
    next_at: str = ""
    #: One line that says where it stands.
    note: str = ""
    changed_at: str = ""
    attempts: str = ""
    #: When the live call was answered; empty without one.
    live_since: str = ""
    asking: bool = False
    #: The newest call in short.
    last_call: str = ""
    #: Why the next call is when it is.
    reason: str = ""
    cost: str = ""
    #: The recipient's time zone.
    zone: str = ""
    #: It matches the list's filters no more and is about to go.
    leaving: bool = False


@dataclass
class LineRow:
    """Something said on a call; `side` is agent, recipient or system."""

    side: str = "system"
    by: str = ""
    text: str = ""


@dataclass
class EventRow:
    """A step of the timeline."""

    id: str = ""
    #: The event's number within its task, by which addresses point at it.
    sequence: int = 0
    type: str = ""
    title: str = ""
    detail: str = ""
    tone: str = "wait"
    icon: str = "dot"
    at: str = ""


@dataclass
class CallRow:
    """One attempt."""

    id: str = ""
    title: str = ""
    label: str = ""
    tone: str = "wait"
    detail: str = ""
    at: str = ""
    duration: str = ""
    live: bool = False
    live_since: str = ""
    lines: list[LineRow] = field(default_factory=list)


@dataclass
class QuestionRow:
    """A question of the agent's, with what the creator needs to answer it."""

    id: str = ""
    task_id: str = ""
    who: str = ""
    goal: str = ""
    question: str = ""
    suggestions: list[str] = field(default_factory=list)
    #: open, expired, answered or cancelled.
    phase: str = ""
    asked_at: str = ""
    deadline: str = ""
    #: More time was asked for, which is possible once.
    extended: bool = False
    answer: str = ""
    answered_at: str = ""
    outcome: str = ""
    #: Its task belongs to a campaign.
    in_campaign: bool = False


def text_of(at: datetime | None) -> str:
    """A time as RFC 3339 text, empty for none."""
    return at.isoformat() if at else ""


def duration(seconds: int | None) -> str:
    """Minutes and seconds."""
    return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


def who(task: Task) -> str:
    """The recipient's name, or else their number."""
    return task.contact_name or phone_numbers.international(task.phone_number)


def task_row(detail: TaskDetail) -> TaskRow:
    """A task as a card."""
    calls = [one.call for one in detail.calls]
    live = next((call for call in calls if call.status.live), None)
    waiting = [q for q in detail.info_requests if q.status in WAITING]
    return glance_row(
        Glance(
            detail.task, live or (calls[-1] if calls else None), waiting[-1] if waiting else None
        )
    )


def glance_row(glance: Glance) -> TaskRow:
    """A task of the list."""
    task, call, question, look = (
        glance.task,
        glance.call,
        glance.question,
        STATUS[glance.task.status],
    )
    live = call if call and call.status.live else None
    asking = question is not None and question.status is InfoRequestStatus.OPEN
    label = look.label
    if asking:
        label = _("Asks you")
    elif live and task.status is TaskStatus.IN_PROGRESS:
        label = _live_label(live)
    return TaskRow(
        id=task.id,
        title=who(task),
        number=phone_numbers.international(task.phone_number) if task.contact_name else "",
        goal=task.goal,
        status=task.status.value,
        label=label,
        tone="need" if asking else look.tone,
        next_at=text_of(task.next_action_at),
        note=_note(task, question),
        changed_at=text_of(task.updated_at),
        attempts=_("{count} of {most} attempts").format(
            count=task.current_attempt_count, most=task.max_attempts
        )
        if task.current_attempt_count
        else "",
        live_since=text_of(live.answered_at) if live else "",
        asking=asking,
        last_call=_in_short(call) if call else "",
        reason=task.next_action_reason if task.status.callable else "",
        cost=money(task.spent_micros) if task.spent_micros else "",
        zone=task.time_zone,
    )


def money(micros: int) -> str:
    """Millionths of a dollar as dollars, small amounts with more places."""
    dollars = micros / 1_000_000
    return f"${dollars:,.2f}" if dollars >= 0.1 or not micros else f"${dollars:.4f}"


def tasks_in_words(count: int) -> str:
    """So many tasks."""
    return ngettext("{count:,} task", "{count:,} tasks", count).format(count=count)


def _in_short(call: Call) -> str:
    if call.status.live:
        return _("Call {number}").format(number=call.attempt_number) + f" · {_live_label(call)}"
    parts = [
        _("Call {number}").format(number=call.attempt_number),
        OUTCOME[call.outcome] if call.outcome else call.end_reason,
        duration(call.duration_seconds),
    ]
    return " · ".join(part for part in parts if part)


def _live_label(call: Call) -> str:
    return {
        CallStatus.INTENT: _("Preparing"),
        CallStatus.DIALLING: _("Dialling"),
        CallStatus.RINGING: _("Ringing"),
    }.get(call.status, _("On the phone"))


def _note(task: Task, question: InfoRequest | None) -> str:
    if task.status.terminal:
        return task.result_summary or task.result_reason
    if question:
        return _("Asks: {question}").format(question=question.question)
    if task.status is TaskStatus.PENDING_ANALYSIS:
        return _("Working out what came of the call.")
    return task.next_action_reason if task.status.callable else ""


def line_row(line: TranscriptLine, recipient: str) -> LineRow:
    """A transcript line."""
    by = {Speaker.AGENT: _("Agent"), Speaker.RECIPIENT: recipient}.get(line.speaker, "")
    return LineRow(side=line.speaker.value.lower(), by=by, text=line.text)


def call_row(detail: CallDetail, task: Task) -> CallRow:
    """An attempt with its transcript."""
    call = detail.call
    ended = call.status is CallStatus.ENDED
    outcome = OUTCOME[call.outcome] if call.outcome else ""
    good = call.outcome is CallOutcome.GOAL_MET
    return CallRow(
        id=call.id,
        title=_("Call {number}").format(number=call.attempt_number),
        label=outcome
        or (_("Ended") if ended else _("Withdrawn") if not call.status.live else _live_label(call)),
        tone="live" if call.status.live else "good" if good else "off",
        detail=call.end_reason,
        at=text_of(call.created_at),
        duration=duration(call.duration_seconds),
        live=call.status.live,
        live_since=text_of(call.answered_at) if call.status.live else "",
        lines=[line_row(line, who(task)) for line in detail.lines],
    )


def question_row(request: InfoRequest, task: Task) -> QuestionRow:
    """A question."""
    phase = {
        InfoRequestStatus.OPEN: "open",
        InfoRequestStatus.EXPIRED: "expired",
        InfoRequestStatus.CANCELLED: "cancelled",
    }.get(request.status, "answered")
    outcome = {
        InfoRequestStatus.ANSWERED: _("Used in the call"),
        InfoRequestStatus.ANSWERED_LATE: _("Too late for that call, carried into the next"),
        InfoRequestStatus.CANCELLED: _("Not needed any more"),
        InfoRequestStatus.EXPIRED: _("No answer in time: answer, and OpenDeep calls back"),
    }.get(request.status, "")
    return QuestionRow(
        id=request.id,
        task_id=request.task_id,
        who=who(task),
        goal=task.goal,
        question=request.question,
        suggestions=request.suggestions,
        phase=phase,
        asked_at=text_of(request.asked_at),
        deadline=text_of(request.deadline_at),
        extended=request.extended_at is not None,
        answer=request.answer or "",
        answered_at=text_of(request.answered_at),
        outcome=outcome,
        in_campaign=task.campaign_id is not None,
    )


def event_row(event: TaskEvent) -> EventRow:
    """A step of the timeline in plain words."""
    look = EVENT[event.type]
    return EventRow(
        id=event.id,
        sequence=event.sequence,
        type=event.type.value,
        title=_title(event.type, event.payload) or look.label,
        detail=_detail(event.type, event.payload),
        tone=look.tone,
        icon=look.icon,
        at=text_of(event.created_at),
    )


ON_THE_LINE = {
    AnswerState.HUMAN: _("A person is on the line"),
    AnswerState.VOICEMAIL: _("A voicemail answered"),
    AnswerState.SCREENING: _("A machine asks who is calling"),
    AnswerState.MENU: _("A phone menu answered"),
    AnswerState.HOLD: _("On hold"),
    AnswerState.MAILBOX_FULL: _("A full mailbox answered"),
    AnswerState.SILENCE: _("Nobody speaks"),
}


def _title(kind: Event, payload: dict[str, Any]) -> str:
    if kind is Event.CALL_CLAIMED:
        return _("Attempt {number} begins").format(number=payload["attempt_number"])
    if kind is Event.FUNCTION_CALLED:
        return {
            "request_user_info": _("The agent looked for an answer"),
            "end_call": _("The agent said goodbye"),
            "send_dtmf": _("The agent pressed {keys}").format(
                keys=payload["arguments"].get("digits", "…")
            ),
            "reschedule_call": _("The agent noted another time"),
            "record_answer": _("The agent noted an answer"),
            "do_not_call": _("The agent promised never to call again"),
        }.get(payload["name"], _("The agent used {function}").format(function=payload["name"]))
    if kind is Event.ANSWERER_KNOWN:
        return ON_THE_LINE[AnswerState(payload["state"])]
    if kind is Event.INFO_ANSWERED and payload["late"]:
        return _("You answered, too late for this call")
    return ""


def _detail(kind: Event, payload: dict[str, Any]) -> str:
    if kind is Event.INFO_REQUESTED:
        return f"“{payload['question']}”"
    if kind is Event.HOURS_CHANGED:
        return str(payload["hours"])
    if kind is Event.INFO_ANSWERED:
        return f"“{payload['answer']}”"
    if kind is Event.NOTE_GIVEN:
        return f"“{payload['text']}”"
    if kind is Event.CALL_ANALYSED:
        # A goal that is met says the same once more, right after.
        return "" if payload["goal_met"] else str(payload["summary"])
    if kind is Event.CALL_ENDED:
        outcome = OUTCOME[CallOutcome(payload["outcome"])]
        length = duration(payload.get("duration_seconds"))
        return " · ".join(part for part in (payload["reason"] or outcome, length) if part)
    if kind is Event.CALL_ANSWERED and payload.get("answered_by"):
        return _("By: {who}").format(who=payload["answered_by"])
    return str(payload.get("reason", ""))
