/* News of what changed. The stream names what to fetch anew; each name becomes an event on <body>, on which the
   parts that show it fetch themselves. Where the stream ends a slow poll takes over, and the mark says so. */
(() => {
  "use strict";
  const mark = $("#live");
  if (!mark) return;
  let stream, since = root.dataset.news, poll = 0, late = 0, rest = 0;

  /* A burst is one fetch, the first at once; the longer it lasts, the rarer. */
  const waiting = new Set();
  let timer = 0, pause = 0, last = 0;
  const tell = (names) => {
    for (const name of names) waiting.add(name);
    if (timer || !waiting.size) return;
    const now = performance.now();
    pause = now - last > 4 * pause ? 250 : Math.min(pause * 1.5, 8000);
    timer = setTimeout(() => {
      const all = [...waiting];
      timer = 0; last = performance.now();
      waiting.clear();
      look(all);
      for (const name of all) doc.body.dispatchEvent(new CustomEvent(name));
    }, last + pause - now);
  };
  const shown = () => [...new Set($$("[data-here]").map((spot) => spot.dataset.here))];
  const all = () => tell(["tickets", "counts", "outbox", ...(openTicket ? [`ticket-${openTicket}`] : []), ...shown().map((id) => `presence-${id}`)]);

  /* Who is at the tickets that the page shows. */
  const look = async (names) => {
    const ids = shown().filter((id) => names.includes(`presence-${id}`));
    const answer = ids.length && await fetch(`/presence?ticket=${ids.join("&ticket=")}`, { headers: HX }).catch(() => 0);
    if (!answer?.ok) return;
    const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of $$("[data-here]", parts)) for (const spot of $$(`[data-here="${part.dataset.here}"]`)) spot.replaceChildren(...part.cloneNode(true).childNodes);
  };
  const tab = Math.random().toString(36).slice(2);
  let doing = "viewing", wrote = 0, beat = 0;
  const here = (what) => navigator.sendBeacon("/presence", new URLSearchParams({ ticket: openTicket, tab, doing: what }));
  const stay = () => {
    clearTimeout(beat);
    if (doc.hidden || !openTicket) return;
    doing = Date.now() - wrote < 3e4 ? "writing" : "viewing";
    here(doing);
    beat = setTimeout(stay, 3e4);
  };
  on("writing", () => { wrote = Date.now(); if (doing !== "writing") stay(); }, true);

  const show = (words, off) => { mark.textContent = words; mark.classList.toggle("off", off); mark.hidden = false; };
  const lost = () => {
    const at = new Date(Date.now() + +root.dataset.offset).toLocaleTimeString("en-GB", { timeStyle: "short", timeZone: root.dataset.zone });
    if (!poll) show(`Not live since ${at}`, true);
    poll ||= setInterval(() => { all(); if (!(stream?.readyState < 2)) connect(); }, 6e4);
  };
  const stop = () => { stream?.close(); stream = null; clearTimeout(late); late = 0; };
  const connect = () => {
    stop();
    stream = new EventSource(`/live?since=${since}`);
    stream.addEventListener("hello", ({ data }) => {
      root.dataset.offset = data - Date.now();
      clearTimeout(late); clearInterval(poll);
      late = poll = 0;
      show("Live", false);
    });
    stream.onmessage = ({ data, lastEventId }) => {
      since = lastEventId;
      if (data.includes("resync")) setTimeout(all, Math.random() * 1500); else tell(data.split(" "));
    };
    stream.addEventListener("end", () => { stop(); lost(); });
    stream.onerror = () => { late ||= setTimeout(lost, stream.readyState < 2 ? 4000 : 0); };
  };
  on("visibilitychange", () => {
    clearTimeout(rest);
    if (doc.hidden) rest = setTimeout(stop, 3e5);
    else { if (!(stream?.readyState < 2)) connect(); stay(); }
  });
  addEventListener("pagehide", () => { if (openTicket) here("gone"); stop(); });
  addEventListener("pageshow", () => { if (!doc.hidden) connect(); stay(); });
})();
