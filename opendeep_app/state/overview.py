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

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
GOOD = {CallOutcome.GOAL_MET}
WAIT_TONES = ("good", "good", "good", "wait", "need", "bad")


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
                f"{money(day.cost_micros)} for {_count(day.calls, 'call')}",
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
                f"{WEEKDAYS[hour.weekday]} {hour.hour:02}:00: {hour.answered} of "
                f"{_count(hour.calls, 'call')} answered",
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
            BarRow(name.capitalize(), str(count), _percent(count, most), tone)
            for (name, count), tone in zip(found.waits.items(), WAIT_TONES, strict=True)
        ]
        self.waits_table = [TableRow([row.label, row.text]) for row in self.waits]


#: What the columns of each chart's table are called.
COLUMNS = {
    "today": ["Outcome", "Calls"],
    "costs": ["Day", "Calls", "Answered", "Cost"],
    "hours": ["Weekday", "Hour there", "Calls", "Answered", "Rate"],
    "waits": ["Answered within", "Questions"],
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
            "Success rate", _rate(found.completed, over), f"{found.completed} of {over} tasks over"
        ),
        FigureRow(
            "Tries per success",
            f"{tries:.1f}" if tries else "–",
            f"{found.attempts_of_completed} attempts",
        ),
        FigureRow(
            "Answer rate",
            _rate(found.answered, found.calls),
            f"{found.answered} of {_count(found.calls, 'call')}",
        ),
        FigureRow(
            "Cost",
            money(found.cost_micros),
            f"{money(each)} per success" if each else "of every call",
        ),
    ]


def _outcomes(found: Figures) -> tuple[list[BarRow], list[TableRow]]:
    most = max(found.today.values(), default=0)
    bars = [
        BarRow(
            outcome.value.removeprefix("FAILED_").replace("_", " ").capitalize(),
            str(count),
            _percent(count, most),
            "good" if outcome in GOOD else "wait",
        )
        for outcome, count in sorted(found.today.items(), key=lambda one: (-one[1], one[0].value))
    ]
    return bars, [TableRow([bar.label, bar.text]) for bar in bars]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"
