// The field for an answer: it grows with its lines, says when it gets too long, and keeps what is
// typed in this browser until it was given, so that hiding the question or a lost page costs nothing.
import { createElement as h, useEffect, useRef, useState } from "react";
import { keep, read } from "./kept.jsx";
import { _ } from "./words.jsx";

const PAUSE = 200, DAY = 24 * 3600 * 1000, PREFIX = "opendeep:answer:";

// Of questions that were settled somewhere else.
function forgetOld() {
  for (const key of Object.keys(localStorage))
    if (key.startsWith(PREFIX) && !(Date.now() - read(key).at < DAY)) keep(key, null);
}

export function AnswerField({ question, most, onTyped, ref: _unused, ...rest }) {
  const field = useRef(null), typed = useRef(onTyped), timer = useRef(null), [length, setLength] = useState(0);
  typed.current = onTyped;
  const show = () => {
    const { style, value } = field.current;
    style.height = "auto";
    style.height = `${field.current.scrollHeight + 2}px`;
    setLength([...value].length);
  };
  useEffect(() => {
    const bring = () => { field.current.value = read(PREFIX + question).text || ""; show(); };
    const hear = (e) => e.key === PREFIX + question && field.current !== document.activeElement && bring();
    forgetOld();
    bring();
    if (field.current.value) typed.current?.(field.current.value);
    window.addEventListener("storage", hear);
    return () => { clearTimeout(timer.current); window.removeEventListener("storage", hear); };
  }, [question]);
  const change = () => {
    const text = field.current.value;
    show();
    keep(PREFIX + question, text && { text, at: Date.now() });
    // Other tabs hear of it by themselves; this tells the same question's other field in this one.
    window.dispatchEvent(new StorageEvent("storage", { key: PREFIX + question }));
    clearTimeout(timer.current);
    timer.current = setTimeout(() => typed.current?.(text), PAUSE);
  };
  const press = (e) => {
    if (e.key !== "Enter" || e.shiftKey || e.nativeEvent.isComposing) return;
    e.preventDefault();
    e.target.form.requestSubmit();
  };
  return h("div", { className: "answer-field" },
    h("textarea", { ...rest, ref: field, rows: 1, className: "field", name: "answer", placeholder: _("Type your answer…"), autoComplete: "off", enterKeyHint: "send",
      title: _("Enter sends it, Shift and Enter begin a new line"), "aria-invalid": length > most || undefined, onChange: change, onKeyDown: press }),
    h("div", { role: "status", className: length > most ? "error" : "faint small num" }, length > most - 200 && _("{count} of {most} characters", { count: length.toLocaleString(), most: most.toLocaleString() })));
}
