// The palette: opens, walks its results by arrow, goes there by Enter. Its page does the searching.
const palette = document.getElementById("palette");
const input = palette?.querySelector("[role=combobox]");

const rows = () => [...palette.querySelectorAll(".palette__row")];

function choose(row) {
  for (const each of rows()) {
    each.toggleAttribute("data-on", each === row);
    each.setAttribute("aria-selected", String(each === row));
  }
  if (row) input.setAttribute("aria-activedescendant", row.id);
  else input.removeAttribute("aria-activedescendant");
  row?.scrollIntoView({ block: "nearest" });
}

// A page of links becomes a list box: the focus stays in the field, the arrows move through the rows.
function dress() {
  const box = palette.querySelector("#palette-results [data-hits]");
  box?.setAttribute("role", "listbox");
  box?.setAttribute("aria-label", input.getAttribute("aria-label"));
  input.setAttribute("aria-controls", box ? box.id : "palette-results");
  for (const group of palette.querySelectorAll("[data-group]")) group.setAttribute("role", "group");
  for (const part of palette.querySelectorAll("[data-group] :is(h2, ul, li)")) part.setAttribute("role", "presentation");
  for (const row of rows()) {
    row.setAttribute("role", "option");
    row.tabIndex = -1;
  }
  choose(rows()[0]);
}

function open() {
  if (palette.open) return;
  palette.showModal();
  input.select();
  htmx.trigger(input, "palette:open");
}

function walk(event) {
  const all = rows();
  const at = all.findIndex((row) => row.hasAttribute("data-on"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) choose(all[(at + step + all.length) % all.length]);
  else if (event.key === "Enter" && all[at]) location.assign(all[at].href);
  else if (event.key === "Escape") palette.close(); // a search field would only empty itself
  else return;
  event.preventDefault();
}

if (palette) {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette-open]");
    if (opener && !event.ctrlKey && !event.metaKey) { event.preventDefault(); open(); }
    if (event.target === palette || event.target.closest("[data-palette-close]")) palette.close();
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey;
    const isK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (isSlash || isK) { event.preventDefault(); open(); }
  });
  input.addEventListener("keydown", walk);
  palette.addEventListener("htmx:afterSwap", dress);
}
