// Keyboard shortcuts. Single keys never act while somebody types, and can be switched off in the account (WCAG 2.1.4).
import { openPalette } from "./palette.js";

let leader = 0;

function typing(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], .editor");
}

function rows() {
  return [...document.querySelectorAll("[data-rows] > tr, [data-rows] > [data-row]")];
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  next.querySelector("a, button")?.focus();
  next.scrollIntoView({ block: "nearest" });
}

function selectRow() {
  document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click();
}

function single(event) {
  if (Date.now() - leader < 1200) {
    leader = 0;
    const entry = document.querySelector(`.nav [data-go="${CSS.escape(event.key)}"]`);
    if (entry) { event.preventDefault(); entry.click(); return; }
  }
  const actions = {
    g: () => { leader = Date.now(); },
    "/": () => { event.preventDefault(); document.querySelector("[data-page-search]")?.focus(); },
    "?": () => document.getElementById("shortcuts").showModal(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: selectRow,
  };
  actions[event.key]?.();
}

export function bindKeys() {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (document.body.dataset.singleKeys === "on") single(event);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) { document.getElementById("person-menu").hidePopover(); document.getElementById("shortcuts").showModal(); }
  });
}
