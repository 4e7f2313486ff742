// The few pieces that live in the browser: time that moves without asking the server, the
// modal dialog, the heartbeat that heals what a lost push missed, and keyboard shortcuts.
import { createElement as h, useEffect, useMemo, useRef, useState } from "react";
import { _ } from "./words.jsx";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

// Re-renders every `ms` on a shared cadence.
function useTick(ms) {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => set((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
}

// Re-renders on every quarter of a second that is left, so that seconds turn when they do.
function useQuarters(left) {
  const [, set] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => set((n) => n + 1), left % (SECOND / 4) || SECOND / 4);
    return () => clearTimeout(timer);
  });
}

// The server's time now, in ms: the browser's clock may be an hour off, so only its
// monotonic clock is trusted, started when the server's time arrived.
function useServerNow(serverNow) {
  const arrived = useMemo(
    () => (serverNow ? { server: Date.parse(serverNow), local: performance.now() } : null),
    [serverNow],
  );
  return () => (arrived ? arrived.server + performance.now() - arrived.local : Date.now());
}

// Date and time in the viewer's zone, and in the recipient's where that is another.
function exact(at, zone) {
  const style = { dateStyle: "medium", timeStyle: "medium" }, date = new Date(at);
  const here = date.toLocaleString(undefined, style);
  if (!zone) return here;
  const there = date.toLocaleString(undefined, { ...style, timeZone: zone });
  return there === here ? here : _("{here} your time, {there} in {place}", { here, there, place: zone.split("/").pop().replaceAll("_", " ") });
}

function relative(at, now) {
  const gap = at - now, size = Math.abs(gap);
  if (size < 5 * SECOND) return _("now");
  const text =
    size < MINUTE ? _("{count} s", { count: Math.round(size / SECOND) })
    : size < HOUR ? _("{count} min", { count: Math.round(size / MINUTE) })
    : size < DAY ? _("{count} h", { count: Math.round(size / HOUR) })
    : _("{count} d", { count: Math.round(size / DAY) });
  return gap > 0 ? _("in {time}", { time: text }) : _("{time} ago", { time: text });
}

// A time relative to now, the exact one on hover.
export function Ago({ at, due, zone, serverNow, className }) {
  useTick(due ? SECOND : 5 * SECOND);
  const now = useServerNow(serverNow);
  if (!at) return null;
  return h("time", { dateTime: at, title: exact(at, zone), className, suppressHydrationWarning: true }, due && Date.parse(at) <= now() ? _("any moment") : relative(Date.parse(at), now()));
}

// Date and time in full.
export function Exact({ at, zone, className }) {
  if (!at) return null;
  return h("time", { dateTime: at, className, suppressHydrationWarning: true }, exact(at, zone));
}

// The time of day, with the date on hover.
export function At({ at, zone, className }) {
  if (!at) return null;
  const text = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return h("time", { dateTime: at, title: exact(at, zone), className, suppressHydrationWarning: true }, text);
}

// Minutes and seconds since a moment.
export function Elapsed({ since, serverNow, className }) {
  useTick(SECOND);
  const now = useServerNow(serverNow);
  if (!since) return null;
  const seconds = Math.max(0, Math.floor((now() - Date.parse(since)) / SECOND));
  return h("span", { className: `num ${className || ""}`, suppressHydrationWarning: true }, `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
}

// A ring that empties until the deadline.
export function Countdown({ deadline, serverNow, asked, ...rest }) {
  const now = useServerNow(serverNow);
  const left = Math.max(0, Date.parse(deadline) - now());
  useQuarters(left);
  const whole = Math.max(SECOND, Date.parse(deadline) - Date.parse(asked));
  const seconds = Math.ceil(left / SECOND);
  const text = seconds >= 100 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : `${seconds}`;
  const around = 2 * Math.PI * 20;
  return h("div", { ...rest, className: `ring ${seconds <= 10 ? "soon" : ""}`, role: "timer", "aria-label": _("{count} seconds left", { count: seconds }), "data-seconds": seconds },
    h("svg", { viewBox: "0 0 46 46", "aria-hidden": true },
      h("circle", { className: "track", cx: 23, cy: 23, r: 20 }),
      h("circle", { className: "left", cx: 23, cy: 23, r: 20, strokeDasharray: around, strokeDashoffset: around * (1 - Math.min(1, left / whole)) })),
    h("b", null, text));
}

// A native modal dialog: focus stays inside and returns afterwards, the rest of the page is inert.
// Another subject is read out anew. Nothing is chosen by accident: for its first moment it takes no
// click, which was meant for the page or the subject before, and a double click is one.
export function Modal({ subject, onLater, children, label, ...rest }) {
  const ref = useRef(null), open = Boolean(subject);
  useEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    ref.current.showModal();
    // It has gone by then, and the focus with it.
    return () => document.activeElement === document.body && before?.isConnected && before.focus();
  }, [open]);
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    dialog.querySelector("[data-focus-first]")?.focus();
    dialog.classList.add("fresh");
    const timer = setTimeout(() => dialog.classList.remove("fresh"), 400);
    return () => clearTimeout(timer);
  }, [subject]);
  if (!open) return null;
  const once = (e) => { if (e.detail > 1) { e.preventDefault(); e.stopPropagation(); } };
  return h("dialog", { ...rest, ref, className: "modal", onClickCapture: once, role: "alertdialog", "aria-modal": true, "aria-labelledby": label, onCancel: (e) => { e.preventDefault(); onLater?.(); } }, children);
}

// Asks the page to re-read what it shows: now and then while visible, and at once when the
// person comes back to the tab. Puts the number of waiting questions into the tab's title.
// Says when nobody sees the tab any more, so that it is left alone.
export function Heartbeat({ seconds, pending, onBeat, onHide }) {
  const beat = useRef(onBeat), hide = useRef(onHide);
  beat.current = onBeat;
  hide.current = onHide;
  useEffect(() => {
    let last = Date.now();
    const send = () => { last = Date.now(); beat.current?.(); };
    const timer = setInterval(() => document.visibilityState === "visible" && send(), seconds * SECOND);
    const back = () => document.visibilityState === "visible" && Date.now() - last > 2 * SECOND && send();
    const turn = () => (document.visibilityState === "visible" ? send() : hide.current?.());
    document.addEventListener("visibilitychange", turn);
    window.addEventListener("focus", back);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", turn);
      window.removeEventListener("focus", back);
    };
  }, [seconds]);
  useEffect(() => {
    const bare = document.title.replace(/^\(\d+\) /, "");
    document.title = pending > 0 ? `(${pending}) ${bare}` : bare;
  });
  return null;
}

// A quiet line while the server cannot be reached, and a word to the page when it can be again.
export function Connection({ failures, onBack, ...rest }) {
  const [offline, setOffline] = useState(false), back = useRef(onBack), was = useRef(false);
  back.current = onBack;
  useEffect(() => {
    const read = () => setOffline(!navigator.onLine);
    read();
    window.addEventListener("online", read);
    window.addEventListener("offline", read);
    return () => {
      window.removeEventListener("online", read);
      window.removeEventListener("offline", read);
    };
  }, []);
  const lost = offline || failures > 0;
  useEffect(() => {
    if (was.current && !lost) back.current?.();
    was.current = lost;
  }, [lost]);
  return h("div", { ...rest, role: "status" }, lost && h("div", { className: "offline" },
    offline ? _("You are offline.") : _("The server cannot be reached."), " ",
    _("What you see may be old; calls go on without this page, and it catches up by itself.")));
}

// Whether questions make no sound: as the person chose, or else as they like it calm.
function isMuted() {
  const chosen = localStorage.getItem("opendeep_muted");
  return chosen ? chosen === "yes" : matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Two soft tones; a browser that has seen no gesture yet stays silent.
async function chime() {
  const audio = new AudioContext(), volume = audio.createGain(), tone = audio.createOscillator();
  tone.connect(volume).connect(audio.destination);
  tone.frequency.setValueAtTime(660, audio.currentTime);
  tone.frequency.setValueAtTime(880, audio.currentTime + 0.15);
  volume.gain.setValueAtTime(0.12, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
  tone.onended = () => audio.close();
  tone.start();
  tone.stop(audio.currentTime + 0.5);
}

// Calls the person once for each question of a live call, in whichever tab sees it first, and
// marks the tab's icon while any question waits.
export function Alerts({ asking, pending, question }) {
  useEffect(() => {
    const called = (localStorage.getItem("opendeep_called") || "").split(" ");
    const fresh = asking.split(" ").filter((id) => id && !called.includes(id));
    if (!fresh.length) return;
    localStorage.setItem("opendeep_called", [...called, ...fresh].slice(-20).join(" "));
    if (!isMuted()) chime().catch(() => {});
    if (document.visibilityState === "visible" || window.Notification?.permission !== "granted") return;
    const notice = new Notification(_("Your agent is on the phone and needs you"), { body: question, tag: fresh[0] });
    notice.onclick = () => { window.focus(); notice.close(); };
  }, [asking, question]);
  useEffect(() => {
    const link = document.querySelector('link[rel="icon"]');
    if (link) link.href = pending > 0 ? "/favicon-waiting.svg" : "/favicon.svg";
  }, [pending]);
  return null;
}

// Sound on or off, and notifications if the browser has not been asked yet.
export function AlertChoices({ className }) {
  const [state, set] = useState(null);
  const read = () => set({ muted: isMuted(), askable: window.Notification?.permission === "default" });
  useEffect(read, []);
  if (!state) return null;
  const button = (name, label, title, onClick, more) => h("button", { type: "button", className, title, onClick, "data-testid": name, ...more }, label);
  const toggle = () => { localStorage.setItem("opendeep_muted", state.muted ? "no" : "yes"); read(); };
  return h("span", { className: "row" },
    state.askable && button("alert-notify", _("Notify me"), _("Show a notification when this tab is hidden"), () => Notification.requestPermission().then(read)),
    button("alert-sound", state.muted ? _("Sound off") : _("Sound on"), _("Whether a question makes a sound"), toggle, { "aria-pressed": !state.muted }));
}

// Words that stay for a moment.
export function Passing({ text, onGone, ...rest }) {
  const gone = useRef(onGone);
  gone.current = onGone;
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(() => gone.current?.(), 6 * SECOND);
    return () => clearTimeout(timer);
  }, [text]);
  return h("div", { ...rest, role: "status" }, text && h("div", { className: "passing" }, text));
}

// Keeps the newest line in sight unless the reader has scrolled up, or `lines` is none.
export function Follow({ children, lines, ...rest }) {
  const ref = useRef(null), stick = useRef(true);
  useEffect(() => {
    if (lines && stick.current && ref.current) ref.current.scrollTop = ref.current.scrollHeight;
  }, [lines]);
  return h("div", { ...rest, ref, onScroll: (e) => { const d = e.currentTarget; stick.current = d.scrollHeight - d.scrollTop - d.clientHeight < 40; } }, children);
}
