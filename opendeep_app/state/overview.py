"""The overview: what needs the viewer now, what is going on, and how it has been going."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any, ClassVar

import reflex as rx

from opendeep_app.bus import Topic
from opendeep_app.live import LiveState, tabs
from opendeep_app.models import Call, CallOutcome, InfoRequest, Task
from opendeep_app.repositories import info_requests
from opendeep_app.repositories import overview as rows
from opendeep_app.repositories.tasks import CallDetail, TaskDetail
from opendeep_app.runtime import deps
from opendeep_app.services import overview
from opendeep_app.services.overview import RANGES, Figures
from opendeep_app.state.access import viewer
from opendeep_app.state.rows import TaskRow, money, task_row, text_of
from opendeep_app.theme import OUTCOME
from opendeep_app.words import _, ngettext

WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
GOOD = {CallOutcome.GOAL_MET}
#: Label and tone of each of `services.overview.WAITS`.
WAITS = (
    (_("Under 10 s"), "good"),
    (_("10 to 30 s"), "good"),
    (_("30 to 60 s"), "good"),
    (_("A minute and more"), "wait"),
    (_("Too late"), "need"),
    (_("No answer yet"), "bad"),
)


@dataclass
class FigureRow:
    """A number that matters, and what it is of."""

    name: str = ""
    value: str = ""
    hint: str = ""


@dataclass
class BarRow:
    """A bar or a column; `share` of the largest, in percent."""

    label: str = ""
    text: str = ""
    share: float = 0
    tone: str = "live"


@dataclass
class CellRow:
    """A field of the heat map; `share` of the calls that were answered, in percent."""

    weekday: int = 0
    hour: int = 0
    share: float = 0
    text: str = ""


@dataclass
class TableRow:
    """A row of a chart's numbers."""

    cells: list[str] = field(default_factory=list)


class OverviewState(LiveState, rx.State):
    """What the overview shows."""

    TOPICS: ClassVar[frozenset[Topic]] = frozenset({Topic.TASK, Topic.INFO_REQUEST})

    loaded: bool = False
    days: int = RANGES[1]
    #: Whether there was ever a call to count.
    empty: bool = True
    live: list[TaskRow] = []
    figures: list[FigureRow] = []
    today: list[BarRow] = []
    costs: list[BarRow] = []
    hours: list[CellRow] = []
    waits: list[BarRow] = []
    #: The charts that are shown as tables, by their names.
    as_table: list[str] = []
    today_table: list[TableRow] = []
    costs_table: list[TableRow] = []
    hours_table: list[TableRow] = []
    waits_table: list[TableRow] = []
    server_now: str = ""

    @rx.event
    async def load(self) -> None:
        """Begins to follow the viewer's figures of the range that the address names."""
        user = await viewer(self)
        if user is None:
            return
        tabs.add(self.router.session.client_token, user.id, OverviewState)
        wanted = self.router.url.query_parameters.get("days", "")
        self.days = int(wanted) if wanted in map(str, RANGES) else RANGES[1]
        await self.refresh()

    @rx.event
    def toggle_table(self, name: str) -> None:
        """Shows a chart as a table, or again as a chart."""
        shown = set(self.as_table) ^ {name}
        self.as_table = sorted(shown & set(COLUMNS))

    @rx.event
    async def download(self, name: str) -> Any:
        """A chart's numbers as a file."""
        if name not in COLUMNS or await viewer(self) is None:
            return None
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS[name])
        writer.writerows(row.cells for row in getattr(self, f"{name}_table"))
        return rx.download(data=text.getvalue(), filename=f"opendeep-{name}-{self.days}-days.csv")

    async def refresh(self, topics: frozenset[Topic] = frozenset(Topic)) -> None:
        """Reads the figures again."""
        async with deps().db.reading() as session:
            user = await viewer(self, session)
            if user is None:
                self.reset()  # type: ignore[no-untyped-call]
                return
            going_on = await rows.live(session, user.id)
            asked = await info_requests.pending(session, user.id)
        now, days, zone = deps().clock(), self.days, user.time_zone
        found = await deps().cache.get(
            user.id,
            ("overview", days, zone),
            lambda session: overview.figures(session, user.id, now, zone, days),
        )
        self.live = [_live(task, call, asked) for task, call in going_on]
        self._show(found)
        self.server_now, self.loaded = text_of(now), True

    def _show(self, found: Figures) -> None:
        self.empty = not (found.calls or found.completed or found.failed)
        self.figures = _figures(found)
        self.today, self.today_table = _outcomes(found)
        most = max((day.cost_micros for day in found.days), default=0)
        self.costs = [
            BarRow(
                f"{day.date:%a} {day.date.day} {day.date:%b}",
                _("{cost} for {calls}").format(
                    cost=money(day.cost_micros), calls=_calls(day.calls)
                ),
                _percent(day.cost_micros, most),
            )
            for day in found.days
        ]
        self.costs_table = [
            TableRow(
                [day.date.isoformat(), str(day.calls), str(day.answered), money(day.cost_micros)]
            )
            for day in found.days
        ]
        self.hours = [
            CellRow(
                hour.weekday,
                hour.hour,
                _percent(hour.answered, hour.calls),
                _("{day} {hour:02}:00: {count} of {calls} answered").format(
                    day=WEEKDAYS[hour.weekday],
                    hour=hour.hour,
                    count=hour.answered,
                    calls=_calls(hour.calls),
                ),
            )
            for hour in found.hours
        ]
        self.hours_table = [
            TableRow(
                [
                    WEEKDAYS[hour.weekday],
                    f"{hour.hour:02}:00",
                    str(hour.calls),
                    str(hour.answered),
                    _rate(hour.answered, hour.calls),
                ]
            )
            for hour in found.hours
        ]
        most = max(found.waits.values(), default=0)
        self.waits = [
            BarRow(label, str(count), _percent(count, most), tone)
            for count, (label, tone) in zip(found.waits.values(), WAITS, strict=True)
        ]
        self.waits_table = [TableRow([row.label, row.text]) for row in self.waits]


#: What the columns of each chart's table are called.
COLUMNS = {
    "today": [_("Outcome"), _("Calls")],
    "costs": [_("Day"), _("Calls"), _("Answered"), _("Cost")],
    "hours": [_("Weekday"), _("Hour there"), _("Calls"), _("Answered"), _("Rate")],
    "waits": [_("Answered within"), _("Questions")],
}


def _live(task: Task, call: Call, asked: list[InfoRequest]) -> TaskRow:
    own = [question for question in asked if question.task_id == task.id]
    return task_row(TaskDetail(task, calls=[CallDetail(call)], info_requests=own))


def _figures(found: Figures) -> list[FigureRow]:
    over = found.completed + found.failed
    tries = found.attempts_of_completed / found.completed if found.completed else 0
    each = round(found.cost_micros / found.completed) if found.completed else 0
    return [
        FigureRow(
            _("Success rate"),
            _rate(found.completed, over),
            _("{count:,} of {all:,} tasks over").format(count=found.completed, all=over),
        ),
        FigureRow(
            _("Tries per success"),
            f"{tries:.1f}" if tries else "–",
            ngettext("{count:,} attempt", "{count:,} attempts", found.attempts_of_completed).format(
                count=found.attempts_of_completed
            ),
        ),
        FigureRow(
            _("Answer rate"),
            _rate(found.answered, found.calls),
            _("{count:,} of {calls}").format(count=found.answered, calls=_calls(found.calls)),
        ),
        FigureRow(
            _("Cost"),
            money(found.cost_micros),
            _("{cost} per success").format(cost=money(each)) if each else _("of every call"),
        ),
    ]


def _outcomes(found: Figures) -> tuple[list[BarRow], list[TableRow]]:
    most = max(found.today.values(), default=0)
    bars = [
        BarRow(
            OUTCOME[outcome],
            str(count),
            _percent(count, most),
            "good" if outcome in GOOD else "wait",
        )
        for outcome, count in sorted(found.today.items(), key=lambda one: (-one[1], one[0].value))
    ]
    return bars, [TableRow([bar.label, bar.text]) for bar in bars]


def _calls(count: int) -> str:
    return ngettext("{count:,} call", "{count:,} calls", count).format(count=count)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"
