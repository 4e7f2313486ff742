"""The viewer's campaigns: how far each is, and what it has cost."""

from dataclasses import dataclass, field
from typing import ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import CallOutcome, Campaign, TaskStatus
from opendeep_app.repositories import campaigns
from opendeep_app.repositories.campaigns import Progress
from opendeep_app.runtime import deps
from opendeep_app.services.budgets import dollars
from opendeep_app.state.access import viewer
from opendeep_app.state.rows import text_of
from opendeep_app.state.task_filters import OUTCOMES, STATUSES, Filters
from opendeep_app.theme import STATUS
from opendeep_app.words import _, ngettext

MOST = 50


@dataclass
class PartRow:
    """A part of a campaign's tasks: what it is called, and where in the list they are."""

    label: str = ""
    count: str = ""
    tone: str = "wait"
    #: Of all the campaign's tasks, in percent.
    share: float = 0
    href: str = ""


@dataclass
class CampaignRow:
    """A campaign as pages show it."""

    id: str = ""
    name: str = ""
    goal: str = ""
    created_at: str = ""
    over: str = ""
    spent: str = ""
    budget: str = ""
    reserved: str = ""
    #: Why tasks of it wait for money; empty when none does.
    short: str = ""
    parts: list[PartRow] = field(default_factory=list)
    outcomes: list[PartRow] = field(default_factory=list)
    in_words: str = ""
    open: bool = False
    held: bool = False


class CampaignsState(LiveState, rx.State):
    """The list of campaigns."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.TASK})

    loaded: bool = False
    rows: list[CampaignRow] = []
    more: bool = False
    _shown: int = MOST

    @rx.event
    async def load(self) -> None:
        """Begins to follow the viewer's campaigns."""
        user = await viewer(self)
        if user is not None:
            tabs.add(self.router.session.client_token, user.id, CampaignsState)
            await self.refresh()

    @rx.event
    async def show_more(self) -> None:
        """Older ones too."""
        self._shown += MOST
        await self.refresh()

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the list again."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self.reset()  # type: ignore[no-untyped-call]
                return
            found = await campaigns.of_user(session, user.id, self._shown + 1)
            shown = found[: self._shown]
            progress = await campaigns.progress(session, [campaign.id for campaign in shown])
        self.rows = [campaign_row(campaign, progress[campaign.id]) for campaign in shown]
        self.more = len(found) > self._shown
        self.loaded = True


def campaign_row(campaign: Campaign, progress: Progress) -> CampaignRow:
    """The campaign as it is now."""
    parts = [
        _part(progress, name, statuses, campaign.id)
        for name, (_label, statuses) in STATUSES.items()
    ]
    shown = [part for part in parts if part.count]
    return CampaignRow(
        id=campaign.id,
        name=campaign.name,
        goal=campaign.goal,
        created_at=text_of(campaign.created_at),
        over=_("{over:,} of {all:,} over").format(over=progress.over, all=progress.total),
        spent=dollars(campaign.spent_micros),
        budget=dollars(campaign.budget_micros) if campaign.budget_micros else "",
        reserved=dollars(campaign.reserved_micros) if campaign.reserved_micros else "",
        short=ngettext(
            "{count:,} waits for a budget", "{count:,} wait for a budget", progress.short
        ).format(count=progress.short)
        if progress.short
        else "",
        parts=shown,
        outcomes=_outcomes(campaign.id, progress.outcomes),
        in_words=", ".join(f"{part.label} {part.count}" for part in shown),
        open=progress.over < progress.total - progress.statuses.get(TaskStatus.ON_HOLD, 0),
        held=bool(progress.statuses.get(TaskStatus.ON_HOLD)),
    )


def _part(
    progress: Progress, name: str, statuses: tuple[TaskStatus, ...], campaign_id: str
) -> PartRow:
    count = sum(progress.statuses.get(status, 0) for status in statuses)
    return PartRow(
        label=STATUSES[name][0],
        count=f"{count:,}" if count else "",
        tone=STATUS[statuses[0]].tone,
        share=round(100 * count / max(1, progress.total), 2),
        href=Filters(campaign=campaign_id, status=(name,)).address(),
    )


def _outcomes(campaign_id: str, counts: dict[CallOutcome, int]) -> list[PartRow]:
    """What came of the newest calls, the most frequent first; those with a filter lead there."""
    rest = dict(counts)
    found: list[tuple[int, PartRow]] = []
    for name, (label, outcomes) in OUTCOMES.items():
        count = sum(rest.pop(outcome, 0) for outcome in outcomes)
        if count:
            href = Filters(campaign=campaign_id, outcome=name).address()
            tone = "good" if CallOutcome.GOAL_MET in outcomes else "wait"
            found.append((count, PartRow(label, href=href, tone=tone)))
    if others := sum(rest.values()):
        found.append((others, PartRow(_("Other"), href=Filters(campaign=campaign_id).address())))
    found.sort(key=lambda one: -one[0])
    most = max((count for count, _row in found), default=1)
    for count, row in found:
        row.count, row.share = f"{count:,}", round(100 * count / most, 1)
    return [row for _count, row in found]
