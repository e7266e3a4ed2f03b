// Connecting a device: a key out of the name, the programs' tabs, and the first message as it comes.
import { shown } from "./device-format.js";
import { watch } from "./live.js";

const KEPT = "iotpanel.snippet";
let touched = false;

/** A key as a person would write it; "" where the name has no letter that a key may have. */
function keyOf(name) {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
}

function remember(kind) {
  try { localStorage.setItem(KEPT, kind); } catch (error) { /* private window */ }
}

function remembered() {
  try { return localStorage.getItem(KEPT); } catch (error) { return null; }
}

function choose(box, kind) {
  const tabs = [...box.querySelectorAll("[role=tab]")];
  if (!tabs.some((tab) => tab.dataset.snippet === kind)) return;
  for (const tab of tabs) {
    const on = tab.dataset.snippet === kind;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
  }
  box.querySelector("[data-snippet-copy]").dataset.copy = `#snippet-${kind}`;
}

function bindSnippets(box) {
  const tabs = [...box.querySelectorAll("[role=tab]")];
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => { choose(box, tab.dataset.snippet); remember(tab.dataset.snippet); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });
  if (remembered()) choose(box, remembered());
}

function wait(box) {
  const stop = watch([box.dataset.waitFor], {
    readings(rows) {
      box.querySelector("b").textContent = box.dataset.arrived;
      box.querySelector("[data-detail]").textContent = rows.map(([, property, , value]) => `${property}: ${shown(value)}`).join(", ").slice(0, 200);
      box.querySelector(".pulse")?.remove();
      box.querySelector(".btn").classList.add("primary");
      box.dataset.state = "arrived";
      const step = box.closest("li");
      step.dataset.state = "done";
      step.nextElementSibling.dataset.state = "now";
      step.nextElementSibling.querySelectorAll("h2").forEach((title) => title.classList.remove("muted"));
    },
  });
  addEventListener("pagehide", stop);
}

function start() {
  const form = document.getElementById("first-use");
  if (form) {
    form.elements.name.addEventListener("input", () => { if (!touched) form.elements.key.value = keyOf(form.elements.name.value); });
    form.elements.key.addEventListener("input", () => { touched = true; });
    touched = Boolean(form.elements.key.value);
  }
  document.querySelectorAll("[data-snippets]").forEach(bindSnippets);
  document.querySelectorAll("[data-wait-for]").forEach(wait);
}

document.getElementById("steps").addEventListener("htmx:afterSettle", start);
start();
