/* What was done is said once, for 10 seconds, with Undo; sheets of acts open as dialogs. */
(() => {
  "use strict";
  let toast, left, timer;
  const paint = () => {
    const form = $("#toast"), [words, button] = form?.children || [];
    if (!form) return;
    form.hidden = !toast;
    if (!toast) return;
    words.textContent = toast.text + (toast.seconds ? ` ${left / 60 | 0}:${String(left % 60).padStart(2, "0")}` : "");
    form.action = toast.undo;
    button.hidden = !toast.undo;
  };
  const end = () => { clearInterval(timer); toast = 0; paint(); };
  const show = (news) => {
    end();
    toast = news;
    left = +news.seconds || 10;
    timer = setInterval(() => {
      if (!toast.seconds && $("#toast:is(:hover, :focus-within)")) return;
      if (--left > 0) paint(); else end();
    }, 1000);
    paint();
    say(toast.text);
  };
  const adopt = () => {
    const form = $("#toast"), [words, button] = form?.children || [];
    if (toast) paint();
    else if (form && !form.hidden) show({ text: words.textContent, undo: button.hidden ? "" : form.action, seconds: form.dataset.seconds });
  };
  on("toast", (event) => { $("#sheet dialog")?.close(); show(event.detail); }, true);
  on("submit", (event) => {
    if (event.target.id !== "toast") return;
    event.preventDefault();
    if (toast?.undo) htmx.ajax("POST", toast.undo, { source: doc.body, target: "#toast", swap: "none" });
    end();
  }, true);
  on("htmx:after:swap", () => {
    const sheet = $("#sheet dialog:not([open])");
    if (sheet) {
      for (const pop of $$(".pop[open]")) pop.open = false;
      sheet.prepend($("#problem"));
      sheet.showModal();
    }
    adopt();
  }, true);
  on("close", (event) => {
    if (event.target.parentNode?.id !== "sheet") return;
    $("#problem").replaceChildren();
    $("#main").prepend($("#problem"));
    event.target.remove();
  }, true);
  adopt();
})();
