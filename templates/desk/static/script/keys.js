/* Keys: single letters by event.key, inert in fields and with modifiers. They press what the page has, by
   data-key; j and k go by ticket, not by position. */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement, $ = (s, from = doc) => from.querySelector(s), $$ = (s) => [...doc.querySelectorAll(s)];
  const inside = doc.body.classList.contains("ticket"), LISTS = "desk.list";
  const go = (path) => { location.href = path; };
  const usable = (spot) => spot && (spot.getClientRects().length || spot.closest("details:not([open])"));
  const press = (key) => {
    const spots = $$(`[data-key="${key}"]`), spot = spots.find(usable) ?? spots[0];
    if (spot?.getAttribute("aria-disabled") === "true") { const why = $("#said"); if (why) why.textContent = spot.title || spot.dataset.why || ""; return true; }
    spot?.click();
    if (spot?.matches("summary")) spot.focus();
    return !!spot;
  };

  let at = $(".list .row[aria-current]")?.id ?? "", order = [];
  const rows = () => $$(".list .row");
  const mark = (row) => {
    for (const other of rows()) if (other !== row) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    at = row.id;
    order = rows().map((other) => other.id);
  };
  const link = (row) => row && $(".who > a", row);
  const current = () => doc.activeElement?.closest?.(".list .row") ?? (at && doc.getElementById(at));
  const move = (step) => {
    const ids = rows().map((row) => row.id), row = current();
    let next = 0;
    if (row) next = ids.indexOf(row.id) + step;
    else if (at) { // it has left the list: its neighbour that is still there
      const gone = order.indexOf(at), near = step > 0 ? order.slice(gone + 1) : order.slice(0, gone).reverse();
      next = Math.max(0, ids.indexOf(near.find((id) => ids.includes(id))));
    }
    const to = doc.getElementById(ids[Math.min(Math.max(next, 0), ids.length - 1)]);
    if (!to) return;
    if (inside) { if (to !== row) link(to).click(); return; }
    mark(to);
    link(to).focus({ preventScroll: true });
    to.scrollIntoView({ block: "nearest" });
  };
  const tick = () => { const box = current() && $(".pick input", current()); box?.click(); return box; };
  const act = (key) => { // in a list: on what is ticked, else on the current row
    if (!inside && !$(".pick :checked")) tick();
    press(key);
  };
  const back = () => { if (inside || !$(".list")) go(sessionStorage.getItem(LISTS) ?? "/"); };
  const keys = {
    j: () => move(1), k: () => move(-1), u: back, x: tick, z: () => press("z") || $("#toast button")?.click(),
    o: () => link(current())?.click(),
    Enter: () => link(current())?.click(),
    r: () => { press("r"); $("#answer")?.focus(); }, n: () => press("n"),
    i: () => act("i"), a: () => act("a"), e: () => act("e"),
    ".": () => { const id = $(".head [data-copy], #order [data-copy], .panel [data-copy]"); if (id) id.click(); else navigator.clipboard?.writeText($(".order", current() || doc)?.textContent ?? ""); },
    q: () => { const all = $$(".quote"), shut = all.some((quote) => !quote.open); for (const quote of all) quote.open = shut; },
    v: () => { const part = $("#evidence"), to = part && ($("summary", part) ?? part); if (!to) return; part.open = true; to.tabIndex = 0; to.focus(); },
    "/": () => { const field = $("main [type=search]"); if (field) field.focus(); else go("/search"); },
    "?": () => { if (!press("?")) doc.dispatchEvent(new Event("keys")); },
  };
  const PLACES = { a: "/", c: "/queues/case", l: "/queues/claim", b: "/queues/chargeback", q: "/queues/unsorted", m: "/mine", w: "/waiting", x: "/look", r: "/report" };
  let going = 0;
  const typed = (event) => {
    const { key, target } = event, field = target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && key === "Enter") {
      const send = field?.form && $("[data-key=send]", field.form);
      if (send) { event.preventDefault(); send.click(); }
    }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog:modal")) return;
    if (key === "Escape") { if (field) field.blur(); else if (inside && root.dataset.keys !== "off") back(); return; }
    if (field || root.dataset.keys === "off") return;
    if (key === "Enter" && target.closest?.("a, button, summary, label, input")) return;
    const place = event.timeStamp - going < 1500 && PLACES[key];
    going = key === "g" ? event.timeStamp : 0;
    if (place) { event.preventDefault(); go($(`.rail [data-go="${key}"]`)?.href ?? place); } else if (Object.hasOwn(keys, key)) { event.preventDefault(); keys[key](); }
  };
  doc.addEventListener("keydown", typed);
  doc.addEventListener("press", (event) => { if (Object.hasOwn(keys, event.detail)) keys[event.detail](); });
  doc.addEventListener("load", (event) => { // a mail's frame, where it lets its page listen
    if (event.target.tagName !== "IFRAME") return;
    try { event.target.contentDocument?.addEventListener("keydown", typed); } catch { /* another origin */ }
  }, true);
  doc.addEventListener("focusin", (event) => { const row = event.target.closest?.(".list .row"); if (row && !inside) mark(row); });
  doc.addEventListener("htmx:after:swap", () => { const row = at && doc.getElementById(at); if (row && !inside && !$(".list .row[aria-current]")) mark(row); });
  if (!inside && $(".list")) sessionStorage.setItem(LISTS, location.pathname + location.search);
})();
