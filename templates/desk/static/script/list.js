/* Lists: how many are ticked; what others change waits while somebody is at work here. */
(() => {
  "use strict";
  const { body } = document, find = (s) => document.querySelector(s), all = (s, from = document) => [...from.querySelectorAll(s)];
  const hear = (name, act, early) => document.addEventListener(name, act, early), rows = new Set();
  /* A row fetches itself when its ticket has changed. */
  const look = () => {
    const spot = find("#bulk output");
    if (spot) spot.textContent = `${all(".pick :checked").length} selected`;
    for (const { id } of all(".row")) if (!rows.has(id) && rows.add(id)) body.addEventListener(`ticket-${id.slice(1)}`, () => {
      if (find(`#${id}`)) htmx.ajax("GET", `/tickets/${id.slice(1)}/row`, { source: `#${id}`, target: `#${id}`, swap: "outerMorph" });
    });
  };
  hear("change", look);
  hear("reset", () => setTimeout(look));
  hear("toast", () => find("#bulk")?.reset());

  /* A new row comes in when nobody points at the list or has just pressed a key; until then a line says so. */
  let pressed = 0;
  const renew = () => htmx.trigger("#list", "renew"), tidy = () => { if (find(".row.gone")) renew(); };
  body.addEventListener("tickets", async () => {
    const path = find("#list:not([data-still])")?.getAttribute("hx-get"), line = find("#news");
    const answer = path && await fetch(path, { headers: { "HX-Request": "true" } }).catch(() => 0);
    if (!answer?.ok) return;
    const known = all(".row", new DOMParser().parseFromString(await answer.text(), "text/html")).map(({ id }) => !!find(`#${id}`));
    const busy = find("#list:hover, .pick :checked, #lists .pop[open]") || Date.now() - pressed < 2000 || all(".row").length > 40;
    if (known.every(Boolean)) return;
    if (!line || !busy) { renew(); return; }
    line.innerHTML = "<button class='btn plain'></button>";
    line.firstChild.textContent = `${known.filter((old) => !old).length} new${known.indexOf(false) < known.lastIndexOf(true) ? ", due earlier" : ""} · Show`;
    line.firstChild.onclick = renew;
  });
  hear("keydown", ({ key }) => { pressed = Date.now(); if (/^[jk]$/.test(key)) setTimeout(tidy); }, true);
  hear("pointerout", ({ target, relatedTarget: to }) => { if (target.closest("#list") && !to?.closest("#list")) tidy(); });
  hear("htmx:after:swap", look);
  look();
})();
