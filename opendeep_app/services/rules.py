"""Whose rules hold for a call: the installation's, the user's, the campaign's, the task's."""

import re
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput
from opendeep_app.models import Task, User
from opendeep_app.policy import Policy
from opendeep_app.repositories import rules as rows
from opendeep_app.rules import (
    CallingHours,
    HoursWish,
    RetryPolicy,
    RetryWish,
    Weekday,
    default_retries,
    merged_hours,
    merged_retries,
)
from opendeep_app.services import phone_numbers, public_holidays
from opendeep_app.services.timing import Place

_WINDOW = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(?:-|–|to)\s*(\d{1,2})(?::(\d\d))?")

W = TypeVar("W", bound=BaseModel)


@dataclass(frozen=True)
class Rules:
    """What holds before a task has its say: defaults and wishes, in the order in which they win."""

    policy: Policy
    hours_wishes: tuple[HoursWish, ...] = ()
    retry_wishes: tuple[RetryWish, ...] = ()

    def and_then(self, hours: HoursWish | None, retries: RetryWish | None) -> "Rules":
        """These rules, and somebody's wishes on top."""
        return replace(
            self,
            hours_wishes=(*self.hours_wishes, *filter(None, [hours])),
            retry_wishes=(*self.retry_wishes, *filter(None, [retries])),
        )

    def hours(self, number: str | None, own: HoursWish | None = None) -> CallingHours:
        """When a number (E.164) may be called; `own` is what its task wants."""
        country = phone_numbers.country(number) if number else None
        return merged_hours(self.policy.hours, (*self.hours_wishes, own), country)

    def retries(self, own: RetryWish | None = None) -> RetryPolicy:
        """How long to wait after which outcome; `own` is what the task wants."""
        defaults = default_retries(self.policy.retry_base_seconds)
        return merged_retries(defaults, (*self.retry_wishes, own))


async def rules_of(
    session: AsyncSession, policy: Policy, user_id: str, campaign_id: str | None = None
) -> Rules:
    """The rules for a user's tasks, of a campaign or of none."""
    wishes = await rows.wishes(session, user_id, campaign_id)
    return Rules(
        policy,
        tuple(HoursWish.model_validate(hours) for hours, _ in wishes if hours),
        tuple(RetryWish.model_validate(retries) for _, retries in wishes if retries),
    )


async def for_task(uow: UnitOfWork, task: Task) -> tuple[Place, RetryPolicy]:
    """Where and when the recipient of a task may be called, and how retries wait."""
    rules = await rules_of(uow.session, uow.policy, task.user_id, task.campaign_id)
    hours = rules.hours(task.phone_number, hours_wish(task.hours))
    place = Place(task.time_zone, hours, task.hours_waived_until)
    return place, rules.retries(retry_wish(task.retry_policy))


def hours_wish(value: dict[str, Any] | None) -> HoursWish | None:
    """A stored or given wish for hours; raises `InvalidInput` saying what is wrong with it."""
    wish = _validated(HoursWish, value, "hours")
    if wish and wish.holiday_country:
        regions = public_holidays.regions(wish.holiday_country)
        if regions is None:
            raise InvalidInput("hours", f"No holidays are known of {wish.holiday_country}.")
        if wish.holiday_region and wish.holiday_region not in regions:
            known = ", ".join(regions[:20]) or "none"
            raise InvalidInput("hours", f"Regions of {wish.holiday_country} are: {known}.")
    return wish


def retry_wish(value: dict[str, Any] | None) -> RetryWish | None:
    """A stored or given wish for retries; raises `InvalidInput` saying what is wrong with it."""
    return _validated(RetryWish, value, "retry_policy")


async def save(
    uow: UnitOfWork,
    user_id: str,
    hours: dict[str, Any] | None,
    retry_policy: dict[str, Any] | None,
) -> None:
    """What a user wants of all their tasks from the next decision on; None for the defaults.

    Raises `InvalidInput`, also when no hour of the week would be left.
    """
    wish = hours_wish(hours)
    check_some_hour(uow.policy.hours, wish)
    user = await uow.session.get_one(User, user_id)
    user.hours = stored(wish)
    user.retry_policy = stored(retry_wish(retry_policy))
    await uow.session.flush()


def windows(text: str, day: Weekday) -> list[dict[str, str]] | None:
    """What somebody typed for a day: "9-12, 13:30-18", "closed", or nothing (None)."""
    if not text.strip():
        return None
    if text.strip().casefold() in ("closed", "-", "–"):
        return []
    found = [_WINDOW.fullmatch(part.strip()) for part in text.split(",")]
    if not all(found):
        raise InvalidInput(
            f"hours_{day}", "Write from–to, for example 9–12, 13:30–18, or “closed”."
        )
    return [
        {
            "start": f"{int(match[1]):02}:{match[2] or '00'}",
            "end": f"{int(match[3]) % 24:02}:{match[4] or '00'}",
        }
        for match in found
        if match
    ]


def check_some_hour(hours: CallingHours, wish: HoursWish | None) -> None:
    """Refuses a wish that leaves no hour of the week, which would otherwise be passed over."""
    if wish and wish.days:
        closed = {day for day, windows in wish.days.items() if not windows}
        named = [windows for windows in wish.days.values() if windows]
        others = [n for n, day in enumerate(Weekday) if day not in closed and hours.on(n)]
        if not named and not others:
            raise InvalidInput("hours", "Leave at least one day on which people may be called.")


def stored(wish: BaseModel | None) -> dict[str, Any] | None:
    """A wish as its column keeps it."""
    return wish.model_dump(mode="json", exclude_none=True) if wish else None


def _validated(model: type[W], value: dict[str, Any] | None, field: str) -> W | None:
    if not value:
        return None
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in first["loc"] if part != "root")
        raise InvalidInput(field, f"{where}: {message}" if where else message) from None
