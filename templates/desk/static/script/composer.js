/* Writing: the draft is kept as one writes, here when the desk cannot be reached; files by pasting and dropping. */
(() => {
  "use strict";
  const form = () => $("#composer form[data-draft]"), field = (of) => of.elements.text;
  const kept = (of, text) => {
    const k = `draft ${doc.body.dataset.you} ${of.dataset.writes} ${of.dataset.ticket}`;
    try { return text == null ? localStorage[k] : text ? (localStorage[k] = text) : delete localStorage[k]; } catch { /* a private window */ }
  };
  const state = (text) => { const spot = $("#draft-state"); if (spot) spot.textContent = text; };
  let timer = 0, dirty = null, sending = false;

  const fields = (of, data = new URLSearchParams()) => {
    for (const name of ["text", "order", "no_order", "token", "seen"]) {
      const { type, checked, value } = of.elements[name] ?? {};
      if (value != null && (type !== "checkbox" || checked)) data.set(name, value);
    }
    return data;
  };
  const later = (ms) => { clearTimeout(timer); timer = setTimeout(save, ms); };
  const keepHere = (of, words) => { dirty = of; kept(of, field(of).value); state(words); later(1e4); };
  const save = async () => {
    const of = form();
    if (!of || dirty !== of || sending) return;
    dirty = null;
    try {
      const reply = await fetch(of.dataset.draft, { method: "POST", body: fields(of), headers: HX }), words = await reply.text();
      if (reply.status === 401 || reply.status > 499) throw words;
      kept(of, "");
      if (!sending && !dirty) state(reply.ok ? words : "Not saved: it is too long");
    } catch { keepHere(of, "Kept in this browser: the desk cannot be reached"); }
  };
  on("input", ({ target }) => {
    const of = target.closest("#composer form[data-draft]");
    if (!of || target.type === "file" || target.closest("fieldset")) return;
    dirty = of;
    state("");
    later(1000);
    doc.body.dispatchEvent(new CustomEvent("writing", { detail: { ticket: of.dataset.ticket } }));
  });
  addEventListener("pagehide", () => {
    const of = form();
    if (!of || dirty !== of || sending) return;
    kept(of, field(of).value);
    navigator.sendBeacon(of.dataset.draft, fields(of));
  });

  /* What a browser that was closed had kept comes back where the desk has no text. */
  const restore = () => {
    const of = form(), text = of && !of.dataset.restored && kept(of);
    if (of) of.dataset.restored = 1;
    if (!text) return;
    if (field(of).value.trim()) { kept(of, ""); return; }
    field(of).value = text;
    dirty = of;
    save();
  };
  const attach = (files) => {
    const of = form(), input = of && $("[data-attach]", of);
    if (!input || !files.length) return;
    const data = fields(of, new FormData());
    for (const file of files) data.append("file", file);
    state("Attaching …");
    htmx.ajax("POST", input.dataset.attach, { source: of, target: "#files", swap: "outerHTML", body: data }).finally(() => { input.value = ""; state(""); });
  };
  on("change", ({ target }) => { if (target.matches("[data-attach]")) attach([...target.files]); });
  on("paste drop dragover", (event) => {
    const { type, target } = event, moved = event.clipboardData ?? event.dataTransfer;
    if (!moved?.types.includes("Files") || !$("#answering") || (type === "paste" && !target.closest("#answering"))) return;
    event.preventDefault();
    attach([...moved.files]);
  });
  on("keydown", (event) => {
    const { target } = event, of = target.closest?.("#composer form"), asked = target.name?.startsWith("value.");
    if (!of || event.key !== "Enter" || !(event.ctrlKey || event.metaKey || asked)) return;
    event.preventDefault();
    $(asked ? "fieldset .btn" : ".main-act", of).click();
  });
  on("focusin", ({ target }) => { if (target.id === "answer") target.dataset.used = 1; });
  on("click", ({ target }) => {
    const of = form();
    if (target.closest("[data-hide]")) $("#preview").outerHTML = '<div id="preview"></div>';
    if (target.closest("[name=template]") && !target.closest("fieldset") && field(of).dataset.used) of.elements.cursor.value = [...field(of).value.slice(0, field(of).selectionStart)].length;
    if (target.closest("#answering .main-act, [name=then]")) { sending = true; state("Sending …"); }
  }, true);
  on("submit", ({ target }) => { if (/sign-out$/.test(target.action)) try { localStorage.clear(); } catch { /* none */ } }, true);

  /* An answer that did not reach the desk stays as it is; one that was sent is nowhere else. */
  on("htmx:finally:request", ({ detail: { ctx } }) => {
    const of = form();
    if (!sending || !of || !/answer$/.test(ctx.request?.action)) return;
    sending = false;
    if (ctx.response?.status < 500) { dirty = null; kept(of, ""); } else keepHere(of, "Not sent: the desk cannot be reached. The text is kept here");
  });
  on("htmx:after:swap", ({ detail: { ctx } }) => {
    restore();
    if (ctx.target?.id !== "composer") return;
    const wanted = $("#refused-title, #refusal") ?? $("#answering fieldset input") ?? $(".composer.open [data-own]");
    wanted?.focus();
    if (wanted?.value) wanted.selectionStart = wanted.value.length;
  });
  restore();
})();
