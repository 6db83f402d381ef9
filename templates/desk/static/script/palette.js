/* The palette and the key sheet: dialogs that the server fills. The field keeps the focus, the arrows choose. */
(() => {
  "use strict";
  const doc = document, box = doc.getElementById("palette"), sheet = doc.getElementById("keys");
  if (!box) return;
  const ticket = /^\/tickets\/(\d+)/.exec(location.pathname)?.[1] ?? "";
  const ask = async (path, signal) => {
    const answer = await fetch(path, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.text();
  };
  const options = () => [...box.querySelectorAll("[role=option]")];
  const field = () => box.querySelector("input");
  const choose = (option) => {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    if (option) { field().setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); } else field().removeAttribute("aria-activedescendant");
  };
  let asking = null, timer = 0;
  const fill = async () => {
    asking?.abort();
    asking = new AbortController();
    const text = await ask(`/palette?q=${encodeURIComponent(field().value.slice(0, 100))}&ticket=${ticket || 0}`, asking.signal).catch(() => null);
    if (text === null) return;
    box.querySelector("[role=listbox]").innerHTML = text;
    for (const option of options()) if (option.dataset.press && !/[r.v]/.test(option.dataset.press) && !doc.querySelector(`[data-key="${option.dataset.press}"]`)) option.remove();
    choose(options()[0]);
  };
  const take = (option) => {
    box.close();
    const { press } = option.dataset, path = option.getAttribute("href");
    if (press) doc.dispatchEvent(new CustomEvent("press", { detail: press }));
    else if (path === "/keys") open(sheet, path);
    else (doc.querySelector(`main a[href="${path}"]`) ?? option).click();
  };
  const open = async (dialog, path) => {
    if (dialog.open) return;
    const text = await ask(path).catch(() => null);
    if (text === null) { location.href = path.replace("?frame=1", ""); return; }
    dialog.innerHTML = text;
    dialog.showModal();
    if (dialog === box) { field().focus(); await fill(); } else dialog.querySelector("h2").focus();
  };
  const palette = () => open(box, "/palette?frame=1");
  doc.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); palette(); }
  });
  doc.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("[data-palette]")) { event.preventDefault(); palette(); }
    if (event.target.closest("[data-keys-sheet]")) { event.preventDefault(); open(sheet, "/keys"); }
  }, true);
  doc.addEventListener("keys", () => open(sheet, "/keys"));
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(fill, 80); });
  box.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && event.isTrusted) { event.preventDefault(); take(option); }
  });
  box.addEventListener("keydown", (event) => {
    const all = options(), at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) { event.preventDefault(); choose(all[(at + step + all.length) % all.length]); }
    if (event.key === "Enter" && all[at]) { event.preventDefault(); take(all[at]); }
  });
})();
