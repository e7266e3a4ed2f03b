// The Commands and Shadow tabs: the form follows the chosen command, the table and the shadow follow the device.

const PAUSE = 120; // ms: a burst of changes is fetched once

/** Calls `work` once, a moment after the last of several calls. */
function settled(work) {
  let timer = null;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, PAUSE);
  };
}

/** Serves the form: shows the fields of the chosen command, and sends only those. */
export function bindCommandForm(form) {
  const choose = () => {
    for (const part of form.querySelectorAll("[data-command]")) {
      const chosen = part.dataset.command === form.elements.name.value;
      part.hidden = !chosen;
      for (const control of part.querySelectorAll("input, select, textarea")) control.disabled = !chosen;
    }
  };
  form.elements.name.addEventListener("change", choose);
  choose();
}

/** The table is fetched anew when a command of this device changes, unless a person reads an older page or an open history. */
export function followCommands(card) {
  const fetch = settled(() => {
    if (new URLSearchParams(location.search).has("before") || card.querySelector("details[open]")) return;
    window.htmx.ajax("GET", card.dataset.rows, { target: "#command-table", swap: "innerHTML" });
  });
  return fetch;
}

/** The shadow is fetched anew when the device speaks, unless somebody types or looks at the past, or began to while it was fetched. */
export function followShadow(root) {
  const busy = () => Boolean(root.dataset.past || root.querySelector("textarea")?.value);
  root.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig.verb === "get" && busy()) event.detail.shouldSwap = false;
  });
  return settled(() => {
    if (!busy()) window.htmx.ajax("GET", root.dataset.parts, { target: "#shadow", swap: "innerHTML" });
  });
}

/** A local time in a form becomes milliseconds in the address. */
export function bindMoment(root) {
  root.addEventListener("submit", (event) => {
    const form = event.target.closest('[data-part="shadow-at"]');
    if (form) form.elements.at.value = new Date(form.querySelector('input[type="datetime-local"]').value).getTime();
  });
}
