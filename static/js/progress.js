// What one acted on shows that it works, but only after 150 ms: a quick answer must not blink.
const waiting = new Map();

function start(control) {
  if (!control || waiting.has(control)) return;
  waiting.set(control, setTimeout(() => control.setAttribute("aria-busy", "true"), 150));
}

function stop(control) {
  clearTimeout(waiting.get(control));
  waiting.delete(control);
  control.removeAttribute("aria-busy");
}

const controlOf = (event) => {
  const element = event.detail.elt;
  return event.detail.requestConfig?.triggeringEvent?.submitter ?? element.querySelector?.(":scope > [type=submit]") ?? element;
};

document.addEventListener("htmx:beforeRequest", (event) => start(controlOf(event)));
document.addEventListener("htmx:afterRequest", (event) => stop(controlOf(event)));
document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented) start(event.submitter);
});
addEventListener("pageshow", () => [...waiting.keys()].forEach(stop));
