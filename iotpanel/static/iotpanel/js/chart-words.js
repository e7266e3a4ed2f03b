// What a chart says in words: its legend with figures, its foot, its summary for those who do not see it, its table.

import { gaps, statistics } from "./chart-points.js";
import { totals } from "./chart-states.js";
import { draw } from "./chart-svg.js";
import { exact, moment, number, shown, withUnit } from "./device-format.js";
import { span as duration } from "./ages.js";
import { say } from "./device-words.js";

function make(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function sample(place) {
  const dash = place >= 4 ? { "stroke-dasharray": "4 2" } : {};
  return draw("svg", { "aria-hidden": "true", viewBox: "0 0 14 8" }, draw("line", { class: `ln c${(place % 8) + 1}`, x2: 14, y1: 4, y2: 4, ...dash }));
}

function figures(line) {
  const found = statistics(line.points);
  if (!found) return [make("span", "muted", say("no_data_here"))];
  const one = (name, value) => make("span", "muted num", say(name, { value: number(value, line.precision) }));
  return [one("min", found.low), one("avg", found.average), one("max", found.high)];
}

function entry(line, place, isolated) {
  const button = make("button");
  button.type = "button";
  button.dataset.series = line.id;
  button.setAttribute("aria-pressed", String(!line.hidden));
  button.title = say("legend_help");
  button.append(sample(place), make("span", "", line.label));
  const found = line.kind === "numbers" ? statistics(line.points) : null;
  if (found) button.append(make("b", "", withUnit(number(found.now, line.precision), line.unit)));
  const parts = line.kind === "numbers" ? figures(line) : totals(line.segments).slice(0, 3).map(([value, time]) => make("span", "muted num", `${value} ${time}`));
  const group = make("span", line.hidden ? "row wrap off" : "row wrap");
  group.append(button, ...(line.hidden ? [] : parts));
  if (place > 0 && !isolated) group.append(remove(line));
  return group;
}

function remove(line) {
  const button = make("button", "remove", "\u00d7");
  button.type = "button";
  button.dataset.remove = line.id;
  button.setAttribute("aria-label", say("remove_series", { name: line.label }));
  return button;
}

/** "5 min average with min to max, 1,385 readings, 9 ms". */
export function foot(line) {
  const facts = { readings: number(line.readings, 0), ms: number(line.took, 0), bucket: duration(line.bucket ?? 0) };
  if (line.kind === "states") return say("foot_states", facts);
  return say(line.bucket ? "foot_buckets" : "foot_raw", facts);
}

/** Fills the legend: it doubles as statistics. */
export function legend(box, series) {
  const first = series[0];
  const note = make("span", "muted push num", first ? foot(first) : "");
  box.replaceChildren(...series.map((line, place) => entry(line, place)), note);
}

/** One sentence about what is drawn. */
export function summary(series, [start, end]) {
  const window = { from: moment(start), to: moment(end) };
  const parts = series.filter((line) => !line.hidden).map((line) => {
    if (line.kind === "states") return say("summary_states", { name: line.label, states: totals(line.segments).map((pair) => pair.join(" ")).join(", ") || say("no_data") });
    const found = statistics(line.points);
    if (!found) return say("summary_empty", { name: line.label });
    const unit = (value) => withUnit(number(value, line.precision), line.unit);
    const silent = gaps(line.points, line, start, end).length;
    return say(silent ? "summary_gaps" : "summary", { name: line.label, low: unit(found.low), high: unit(found.high), now: unit(found.now), gaps: silent });
  });
  return [say("summary_window", window), ...parts].join(" ");
}

function tableHead(line) {
  const names = line.kind === "numbers" && line.bucket ? ["time", "average", "minimum", "maximum", "readings"] : ["time", "value"];
  const row = make("tr");
  names.forEach((name, i) => {
    const cell = make("th", i ? "num" : "", say(`column_${name}`));
    cell.scope = "col";
    row.append(cell);
  });
  return row;
}

function tableRow(line, point) {
  const row = make("tr");
  row.append(make("td", "when", exact(point[0])));
  const values = line.kind === "states" ? [shown(point[2])] : line.bucket ? [...point.slice(1, 4).map((value) => number(value, line.precision)), number(point[4], 0)] : [number(point[1], line.precision)];
  for (const value of values) row.append(make("td", "num", value));
  return row;
}

/** The first series as a table, newest first. */
export function table(box, line) {
  const found = make("table", "table");
  const head = make("thead"), body = make("tbody");
  found.append(make("caption", "visually-hidden", line.label), head, body);
  head.append(tableHead(line));
  const points = line.kind === "states" ? line.segments : line.points;
  for (const point of points.slice(-500).reverse()) body.append(tableRow(line, point));
  box.replaceChildren(found);
}
