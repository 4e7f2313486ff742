"""Answer once: what the creator wants to be remembered answers the next such question.

What the agent may say freely it is told with its brief. What it must ask about first it does not
know: its question reaches the creator with the remembered answer as a suggestion. What it must
never say never leaves the database.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from opendeep_app.clock import utc_now
from opendeep_app.db import UnitOfWork
from opendeep_app.errors import InvalidInput, NotFound
from opendeep_app.models import (
    Call,
    Campaign,
    Disclosure,
    Fact,
    FactDisclosure,
    FactScope,
    InfoRequest,
    Task,
)
from opendeep_app.repositories import facts as fact_rows
from opendeep_app.services import phone_numbers

MAX_QUESTION = 1000
MAX_ANSWER = 2000

_FILLER = """
a an the is are what whats which please could can would you your yours my me i we our us tell give
know do does did have has be of for to s principal principals user users
"""
#: Words that ask without saying what for: questions that differ in these alone are the same.
FILLER = frozenset(_FILLER.split())


@dataclass(frozen=True)
class NewFact:
    """A fact to be remembered; `phone_number` goes with CONTACT and `campaign_id` with CAMPAIGN."""

    question: str
    answer: str
    scope: FactScope = FactScope.EVERYWHERE
    disclosure: Disclosure = Disclosure.SAY_FREELY
    phone_number: str | None = None
    campaign_id: str | None = None
    expires_at: datetime | None = None
    info_request_id: str | None = None


async def usable(
    session: AsyncSession, user_id: str, task: Task, now: datetime | None = None
) -> list[Fact]:
    """The facts for a task's calls, the most specific first; of equal questions only the first."""
    if task.user_id != user_id:
        return []
    found: dict[frozenset[str], Fact] = {}
    for fact in await fact_rows.usable(session, task, now or utc_now()):
        found.setdefault(meaning(fact.question), fact)
    return list(found.values())


def answering(facts: Iterable[Fact], question: str) -> Fact | None:
    """The fact that answers a question, if one asks for the same."""
    asked = meaning(question)
    return next((fact for fact in facts if meaning(fact.question) == asked), None)


def meaning(question: str) -> frozenset[str]:
    """What is asked for, whatever the manner of asking; all words when nothing else is left."""
    plain = unicodedata.normalize("NFKC", question).casefold()
    words = re.findall(r"\w+", plain)
    return frozenset(words) - FILLER or frozenset(words)


async def recall(uow: UnitOfWork, call_id: str, question: str) -> Fact | None:
    """The fact that answers the question of a call's agent at once, which is thereby given it."""
    call = await uow.session.get_one(Call, call_id)
    fact = await asked_for(uow, call.task_id, question)
    if fact is None or fact.disclosure is not Disclosure.SAY_FREELY:
        return None
    await disclosed(uow, call_id, [fact.id])
    return fact


async def asked_for(uow: UnitOfWork, task_id: str, question: str) -> Fact | None:
    """The fact that applies to the task and answers the question, said freely or not."""
    task = await uow.session.get_one(Task, task_id)
    return answering(await usable(uow.session, task.user_id, task, uow.now), question)


async def disclosed(uow: UnitOfWork, call_id: str, fact_ids: Iterable[str]) -> None:
    """Notes that the agent of this call was given these facts; once for each."""
    known = await uow.session.scalars(
        select(col(FactDisclosure.fact_id)).where(col(FactDisclosure.call_id) == call_id)
    )
    for fact_id in sorted(set(fact_ids) - set(known)):
        await uow.add_unless_exists(
            FactDisclosure(fact_id=fact_id, call_id=call_id, created_at=uow.now)
        )


async def remember(uow: UnitOfWork, user_id: str, new: NewFact) -> Fact:
    """Keeps a fact; one that asks for the same in the same scope is replaced.

    Raises `InvalidInput`, and `NotFound` for another's campaign.
    """
    question, answer = _clean(new.question, "question"), _clean(new.answer, "answer")
    number = campaign_id = None
    if new.scope is FactScope.CONTACT:
        number = phone_numbers.parse(new.phone_number or "", shared_cost=True).e164
    if new.scope is FactScope.CAMPAIGN:
        campaign = await uow.session.get(Campaign, new.campaign_id) if new.campaign_id else None
        if campaign is None or campaign.user_id != user_id:
            raise NotFound("There is no such campaign.")
        campaign_id = campaign.id
    _check_expiry(uow, new.expires_at)
    same = await _same(uow, user_id, new.scope, number, campaign_id, question)
    fact = same or Fact(
        user_id=user_id,
        scope=new.scope,
        phone_number=number,
        campaign_id=campaign_id,
        question=question,
        answer=answer,
        disclosure=new.disclosure,
        created_at=uow.now,
        updated_at=uow.now,
    )
    fact.question, fact.answer, fact.disclosure = question, answer, new.disclosure
    fact.expires_at, fact.info_request_id = new.expires_at, new.info_request_id
    fact.updated_at = uow.now
    uow.session.add(fact)
    await uow.session.flush()
    return fact


async def remember_answer(
    uow: UnitOfWork,
    request: InfoRequest,
    scope: FactScope,
    disclosure: Disclosure,
    expires_at: datetime | None,
) -> Fact:
    """Keeps the answer of a question; raises `InvalidInput` while there is none."""
    if request.answer is None:
        raise InvalidInput("answer", "Answer the question first.")
    task = await uow.session.get_one(Task, request.task_id)
    if scope is FactScope.CAMPAIGN and task.campaign_id is None:
        scope = FactScope.CONTACT
    return await remember(
        uow,
        request.user_id,
        NewFact(
            question=request.question,
            answer=request.answer,
            scope=scope,
            disclosure=disclosure,
            phone_number=task.phone_number,
            campaign_id=task.campaign_id,
            expires_at=expires_at,
            info_request_id=request.id,
        ),
    )


async def edit(
    uow: UnitOfWork,
    user_id: str,
    fact_id: str,
    answer: str,
    disclosure: Disclosure,
    expires_at: datetime | None,
) -> Fact:
    """Changes what a fact says and what may be done with it; raises `InvalidInput`, `NotFound`."""
    fact = await get(uow, user_id, fact_id)
    fact.answer, fact.disclosure = _clean(answer, "answer"), disclosure
    if expires_at != fact.expires_at:
        _check_expiry(uow, expires_at)
    fact.expires_at, fact.updated_at = expires_at, uow.now
    return fact


async def delete(uow: UnitOfWork, user_id: str, fact_id: str) -> None:
    """Forgets a fact; raises `NotFound`."""
    await uow.session.delete(await get(uow, user_id, fact_id))


async def get(uow: UnitOfWork, user_id: str, fact_id: str) -> Fact:
    """The fact, if it is this user's; raises `NotFound`."""
    fact = await fact_rows.get(uow.session, user_id, fact_id)
    if fact is None:
        raise NotFound("There is no such fact.")
    return fact


async def _same(
    uow: UnitOfWork,
    user_id: str,
    scope: FactScope,
    number: str | None,
    campaign_id: str | None,
    question: str,
) -> Fact | None:
    rows = await uow.session.scalars(
        select(Fact).where(
            col(Fact.user_id) == user_id,
            col(Fact.scope) == scope,
            col(Fact.phone_number).is_not_distinct_from(number),
            col(Fact.campaign_id).is_not_distinct_from(campaign_id),
        )
    )
    return answering(rows, question)


def _check_expiry(uow: UnitOfWork, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= uow.now:
        raise InvalidInput("expires_at", "Choose a time in the future.")


def _clean(text: str, field: str) -> str:
    kept = (c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))
    text = "".join(kept).strip()
    longest = MAX_QUESTION if field == "question" else MAX_ANSWER
    if not text:
        raise InvalidInput(field, f"Write the {field} first.")
    if len(text) > longest:
        raise InvalidInput(field, f"Keep the {field} under {longest:,} characters.")
    return text
