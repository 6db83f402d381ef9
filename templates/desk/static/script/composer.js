/* Writing: the draft is kept as one writes, here when the desk cannot be reached; files by pasting and dropping. */
(() => {
  "use strict";
  const form = () => $("#composer form[data-draft]"), KEY = `draft ${doc.body.dataset.you} `;
  const key = (of) => KEY + `${of.dataset.writes} ${of.dataset.ticket}`;
  const kept = (k, text) => { try { return text === undefined ? localStorage.getItem(k) : text ? localStorage.setItem(k, text) : localStorage.removeItem(k); } catch { /* a private window */ } };
  const state = (text) => { const spot = $("#draft-state"); if (spot) spot.textContent = text; };
  let timer = 0, dirty = null, sending = false;

  const fields = (of) => {
    const data = new URLSearchParams();
    for (const name of ["text", "order", "no_order", "token"]) {
      const field = of.elements[name];
      if (field && (field.type !== "checkbox" || field.checked)) data.set(name, field.value);
    }
    return data;
  };
  const save = async () => {
    clearTimeout(timer);
    const of = form();
    if (!of || dirty !== of || sending) return;
    dirty = null;
    const text = of.elements.text.value;
    try {
      const reply = await fetch(of.dataset.draft, { method: "POST", body: fields(of), headers: HX });
      const words = await reply.text();
      if (reply.status === 401 || reply.status > 499) throw words;
      kept(key(of), "");
      if (!sending && dirty !== of) state(reply.ok ? words : "Not saved: too long");
    } catch {
      kept(key(of), text);
      state("Kept in this browser: the desk cannot be reached");
      dirty = of;
      timer = setTimeout(save, 1e4);
    }
  };
  on("input", ({ target }) => {
    const of = target.closest?.("#composer form[data-draft]");
    if (!of || target.type === "file" || target.name?.startsWith("value.")) return;
    dirty = of;
    state("");
    clearTimeout(timer);
    timer = setTimeout(save, 1000);
    doc.body.dispatchEvent(new CustomEvent("writing", { detail: { ticket: of.dataset.ticket } }));
  });
  on("focusin", ({ target }) => { if (target.id === "answer") target.dataset.used = ""; });
  addEventListener("pagehide", () => {
    const of = form();
    if (!of || dirty !== of || sending) return;
    kept(key(of), of.elements.text.value);
    if (navigator.sendBeacon(of.dataset.draft, fields(of)) && navigator.onLine) dirty = null;
  });

  /* What a browser that was closed had kept comes back where the desk has no text. */
  const restore = () => {
    const of = form(), text = of && !of.dataset.restored && kept(key(of));
    if (of) of.dataset.restored = "";
    if (!text) return;
    if (of.elements.text.value.trim()) { kept(key(of), ""); return; }
    of.elements.text.value = text;
    dirty = of;
    save();
  };
  const attach = (files) => {
    const of = form(), input = of && $("[data-attach]", of);
    if (!input || !files.length) return;
    const data = new FormData();
    for (const [name, value] of fields(of)) data.set(name, value);
    data.set("seen", of.elements.seen.value);
    for (const file of files) data.append("file", file);
    state("Attaching …");
    htmx.ajax("POST", input.dataset.attach, { source: of, target: "#files", swap: "outerHTML", body: data }).finally(() => { input.value = ""; state(""); });
  };
  on("change", ({ target }) => { if (target.matches?.("[data-attach]")) attach([...target.files]); });
  on("paste", (event) => { const files = [...(event.clipboardData?.files || [])]; if (files.length && event.target.closest?.("#answering")) { event.preventDefault(); attach(files); } });
  const drop = (event) => { const files = form() && event.dataTransfer?.types.includes("Files"); if (files) event.preventDefault(); doc.body.classList.toggle("dropping", files && event.type === "dragover"); return files; };
  on("dragover dragleave", drop);
  on("drop", (event) => { if (drop(event)) attach([...event.dataTransfer.files]); });
  on("keydown", (event) => {
    const { key: pressed, target } = event, of = target.closest?.("#composer form"), ask = target.name?.startsWith("value.");
    if (!of || pressed !== "Enter" || !(event.ctrlKey || event.metaKey || ask)) return;
    event.preventDefault();
    (ask ? $("button", target.closest("fieldset")) : $(".main-act", of)).click();
  });
  on("click", ({ target }) => {
    const at = (s) => target.closest?.(s), of = form(), text = of?.elements.text;
    if (at("[data-hide]")) $("#preview").outerHTML = '<div id="preview"></div>';
    if (at("[name=template]") && "used" in text.dataset) of.elements.cursor.value = [...text.value.slice(0, text.selectionStart)].length;
    if (at(".acts .main-act, [name=then]") && at("#answering")) { clearTimeout(timer); sending = true; state("Sending …"); }
  }, true);
  on("submit", ({ target }) => {
    if (target.action.endsWith("/sign-out")) try { for (const k of Object.keys(localStorage)) if (k.startsWith("draft ")) localStorage.removeItem(k); } catch { /* a private window */ }
  }, true);

  /* An answer that did not reach the desk stays as it is; one that was sent is nowhere else. */
  on("htmx:after:request htmx:error", ({ type, detail }) => {
    const of = form();
    if (!sending || !of) return;
    const status = detail.ctx?.response?.status;
    sending = false;
    if (type === "htmx:error" || !status || status > 499) { dirty = of; kept(key(of), of.elements.text.value); state("Not sent: the desk cannot be reached. The text is kept here"); timer = setTimeout(save, 1e4); } else { dirty = null; kept(key(of), ""); }
  });
  on("htmx:after:swap", () => {
    restore();
    const wanted = $("#refused-title, #refusal") || $("#composer.open [data-own]");
    if (wanted && (doc.activeElement === doc.body || wanted.id.startsWith("refus"))) wanted.focus();
  });
  restore();
})();
