/* Deadlines told by the browser, for who wants that: one notice for all that is due, which the next replaces. */
(() => {
  "use strict";
  const told = globalThis.Notification;
  doc.body.addEventListener("due", async () => {
    if (!("tell" in doc.body.dataset) || told?.permission !== "granted") return;
    const reply = await fetch("/due", { headers: HX }).catch(() => 0);
    if (!reply || reply.status !== 200) return;
    const { title, text, address } = await reply.json();
    try {
      const notice = new told(title, { body: text, tag: "due" });
      notice.onclick = () => { focus(); location = address; };
    } catch { /* a browser that shows notices of apps alone */ }
  });
  on("change", async ({ target }) => {
    if (target.name !== "notify_browser" || !target.checked || !told || await told.requestPermission() === "granted") return;
    target.checked = false;
    say("This browser shows no notices of this address; allow them in its settings first.");
  });
})();
