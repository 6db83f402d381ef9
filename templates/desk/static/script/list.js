/* Lists: how many are ticked; what others change waits while somebody is at work here. */
(() => {
  "use strict";
  const find = (s) => document.querySelector(s), all = (s, from = document) => [...from.querySelectorAll(s)], hear = document.addEventListener.bind(document);
  const ticked = () => all(".pick :checked");
  const count = () => { const spot = find(".bulk output"); if (spot) spot.textContent = `${ticked().length} selected`; };
  const clear = () => { for (const box of ticked()) box.checked = false; count(); };
  hear("change", ({ target }) => { if (target.closest(".pick")) count(); });
  hear("reset", ({ target }) => { if (target.id === "bulk") clear(); });
  hear("toast", clear);

  /* A new row comes in when nobody points at the list or has just pressed a key; until then a line says so. */
  let pressed = 0;
  const renew = () => htmx.trigger("#list", "renew");
  const busy = () => find("#list:hover, .pick :checked, #lists .pop[open]") || Date.now() - pressed < 2000;
  const news = async () => {
    const list = find("#list[hx-get]:not([data-still])"), path = list?.getAttribute("hx-get");
    const answer = path && await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => 0);
    if (!answer?.ok) return;
    const rows = all(".row", new DOMParser().parseFromString(await answer.text(), "text/html"));
    const known = rows.map(({ id }) => !!document.getElementById(id)), more = known.filter((old) => !old).length, line = find("#news");
    if (!more) return;
    if (!line || (!busy() && all(".row", list).length <= 40)) { renew(); return; }
    line.innerHTML = "<button class='btn plain'></button>";
    line.firstChild.textContent = `${more} new${known.indexOf(false) < known.lastIndexOf(true) ? ", due earlier" : ""} · Show`;
    line.firstChild.onclick = renew;
  };
  document.body.addEventListener("tickets", news);
  const tidy = () => { if (find(".row.gone")) renew(); };
  hear("keydown", ({ key, target }) => {
    pressed = Date.now();
    if (/^[jk]$/.test(key) && !target.matches("input, textarea")) setTimeout(tidy);
  }, true);
  hear("pointerout", ({ target, relatedTarget }) => { if (target.closest("#list") && !relatedTarget?.closest("#list")) tidy(); });
  hear("htmx:after:swap", ({ detail }) => {
    count();
    if (detail.ctx?.sourceElement?.closest(".more-row")) all("[data-first]").at(-1)?.focus();
  });
})();
