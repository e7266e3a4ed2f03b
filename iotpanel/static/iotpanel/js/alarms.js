// The alarms: what happens to one of them comes live; keys act on the one that is shown.
import { alarmChart } from "./alarm-chart.js";
import { watch } from "./live.js";

const SETTLE = 250; // ms: a storm is one look
let timer = 0;

/** Anything but reading: a menu is open, or somebody writes. */
function busy() {
  return document.querySelector("dialog[open], details.drop[open]") || document.activeElement?.matches("#alarm-detail input, #alarm-detail select") || getSelection().toString();
}

/** The list and the alarm beside it anew, from where the page is. */
async function refresh() {
  if (busy()) { timer = setTimeout(refresh, 2000); return; }
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.closest("[data-alarm]")?.dataset.alarm;
  for (const part of ["main", ".nav", ".tabbar", ".page-header .actions"]) {
    const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
    if (old && fresh) old.replaceChildren(...fresh.childNodes);
  }
  if (focused) document.querySelector(`[data-alarm="${CSS.escape(focused)}"]`)?.focus();
  show();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, SETTLE);
}

function show() {
  const box = document.querySelector("[data-alarm-chart]"), data = document.getElementById("alarm-chart");
  if (box && data) alarmChart(box, JSON.parse(data.textContent));
}

let leader = 0; // after `g` a key goes somewhere

document.addEventListener("keydown", (event) => {
  if (event.key === "g") { leader = Date.now(); return; }
  if (Date.now() - leader < 1200) return;
  if (event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.singleKeys !== "on") return;
  if (event.target.closest("input, textarea, select, dialog[open]")) return;
  const on = document.activeElement?.closest("[data-alarm]");
  const shown = document.querySelector("[data-alarm-shown]")?.dataset.alarmShown;
  if (on && on.dataset.alarm !== shown) return; // keys act on what one sees in whole
  document.querySelector(`[data-alarm-key="${CSS.escape(event.key)}"]`)?.click();
});
let resized;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(show, 80); });
watch([], { notices: ["alarms"], alarm: soon, began: soon, back: soon });
show();
