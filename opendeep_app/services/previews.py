"""What would happen with a new task: the dry run, by the rules that count in earnest."""

from dataclasses import dataclass, replace
from datetime import datetime

from opendeep_app.models import CallOutcome
from opendeep_app.services import retry, tasks
from opendeep_app.services.phone_numbers import PhoneNumber
from opendeep_app.services.retry import Attempt
from opendeep_app.services.rules import Rules, retry_wish
from opendeep_app.services.tasks import NewTask
from opendeep_app.services.timing import Place, Schedule


@dataclass(frozen=True)
class Preview:
    """What would happen with a new task if nobody ever answered."""

    number: PhoneNumber
    place: Place
    calls: list[Schedule]


def preview(now: datetime, new: NewTask, rules: Rules) -> Preview:
    """When the calls of a new task would be, by the rules that will choose them in earnest.

    Jitter aside; raises `InvalidInput` as `create` would, but for a goal that is still missing.
    """
    tasks.check(replace(new, goal=new.goal.strip() or "?"), now)
    number, place = tasks.whereabouts(new, rules)
    attempt = Attempt(
        outcome=CallOutcome.FAILED_NO_ANSWER,
        attempts=1,
        max_attempts=new.max_attempts,
        ended_at=now,
        place=place,
        policy=rules.retries(retry_wish(new.retry_policy)),
    )
    return Preview(number, place, list(retry.preview(tasks.first_call(now, new, place), attempt)))
