// After a swap: the focus goes back to where it was (or to the new part), and what changed is said aloud.
const announcer = document.getElementById("announcer");
let lost = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  lost = target.contains(document.activeElement) ? { id: document.activeElement.id, part: target.id } : null;
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (lost && document.activeElement === document.body) {
    const part = document.getElementById(lost.id) ?? document.getElementById(lost.part);
    if (part && !part.matches("a, button, input, select, textarea, summary")) part.tabIndex = -1;
    part?.focus({ preventScroll: true });
  }
  lost = null;
  const said = event.detail.elt.querySelector?.("[data-announce]");
  if (said && announcer) announcer.textContent = said.textContent.trim();
});
