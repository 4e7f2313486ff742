"""The charts of `assets/charts.jsx` as components, each with its numbers as a table and a file."""

from typing import Any

import reflex as rx

from opendeep_app.components.browser import Piece, hook
from opendeep_app.components.icons import icon
from opendeep_app.state.overview import COLUMNS, BarRow, CellRow, OverviewState, TableRow
from opendeep_app.words import _

el = rx.el


class _Browser(Piece):
    library = "$/public/charts.jsx"


class Columns(_Browser):
    """Columns over time; `label` says what they show."""

    tag = "Columns"
    rows: rx.Var[list[BarRow]]
    label: rx.Var[str]


class HeatMap(_Browser):
    """The hours of a week."""

    tag = "HeatMap"
    cells: rx.Var[list[CellRow]]
    label: rx.Var[str]


class Bars(_Browser):
    """Bars with their names and numbers."""

    tag = "Bars"
    rows: rx.Var[list[BarRow]]


def chart(
    name: str, title: str, drawn: rx.Component, table: rx.Var[list[TableRow]], nothing: str
) -> rx.Component:
    """A chart with a way to its numbers; `nothing` teaches what will be there."""
    as_table = OverviewState.as_table.contains(name)
    return el.section(
        el.div(
            el.h2(title, class_name="grow"),
            _small(
                rx.cond(as_table, icon("chart-column", 14), icon("table", 14)),
                rx.cond(as_table, _("Chart"), _("Table")),
                OverviewState.toggle_table(name),
                _("{title} as a table").format(title=title),
                hook("chart-table", chart=name),
                aria_pressed=as_table,
            ),
            _small(
                icon("download", 14),
                "CSV",
                OverviewState.download(name),
                _("{title} as a CSV file").format(title=title),
                hook("chart-csv", chart=name),
            ),
            class_name="panel-head",
        ),
        el.div(
            rx.cond(
                table.length() == 0,
                el.p(nothing, class_name="soft small", margin="0"),
                rx.cond(as_table, _table(name, title, table), drawn),
            ),
            class_name="pad",
        ),
        class_name="panel",
        custom_attrs=hook("chart", chart=name),
    )


def _small(
    mark: rx.Component, words: Any, handler: Any, label: str, attrs: dict[str, Any], **more: Any
) -> rx.Component:
    return el.button(
        mark,
        words,
        type="button",
        class_name="btn ghost slim",
        on_click=handler,
        aria_label=label,
        custom_attrs=attrs,
        **more,
    )


def _table(name: str, title: str, rows: rx.Var[list[TableRow]]) -> rx.Component:
    def row(each: rx.Var[TableRow]) -> rx.Component:
        return el.tr(rx.foreach(each.cells, lambda cell: el.td(cell)))

    return el.div(
        el.table(
            el.caption(title, class_name="hidden-text"),
            el.thead(el.tr(*(el.th(column, scope="col") for column in COLUMNS[name]))),
            el.tbody(rx.foreach(rows, row)),
            class_name="numbers num",
        ),
        class_name="scrolled",
        tab_index=0,
        role="region",
        aria_label=_("{title}, as a table").format(title=title),
    )
