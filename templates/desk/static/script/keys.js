/* Keys: single letters by event.key, inert in fields and with modifiers. They press what the page has, by
   data-key; j and k go by ticket, not by position. */
(() => {
  "use strict";
  const inside = doc.body.classList.contains("ticket"), rows = () => $$(".list .row"), off = () => root.dataset.keys === "off";
  const go = (path) => { location.href = path; };
  const press = (key) => {
    const spots = $$(`[data-key="${key}"]`), spot = spots.find((button) => button.getClientRects().length) ?? spots[0];
    if (spot?.ariaDisabled === "true") say(spot.title);
    else { spot?.click(); if (spot?.matches("summary")) spot.focus(); }
    return spot;
  };

  let at = $(".list .row[aria-current]")?.id, order = [];
  const mark = (row) => {
    for (const other of rows()) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    at = row.id;
    order = rows().map(({ id }) => id);
  };
  const current = () => doc.activeElement.closest(".list .row") ?? doc.getElementById(at);
  const open = () => { const row = current(); if (row) $(".who > a", row).click(); };
  const move = (step) => {
    const ids = rows().map(({ id }) => id), gone = order.indexOf(at);
    const near = step > 0 ? order.slice(gone + 1) : order.slice(0, gone).reverse(); // where the row has left the list
    const next = current() ? ids.indexOf(current().id) + step : ids.indexOf(near.find((id) => ids.includes(id)));
    const row = doc.getElementById(ids[Math.min(Math.max(next, 0), ids.length - 1)]);
    if (!row) return;
    const link = $(".who > a", row);
    if (inside) { if (row !== current()) link.click(); return; }
    mark(row);
    link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const tick = () => { const row = current(); if (row) $(".pick input", row)?.click(); };
  const act = (key) => { if (!inside && !$(".pick :checked")) tick(); press(key); }; // on what is ticked, else on the row
  const back = () => { if (inside || !$(".list")) go($("[data-back]")?.href ?? sessionStorage.list ?? "/"); };
  const keys = {
    j: () => move(1), k: () => move(-1), o: open, Enter: open, u: back, x: tick, z: () => press("z") ?? $("#toast button")?.click(),
    r: () => { press("r"); $("#answer")?.focus(); }, n: press, i: act, a: act, e: act,
    ".": () => { const id = $(".head [data-copy]") ?? $(".panel [data-copy]"); if (id) id.click(); else if (current()) navigator.clipboard?.writeText($(".order", current()).textContent); },
    q: () => { const quotes = $$(".quote"), shut = quotes.some((quote) => !quote.open); for (const quote of quotes) quote.open = shut; },
    v: () => { const part = $("#evidence"), to = part && ($("summary", part) ?? part); if (to) { part.open = true; to.tabIndex = 0; to.focus(); } },
    "/": () => { const field = $("main [type=search]"); if (field) field.focus(); else go("/search"); },
    "?": () => doc.dispatchEvent(new Event("keys")),
  };
  const PLACES = { a: "/", c: "/queues/case", l: "/queues/claim", b: "/queues/chargeback", q: "/queues/unsorted", m: "/views/mine", w: "/views/waiting", x: "/views/look", r: "/report" };
  let going = -1e4;
  const typed = (event) => {
    const { key, target } = event, field = target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    const send = (event.ctrlKey || event.metaKey) && key === "Enter" && field?.form && $("[data-key=send]", field.form);
    if (event.defaultPrevented || event.isComposing) return;
    if (send) { event.preventDefault(); send.click(); }
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog:modal")) return;
    if (key === "Escape") { if (field) field.blur(); else if (inside && !off()) back(); }
    if (field || off() || (key === "Enter" && target.closest("a, button, summary, label, input"))) return;
    const place = event.timeStamp - going < 1500 && PLACES[key], does = Object.hasOwn(keys, key) && keys[key];
    going = key === "g" ? event.timeStamp : -1e4;
    if (place || does) event.preventDefault();
    if (place) go($(`.rail [data-go="${key}"]`)?.href ?? place); else if (does) does(key);
  };
  on("keydown", typed);
  on("press", ({ detail }) => keys[detail](detail));
  on("load", ({ target }) => target.contentDocument?.addEventListener("keydown", typed), true); // a mail's frame, if it lets us
  on("focusin", ({ target }) => { const row = target.closest(".list .row"); if (row && !inside) mark(row); });
  on("htmx:after:swap", () => { const row = doc.getElementById(at); if (row && !$(".list .row[aria-current]")) mark(row); });
  if (!inside && $(".list")) sessionStorage.list = location.pathname + location.search;
})();
