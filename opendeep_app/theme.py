"""The look: one theme, and what each status and event is called and coloured.

A tone is one of the `tone-*` classes of `assets/opendeep.css`.
"""

from dataclasses import dataclass

import reflex as rx

from opendeep_app.models.task_events import TaskEventType as Event
from opendeep_app.models.tasks import TaskStatus as Status

THEME = rx.theme(accent_color="indigo", gray_color="slate", radius="medium")


@dataclass(frozen=True)
class Look:
    """How something is called, in which tone, and with which icon (see `components.icons`)."""

    label: str
    tone: str
    icon: str = "dot"


STATUS: dict[Status, Look] = {
    Status.PENDING: Look("Scheduled", "wait"),
    Status.IN_PROGRESS: Look("On the phone", "live"),
    Status.PENDING_ANALYSIS: Look("Reading the call", "live"),
    Status.RETRY_SCHEDULED: Look("Will try again", "wait"),
    Status.PENDING_USER_INFO: Look("Needs your answer", "need"),
    Status.ON_HOLD: Look("On hold", "off"),
    Status.COMPLETED: Look("Completed", "good"),
    Status.FAILED: Look("Failed", "bad"),
    Status.CANCELLED: Look("Cancelled", "off"),
}

EVENT: dict[Event, Look] = {
    Event.TASK_CREATED: Look("Task created", "wait", "plus"),
    Event.CALL_CLAIMED: Look("Preparing the call", "wait", "phone"),
    Event.CALL_DIALLED: Look("Dialling", "live", "phone"),
    Event.CALL_RECEIVED: Look("They rang back", "live", "phone"),
    Event.CALL_RINGING: Look("Ringing", "live", "ring"),
    Event.CALL_ANSWERED: Look("Somebody picked up", "live", "talk"),
    Event.ANSWERER_KNOWN: Look("Who is on the line", "live", "talk"),
    Event.CALL_ENDED: Look("The call ended", "wait", "hangup"),
    Event.CALL_UNCONFIRMED: Look("The phone provider did not confirm the call", "wait", "clock"),
    Event.CALL_WITHDRAWN: Look("The call was never placed", "wait", "undo"),
    Event.FUNCTION_CALLED: Look("The agent acted", "wait", "spark"),
    Event.RESCHEDULE_REQUESTED: Look("Asked to be called at another time", "wait", "clock"),
    Event.NOTE_GIVEN: Look("You told the agent", "live", "note"),
    Event.INFO_REQUESTED: Look("The agent asked you", "need", "question"),
    Event.INFO_EXTENDED: Look("You asked for more time", "need", "clock"),
    Event.INFO_TEXTED: Look("Sent to your phone", "need", "note"),
    Event.INFO_ANSWERED: Look("You answered", "good", "answer"),
    Event.INFO_EXPIRED: Look("No answer in time", "need", "clock"),
    Event.INFO_CANCELLED: Look("The question is settled", "off", "x"),
    Event.INFO_AWAITED: Look("Waiting for your answer", "need", "question"),
    Event.INFO_CALLBACK_SCHEDULED: Look("Calling back with your answer", "live", "phone"),
    Event.CALL_ANALYSED: Look("The call was read", "wait", "spark"),
    Event.GOAL_MET: Look("Goal met", "good", "check"),
    Event.RETRY_SCHEDULED: Look("Next attempt scheduled", "wait", "clock"),
    Event.GAVE_UP: Look("Given up", "bad", "x"),
    Event.TASK_HELD: Look("Put on hold", "off", "pause"),
    Event.TASK_RESUMED: Look("Resumed", "wait", "undo"),
    Event.TASK_CANCELLED: Look("Cancelled", "off", "x"),
    Event.TASK_REOPENED: Look("Reopened", "wait", "undo"),
    Event.CALL_MOVED: Look("Next call moved", "wait", "clock"),
    Event.CALL_SKIPPED: Look("You skipped a call", "wait", "clock"),
    Event.HOURS_CHANGED: Look("Calling hours changed", "wait", "clock"),
    Event.DO_NOT_CALL_REQUESTED: Look("Asked not to be called again", "bad", "x"),
    Event.DATA_DELETED: Look("Deleted after its time", "off", "x"),
    Event.TASK_RECOVERED: Look("Found stuck and moved on", "wait", "undo"),
    Event.DIALLING_DELAYED: Look("Dialling delayed", "wait", "clock"),
}
