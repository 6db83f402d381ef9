/* The countdown: one timer a page, on the full minute of the server's clock, none while the page is hidden.
   It is not announced, but for the open ticket's own deadline: that it is near, and that it has passed. */
(() => {
  "use strict";
  const root = document.documentElement, $$ = (s) => document.querySelectorAll(s);
  root.dataset.offset ||= Date.parse(root.dataset.now) - Date.now();
  const now = () => Date.now() + Number(root.dataset.offset);
  const two = (number) => String(number).padStart(2, "0");
  const days = new Intl.DateTimeFormat("en-CA", { timeZone: root.dataset.zone || undefined });
  const STATES = ["over", "soon", "today", "later"];
  const paint = (time, at) => {
    const due = Date.parse(time.dateTime), box = time.parentNode, left = Math.floor(Math.abs(due - at) / 60000);
    if (!due || !STATES.some((name) => box.classList.contains(name))) return;
    const over = due < at, soon = Date.parse(box.dataset.warn) <= at;
    const state = over ? "over" : soon ? "soon" : days.format(due) === days.format(at) ? "today" : "later";
    const d = Math.floor(left / 1440), h = Math.floor(left / 60) % 24, m = left % 60;
    const words = `${d ? `${d} d ` : ""}${two(h)}:${two(m)}${over ? " over" : ""}`;
    if (time.textContent !== words) time.textContent = words;
    const spoken = box.querySelector(".vh"), long = ` ${d ? `${d} days ` : ""}${h} hours ${m} minutes ${over ? "past the deadline" : "left"}`;
    if (spoken && spoken.textContent !== long) spoken.textContent = long;
    if (box.classList.contains(state)) return;
    box.classList.remove(...STATES);
    box.classList.add(state);
    const icon = box.querySelector("use");
    icon?.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#d-${state}`));
    box.closest("#deadline > .btn")?.classList.remove(...STATES);
    box.closest("#deadline > .btn")?.classList.add(state);
  };
  const stateOf = () => { const box = document.querySelector("#deadline .due"); return STATES.find((name) => box?.classList.contains(name)) ?? ""; };
  const SAYS = { soon: "4 business hours left", over: "Past the deadline" }, said = new Set([stateOf()]);
  const announce = () => {
    const state = stateOf(), spot = document.getElementById("said");
    if (!SAYS[state] || said.has(state)) return;
    said.add(state);
    if (spot) spot.textContent = document.getElementById("deadline").dataset[state] ?? SAYS[state];
  };
  let minute = 0, second = 0;
  const tick = () => {
    clearTimeout(minute);
    if (document.hidden) return;
    const at = now();
    $$(".due > time[datetime]").forEach((time) => paint(time, at));
    announce();
    minute = setTimeout(tick, 60050 - (at % 60000));
  };
  /* What leaves soon: "0:26", by seconds, and an event when it has. */
  const seconds = () => {
    clearTimeout(second); second = 0;
    const running = [...$$("[data-until]")].filter((spot) => !spot.dataset.over);
    if (document.hidden || !running.length) return;
    for (const spot of running) {
      const left = Math.max(0, Math.ceil((Date.parse(spot.dataset.until) - now()) / 1000));
      spot.textContent = `${Math.floor(left / 60)}:${two(left % 60)}`;
      if (!left) { spot.dataset.over = "yes"; spot.dispatchEvent(new CustomEvent("until", { bubbles: true })); }
    }
    second = setTimeout(seconds, 1010 - (now() % 1000));
  };
  const both = () => { tick(); seconds(); };
  document.addEventListener("visibilitychange", both);
  document.addEventListener("htmx:after:swap", () => { announce(); if (!second) seconds(); });
  document.addEventListener("toast", () => setTimeout(seconds));
  both();
})();
