// What a rule would have done: one lane per device that would have fired, the value as a thin line, firings as bars.
import { draw, hatching, path } from "./chart-svg.js";
import { day, exact, moment } from "./device-format.js";
import { make } from "./rule-dom.js";

const WIDTH = 900, HEIGHT = 28;

/** The line's runs and its pauses, both in the lane's coordinates. */
function course(line, limit, x) {
  const points = line.points.filter((point) => point[1] != null);
  if (!points.length) return { runs: [], gaps: [], y: () => HEIGHT / 2 };
  const values = points.flatMap((point) => [point[2] ?? point[1], point[3] ?? point[1]]);
  if (limit != null) values.push(limit);
  const low = Math.min(...values), high = Math.max(...values);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6));
  const pause = Math.max(line.bucket * 2000, (line.period || 0) * 2000, 1);
  const runs = [], gaps = [];
  points.forEach((point, i) => {
    if (i && point[0] - points[i - 1][0] > pause) { gaps.push([x(points[i - 1][0]), x(point[0])]); runs.push([]); }
    if (!runs.length) runs.push([]);
    runs.at(-1).push([x(point[0]), y(point[1])]);
  });
  return { runs, gaps, y };
}

function lane(row, data, words) {
  const x = (ms) => ((ms - data.start) / (data.end - data.start)) * WIDTH;
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "group", "aria-label": words.lane.replace("COUNT", row.count).replace("NAME", row.name) });
  svg.append(draw("rect", { class: "lane", width: WIDTH, height: HEIGHT, rx: 2 }));
  if (row.line?.points) {
    const { runs, gaps, y } = course(row.line, data.limit, x);
    const [defs, hatch] = hatching();
    svg.append(defs, ...gaps.filter(([from, to]) => to - from > WIDTH / 100).map(([from, to]) => draw("rect", { x: from, width: to - from, height: HEIGHT, fill: hatch })));
    if (data.limit != null) svg.append(draw("line", { class: "limit", x1: 0, x2: WIDTH, y1: y(data.limit), y2: y(data.limit) }));
    svg.append(draw("path", { class: "ln c1", d: path(runs), "vector-effect": "non-scaling-stroke" }));
  }
  for (const [from, to] of row.spans) {
    const title = draw("title");
    title.textContent = to ? `${moment(from)} – ${moment(to)}` : moment(from);
    const bar = draw("rect", { class: "fire", x: Math.max(0, x(from)), width: Math.max(3, Math.min(WIDTH, x(to || from)) - x(from)), height: HEIGHT }, title);
    const link = draw("a", { href: `/devices/${encodeURIComponent(row.key)}/?from=${from - 3_600_000}&to=${(to || from) + 3_600_000}`, tabindex: -1 }, bar);
    svg.append(link);
  }
  return svg;
}

/** Days below the lanes. */
function ruler(data) {
  const days = [0, 1, 2, 3, 4].map((i) => make("span", {}, day(data.start + ((data.end - data.start) * i) / 4)));
  return make("div", { class: "ruler", "aria-hidden": "true" }, ...days); // text of one size, however narrow the lanes are
}

/** Draws the answer of a back-test into a box. */
export function strips(box, data, words) {
  const rows = data.rows.map((row) => make("div", { class: "strip" }, make("a", { class: "truncate", href: `/devices/${encodeURIComponent(row.key)}/` }, row.name), lane(row, data, words), make("span", { class: "num strong", title: row.spans[0] ? exact(row.spans[0][0]) : "" }, String(row.count))));
  if (data.others > 0) rows.push(make("div", { class: "strip" }, make("span", { class: "truncate muted" }, words.others.replace("COUNT", data.others)), make("span"), make("span", { class: "num muted" }, String(data.others_fired || 0))));
  if (rows.length) rows.push(make("div", { class: "strip strip-foot" }, make("span"), ruler(data), make("span")));
  box.replaceChildren(...rows);
}
