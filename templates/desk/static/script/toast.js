/* What was done is said once, for 10 seconds, with Undo; sheets of acts open as dialogs. */
(() => {
  "use strict";
  const $ = (s) => document.querySelector(s), on = (name, act) => document.addEventListener(name, act, true);
  let toast = null, left = 0, timer = 0;
  const paint = () => {
    const form = $("#toast");
    if (!form) return;
    form.hidden = !toast;
    if (!toast) return;
    const [words, button] = form.children;
    words.textContent = toast.text + (toast.seconds ? ` ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "");
    form.action = toast.undo || "";
    button.hidden = !toast.undo;
  };
  const end = () => { clearInterval(timer); toast = null; paint(); };
  const tick = () => {
    if (!toast.seconds && $("#toast:is(:hover, :focus-within)")) return;
    if (--left > 0) paint(); else end();
  };
  const show = (news) => {
    clearInterval(timer);
    toast = news; left = Number(news.seconds) || 10; timer = setInterval(tick, 1000);
    paint();
    if ($("#said")) $("#said").textContent = toast.text;
  };
  const adopt = () => { // the page says it, or lost it by a swap
    const form = $("#toast");
    if (form && !form.hidden && !toast) show({ text: form.children[0].textContent, undo: form.children[1].hidden ? "" : form.action, seconds: form.dataset.seconds });
    else if (toast) paint();
  };
  on("toast", (event) => { $("#sheet dialog[open]")?.close(); show(event.detail); });
  on("submit", (event) => {
    if (event.target.id !== "toast") return;
    event.preventDefault();
    const to = toast?.undo;
    end();
    if (to) htmx.ajax("POST", to, { source: document.body, target: "#toast", swap: "none" });
  });
  on("htmx:after:swap", () => {
    const sheet = $("#sheet dialog:not([open])");
    if (sheet) { sheet.prepend($("#problem")); sheet.showModal(); }
    adopt();
  });
  on("close", (event) => {
    if (event.target.parentNode?.id !== "sheet") return;
    const problem = $("#problem");
    if (problem) { problem.replaceChildren(); $("#main").prepend(problem); }
    event.target.remove();
  });
  on("click", (event) => { if (event.target.closest("dialog [data-close]")) { event.preventDefault(); event.target.closest("dialog").close(); } });
  on("DOMContentLoaded", adopt);
  adopt();
})();
