"""What would happen with a new task: the dry run, by the rules that count in earnest."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from opendeep_app.models import CallOutcome
from opendeep_app.services import retry, tasks
from opendeep_app.services.phone_numbers import PhoneNumber
from opendeep_app.services.retry import Attempt
from opendeep_app.services.rules import Rules, retry_wish
from opendeep_app.services.tasks import NewTask
from opendeep_app.services.timing import Place, Schedule

MOST_TIMES = 4


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


def summary(preview: Preview, now: datetime) -> str:
    """The preview in a sentence, in the recipient's time."""
    zone = ZoneInfo(preview.place.zone)
    today = now.astimezone(zone).date()
    first, *others = (call.at.astimezone(zone) for call in preview.calls)
    text = f"First call {_day(first, today)}{first:%H:%M} their time"
    if not others:
        return f"{text}; there is no second attempt."
    times = []
    day = first.date()
    for at in others[:MOST_TIMES]:
        times.append(f"{_day(at, today) if at.date() != day else ''}{at:%H:%M}")
        day = at.date()
    more = " …" if len(others) > MOST_TIMES else "."
    return f"{text}; if nobody answers, about {', '.join(times)}{more}"


def _day(at: datetime, today: date) -> str:
    names = {today: "today ", today + timedelta(days=1): "tomorrow "}
    return names.get(at.date(), f"{at:%a %d %b} ")
