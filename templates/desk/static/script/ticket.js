/* A ticket: photos larger, mail frames as high as what they hold, and news of the open ticket said once. */
(() => {
  "use strict";
  let at = 0, photos = [];
  const show = (step) => {
    if (!photos.length) return;
    at = (at + step + photos.length) % photos.length;
    const large = $("#photo img");
    large.src = photos[at].href;
    large.alt = $("#photo-name").textContent = photos[at].firstChild.alt;
  };
  on("click", (event) => {
    const link = event.target.closest("[data-photo]"), step = event.target.closest("#photo [value]");
    if (step) show(Number(step.value));
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    photos = [...link.parentElement.children];
    at = photos.indexOf(link);
    show(0);
    $("#photo").showModal();
  });
  on("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && $("#photo")?.open) show(step);
  });
  /* A frame runs nothing, but is of our origin, so that its height can be read, and its keys heard. */
  on("load", ({ target }) => {
    if (target.matches?.("iframe.mail")) target.style.height = `${Math.min(target.contentDocument.body.scrollHeight + 4, 4000)}px`;
  }, true);
  let latest = Number($("#thread")?.dataset.latest);
  on("htmx:after:swap", () => {
    const data = $("#thread")?.dataset;
    if (data?.latest > latest) say(`New mail from ${data.from}`);
    latest = Number(data?.latest) || latest;
  });
})();
