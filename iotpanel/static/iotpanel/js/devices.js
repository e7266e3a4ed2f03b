// The device list: live cells that never change the order of rows, selection, small lines.
import { span } from "./ages.js";
import { draw } from "./chart-svg.js";
import { number } from "./device-format.js";
import { watch } from "./live.js";

const table = () => document.getElementById("device-table");
const rows = () => [...table().querySelectorAll("tr[data-device]")];
const words = () => JSON.parse(document.getElementById("device-states").textContent);
let stop = null;
let byKey = new Map();

function text(value, precision) {
  if (typeof value === "number" || typeof value === "bigint") return number(value, precision === undefined ? undefined : Number(precision));
  if (typeof value === "boolean") return value ? words().on : words().off;
  return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 32);
}

/** The newest word of the device; backfill and what was known already change nothing. */
function showSeen(row, ms) {
  const before = row.querySelector("[data-seen] time");
  if (before && Date.parse(before.dateTime) >= ms) return;
  const time = document.createElement("time");
  time.dateTime = new Date(ms).toISOString();
  time.dataset.age = "";
  time.textContent = span((Date.now() - ms) / 1000);
  row.querySelector("[data-seen]").replaceChildren(time);
}

function showState(row, state, gone) {
  const status = row.querySelector(".status");
  status.dataset.state = state;
  status.textContent = state === "offline" ? words().offline.replace("SPAN", span(gone)) : words().online;
}

function onReadings(data) {
  for (const [key, property, ms, value] of data) {
    const row = byKey.get(key);
    if (!row) continue;
    showSeen(row, Math.min(ms, Date.now()));
    if (property === row.dataset.property) showValue(row, value);
  }
}

function showValue(row, value) {
  const cell = row.querySelector("[data-value]");
  const shown = document.createElement("span");
  shown.textContent = text(value, row.dataset.precision);
  const old = cell.firstElementChild;
  if (old?.classList.contains("muted")) cell.replaceChildren(shown, ...unit(row));
  else old ? old.replaceWith(shown) : cell.append(shown);
}

function unit(row) {
  if (!row.dataset.unit) return [];
  const mark = document.createElement("span");
  mark.className = "unit";
  mark.textContent = row.dataset.unit;
  return [" ", mark];
}

/** Disabled devices stay so, and who was never seen is not offline. */
function changes(state, online) {
  return state !== "disabled" && !(state === "never" && !online);
}

function onStatus(data) {
  for (const [key, online, ms] of data) {
    const row = byKey.get(key);
    if (!row || !changes(row.querySelector(".status").dataset.state, online)) continue;
    showState(row, online ? "online" : "offline", (Date.now() - ms) / 1000);
  }
}

let waits = null;

/** The worst of a device's alarms is the server's to say: the list is asked once for many, and only these cells change. */
function onAlarm({ device }) {
  if (!byKey.has(device)) return;
  waits ??= setTimeout(async () => {
    waits = null;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const cell of fresh.querySelectorAll("tr[data-device] [data-alarm]")) byKey.get(cell.closest("tr").dataset.device)?.querySelector("[data-alarm]").replaceWith(cell);
  }, 500);
}

function watchRows() {
  const before = stop;
  byKey = new Map(rows().map((row) => [row.dataset.device, row]));
  stop = byKey.size ? watch(byKey.keys(), { notices: ["alarms"], readings: onReadings, status: onStatus, alarm: onAlarm, back: fetchAgain }) : null;
  before?.();                              // after the new one, so that the connection stays open
}

/** After a lost connection the rows are old: take them anew, and leave a selection alone. */
function fetchAgain() {
  if (!rows().some((row) => row.querySelector("[name=device]")?.checked)) window.htmx.ajax("GET", location.href, { target: "#device-table", select: "#device-table", swap: "outerHTML" });
}

function line(box, values) {
  const seen = values.filter((value) => value !== null);
  const low = Math.min(...seen), high = Math.max(...seen), step = 80 / (values.length - 1);
  const y = (value) => (high === low ? 10 : 17 - ((value - low) / (high - low)) * 14);
  let d = "", open = false, last = 0;
  values.forEach((value, i) => {
    if (value === null) { open = false; return; }
    d += `${open ? "L" : "M"}${(2 + i * step).toFixed(1)} ${y(value).toFixed(1)}`;
    open = true;
    last = i;
  });
  const tone = box.closest("tr").querySelector(".status").dataset.state === "online" ? 1 : 0;
  box.replaceChildren(draw("svg", { viewBox: "0 0 84 20", "aria-hidden": "true" },
    draw("path", { class: `ln c${tone}`, d }), draw("circle", { class: `f${tone}`, cx: 2 + last * step, cy: y(values[last]), r: 2 })));
}

async function drawLines() {
  const boxes = [...table().querySelectorAll("[data-spark]")];
  if (!boxes.length || !boxes[0].offsetParent) return;   // hidden on a phone
  const query = new URLSearchParams(boxes.map((box) => ["device", box.dataset.spark]));
  const answer = await fetch(`/devices/-/sparks/?${query}`);
  if (!answer.ok) return;
  const found = await answer.json();
  for (const box of boxes) if (found[box.dataset.spark]) line(box, found[box.dataset.spark]);
}

function showSelection() {
  const bar = table().querySelector("[data-selection]"), all = table().querySelector("[data-all]");
  if (!bar || !all) return;                    // a viewer, or nothing to select
  const picked = rows().filter((row) => row.querySelector("[name=device]")?.checked);
  for (const row of rows()) row.toggleAttribute("aria-selected", false);
  for (const row of picked) row.setAttribute("aria-selected", "true");
  bar.hidden = !picked.length;
  bar.querySelector("[data-selected]").textContent = picked.length === 1 ? bar.dataset.one : bar.dataset.many.replace("COUNT", picked.length);
  all.checked = picked.length > 0 && picked.length === rows().length;
  all.indeterminate = picked.length > 0 && !all.checked;
}

function onChange(event) {
  if (event.target.matches("[data-all]")) for (const row of rows()) row.querySelector("[name=device]").checked = event.target.checked;
  showSelection();
}

function onClick(event) {
  if (event.target.closest("[data-clear]")) { for (const row of rows()) row.querySelector("[name=device]").checked = false; showSelection(); return; }
  // A row opens its device; links, boxes and marked text keep their own meaning.
  const row = event.target.closest("tr[data-device]");
  if (row && !event.target.closest("a, input, button") && !String(getSelection())) row.querySelector("a.name").click();
}

let shown = null;

function start() {
  if (!table() || table() === shown) return;   // another part of the page was swapped
  shown = table();
  watchRows();
  drawLines();
  showSelection();
}

/** An empty field is no filter: it stays out of the address. */
document.addEventListener("htmx:configRequest", ({ detail }) => {
  for (const [name, value] of [...detail.formData.entries()]) if (value === "" && name !== "q") detail.formData.delete(name);
});
document.addEventListener("htmx:afterSettle", start);
document.addEventListener("change", (event) => { if (table()?.contains(event.target)) onChange(event); });
document.addEventListener("click", (event) => { if (table()?.contains(event.target)) onClick(event); });
start();
