// What the task page does in the browser: seeking in a recording, following a quote to its
// line, pointing at an event, copying, and taking something back for a moment.
import { createElement as h, useEffect, useRef, useState } from "react";
import { _ } from "./words.jsx";

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function show(element) {
  element.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
  element.classList.remove("lit");
  void element.offsetWidth;
  element.classList.add("lit");
}

// A call: `data-goto` leads to an element of it, `data-seek` plays from so many milliseconds on.
export function CallBody({ children, recording, ...rest }) {
  const ref = useRef(null), audio = useRef(null);
  const [rate, setRate] = useState(1);
  const click = (e) => {
    const goto = e.target.closest("[data-goto]"), seek = e.target.closest("[data-seek]");
    if (goto) {
      const line = ref.current.querySelector(`[data-line="${goto.dataset.goto}"]`);
      if (line) show(line);
    }
    if (seek && audio.current) {
      audio.current.currentTime = Number(seek.dataset.seek) / 1000;
      audio.current.play().catch(() => {});
    }
  };
  const follow = () => {
    const now = audio.current.currentTime * 1000;
    let current = null;
    for (const line of ref.current.querySelectorAll("[data-ms]")) {
      if (Number(line.dataset.ms) <= now + 150) current = line;
      line.classList.remove("playing");
    }
    if (current && !audio.current.paused) current.classList.add("playing");
  };
  const faster = () => {
    const next = { 1: 1.5, 1.5: 2, 2: 1 }[rate];
    audio.current.playbackRate = next;
    setRate(next);
  };
  return h("div", { ...rest, ref, onClick: click, className: recording ? "call-body heard-back" : "call-body" },
    recording && h("div", { className: "player" },
      h("audio", { ref: audio, src: recording, controls: true, preload: "metadata", onTimeUpdate: follow, onPause: follow, "aria-label": _("Recording of the call"), "data-testid": "call-recording" }),
      h("button", { type: "button", className: "btn ghost", onClick: faster, "aria-label": _("Speed: {rate} times", { rate }) }, `${rate}×`)),
    children);
}

// Points at the event that the address names (`?event=12` or `#event-12`), also when only its
// fragment changes.
export function PointAt({ event, onNamed }) {
  const named = useRef(onNamed), shown = useRef(0);
  named.current = onNamed;
  useEffect(() => {
    const read = () => {
      const { hash, search } = window.location;
      const found = hash.match(/^#event-(\d+)$/)?.[1] ?? new URLSearchParams(search).get("event");
      if (found) { shown.current = 0; named.current(found); }
    };
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, []);
  useEffect(() => {
    const element = event && shown.current !== event && document.getElementById(`event-${event}`);
    if (!element) return;
    shown.current = event;
    show(element);
  });
  return null;
}

// Puts text on the clipboard; `path` is completed to an address first.
export function Copy({ text, path, label, ...rest }) {
  const [done, set] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => set(false), 1600);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => navigator.clipboard.writeText(path ? new URL(path, window.location.origin).href : text).then(() => set(true), () => {});
  return h("button", { ...rest, type: "button", className: "btn ghost slim", onClick: copy }, h("span", { "aria-live": "polite" }, done ? _("Copied") : label));
}

// Something that was just done and can be taken back while this is shown.
export function Undo({ text, onUndo, onGone }) {
  const gone = useRef(onGone);
  gone.current = onGone;
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(() => gone.current?.(), 8000);
    return () => clearTimeout(timer);
  }, [text]);
  return h("div", { role: "status" }, text && h("div", { className: "passing row" }, h("span", { className: "grow" }, text),
    h("button", { type: "button", className: "btn slim", onClick: () => onUndo?.(), "data-testid": "undo" }, _("Undo"))));
}

// Prints the page.
export function Print({ className, children, ...rest }) {
  return h("button", { ...rest, type: "button", className, onClick: () => window.print() }, children);
}
