/* What every page has: colours, copying, sheets, dialogs, the line of a slow page, focus after a swap.
   Each works without this file, or is not missed. Listeners stand on the document, so swaps leave none behind. */
(() => {
  "use strict";
  const doc = document, root = doc.documentElement, $ = (s, from = doc) => from.querySelector(s);
  const on = (name, act, early = false) => doc.addEventListener(name, act, early);
  const say = (text) => { const spot = $("#said"); if (spot) spot.textContent = text; };
  const sheets = () => [...doc.querySelectorAll("details.pop[open]")];
  const post = (form, button) => fetch(form.action, { method: "POST", headers: { "HX-Request": "true" }, body: new FormData(form, button) });

  let slow = 0;
  const wait = (limit) => { clearTimeout(slow); slow = setTimeout(() => { root.dataset.slow = ""; slow = setTimeout(rest, limit); }, 400); };
  const rest = () => { clearTimeout(slow); delete root.dataset.slow; };

  on("click", (event) => {
    const at = (s) => event.target.closest?.(s);
    sheets().forEach((sheet) => { if (!sheet.contains(event.target)) sheet.open = false; });
    const copy = at("[data-copy]"), shut = at("dialog [data-close]"), link = at("a[href]"), opener = at("[commandfor]");
    if (copy) { navigator.clipboard?.writeText(copy.dataset.copy); say(`${copy.dataset.copy} copied`); }
    if (shut) { event.preventDefault(); shut.closest("dialog").close(); }
    if (opener && !("commandForElement" in opener)) {
      const dialog = doc.getElementById(opener.getAttribute("commandfor"));
      if (dialog) opener.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
    }
    if (event.target.matches?.("dialog.palette, dialog.keys")) event.target.close(); // the veil
    if (link && !event.defaultPrevented && !link.download && !link.target && !link.matches("[hx-get], [href^='#']")
      && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) wait(10000);
  });
  on("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.matches(".theme")) {
      event.preventDefault();
      if (button.value) root.dataset.theme = button.value; else delete root.dataset.theme;
      for (const other of form.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
      post(form, button);
    } else if (!event.defaultPrevented && form.method !== "dialog") wait(10000);
  });
  on("change", (event) => {
    const form = event.target.closest("[data-keys-switch]");
    if (!form) return;
    if (event.target.checked) delete root.dataset.keys; else root.dataset.keys = "off";
    post(form);
  });
  on("toggle", (event) => {
    if (event.target.matches?.("details.pop[open]")) sheets().forEach((sheet) => { if (!sheet.contains(event.target) && !event.target.contains(sheet)) sheet.open = false; });
  }, true);
  on("keydown", (event) => {
    const sheet = event.key === "Escape" && !$("dialog:modal") && sheets().at(-1);
    if (!sheet) return;
    event.preventDefault();
    sheet.open = false;
    $("summary", sheet).focus();
  }, true);

  /* What was asked for by the agent may be slow, and says so; news fetch themselves in silence. */
  const asked = (event) => !/from:body/.test(event.detail.ctx?.sourceElement?.getAttribute("hx-trigger") ?? "");
  on("htmx:before:request", (event) => { if (asked(event)) wait(60000); });
  on("htmx:finally:request", (event) => { if (asked(event)) rest(); });
  addEventListener("pageshow", rest);

  /* The focus stays on its control, or goes to the heading of the part; never to nowhere. */
  let held = null;
  on("htmx:before:swap", () => {
    const element = doc.activeElement;
    if (element && element !== doc.body) held = { element, id: element.id, row: element.closest(".row")?.id, part: element.closest("[id]:not(a, button, input, summary, textarea)")?.id };
  });
  on("htmx:after:swap", () => {
    if (!held || held.element.isConnected || doc.activeElement !== doc.body) return;
    const by = (id) => id && doc.getElementById(id), part = by(held.part) ?? $("#main");
    const to = by(held.id) ?? (by(held.row) && $(".who > a", by(held.row))) ?? $("h1, h2, h3", part) ?? part;
    if (!to.matches("a, button, input, select, textarea, summary")) to.tabIndex = -1;
    to.focus({ preventScroll: true });
    held = null;
  });
})();
