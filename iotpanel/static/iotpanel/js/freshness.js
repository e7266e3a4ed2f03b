// How old each value is. Ages grow by themselves, also while the connection is lost, so that no old value ever looks new:
// late after two expected periods, stale after the product's offline timeout.

import { ago, span } from "./ages.js";
import { say } from "./device-words.js";
import { brief, exact } from "./device-format.js";

let skew = 0; // this browser's clock minus the server's, in ms

/** The server's clock, as well as the page knows it. */
export function now() {
  return Date.now() - skew;
}

/** Takes the server's time (ms) out of the page (`data-now`), which was written just before its first byte came. */
export function setClock(serverNow, came = firstByte()) {
  skew = came - serverNow;
}

/** When the page began to arrive, by this browser's clock: scripts and styles may have taken long since. */
function firstByte() {
  const [page] = performance.getEntriesByType("navigation");
  return page?.responseStart ? performance.timeOrigin + page.responseStart : Date.now();
}

/** fresh, late or stale. What comes without a rhythm is stale when the whole device is silent (`silence` in seconds). */
export function freshness(age, period, offlineAfter, silence) {
  if (!period) return offlineAfter && silence > offlineAfter ? "stale" : null;
  if (age <= 2 * period) return "fresh";
  return offlineAfter && age > Math.max(offlineAfter, 3 * period) ? "stale" : "late";
}

function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

function ageWords(state, age, at, period) {
  if (state === "stale") return say("no_reading_for", { time: span(age) });
  if (state === "late") return say("late", { age: ago(age) });
  return period ? ago(age) : say("since", { time: brief(at, now()) });
}

/** Brings one tile's age, state and line up to date; `newest` is when the device last said anything. */
export function ageTile(tile, offlineAfter, newest) {
  const at = Number(tile.dataset.at);
  if (!at) return;
  const period = Number(tile.dataset.period) || 0;
  const age = Math.max(0, (now() - at) / 1000);
  const state = freshness(age, period, offlineAfter, (now() - newest) / 1000);
  if (state === null || state === "fresh") delete tile.dataset.fresh;
  else tile.dataset.fresh = state;
  setText(tile.querySelector("[data-part=age]"), ageWords(state, age, at, period));
}

/** Refills the line under a tile; called when a value arrives, not each second: the rest is the style sheet's. */
export function refill(tile) {
  const line = tile.querySelector(".freshness");
  const period = Number(tile.dataset.period) || 0;
  if (!line) return;
  line.hidden = !period;
  if (!period) return;
  const age = Math.max(0, (now() - Number(tile.dataset.at)) / 1000);
  const fresh = line.cloneNode(false); // a new element starts its animation anew
  fresh.style.setProperty("--period", `${period}s`);
  fresh.style.setProperty("--age", `-${Math.min(age, period)}s`);
  line.replaceWith(fresh);
}

/** Times in the person's zone in every `<time data-brief>`: the server does not know the browser's zone. */
export function localTimes(root = document) {
  for (const node of root.querySelectorAll("time[data-brief]")) {
    const at = Date.parse(node.dateTime);
    setText(node, brief(at, now(), node.dataset.brief === "short"));
    node.title = exact(at);
  }
}
