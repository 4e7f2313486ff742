// What the task list needs in the browser: typing that waits a moment, ends that are reached by
// scrolling, and rows that are seen leaving.
import { createElement as h, useEffect, useRef, useState } from "react";

const TYPING_MS = 120, LEAVING_MS = 420;

// A search field that keeps what is being typed while the page follows behind.
export function SearchBox({ value, placeholder, onSearch, ...rest }) {
  const [text, set] = useState(value), sent = useRef(value), timer = useRef(null);
  useEffect(() => {
    if (value === sent.current) return;
    sent.current = value;
    set(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (e) => {
    const typed = e.target.value;
    set(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => { sent.current = typed.trim(); onSearch?.(typed); }, TYPING_MS);
  };
  return h("input", { ...rest, type: "search", placeholder, value: text, onChange: type, autoComplete: "off", spellCheck: false });
}

// Tells when this end of the list comes near. It asks again while it stays near, because a page
// may be shorter than the screen.
export function Reach({ row, onReach }) {
  const ref = useRef(null), tell = useRef(onReach);
  tell.current = onReach;
  useEffect(() => {
    const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && tell.current?.(), { rootMargin: "600px 0px" });
    watcher.observe(ref.current);
    return () => watcher.disconnect();
  }, [row]);
  return h("div", { ref, className: "reach", "aria-hidden": true });
}

// Says that a leaving row has been seen.
export function Leaving({ onGone }) {
  const tell = useRef(onGone);
  tell.current = onGone;
  useEffect(() => {
    const timer = setTimeout(() => tell.current?.(), LEAVING_MS);
    return () => clearTimeout(timer);
  }, []);
  return null;
}
