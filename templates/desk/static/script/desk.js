/* What every page needs. Each works without this file; it makes it quicker. */
(() => {
  "use strict";
  const say = (text) => { const spot = document.querySelector("#said"); if (spot) spot.textContent = text; };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard?.writeText(button.dataset.copy);
    say(`${button.dataset.copy} copied`);
  });
})();
