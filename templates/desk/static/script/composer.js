/* Writing: the draft is kept as one writes, here when the desk cannot be reached; files by pasting and dropping. */
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const form = () => $("#answering");
  const key = (of) => `draft ${document.body.dataset.you || ""} ${of.dataset.ticket}`;
  const store = { get: (k) => { try { return localStorage.getItem(k); } catch { return null; } }, set: (k, v) => { try { v ? localStorage.setItem(k, v) : localStorage.removeItem(k); } catch { /* private window */ } } };
  const state = (text) => { const spot = $("#draft-state"); if (spot) spot.textContent = text; };
  let timer = 0, dirty = null;

  const fields = (of) => {
    const data = new URLSearchParams();
    for (const name of ["text", "order", "no_order"]) {
      const field = of.elements[name];
      if (field && (field.type !== "checkbox" || field.checked)) data.set(name, field.value);
    }
    return data;
  };
  const save = async () => {
    clearTimeout(timer);
    const of = form();
    if (!of || dirty !== of) return;
    dirty = null;
    try {
      const reply = await fetch(of.dataset.draft, { method: "POST", body: fields(of), headers: { "HX-Request": "true" } });
      if (!reply.ok) throw new Error(reply.status);
      store.set(key(of), "");
      state(await reply.text());
    } catch {
      store.set(key(of), of.elements.text.value);
      state("Kept in this browser: the desk cannot be reached");
      dirty = of;
      timer = setTimeout(save, 10000);
    }
  };
  document.addEventListener("input", (event) => {
    const of = event.target.closest?.("#answering");
    if (!of) return;
    if (event.target.type === "file") return;
    dirty = of;
    state("");
    clearTimeout(timer);
    timer = setTimeout(save, 1000);
    document.body.dispatchEvent(new CustomEvent("writing", { detail: { ticket: of.dataset.ticket } }));
  });
  addEventListener("pagehide", () => {
    const of = form();
    if (of && dirty === of) { store.set(key(of), of.elements.text.value); navigator.sendBeacon(of.dataset.draft, fields(of)); dirty = null; }
  });

  /* What a browser that was closed had kept comes back where the desk has no text. */
  const restore = () => {
    const of = form();
    if (!of || of.dataset.restored) return;
    of.dataset.restored = "1";
    const kept = store.get(key(of));
    if (kept && !of.elements.text.value.trim()) { of.elements.text.value = kept; dirty = of; save(); } else if (kept) store.set(key(of), "");
  };
  const attach = (files) => {
    const of = form(), input = of?.querySelector("[data-attach]");
    if (!input || !files.length) return;
    const data = new FormData();
    for (const [name, value] of fields(of)) data.set(name, value);
    for (const file of files) data.append("file", file);
    dirty = null;
    state("Attaching …");
    window.htmx.ajax("POST", input.dataset.attach, { source: of, target: "#composer", swap: "outerHTML", body: data });
  };
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-attach]")) attach([...event.target.files]); });
  document.addEventListener("paste", (event) => { const files = [...(event.clipboardData?.files || [])]; if (files.length && event.target.closest?.("#answering")) { event.preventDefault(); attach(files); } });
  document.addEventListener("dragover", (event) => { if (form() && event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
  document.addEventListener("drop", (event) => { if (form() && event.dataTransfer?.files.length) { event.preventDefault(); attach([...event.dataTransfer.files]); } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const of = event.target.closest?.("#composer form");
    if (of) { event.preventDefault(); of.requestSubmit(of.querySelector(".main-act")); }
  });
  document.addEventListener("submit", (event) => { if (event.target.id === "answering") { clearTimeout(timer); dirty = null; store.set(key(event.target), ""); } });
  document.addEventListener("htmx:after:swap", () => {
    restore();
    const wanted = $("#refused-title") || $("#composer [data-own]");
    if (wanted && document.activeElement === document.body) wanted.focus();
  });
  document.addEventListener("DOMContentLoaded", restore);
  restore();
})();
