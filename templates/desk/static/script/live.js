/* News of what changed. The stream names what to fetch anew; each name becomes an event on <body>, on which the
   parts that show it fetch themselves. Where the stream ends, a slow poll takes over and the mark says so. */
(() => {
  "use strict";
  const root = document.documentElement, mark = document.getElementById("live");
  if (!mark) return;
  const $$ = (s) => document.querySelectorAll(s);
  const open = /^\/tickets\/(\d+)/.exec(location.pathname)?.[1];
  const tab = Math.random().toString(36).slice(2);
  const HIDDEN = 5 * 60000, POLL = 60000, BEAT = 30000, SHORTEST = 250, LONGEST = 8000;
  let stream = null, since = root.dataset.news, poll = 0, late = 0, rest = 0, ended = false;

  /* A burst is one fetch, the first at once; the longer it lasts, the rarer. */
  const waiting = new Set();
  let timer = 0, pause = SHORTEST, last = 0;
  const tell = (names) => {
    for (const name of names) waiting.add(name);
    if (timer || !waiting.size) return;
    const now = performance.now();
    pause = now - last > 4 * pause ? SHORTEST : Math.min(pause * 1.5, LONGEST);
    timer = setTimeout(send, Math.max(0, last + pause - now));
  };
  const send = () => {
    timer = 0; last = performance.now();
    const names = [...waiting];
    waiting.clear();
    const seen = names.filter((name) => name.startsWith("presence-")).map((name) => name.slice(9));
    if (seen.length) look(new Set(seen));
    for (const name of names) document.body.dispatchEvent(new CustomEvent(name, { detail: { live: true } }));
  };
  const all = () => tell(["tickets", "counts", "outbox", ...(open ? [`ticket-${open}`] : []), ...[...$$("[data-here]")].map((spot) => `presence-${spot.dataset.here}`)]);

  /* Who is at the tickets that the page shows. */
  const look = async (ids) => {
    const shown = [...new Set([...$$("[data-here]")].map((spot) => spot.dataset.here))].filter((id) => ids.has(id));
    if (!shown.length) return;
    const answer = await fetch(`/presence?${shown.map((id) => `ticket=${id}`).join("&")}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts.querySelectorAll("[data-here]")) for (const spot of $$(`[data-here="${part.dataset.here}"]`)) spot.replaceChildren(...part.cloneNode(true).childNodes);
  };
  let doing = "viewing", wrote = 0, beat = 0;
  const here = (what) => {
    const form = new URLSearchParams({ ticket: open, tab, doing: what });
    if (!navigator.sendBeacon("/presence", form)) fetch("/presence", { method: "POST", body: form, keepalive: true }).catch(() => {});
  };
  const stay = () => {
    clearTimeout(beat);
    if (document.hidden) return;
    if (Date.now() - wrote > BEAT) doing = "viewing";
    here(doing);
    beat = setTimeout(stay, BEAT);
  };
  if (open) {
    stay();
    document.addEventListener("writing", () => {
      wrote = Date.now();
      if (doing !== "writing") { doing = "writing"; stay(); }
    });
    addEventListener("pagehide", () => here("gone"));
  }

  const show = (words, off) => { mark.textContent = words; mark.classList.toggle("off", off); mark.hidden = false; };
  const lost = () => {
    if (poll) return;
    const at = new Date(Date.now() + Number(root.dataset.offset || 0)).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: root.dataset.zone });
    show(`Not live since ${at}`, true);
    poll = setInterval(() => { all(); if (!stream || stream.readyState === 2) connect(); }, POLL);
  };
  const stop = () => { stream?.close(); stream = null; clearTimeout(late); late = 0; };
  const connect = () => {
    stop();
    if (ended && poll === 0) return;
    stream = new EventSource(`/live?since=${encodeURIComponent(since)}`);
    stream.addEventListener("hello", (event) => {
      root.dataset.offset = Number(event.data) - Date.now();
      clearTimeout(late); clearInterval(poll);
      late = poll = 0; ended = false;
      show("Live", false);
    });
    stream.onmessage = (event) => {
      since = event.lastEventId || since;
      const names = event.data.split(" ");
      if (names.includes("resync")) setTimeout(all, Math.random() * 1500); else tell(names);
    };
    stream.addEventListener("end", () => { ended = true; stop(); lost(); });
    stream.onerror = () => { late ||= setTimeout(lost, stream?.readyState === 2 ? 0 : 4000); };
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (document.hidden) { rest = setTimeout(stop, HIDDEN); return; }
    if (!stream || stream.readyState === 2) { ended = false; connect(); }
    if (open) stay();
  });
  if (document.hidden) show("Live", false); else connect();
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); all(); } });
})();
