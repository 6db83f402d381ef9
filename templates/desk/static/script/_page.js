/* What every page has: copying, sheets, dialogs, the line of a slow page, the focus after a swap.
   All script is one file; these few names are for all of it. Listeners stand on the document, so that swaps
   leave none behind. */
const doc = document, root = doc.documentElement, HX = { "HX-Request": "true" };
const $ = (s, from = doc) => from.querySelector(s), $$ = (s, from = doc) => [...from.querySelectorAll(s)];
const on = (names, act, early = false) => { for (const name of names.split(" ")) doc.addEventListener(name, act, early); };
const say = (words) => { $("#said").textContent = words; };
const openTicket = /^\/tickets\/(\d+)/.exec(location.pathname)?.[1];
(() => {
  "use strict";
  const sheets = () => $$("details.pop[open]");
  const shut = (but) => { for (const sheet of sheets()) if (!sheet.contains(but) && !but.contains(sheet)) sheet.open = false; };
  const post = (form) => fetch(form.action, { method: "POST", headers: HX, body: new FormData(form) });
  let slow = 0;
  const rest = () => { clearTimeout(slow); delete root.dataset.slow; };
  const wait = () => { clearTimeout(slow); slow = setTimeout(() => { root.dataset.slow = ""; slow = setTimeout(rest, 2e4); }, 400); };

  on("click", (event) => {
    const at = (s) => event.target.closest?.(s), copy = at("[data-copy]")?.dataset.copy, link = at("a[href]"), opener = at("[commandfor]");
    shut(event.target);
    if (copy) { navigator.clipboard?.writeText(copy); say(`${copy} copied`); }
    if (at("dialog [data-close]") || event.target.matches?.("dialog")) { event.preventDefault(); at("dialog").close(); }
    if (opener && !("commandForElement" in opener)) {
      const dialog = doc.getElementById(opener.getAttribute("commandfor"));
      if (opener.getAttribute("command") === "close") dialog?.close(); else dialog?.showModal();
    }
    if (link && !event.defaultPrevented && !link.matches("[hx-get], [download], [target], [href^='#']") && !(event.ctrlKey || event.metaKey || event.shiftKey)) wait();
  });
  on("submit", (event) => { if (!event.defaultPrevented && !event.target.matches(".theme")) wait(); });
  on("change", ({ target }) => {
    const form = target.closest("[data-keys-switch]");
    if (form) { root.dataset.keys = target.checked ? "on" : "off"; post(form); }
  });
  on("toggle", ({ target }) => { if (target.matches("details.pop[open]")) shut(target); }, true);
  on("keydown", (event) => {
    const sheet = event.key === "Escape" && !$("dialog:modal") && sheets().pop();
    if (sheet) { event.preventDefault(); sheet.open = false; $("summary", sheet).focus(); }
  }, true);

  /* What the agent asks for may be slow and then says so; news fetch themselves in silence. */
  on("htmx:before:request htmx:finally:request", ({ type, detail }) => {
    if (!/from:body/.test(detail.ctx.sourceElement.getAttribute("hx-trigger"))) type.includes("before") ? wait() : rest();
  });
  addEventListener("pageshow", rest);

  /* The focus stays on its control, else it goes to the heading of the part; never to nowhere. */
  let held = null;
  on("htmx:before:swap", () => {
    const element = doc.activeElement;
    held = element !== doc.body && { element, id: element.id, row: element.closest(".row")?.id, part: element.parentNode.closest("[id]")?.id };
  });
  on("htmx:after:swap", () => {
    if (!held || held.element.isConnected || doc.activeElement !== doc.body) return;
    const by = (id) => id && doc.getElementById(id), part = by(held.part) || $("#main");
    const to = by(held.id) || (by(held.row) && $(".who > a", by(held.row))) || $("h1, h2, h3", part) || part;
    if (to.tabIndex < 0) to.tabIndex = -1;
    to.focus({ preventScroll: true });
  });
})();
