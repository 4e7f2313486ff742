// A form whose input is never lost: kept in this browser while it is typed, told to the server
// after a moment, and put back when the page comes again.
import { createElement as h, useEffect, useRef } from "react";
import { keep, read } from "./kept.jsx";

const PAUSE = 250;

const collect = (form) => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));

// Fills the fields that are there; a folded part with something in it opens.
function fill(form, values, only = () => true) {
  for (const field of form.elements) {
    if (!field.name || !only(field)) continue;
    const value = values[field.name];
    const before = field.type === "checkbox" ? field.checked : field.value;
    if (field.type === "checkbox") field.checked = value !== undefined;
    else if (value !== undefined) field.value = value;
    const after = field.type === "checkbox" ? field.checked : field.value;
    if (after !== before) field.closest("details")?.setAttribute("open", "");
  }
}

// Stands inside the form. `rows` says how many repeated rows there are; new ones are filled too.
export function Draft({ name, prefill, rows, onTyped }) {
  const anchor = useRef(null), filled = useRef(new WeakSet()), values = useRef({}), typed = useRef(onTyped);
  typed.current = onTyped;
  const mark = (form) => { for (const field of form.elements) filled.current.add(field); };
  useEffect(() => {
    if (!name) return;
    const form = anchor.current.closest("form"), key = `opendeep:draft:${name}`;
    let timer;
    const tell = (left) => { clearTimeout(timer); typed.current(collect(form), left); };
    const change = () => {
      values.current = { ...values.current, ...collect(form) };
      keep(key, collect(form));
      clearTimeout(timer);
      timer = setTimeout(() => tell(""), PAUSE);
    };
    const leave = (event) => { if (event.target.name) tell(event.target.name); };
    const kept = read(key);
    values.current = prefill && !Object.keys(kept).length ? JSON.parse(prefill) : kept;
    if (Object.keys(values.current).length) fill(form, values.current);
    mark(form);
    tell("");
    form.addEventListener("input", change);
    form.addEventListener("focusout", leave);
    return () => {
      clearTimeout(timer);
      form.removeEventListener("input", change);
      form.removeEventListener("focusout", leave);
    };
  }, [name, prefill]);
  useEffect(() => {
    const form = anchor.current.closest("form");
    fill(form, values.current, (field) => !filled.current.has(field));
    mark(form);
  }, [rows]);
  return h("span", { ref: anchor, hidden: true });
}

// Puts `text` into the field `into` as if it had been typed.
export function Put({ into, text, children, ...rest }) {
  const put = () => {
    const field = document.getElementById(into);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  };
  return h("button", { type: "button", ...rest, onClick: put }, children);
}
