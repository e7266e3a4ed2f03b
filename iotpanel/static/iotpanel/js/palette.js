// Ctrl K: search and go to anything. The server answers with options; arrows move, Enter opens.
const dialog = () => document.getElementById("search");

export function openPalette() {
  const box = dialog();
  if (!box || box.open) return;
  for (const open of document.querySelectorAll(":popover-open")) open.hidePopover();
  box.showModal();
  const input = box.querySelector("input");
  input.select();
  window.htmx?.trigger(input, "palette-open");
}

function options() {
  return [...dialog().querySelectorAll("[role=option]")];
}

function choose(index) {
  const all = options();
  all.forEach((option, i) => {
    option.setAttribute("aria-selected", String(i === index));
    if (i === index) { option.scrollIntoView({ block: "nearest" }); dialog().querySelector("input").setAttribute("aria-activedescendant", option.id); }
  });
}

function onKey(event) {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) { event.preventDefault(); choose((at + step + all.length) % all.length); }
  if (event.key === "Enter") { event.preventDefault(); (all[at] || all[0])?.click(); }
}

export function bindPalette() {
  const box = dialog();
  if (!box) return;
  box.addEventListener("keydown", onKey);
  box.addEventListener("htmx:afterSwap", () => choose(0));
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-search]")) openPalette(); });
}
