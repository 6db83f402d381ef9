/* The countdown: one timer a page, on the full minute of the server's clock, none while the page is hidden. It is
   not announced, but for the open ticket's own deadline: that it is near, and that it has passed. */
(() => {
  "use strict";
  root.dataset.offset = Date.parse(root.dataset.now) - Date.now();
  const now = () => Date.now() + +root.dataset.offset, two = (number) => String(number).padStart(2, "0");
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: root.dataset.zone });
  const STATES = ["over", "soon", "today", "later"], SAYS = { soon: "4 business hours left", over: "Past the deadline" };
  const stateOf = (box) => STATES.find((name) => box?.classList.contains(name));
  const paint = (time, at) => {
    const due = Date.parse(time.dateTime), box = time.parentNode, before = stateOf(box), over = due < at;
    if (!due || !before) return;
    const state = over ? "over" : Date.parse(box.dataset.warn) <= at ? "soon" : day.format(due) === day.format(at) ? "today" : "later";
    const left = Math.floor(Math.abs(due - at) / 6e4), d = Math.floor(left / 1440), h = Math.floor(left / 60) % 24, m = left % 60;
    const words = `${d ? `${d} d ` : ""}${two(h)}:${two(m)}${over ? " over" : ""}`, spoken = $(".vh", box);
    if (time.textContent !== words) time.textContent = words;
    if (spoken) spoken.textContent = ` ${d ? `${d} days ` : ""}${h} hours ${m} minutes ${over ? "past the deadline" : "left"}`;
    if (state === before) return;
    for (const part of [box, box.closest("#deadline .btn")]) part?.classList.replace(before, state);
    const icon = $("use", box);
    icon?.setAttribute("href", icon.getAttribute("href").replace(/#.*/, `#d-${state}`));
  };
  const said = new Set([stateOf($("#deadline .due"))]);
  const announce = () => {
    const state = stateOf($("#deadline .due"));
    if (SAYS[state] && !said.has(state)) say($("#deadline").dataset[state] ?? SAYS[state]);
    said.add(state);
  };
  let minute = 0, second = 0;
  /* What leaves soon counts by seconds, and tells when it has: <span data-until="…">0:26</span>. */
  const seconds = () => {
    const running = doc.hidden ? [] : $$("[data-until]:not([data-over])");
    clearTimeout(second);
    for (const spot of running) {
      const left = Math.max(0, Math.ceil((Date.parse(spot.dataset.until) - now()) / 1000));
      spot.textContent = `${Math.floor(left / 60)}:${two(left % 60)}`;
      if (!left) { spot.dataset.over = ""; spot.dispatchEvent(new CustomEvent("until", { bubbles: true })); }
    }
    if (running.length) second = setTimeout(seconds, 1010 - (now() % 1000));
  };
  const tick = () => {
    const at = now();
    clearTimeout(minute);
    seconds();
    if (doc.hidden) return;
    for (const time of $$(".due > time")) paint(time, at);
    announce();
    minute = setTimeout(tick, 60050 - (at % 6e4));
  };
  on("visibilitychange", tick);
  on("htmx:after:swap toast", () => { announce(); setTimeout(seconds); });
  tick();
})();
