/* Lists: how many are ticked; what others change waits while somebody is at work here. */
(() => {
  "use strict";
  const { body } = doc, rows = new Set();
  /* A row fetches itself when its ticket has changed. */
  const look = () => {
    const spot = $("#bulk output");
    if (spot) spot.textContent = `${$$(".pick :checked").length} selected`;
    for (const { id } of $$(".row")) if (!rows.has(id) && rows.add(id)) body.addEventListener(`ticket-${id.slice(1)}`, () => {
      if ($(`#${id}`)) htmx.ajax("GET", `/tickets/${id.slice(1)}/row`, { source: `#${id}`, target: `#${id}`, swap: "outerMorph" });
    });
  };
  on("change", look);
  on("reset", () => setTimeout(look));
  on("toast", () => $("#bulk")?.reset());

  /* A new row comes in when nobody points at the list or has just pressed a key; until then a line says so. */
  let pressed = 0;
  const renew = () => htmx.trigger("#list", "renew"), tidy = () => { if ($(".row.gone")) renew(); };
  body.addEventListener("tickets", async () => {
    const path = $("#list:not([data-still])")?.getAttribute("hx-get"), line = $("#news");
    const answer = path && await fetch(path, { headers: HX }).catch(() => 0);
    if (!answer?.ok) return;
    const known = $$(".row", new DOMParser().parseFromString(await answer.text(), "text/html")).map(({ id }) => !!$(`#${id}`));
    const busy = $("#list:hover, .pick :checked, #lists .pop[open]") || Date.now() - pressed < 2000 || $$(".row").length > 40;
    if (known.every(Boolean)) return;
    if (!line || !busy) { renew(); return; }
    line.innerHTML = "<button class='btn plain'></button>";
    line.firstChild.textContent = `${known.filter((old) => !old).length} new${known.indexOf(false) < known.lastIndexOf(true) ? ", due earlier" : ""} · Show`;
    line.firstChild.onclick = renew;
  });
  on("keydown", ({ key }) => { pressed = Date.now(); if (/^[jk]$/.test(key)) setTimeout(tidy); }, true);
  on("pointerout", ({ target, relatedTarget: to }) => { if (target.closest("#list") && !to?.closest("#list")) tidy(); });
  on("htmx:after:swap", look);
  look();
})();
