/* The colours change at once; without this file the form does it by a page. */
on("submit", (event) => {
  const form = event.target.closest("form.theme"), by = event.submitter;
  if (!form || !by) return;
  event.preventDefault();
  if (by.value) root.dataset.theme = by.value; else delete root.dataset.theme;
  for (const button of $$("button", form)) button.setAttribute("aria-pressed", button === by);
  fetch(form.action, { method: "POST", headers: HX, keepalive: true, body: new URLSearchParams({ theme: by.value }) });
});
