// Reads a chart aloud: the week under the pointer, or the one that the arrow keys reach. Without it, titles and the table say the same.
const slots = (drawing) => [...drawing.querySelectorAll("[data-says]")];

function read(drawing, slot) {
  const figure = drawing.closest("[data-chart]");
  for (const other of figure.querySelectorAll(".c-slot--on")) other.classList.remove("c-slot--on");
  const line = figure.querySelector("[data-reading]");
  if (!slot) {
    line.textContent = "";
    return;
  }
  slot.classList.add("c-slot--on");
  if (line.textContent !== slot.dataset.says) line.textContent = slot.dataset.says;
}

function step(drawing, key) {
  const all = slots(drawing);
  const now = all.findIndex((slot) => slot.classList.contains("c-slot--on"));
  const last = all.length - 1;
  const next = { ArrowLeft: now < 0 ? last : now - 1, ArrowRight: now < 0 ? 0 : now + 1, Home: 0, End: last }[key];
  return all[Math.min(last, Math.max(0, next))];
}

document.addEventListener("pointerover", (event) => {
  const slot = event.target.closest?.("[data-says]");
  if (slot) read(slot.closest("[data-drawing]"), slot);
});

document.addEventListener("keydown", (event) => {
  const drawing = event.target.closest?.("[data-drawing]");
  if (!drawing) return;
  if (event.key === "Escape") read(drawing, null);
  if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
  event.preventDefault();
  read(drawing, step(drawing, event.key));
});

document.addEventListener("focusout", (event) => {
  const drawing = event.target.closest?.("[data-drawing]");
  if (drawing) read(drawing, null);
});
