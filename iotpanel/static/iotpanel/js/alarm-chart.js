// The course of an alarm's value: from an hour before it was raised until now, with its limit and the moment of raising.
import { loadSeries } from "./chart-load.js";
import { draw, path } from "./chart-svg.js";
import { clock, moment, number } from "./device-format.js";

const LEFT = 44, RIGHT = 12, TOP = 26, BOTTOM = 22;
const BEFORE = 3_600_000;

function label(x, y, words, anchor = "start", classes = "") {
  const text = draw("text", { x, y, "text-anchor": anchor, class: classes });
  text.textContent = words;
  return text;
}

/** Runs of points without a pause longer than two expected ones. */
function runs(line) {
  const found = [];
  const pause = Math.max(line.bucket * 1000 * 1.5, (line.period || 0) * 2000, 60_000);
  let last = null;
  for (const point of line.points) {
    if (point[1] == null) continue;
    if (last === null || point[0] - last > pause) found.push([]);
    found.at(-1).push(point);
    last = point[0];
  }
  return found;
}

function ticks(low, high) {
  const step = [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10((high - low) / 4 || 1))).find((size) => (high - low) / size <= 5);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => Number((first + i * step).toPrecision(12)));
}

/** Draws `{device, property, limit, severity, raised, cleared}` into a figure. */
export async function alarmChart(box, data) {
  const end = Math.min(Date.now(), (data.cleared || Date.now()) + BEFORE), start = data.raised - BEFORE;
  const line = await loadSeries(data, [start, end], box.clientWidth / 2).catch(() => null);
  if (!line || line.kind !== "numbers" || !line.points.some((point) => point[1] != null)) { box.hidden = true; return; }
  box.hidden = false;
  picture(box, data, line, start, end);
}

function picture(box, data, line, start, end) {
  const width = box.clientWidth, height = box.clientHeight || 200;
  const values = line.points.flatMap((point) => [point[2], point[3]]).filter((value) => value != null);
  if (data.limit != null) values.push(data.limit);
  const room = (Math.max(...values) - Math.min(...values) || 1) * 0.08;
  const low = Math.min(...values) - room, high = Math.max(...values) + room;
  const x = (ms) => LEFT + ((ms - start) / (end - start)) * (width - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - TOP - BOTTOM);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": box.getAttribute("aria-label") });
  for (const value of ticks(low, high)) svg.append(draw("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }), label(LEFT - 8, y(value) + 4, number(value), "end"));
  if (line.unit) svg.append(label(LEFT - 8, TOP - 13, line.unit, "end"));
  const words = end - start > 86_400_000 ? moment : clock;
  for (let i = 0; i < 5; i++) svg.append(label(x(start + ((end - start) * i) / 4), height - 5, words(start + ((end - start) * i) / 4), ["start", "middle", "middle", "middle", "end"][i]));
  for (const run of runs(line)) {
    const band = [...run.map((point) => [x(point[0]), y(point[3])]), ...run.toReversed().map((point) => [x(point[0]), y(point[2])])];
    svg.append(draw("path", { class: "band c1", d: `${path([band])}Z` }), draw("path", { class: "ln c1", d: path([run.map((point) => [x(point[0]), y(point[1])])]) }));
  }
  if (data.limit != null) svg.append(draw("line", { class: `limit ${data.severity}`, x1: LEFT, x2: width - RIGHT, y1: y(data.limit), y2: y(data.limit) }), label(LEFT + 4, y(data.limit) - 5, `${number(data.limit)} ${line.unit || ""}`, "start", `limit-name ${data.severity}`));
  svg.append(draw("line", { class: "mark", x1: x(data.raised), x2: x(data.raised), y1: TOP, y2: height - BOTTOM }), label(x(data.raised), TOP - 6, clock(data.raised), "middle"));
  box.replaceChildren(svg);
}
