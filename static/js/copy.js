// A button beside a text takes it to the clipboard. It shows only where that works; the field can always be selected by hand.
function dress() {
  if (!navigator.clipboard) return; // a page without TLS has none
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const words = button.querySelector("span");
  const before = words.textContent;
  try {
    await navigator.clipboard.writeText(source.value);
  } catch {
    return source.select(); // refused by the browser: Ctrl or Cmd+C is one key away
  }
  if (before === button.dataset.copied) return;
  words.textContent = document.getElementById("announcer").textContent = button.dataset.copied;
  setTimeout(() => { words.textContent = before; }, 2000);
});
dress();
