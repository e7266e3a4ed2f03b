// The menu that adds another property, of this device or of another, to a chart.

import { loadChoices } from "./chart-load.js";
import { say } from "./device-words.js";

/** Fills and serves a `<details>` with a search field and a list. */
export function bindCompare(menu, chart) {
  const field = menu.querySelector("input"), list = menu.querySelector("[data-part=choices]");
  let search = null, timer;

  async function fill() {
    search?.abort();
    search = new AbortController();
    try {
      const choices = await loadChoices(chart.device, chart.property, field.value.trim(), search.signal);
      list.replaceChildren(...choices.map(choice));
      if (!choices.length) list.textContent = say("nothing_to_compare");
    } catch (error) {
      if (error.name !== "AbortError") list.textContent = say("not_loaded");
    }
  }

  function choice({ id, label, note }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "menu-item";
    button.dataset.compare = id;
    const name = document.createElement("span"), key = document.createElement("span");
    name.textContent = label;
    name.className = "truncate";
    key.textContent = note;
    key.className = "key push";
    button.append(name, key);
    return button;
  }

  menu.addEventListener("toggle", () => menu.open && (field.focus(), fill()));
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(fill, 150);
  });
  list.addEventListener("click", (event) => {
    const hit = event.target.closest("[data-compare]");
    if (!hit) return;
    menu.open = false;
    chart.compare(hit.dataset.compare);
  });
}
