// Charts drawn with elements of the page, so that they take its colours in light and dark and
// bend to any width. Each says in words what it shows; its numbers are also there as a table.
import { createElement as h, useState } from "react";
import { _ } from "./words.jsx";

const DAYS = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")];

// Columns over time. What the pointer or a finger is on is said above them.
export function Columns({ rows, label }) {
  const [at, set] = useState(null);
  const row = at === null ? null : rows[at], highest = rows.find((one) => one.share === 100);
  const leave = () => set(null);
  return h("div", { className: "columns-chart", role: "img", "aria-label": label },
    h("div", { className: "reading", "aria-hidden": true }, row ? h("span", null, h("b", null, row.label), " · ", row.text) : h("span", { className: "soft" }, highest ? _("Highest: {label}, {text}", highest) : "")),
    h("div", { className: "columns", "aria-hidden": true, onPointerLeave: leave },
      rows.map((one, n) => h("div", { key: one.label, className: `column ${n === at ? "on" : ""}`, onPointerEnter: () => set(n), onPointerDown: () => set(n) },
        h("i", { style: { height: `${one.share}%` } })))));
}

// The hours of a week; the stronger the colour, the more of the calls were answered.
export function HeatMap({ cells, label }) {
  const [at, set] = useState(null);
  const by = new Map(cells.map((cell) => [cell.weekday * 24 + cell.hour, cell]));
  const cell = at === null ? null : by.get(at);
  return h("div", { role: "img", "aria-label": label },
    h("div", { className: "reading", "aria-hidden": true }, cell ? h("b", null, cell.text) : h("span", { className: "soft" }, _("The recipients' own time"))),
    h("div", { className: "heat", "aria-hidden": true, onPointerLeave: () => set(null) },
      DAYS.map((day, weekday) => [
        h("span", { key: day, className: "heat-day" }, day),
        ...Array.from({ length: 24 }, (_, hour) => {
          const place = weekday * 24 + hour, found = by.get(place);
          return h("i", { key: place, className: found ? "known" : "", style: found && { "--share": `${12 + 0.88 * found.share}%` }, onPointerEnter: () => set(place), onPointerDown: () => set(place) });
        }),
      ]),
      h("span", { className: "heat-day" }),
      Array.from({ length: 24 }, (_, hour) => h("span", { key: hour, className: "heat-hour" }, hour % 6 ? "" : hour))));
}

// Bars with their names and numbers, largest first or in the order given.
export function Bars({ rows }) {
  return h("ul", { className: "bars" }, rows.map((row) => h("li", { key: row.label, className: `tone-${row.tone}` },
    h("span", { className: "bar-label" }, row.label),
    h("span", { className: "bar", "aria-hidden": true }, h("i", { style: { width: `${row.share}%` } })),
    h("b", { className: "num" }, row.text))));
}
