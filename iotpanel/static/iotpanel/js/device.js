// The device page: every tab's script, each where its part is on the page.

import { HistoryChart } from "./chart.js";
import { bindCompare } from "./chart-compare.js";
import { bindCommandForm, bindMoment, followCommands, followShadow } from "./device-downlink.js";
import { Frames } from "./device-frames.js";
import { Place } from "./device-place.js";
import { bindSend } from "./device-send.js";
import { Status } from "./device-status.js";
import { Tiles } from "./device-tiles.js";
import { localTimes, setClock } from "./freshness.js";
import { watch } from "./live.js";
import { bindSnippets } from "./snippets.js";

const root = document.getElementById("device");
const { key } = root.dataset;
const part = (name) => root.querySelector(`[data-part="${name}"]`);
let tiles = null, chart = null, place = null, missing = null;

function bindNow() {
  const card = part("chart");
  chart = new HistoryChart(card);
  const compare = card.querySelector("details[data-part=compare]");
  bindCompare(compare, chart);
  place = new Place(root.querySelectorAll("[data-part=place]"));
  tiles = new Tiles(part("tiles"), { key, offlineAfter: Number(root.dataset.offlineAfter) || 0, pick });
  if (!card.hidden) {
    tiles.mark(chart.property);
    chart.load();
    tiles.loadSparks();
  }
}

function pick(property) {
  chart.show(property);
  const card = part("chart");
  if (card.getBoundingClientRect().top > innerHeight * 0.7) card.scrollIntoView({ block: "start", behavior: "smooth" });
}

/** A property that has no tile yet: fetch them all, once however many are new. */
function appear(property) {
  missing ??= setTimeout(async () => {
    missing = null;
    await tiles.reload();
    reveal(property);
  }, 50);
}

/** The first value of a device ends the waiting: from here on there is something to draw. */
function reveal(property) {
  const card = part("chart");
  if (!card.hidden) return;
  card.hidden = false;
  tiles.mark(property);
  chart.show(property);
  tiles.loadSparks();
}

/** Each value into its tile. Where the page waited for the first ones, its chart begins with a number, if there is one. */
function take(rows) {
  const unknown = rows.filter(([, property, ms, value]) => !tiles.take(property, ms, value));
  const [, first] = rows.find(([, , , value]) => ["number", "bigint"].includes(typeof value)) ?? rows[0];
  unknown.length ? appear(first) : reveal(first);
}

function onReadings(status, rows) {
  for (const [device, property, ms, value] of rows) chart?.append(device, property, ms, value);
  const mine = rows.filter(([device]) => device === key);
  if (!mine.length) return;
  if (tiles) take(mine);
  for (const [, property, ms, value] of mine) place?.take(property, ms, value);
  status.heard(Math.max(...mine.map(([, , ms]) => ms)));
}

function bindSwaps() {
  // What was wrong with a form comes with 4xx and is shown like any other answer.
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if ([409, 422].includes(detail.xhr.status)) Object.assign(detail, { shouldSwap: true, isError: false });
  });
  document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
    localTimes(detail.target);
    bindSnippets(root);
  });
}

function begin() {
  setClock(Number(root.dataset.now));
  localTimes();
  bindSwaps();
  bindSnippets(root);
  const status = new Status();
  if (part("send")) bindSend(part("send"));
  if (part("tiles")) bindNow();
  if (part("command-form")) bindCommandForm(part("command-form"));
  const commands = part("commands") && followCommands(part("commands"));
  const shadow = part("shadow") && followShadow(part("shadow"));
  if (shadow) bindMoment(root);
  if (part("frames")) new Frames(part("frames"), key);
  watch([key], {
    readings: (rows) => onReadings(status, rows),
    status: (rows) => rows.forEach(([device, online, ms]) => device === key && status.set(online, ms)),
    notices: commands ? ["commands"] : shadow ? ["shadows"] : [],
    command: (command) => command.device === key && commands?.(),
    shadow: (change) => change.device === key && shadow?.(),
    began: () => (commands?.(), shadow?.()),
    back: () => (chart?.load(), commands?.(), shadow?.()),
  });
}

begin();
