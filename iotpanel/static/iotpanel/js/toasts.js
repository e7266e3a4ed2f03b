// What succeeded elsewhere, for five seconds; failures stay until somebody closes them.
const LIFE = 5000;

function arm(toast) {
  if (toast.dataset.tone !== "error") setTimeout(() => toast.remove(), LIFE);
}

/** Show `text`; tone "error" stays. */
export function toast(text, tone = "success") {
  const node = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  node.dataset.tone = tone;
  node.querySelector("span").textContent = text;
  if (tone === "error") {
    const icon = node.querySelector("svg.icon");
    icon.classList.replace("good", "bad");
    icon.querySelector("use").setAttribute("href", "#i-warn");
  }
  document.getElementById("toasts").append(node);
  arm(node);
}

export function bindToasts() {
  document.querySelectorAll(".toast").forEach(arm);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".toast")?.remove();
  });
  // A fragment's answer may carry HX-Trigger: {"toast": {"text": ..., "tone": ...}}
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
  document.addEventListener("htmx:responseError", (event) => toast(`${event.detail.xhr.status} ${event.detail.xhr.statusText}`, "error"));
}
