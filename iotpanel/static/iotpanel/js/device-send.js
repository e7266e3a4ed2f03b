// The box that sends a message: fields by kind, Ctrl Enter sends.

/** Serves the form. */
export function bindSend(form) {
  const kind = form.elements.kind, payload = form.elements.payload;
  const drafts = { [kind.value]: payload.value };
  let before = kind.value;
  kind.addEventListener("change", () => {
    form.querySelectorAll("[data-for]").forEach((part) => (part.hidden = part.dataset.for !== kind.value));
    drafts[before] = payload.value;
    payload.value = drafts[kind.value] ?? (kind.value === "event" ? payload.dataset.event : kind.value === "raw" ? "" : (drafts.telemetry ?? "{}"));
    before = kind.value;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}
