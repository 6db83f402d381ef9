/* A ticket: photos larger, mail frames as high as what they hold, and news of the open ticket said once. */
(() => {
  "use strict";
  const one = (what) => document.querySelector(what);
  let at = 0, photos = [];
  const show = (step) => {
    if (!photos.length) return;
    at = (at + step + photos.length) % photos.length;
    const small = photos[at].querySelector("img"), large = one("#photo img");
    large.src = photos[at].href;
    large.alt = one("#photo-name").textContent = small.alt;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-photo]"), step = event.target.closest("#photo [value]");
    if (step) show(Number(step.value));
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !one("#photo")) return;
    event.preventDefault();
    photos = [...link.parentElement.querySelectorAll("[data-photo]")];
    at = photos.indexOf(link);
    show(0);
    one("#photo").showModal();
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && one("#photo")?.open) show(step);
  });
  /* A frame runs no script, but is of our origin: its height is read here, and its keys are ours too. */
  document.addEventListener("load", (event) => {
    const frame = event.target, inner = frame.matches?.("iframe.mail") && frame.contentDocument;
    if (!inner) return;
    frame.style.height = `${Math.min(inner.documentElement.scrollHeight + 4, 4000)}px`;
    inner.addEventListener("keydown", (pressed) => {
      const { key, code, ctrlKey, metaKey, altKey, shiftKey } = pressed;
      const copy = new KeyboardEvent("keydown", { key, code, ctrlKey, metaKey, altKey, shiftKey, bubbles: true, cancelable: true });
      if (!frame.dispatchEvent(copy)) pressed.preventDefault();
    });
  }, true);
  let latest = Number(one("#thread")?.dataset.latest);
  document.addEventListener("htmx:after:swap", () => {
    const thread = one("#thread"), newest = Number(thread?.dataset.latest);
    if (newest > latest) one("#said").textContent = `New mail from ${thread.dataset.from}`;
    latest = newest || latest;
  });
})();
