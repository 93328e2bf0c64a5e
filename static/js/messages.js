// Messages: said once, closed by hand, gone by themselves when nothing is asked of the reader. Failed requests say so.
const box = document.getElementById("messages");

function settle(toast) {
  if (toast.dataset.settled) return;
  toast.dataset.settled = "yes";
  toast.querySelector("[data-dismiss]").hidden = false;
  if (!toast.hasAttribute("data-stays")) wait(toast);
}

function wait(toast) {
  let timer = setTimeout(() => toast.remove(), 8000);
  const hold = () => clearTimeout(timer);
  const go = () => { hold(); timer = setTimeout(() => toast.remove(), 4000); };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

function fail(event) {
  const words = document.getElementById("failure");
  if (!words) return;
  const status = event.detail.xhr?.status ?? 0;
  const toast = words.content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent =
    status === 0 || status === 503 ? words.dataset.away : status === 403 ? words.dataset.refused : words.dataset.failed;
  box.replaceChildren(toast);
}

if (box) {
  new MutationObserver(() => box.querySelectorAll("[data-toast]").forEach(settle)).observe(box, { childList: true });
  box.querySelectorAll("[data-toast]").forEach(settle);
  box.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]").remove());
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, fail);
}
