"""What a call finds out: noted by the agent during it, and held against what was really said."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput
from opendeep_app.models import Call, Finding, Speaker, Task, TranscriptLine
from opendeep_app.repositories import calls as call_rows


async def note(uow: UnitOfWork, call_id: str, field: str, value: str, quote: str) -> Finding:
    """Notes an answer; for the same field on the same call it replaces the one before.

    Raises `InvalidInput` for a field that the task did not ask for.
    """
    call = await uow.session.get_one(Call, call_id)
    task = await uow.session.get_one(Task, call.task_id)
    wanted = _wanted(task, field)
    finding = await uow.session.scalar(
        select(Finding).where(col(Finding.call_id) == call_id, col(Finding.field) == wanted)
    )
    if finding is None:
        finding = Finding(
            call_id=call_id,
            task_id=call.task_id,
            field=wanted,
            value=value,
            quote=quote,
            created_at=uow.now,
        )
        uow.session.add(finding)
    finding.value, finding.quote = value, quote
    finding.line = place(quote, await call_rows.transcript(uow.session, call_id))
    return finding


async def prove(uow: UnitOfWork, call_id: str) -> None:
    """Looks once more for the quotes of a call: words are often written after they were noted."""
    rows = await uow.session.scalars(
        select(Finding).where(col(Finding.call_id) == call_id, col(Finding.line).is_(None))
    )
    unproven = list(rows)
    lines = await call_rows.transcript(uow.session, call_id) if unproven else []
    for finding in unproven:
        finding.line = place(finding.quote, lines)


def place(quote: str, lines: Sequence[TranscriptLine]) -> int | None:
    """The number of the recipient's line that holds the quote; None when they never said it."""
    words = _plain(quote)
    said = [line for line in lines if line.speaker is Speaker.RECIPIENT]
    places = [line.sequence for line in said if words and words in _plain(line.text)]
    return places[-1] if places else None


def _wanted(task: Task, field: str) -> str:
    fields = [str(wanted["field"]) for wanted in task.findings_wanted]
    for name in fields:
        if _plain(name) == _plain(field):
            return name
    known = f"Use one of: {', '.join(fields)}." if fields else "Nothing is to be found out."
    raise InvalidInput("field", f"“{field}” was not asked for. {known}")


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,!?\"'“”")
