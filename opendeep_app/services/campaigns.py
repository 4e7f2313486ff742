"""Campaigns: one goal for many contacts, one task per contact."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput, NotFound
from opendeep_app.models import Campaign, Task
from opendeep_app.repositories import campaigns as rows_of_campaigns
from opendeep_app.services import do_not_call, tasks
from opendeep_app.services.rules import (
    check_some_hour,
    hours_wish,
    retry_wish,
    rules_of,
    stored,
)
from opendeep_app.services.tasks import NewTask
from opendeep_app.services.timing import Schedule

MAX_CONTACTS = 2000
MAX_NAME = 200

#: The columns of a contact file, and what else people call them.
COLUMNS = {
    "phone_number": ("phone_number", "phone", "number", "telephone", "mobile"),
    "name": ("name", "contact_name", "contact"),
    "context": ("context", "notes"),
    "time_zone": ("time_zone", "timezone", "zone"),
}
_NAMES = ", ".join(COLUMNS)

#: The part of a contact that a task's field comes from; the other fields are the campaign's own.
_OF_CONTACT = {
    "phone_number": "phone_number",
    "contact_name": "name",
    "context": "context",
    "time_zone": "time_zone",
}


@dataclass(frozen=True)
class Contact:
    """Somebody to call; `row` says where they were given: position or line, from 1."""

    row: int
    phone_number: str
    name: str = ""
    context: str = ""
    #: The IANA zone, where the number does not tell.
    time_zone: str = ""


@dataclass(frozen=True)
class RowProblem:
    """Why a contact cannot be used; `field` is a column's name."""

    row: int
    field: str
    message: str


@dataclass(frozen=True)
class Started:
    """A new campaign, its tasks in the contacts' order, and the contacts it goes without."""

    campaign: Campaign
    tasks: list[Task]
    skipped: list[RowProblem]


class InvalidContacts(InvalidInput):
    """Contacts that cannot be used; `rows` says which and why."""

    def __init__(self, message: str, rows: Sequence[RowProblem]) -> None:
        super().__init__("contacts", message)
        self.rows = tuple(rows)


async def create(
    uow: UnitOfWork,
    user_id: str,
    name: str,
    wishes: NewTask,
    contacts: Sequence[Contact],
    *,
    skip_invalid: bool = False,
    budget_micros: int | None = None,
) -> Started:
    """A new campaign with a task for each contact, made as `wishes` says.

    `budget_micros` is what all of its calls together may cost. All or nothing: raises `InvalidContacts` with every row that cannot be used (bad number, on
    the do-not-call list, the same number twice), unless `skip_invalid` and others are left.
    What `wishes` says in its context comes before what is said of the contact.
    """
    name = name.strip() or wishes.goal.strip()[:80]
    if len(name) > MAX_NAME:
        raise InvalidInput("name", f"Keep this under {MAX_NAME} characters.")
    if not 1 <= len(contacts) <= MAX_CONTACTS:
        raise InvalidInput("contacts", f"Give 1 to {MAX_CONTACTS:,} contacts.")
    hours, retries = hours_wish(wishes.hours), retry_wish(wishes.retry_policy)
    campaign = Campaign(
        user_id=user_id,
        name=name,
        goal=wishes.goal.strip(),
        hours=stored(hours),
        retry_policy=stored(retries),
        budget_micros=budget_micros,
        created_at=uow.now,
    )
    rules = (await rules_of(uow.session, uow.policy, user_id)).and_then(hours, retries)
    check_some_hour(rules.hours(None), hours)
    listed = {entry.phone_number for entry in await do_not_call.entries(uow.session, user_id)}
    planned: list[tuple[Task, Schedule]] = []
    bad: list[RowProblem] = []
    rows: dict[str, int] = {}
    for contact in contacts:
        new = replace(
            wishes,
            phone_number=contact.phone_number,
            contact_name=contact.name,
            time_zone=contact.time_zone.strip() or wishes.time_zone,
            context="\n\n".join(filter(None, (wishes.context.strip(), contact.context.strip()))),
            campaign_id=campaign.id,
            hours=None,
            retry_policy=None,
        )
        try:
            task, schedule = tasks.plan(uow, user_id, new, rules)
            if task.phone_number in rows:
                same = rows[task.phone_number]
                raise InvalidInput("phone_number", f"Row {same} has the same number.")
            rows[task.phone_number] = contact.row
            if task.phone_number in listed:
                raise InvalidInput("phone_number", do_not_call.LISTED)
        except InvalidInput as error:
            if error.field not in _OF_CONTACT:
                raise
            bad.append(RowProblem(contact.row, _OF_CONTACT[error.field], error.message))
        else:
            planned.append((task, schedule))
    if bad and (not planned or not skip_invalid):
        raise InvalidContacts(
            f"{len(bad)} of {len(contacts)} contacts cannot be used, so nothing was created.", bad
        )
    uow.session.add(campaign)
    await uow.session.flush()
    await tasks.create_planned(uow, planned)
    return Started(campaign, [task for task, _ in planned], bad)


async def change_rules(
    uow: UnitOfWork,
    user_id: str,
    campaign_id: str,
    hours: dict[str, Any] | None,
    retry_policy: dict[str, Any] | None,
) -> None:
    """What a campaign wants otherwise than its user, from the next decision on; None for nothing.

    Raises `NotFound` and `InvalidInput`, also when no hour of the week would be left.
    """
    campaign = await rows_of_campaigns.get(uow.session, user_id, campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    wish = hours_wish(hours)
    check_some_hour((await rules_of(uow.session, uow.policy, user_id)).hours(None), wish)
    campaign.hours = stored(wish)
    campaign.retry_policy = stored(retry_wish(retry_policy))


def read_csv(content: bytes) -> list[Contact]:
    """The contacts of a CSV file with a header; raises `InvalidInput` when it cannot be read.

    UTF-8, with or without byte order mark; commas, semicolons or tabs, as spreadsheets write.
    """
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
    except ValueError:
        raise InvalidInput("contacts", "Save the contacts as CSV in UTF-8.") from None
    header = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [_column(title) for title in next(reader, [])]
        if "phone_number" not in columns or len(set(columns)) < len(columns):
            raise InvalidInput("contacts", f"The first line must name the columns: {_NAMES}.")
        return [
            _contact(columns, cells, reader.line_num)
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise InvalidInput("contacts", f"Line {reader.line_num} is not CSV: {error}.") from None


def _column(title: str) -> str:
    words = title.strip().lower().replace(" ", "_").replace("-", "_")
    for column, names in COLUMNS.items():
        if words in names:
            return column
    raise InvalidInput("contacts", f"There is no column “{title.strip()[:40]}”; use {_NAMES}.")


def _contact(columns: list[str], cells: list[str], line: int) -> Contact:
    if len(cells) > len(columns):
        raise InvalidInput("contacts", f"Line {line} has more cells than there are columns.")
    values = dict(zip(columns, cells, strict=False))
    return Contact(row=line, **{"phone_number": "", **values})
