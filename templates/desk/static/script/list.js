/* Lists: how many are ticked, said once; a change of others waits while the pointer or a key is at work here. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const ticked = () => document.querySelectorAll(".pick :checked");
  const count = () => { const output = $(".bulk output"); if (output) output.textContent = `${ticked().length} selected`; };
  document.addEventListener("change", (event) => { if (event.target.closest(".pick")) count(); });
  document.addEventListener("reset", (event) => {
    if (event.target.matches(".bulk")) { ticked().forEach((box) => { box.checked = false; }); setTimeout(count); }
  });

  let pressed = 0;
  document.addEventListener("keydown", () => { pressed = Date.now(); }, true);
  const busy = () => $("#list")?.matches(":hover") || Date.now() - pressed < 2000 || ticked().length > 0;
  /* The list asks for itself when something has changed; while busy, a line says so instead. */
  document.addEventListener("htmx:config:request", (event) => {
    const ctx = event.detail?.ctx, source = ctx?.sourceElement;
    if (!source?.matches?.("[data-list]") || ctx.request?.method !== "GET" || !busy()) return;
    event.preventDefault();
    const news = $(".news", source);
    if (news) { news.hidden = false; $("span", news).textContent = "Something has changed · Show"; }
  });
  document.addEventListener("htmx:after:swap", () => {
    count();
    const first = $("[data-first]");
    if (first) { first.removeAttribute("data-first"); first.focus(); }
  });
})();
