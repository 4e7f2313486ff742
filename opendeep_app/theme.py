"""The look: one theme, and what each status, outcome and event is called and coloured.

A tone is one of the `tone-*` classes of `assets/opendeep.css`.
"""

from dataclasses import dataclass

import reflex as rx

from opendeep_app.models.calls import CallOutcome as Outcome
from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.models.tasks import TaskStatus as Status
from opendeep_app.words import _

THEME = rx.theme(accent_color="indigo", gray_color="slate", radius="medium")


@dataclass(frozen=True)
class Look:
    """How something is called, in which tone, and with which icon (see `components.icons`)."""

    label: str
    tone: str
    icon: str = "dot"


STATUS: dict[Status, Look] = {
    Status.PENDING: Look(_("Scheduled"), "wait"),
    Status.IN_PROGRESS: Look(_("On the phone"), "live"),
    Status.PENDING_ANALYSIS: Look(_("Reading the call"), "live"),
    Status.RETRY_SCHEDULED: Look(_("Will try again"), "wait"),
    Status.PENDING_USER_INFO: Look(_("Needs your answer"), "need"),
    Status.ON_HOLD: Look(_("On hold"), "off"),
    Status.COMPLETED: Look(_("Completed"), "good"),
    Status.FAILED: Look(_("Failed"), "bad"),
    Status.CANCELLED: Look(_("Cancelled"), "off"),
}

OUTCOME: dict[Outcome, str] = {
    Outcome.FAILED_NO_ANSWER: _("No answer"),
    Outcome.FAILED_BUSY: _("Busy"),
    Outcome.FAILED_VOICEMAIL: _("Voicemail"),
    Outcome.FAILED_INVALID_NUMBER: _("Invalid number"),
    Outcome.FAILED_CARRIER: _("Network trouble"),
    Outcome.REJECTED: _("Rejected"),
    Outcome.ANSWERED: _("Answered"),
    Outcome.GOAL_MET: _("Goal met"),
    Outcome.INCONCLUSIVE: _("Inconclusive"),
    Outcome.HUNG_UP_EARLY: _("Hung up early"),
    Outcome.CALLBACK_REQUESTED: _("Callback requested"),
    Outcome.WRONG_NUMBER: _("Wrong number"),
    Outcome.DECLINED: _("Declined"),
    Outcome.AWAITING_INFO: _("Waiting for your answer"),
    Outcome.DO_NOT_CALL: _("Do not call"),
    Outcome.CANCELLED: _("Cancelled"),
}

EVENT: dict[Event, Look] = {
    Event.TASK_CREATED: Look(_("Task created"), "wait", "plus"),
    Event.CALL_CLAIMED: Look(_("Preparing the call"), "wait", "phone"),
    Event.CALL_DIALLED: Look(_("Dialling"), "live", "phone"),
    Event.CALL_RECEIVED: Look(_("They rang back"), "live", "phone"),
    Event.CALL_RINGING: Look(_("Ringing"), "live", "ring"),
    Event.CALL_ANSWERED: Look(_("Somebody picked up"), "live", "talk"),
    Event.ANSWERER_KNOWN: Look(_("Who is on the line"), "live", "talk"),
    Event.CALL_ENDED: Look(_("The call ended"), "wait", "hangup"),
    Event.CALL_UNCONFIRMED: Look(_("The phone provider did not confirm the call"), "wait", "clock"),
    Event.CALL_WITHDRAWN: Look(_("The call was never placed"), "wait", "undo"),
    Event.FUNCTION_CALLED: Look(_("The agent acted"), "wait", "spark"),
    Event.RESCHEDULE_REQUESTED: Look(_("Asked to be called at another time"), "wait", "clock"),
    Event.NOTE_GIVEN: Look(_("You told the agent"), "live", "note"),
    Event.INFO_REQUESTED: Look(_("The agent asked you"), "need", "question"),
    Event.INFO_EXTENDED: Look(_("You asked for more time"), "need", "clock"),
    Event.INFO_TEXTED: Look(_("Sent to your phone"), "need", "note"),
    Event.INFO_ANSWERED: Look(_("You answered"), "good", "answer"),
    Event.INFO_EXPIRED: Look(_("No answer in time"), "need", "clock"),
    Event.INFO_CANCELLED: Look(_("The question is settled"), "off", "x"),
    Event.INFO_AWAITED: Look(_("Waiting for your answer"), "need", "question"),
    Event.INFO_CALLBACK_SCHEDULED: Look(_("Calling back with your answer"), "live", "phone"),
    Event.CALL_ANALYSED: Look(_("The call was read"), "wait", "spark"),
    Event.GOAL_MET: Look(_("Goal met"), "good", "check"),
    Event.RETRY_SCHEDULED: Look(_("Next attempt scheduled"), "wait", "clock"),
    Event.GAVE_UP: Look(_("Given up"), "bad", "x"),
    Event.TASK_HELD: Look(_("Put on hold"), "off", "pause"),
    Event.TASK_RESUMED: Look(_("Resumed"), "wait", "undo"),
    Event.TASK_CANCELLED: Look(_("Cancelled"), "off", "x"),
    Event.TASK_REOPENED: Look(_("Reopened"), "wait", "undo"),
    Event.CALL_MOVED: Look(_("Next call moved"), "wait", "clock"),
    Event.CALL_SKIPPED: Look(_("You skipped a call"), "wait", "clock"),
    Event.HOURS_CHANGED: Look(_("Calling hours changed"), "wait", "clock"),
    Event.DO_NOT_CALL_REQUESTED: Look(_("Asked not to be called again"), "bad", "x"),
    Event.DATA_DELETED: Look(_("Deleted after its time"), "off", "x"),
    Event.TASK_RECOVERED: Look(_("Found stuck and moved on"), "wait", "undo"),
    Event.DIALLING_DELAYED: Look(_("Dialling delayed"), "wait", "clock"),
}
