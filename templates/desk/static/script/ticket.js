/* A ticket: photos larger, mail frames as high as what they hold, and news of the open ticket said once. */
(() => {
  "use strict";
  const one = (what) => document.querySelector(what), on = (what, act, early) => document.addEventListener(what, act, early);
  let at = 0, photos = [];
  const show = (step) => {
    if (!photos.length) return;
    at = (at + step + photos.length) % photos.length;
    const large = one("#photo img");
    large.src = photos[at].href;
    large.alt = one("#photo-name").textContent = photos[at].firstChild.alt;
  };
  on("click", (event) => {
    const link = event.target.closest("[data-photo]"), step = event.target.closest("#photo [value]");
    if (step) show(Number(step.value));
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    photos = [...link.parentElement.children];
    at = photos.indexOf(link);
    show(0);
    one("#photo").showModal();
  });
  on("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && one("#photo")?.open) show(step);
  });
  /* A frame runs nothing, but is of our origin, so that its height can be read, and its keys heard. */
  on("load", ({ target }) => {
    if (target.matches?.("iframe.mail")) target.style.height = `${Math.min(target.contentDocument.body.scrollHeight + 4, 4000)}px`;
  }, true);
  let latest = Number(one("#thread")?.dataset.latest);
  on("htmx:after:swap", () => {
    const data = one("#thread")?.dataset;
    if (data?.latest > latest) one("#said").textContent = `New mail from ${data.from}`;
    latest = Number(data?.latest) || latest;
  });
})();
