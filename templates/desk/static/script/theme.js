/* The colours change at once; without this file the form does it by a page. */
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.theme");
  if (!form || !event.submitter) return;
  event.preventDefault();
  const theme = event.submitter.value;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", button === event.submitter);
  fetch(form.action, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams({ theme }) });
});
