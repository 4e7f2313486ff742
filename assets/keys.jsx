// The keyboard: single keys for what is done often, `?` for what there is, Ctrl-K for everything.
import { createElement as h, useEffect, useId, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { _ } from "./words.jsx";

const SEQUENCE_MS = 900;
const FLOW_MS = 700;
// When `g` was pressed, and when any key: kept here because the next may find the next page's listener.
let began = 0, pressed = -FLOW_MS;
const KEYS = [
  [["/"], _("Search")], [["Ctrl", "K"], _("Go anywhere, find a task, do something")], [["j"], _("Next task")], [["k"], _("Task before")],
  [["Enter"], _("Open the task")], [["e"], _("Show its details here")], [["x"], _("Choose it")], [["a"], _("Answer the agent’s question")],
  [["n"], _("New task")], [["?"], _("These keys")],
];

const find = (hook) => document.querySelector(`[data-testid="${hook}"]`);
const typing = (e) => e.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
const tasks = () => [...document.querySelectorAll('[data-testid="task-card"]:not(.leaving)')];
const here = () => document.activeElement?.closest?.('[data-testid="task-card"]');

// Moves to the task after (or before) the one in focus, or to the first on the screen.
function step(by) {
  const all = tasks(), at = all.indexOf(here());
  const next = at < 0 ? all.find((one) => one.getBoundingClientRect().top > 60) : all[at + by];
  next?.querySelector(".who")?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest", behavior: "instant" });
  return Boolean(next);
}

const inTask = (selector) => { const found = here()?.querySelector(selector); found?.click(); return Boolean(found); };

function answer() {
  const field = find("info-answer");
  if (field) { field.focus(); return true; }
  return inTask(".answer");
}

const focus = (hook) => { const found = find(hook); found?.focus(); found?.select?.(); return Boolean(found); };

// A dialog that closes with Escape or a click beside it and gives the focus back.
function Dialog({ className, label, onClose, hook, children }) {
  const ref = useRef(null);
  useEffect(() => { ref.current.showModal(); }, []);
  return h("dialog", { ref, className: `modal ${className}`, "aria-labelledby": label, "data-testid": hook, onClose, onClick: (e) => e.target === ref.current && ref.current.close() }, children);
}

function Help({ pages, onClose }) {
  const id = useId();
  const rows = [...KEYS, ...pages.filter((page) => page.key).map((page) => [["g", page.key], page.label])];
  return h(Dialog, { className: "help", label: id, hook: "keys", onClose },
    h("div", { className: "modal-body stack" },
      h("h2", { id, className: "asks" }, _("Keys")),
      h("dl", { className: "keys" }, rows.map(([keys, text]) => [
        h("dt", { key: `${text}-keys` }, keys.map((key) => h("kbd", { key, className: "key" }, key))), h("dd", { key: text }, text)])),
      h("form", { method: "dialog" }, h("button", { className: "btn" }, _("Close")))));
}

function Palette({ entries, found, onSearch, onClose }) {
  const id = useId(), go = useNavigate(), [text, set] = useState(""), [at, move] = useState(0), list = useRef(null), timer = useRef(null);
  const close = () => list.current?.closest("dialog")?.close();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = entries.filter((one) => words.every((word) => `${one.label} ${one.more || ""}`.toLowerCase().includes(word)));
  const items = [...fitting, ...(text.trim() ? found.map((task) => ({ label: task.title, more: `${task.label} · ${task.goal}`, href: `/tasks/${task.id}` })) : [])];
  const chosen = Math.min(at, items.length - 1);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => { list.current?.children[chosen]?.scrollIntoView({ block: "nearest" }); }, [chosen]);
  const type = (e) => {
    const typed = e.target.value;
    set(typed);
    move(0);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onSearch?.(typed), 120);
  };
  const act = (item) => { if (!item) return; close(); if (item.href) go(item.href); else item.act(); };
  const press = (e) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (by) { e.preventDefault(); move((chosen + by + items.length) % Math.max(1, items.length)); }
    if (e.key === "Enter") { e.preventDefault(); act(items[chosen]); }
  };
  return h(Dialog, { className: "palette", label: `${id}-label`, hook: "palette", onClose },
    h("span", { id: `${id}-label`, className: "hidden-text" }, _("Go anywhere")),
    h("input", { autoFocus: true, value: text, onChange: type, onKeyDown: press, placeholder: _("Go to a page, find a task, do something"), role: "combobox", "aria-expanded": true, "aria-controls": id, "aria-label": _("Go anywhere"), "aria-activedescendant": items.length ? `${id}-${chosen}` : undefined, "data-testid": "palette-input" }),
    h("ul", { id, ref: list, role: "listbox", "aria-label": _("Results") }, items.map((item, n) =>
      h("li", { key: `${item.href || item.label}-${n}`, id: `${id}-${n}`, role: "option", "aria-selected": n === chosen, "data-testid": "palette-item", onMouseMove: () => move(n), onClick: () => act(item) },
        h("span", null, item.label), h("span", { className: "clip" }, item.more || ""), item.key && h("kbd", { className: "key" }, `g ${item.key}`)))),
    items.length === 0 && h("p", { className: "pad soft" }, _("Nothing found.")));
}

// Listens to the whole page, never while somebody types and never over a dialog.
export function Keyboard({ pages, found, onSearch, onTheme }) {
  const [shown, show] = useState(""), go = useNavigate();
  const table = () => { const toggle = find("view-toggle"); toggle?.click(); return Boolean(toggle); };
  const actions = [
    { label: _("Switch between light and dark"), act: () => onTheme?.() },
    { label: _("Search the list"), act: () => focus("search") || go("/") },
    { label: _("Cards or table"), act: () => table() || go("/?view=table") },
    { label: _("Keys"), act: () => show("keys") },
  ];
  useEffect(() => {
    const single = {
      "/": () => focus("search"), j: () => step(1), k: () => step(-1), e: () => inTask('[data-testid="task-expand"]'),
      x: () => inTask('[data-testid="task-pick"]'), a: answer, n: () => { go("/tasks/new"); return true; }, "?": () => { show("keys"); return true; },
    };
    const press = (e) => {
      // A question may come in the middle of a word.
      const flowing = performance.now() - pressed < FLOW_MS;
      pressed = performance.now();
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
        if (document.querySelector("dialog[open]:not(.palette)")) return;
        e.preventDefault();
        show((now) => (now === "palette" ? "" : "palette"));
        return;
      }
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || document.querySelector("dialog.help[open], dialog.palette[open]")) return;
      if (document.querySelector("dialog[open]") && (e.key !== "a" || flowing)) return;
      const page = performance.now() - began < SEQUENCE_MS && pages.find((one) => one.key === e.key);
      began = e.key === "g" && !page ? performance.now() : 0;
      const done = page ? (go(page.href), true) : single[e.key]?.();
      if (done) e.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [pages, go]);
  const close = () => show("");
  if (shown === "keys") return h(Help, { pages, onClose: close });
  if (shown === "palette") return h(Palette, { entries: [...pages.map((page) => ({ ...page, more: _("Page") })), ...actions], found, onSearch, onClose: close });
  return null;
}
