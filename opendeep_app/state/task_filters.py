"""What the address of the task list says: filters, order and view, read and written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from opendeep_app.models import CallOutcome, TaskStatus
from opendeep_app.repositories.tasks import Sort, TaskQuery
from opendeep_app.words import _

#: The chips: what they are called and which statuses they let through.
STATUSES: dict[str, tuple[str, tuple[TaskStatus, ...]]] = {
    "needs-you": (_("Needs you"), (TaskStatus.PENDING_USER_INFO,)),
    "live": (_("Live"), (TaskStatus.IN_PROGRESS, TaskStatus.PENDING_ANALYSIS)),
    "scheduled": (_("Scheduled"), (TaskStatus.PENDING, TaskStatus.RETRY_SCHEDULED)),
    "on-hold": (_("On hold"), (TaskStatus.ON_HOLD,)),
    "completed": (_("Completed"), (TaskStatus.COMPLETED,)),
    "failed": (_("Failed"), (TaskStatus.FAILED,)),
    "cancelled": (_("Cancelled"), (TaskStatus.CANCELLED,)),
}
SORTS = {
    Sort.NEWEST: _("Newest first"),
    Sort.RECENTLY_CHANGED: _("Recently changed"),
    Sort.HIGHEST_PRIORITY: _("Highest priority"),
    Sort.OLDEST: _("Oldest first"),
}
CREATED = {
    "": (_("Created any time"), None),
    "day": (_("Last 24 hours"), timedelta(days=1)),
    "week": (_("Last 7 days"), timedelta(days=7)),
    "month": (_("Last 30 days"), timedelta(days=30)),
}
OUTCOMES: dict[str, tuple[str, tuple[CallOutcome, ...]]] = {
    "": (_("Any outcome"), ()),
    "goal-met": (_("Goal met"), (CallOutcome.GOAL_MET,)),
    "no-answer": (_("No answer or busy"), (CallOutcome.FAILED_NO_ANSWER, CallOutcome.FAILED_BUSY)),
    "voicemail": (_("Voicemail"), (CallOutcome.FAILED_VOICEMAIL,)),
    "inconclusive": (_("Inconclusive"), (CallOutcome.INCONCLUSIVE, CallOutcome.HUNG_UP_EARLY)),
    "callback": (_("Asked to call back"), (CallOutcome.CALLBACK_REQUESTED,)),
    "declined": (_("Declined"), (CallOutcome.DECLINED, CallOutcome.REJECTED)),
    "number": (_("Wrong number"), (CallOutcome.FAILED_INVALID_NUMBER, CallOutcome.WRONG_NUMBER)),
}
LONGEST_TEXT = 200


@dataclass(frozen=True)
class Filters:
    """One view of the list. What an address says wrongly counts as not said."""

    q: str = ""
    status: tuple[str, ...] = ()
    campaign: str = ""
    created: str = ""
    outcome: str = ""
    needs: str = ""
    sort: str = Sort.NEWEST.value
    view: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Filters":
        """From the part of an address behind the `?`."""

        def one(name: str, known: Any, default: str = "") -> str:
            value = parameters.get(name, default)
            return value if value in known else default

        chosen = parameters.get("status", "").split(",")
        return cls(
            q=parameters.get("q", "")[:LONGEST_TEXT],
            status=tuple(key for key in STATUSES if key in chosen),
            campaign=parameters.get("campaign", "")[:36],
            created=one("created", CREATED),
            outcome=one("outcome", OUTCOMES),
            needs=one("needs", ("me",)),
            sort=one("sort", {sort.value for sort in Sort}, Sort.NEWEST.value),
            view=one("view", ("table",)),
        )

    def search(self) -> str:
        """The part behind the `?`, without what is as always."""
        plain = Filters()
        values = {
            name: ",".join(value) if isinstance(value, tuple) else value
            for name, value in self.__dict__.items()
            if value != getattr(plain, name)
        }
        return urlencode(values)

    def address(self, **changes: Any) -> str:
        """The address of this view with some things changed."""
        search = replace(self, **changes).search()
        return f"/?{search}" if search else "/"

    def toggled(self, key: str) -> str:
        """The address with one status more, or less."""
        rest = set(self.status) ^ {key}
        return self.address(status=tuple(known for known in STATUSES if known in rest))

    @property
    def narrow(self) -> bool:
        """Whether anything is filtered away."""
        return replace(self, sort="", view="") != Filters(sort="", view="")

    def query(self, now: datetime, limit: int = 50) -> TaskQuery:
        """What the database is asked."""
        since = CREATED[self.created][1]
        return TaskQuery(
            statuses=tuple(status for key in self.status for status in STATUSES[key][1]),
            text=self.q,
            campaign_id=self.campaign or None,
            # By the minute, so that what is counted can be kept for a moment.
            created_after=now.replace(second=0, microsecond=0) - since if since else None,
            outcomes=OUTCOMES[self.outcome][1],
            needs_me=bool(self.needs),
            sort=Sort(self.sort),
            limit=limit,
        )
