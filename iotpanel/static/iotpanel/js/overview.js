// The overview: the fleet's cells, the rate's course; fetched anew every half minute, cells live in between.
import { draw } from "./chart-svg.js";
import { watch } from "./live.js";
import { rateChart, rateSpark } from "./rate.js";

const REFRESH = 30_000;
const WATCHED = 500;      // beyond, the half-minute picture has to do
const SIZE = 8, GAP = 2;
const COLOURED = ["critical", "major", "minor"];
const INSET = { offline: 0.75, never: 0.5, disabled: 0.5 };
const body = document.getElementById("overview");
let stop = null;
let watched = "";

const read = (id) => JSON.parse(document.getElementById(id).textContent);

/** An alarm that asks for work is what a cell says first; without one, whether its device is there. */
function shape(rect, state, severity, column, row) {
  const urgent = COLOURED.includes(severity);
  const inset = urgent ? 0 : INSET[state] || 0;
  rect.setAttribute("class", `cell ${urgent ? severity : state === "disabled" ? "never" : state}`);
  rect.setAttribute("x", column * (SIZE + GAP) + inset);
  rect.setAttribute("y", row * (SIZE + GAP) + inset);
  rect.setAttribute("width", SIZE - 2 * inset);
  rect.setAttribute("height", SIZE - 2 * inset);
}

function cell([href, name, state, severity], index, perRow) {
  const rect = draw("rect", { rx: 1.5 });
  rect.dataset.at = index;
  shape(rect, state, severity, index % perRow, Math.floor(index / perRow));
  const title = draw("title");
  title.textContent = name;
  rect.append(title);
  const link = draw("a", { href, tabindex: "-1" }, rect);
  link.dataset.key = href;
  link.dataset.state = state;
  link.dataset.severity = severity ?? "";
  return link;
}

function fleet() {
  const cells = read("fleet-cells");
  for (const box of body.querySelectorAll("[data-fleet]")) {
    const all = cells[box.dataset.fleet] || [];
    const width = box.clientWidth, perRow = Math.max(1, Math.floor((width + GAP) / (SIZE + GAP)));
    const height = Math.ceil(all.length / perRow) * (SIZE + GAP);
    const picture = draw("svg", { class: "fleet-cells", viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": box.getAttribute("aria-label") });
    picture.append(...all.map((one, index) => cell(one, index, perRow)));
    box.dataset.perRow = perRow;
    box.replaceChildren(picture);
  }
}

function setState(key, online) {
  const link = body.querySelector(`a[data-key="/devices/${CSS.escape(key)}/"]`);
  const rect = link?.querySelector("rect");
  // Disabled devices stay so, and who was never seen is not offline.
  if (!rect || link.dataset.state === "disabled" || (link.dataset.state === "never" && !online)) return;
  link.dataset.state = online ? "online" : "offline";
  const perRow = Number(link.closest("[data-fleet]").dataset.perRow), at = Number(rect.dataset.at);
  shape(rect, link.dataset.state, link.dataset.severity, at % perRow, Math.floor(at / perRow));
}

function watchFleet() {
  const keys = Object.values(read("fleet-cells")).flat().map(([href]) => href.match(/^\/devices\/([^/?]+)\/$/)?.[1]).filter(Boolean).slice(0, WATCHED);
  if (keys.join() === watched) return;
  watched = keys.join();
  const before = stop;
  const handlers = { status: (rows) => rows.forEach(([key, online]) => setState(key, online)), alarm: soon, back: refresh };
  stop = keys.length ? watch(keys, { notices: ["alarms"], ...handlers }) : null;
  before?.();                              // after the new one, so that the connection stays open
}

function refresh() {
  if (!document.hidden) window.htmx.trigger(body, "refresh");
}

let waits = null;

/** An alarm came or went: many come together. */
function soon() {
  waits ??= setTimeout(() => { waits = null; refresh(); }, 500);
}

function show() {
  fleet();
  const rate = read("rate-data");
  const chart = body.querySelector("[data-rate-chart]"), spark = body.querySelector("[data-rate-spark]");
  rateChart(chart, rate);
  rateSpark(spark, rate.points);
  watchFleet();
}

let resized;
addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(show, 80); });
body.addEventListener("htmx:afterSettle", show);
setInterval(refresh, REFRESH);
show();
