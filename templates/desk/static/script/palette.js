/* The palette and the key sheet: dialogs that the server fills. The field keeps the focus, the arrows choose. */
(() => {
  "use strict";
  const box = $("#palette");
  if (!box) return;
  const options = () => $$("[role=option][href]", box), field = () => $("input", box);
  const ask = (path, signal) => fetch(path, { headers: HX, signal }).then((answer) => (answer.ok ? answer.text() : null)).catch(() => null);
  const choose = (option) => {
    for (const other of options()) other.setAttribute("aria-selected", other === option);
    field().setAttribute("aria-activedescendant", option?.id ?? "");
    option?.scrollIntoView({ block: "nearest" });
  };
  let asking, timer = 0;
  const fill = async () => {
    asking?.abort();
    asking = new AbortController();
    const hits = await ask(`/palette?ticket=${openTicket ?? 0}&q=${encodeURIComponent(field().value)}`, asking.signal);
    if (hits === null) return;
    $("#hits").innerHTML = hits;
    for (const option of options()) if (/^[naie]$/.test(option.dataset.press) && !$(`[data-key="${option.dataset.press}"]`)) option.remove();
    choose(options()[0]);
  };
  const palette = () => { if (box.open) return; field().value = ""; box.showModal(); fill(); };
  const sheet = async () => {
    const dialog = $("#keys"), part = dialog.open || await ask("/keys");
    if (dialog.open) return;
    if (!part) { location.href = "/keys"; return; }
    dialog.innerHTML = part;
    dialog.showModal();
    $("h2", dialog).focus();
  };
  const take = (option) => {
    const path = option.getAttribute("href"), { press } = option.dataset;
    box.close();
    if (press) doc.dispatchEvent(new CustomEvent("press", { detail: press }));
    else if (path === "/keys") sheet();
    else ($(`main a[href="${path}"]`) ?? option).click();
  };
  on("keys", sheet);
  on("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); palette(); }
    if (!box.open) return;
    const all = options(), at = all.findIndex((option) => option.ariaSelected === "true"), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) { event.preventDefault(); choose(all[(at + step + all.length) % all.length]); }
    if (event.key === "Enter" && all[at]) { event.preventDefault(); take(all[at]); }
  });
  on("input", ({ target }) => { if (box.contains(target)) { clearTimeout(timer); timer = setTimeout(fill, 80); } });
  on("click", (event) => {
    const spot = event.target.closest("[data-palette], [data-keys-sheet], #palette [role=option][href]");
    if (!spot || !event.isTrusted || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (box.contains(spot)) take(spot); else if (spot.matches("[data-palette]")) palette(); else sheet();
  }, true);
})();
