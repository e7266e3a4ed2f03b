// A course over time as one thin line: the chart of the overview and the small one in its key figure.
import { draw } from "./chart-svg.js";
import { clock, moment, number } from "./device-format.js";

const LEFT = 38, RIGHT = 12, TOP = 26, BOTTOM = 22;

/** The next round number above `value`: 1, 2 or 5 times a power of ten. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 5, 10].map((factor) => factor * power).find((limit) => limit >= value) || 1;
}

function label(x, y, words, anchor = "start") {
  const text = draw("text", { x, y, "text-anchor": anchor });
  text.textContent = words;
  return text;
}

function line(points, x, y) {
  return points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

/** Draws `{points: [[ms, value], ...], step, unit}` into a figure. */
export function rateChart(box, { points, step, unit }) {
  const width = box.clientWidth, height = box.clientHeight;
  if (points.length < 2 || !width) return box.replaceChildren();
  const first = points[0][0], last = points.at(-1)[0], top = round(Math.max(...points.map(([, value]) => value)));
  const x = (ms) => LEFT + ((ms - first) / (last - first)) * (width - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - (value / top) * (height - TOP - BOTTOM);
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": box.getAttribute("aria-label") });
  for (const value of [0, top / 2, top]) {
    picture.append(draw("line", { class: value ? "grid" : "base", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }), label(LEFT - 8, y(value) + 4, number(value), "end"));
  }
  picture.append(label(LEFT - 8, TOP - 13, unit, "end"), ...times(first, last, x, width), draw("path", { class: "ln c1", d: line(points, x, y) }));
  box.replaceChildren(picture);
  box.append(tip(points, step, unit, x, box, picture));
}

function times(first, last, x, width) {
  const count = width < 480 ? 4 : 8, words = last - first > 2 * 86_400_000 ? moment : clock;
  return Array.from({ length: count + 1 }, (_, i) => {
    const at = first + ((last - first) * i) / count;
    const text = label(x(at), "100%", words(at), i === 0 ? "start" : i === count ? "end" : "middle");
    text.setAttribute("dy", "-5");
    return text;
  });
}

function tip(points, step, unit, x, box, picture) {
  const card = document.createElement("div"), when = document.createElement("div"), what = document.createElement("b");
  card.className = "tip";
  when.className = "when num";
  card.hidden = true;
  card.append(when, what);
  picture.addEventListener("pointerleave", () => { card.hidden = true; });
  picture.addEventListener("pointermove", (event) => {
    const at = event.clientX - box.getBoundingClientRect().left;
    const near = points.reduce((best, point) => (Math.abs(x(point[0]) - at) < Math.abs(x(best[0]) - at) ? point : best));
    when.textContent = moment(near[0]);
    what.textContent = `${number(Number(near[1].toPrecision(3)))} ${unit}`;
    card.hidden = false;
    card.style.setProperty("left", `${Math.min(x(near[0]) + 12, box.clientWidth - 180)}px`);
    card.style.setProperty("top", `${TOP}px`);
  });
  return card;
}

/** The same, without axes, in a key figure. */
export function rateSpark(box, points) {
  const some = points.slice(-60);
  if (!box || some.length < 2) return;
  const top = Math.max(...some.map(([, value]) => value)) || 1;
  const x = (ms) => ((ms - some[0][0]) / (some.at(-1)[0] - some[0][0])) * 80, y = (value) => 16 - (value / top) * 13;
  box.replaceChildren(draw("svg", { viewBox: "0 0 84 18", "aria-hidden": "true" },
    draw("path", { class: "ln c1", d: line(some, x, y) }), draw("circle", { class: "f1", cx: 80, cy: y(some.at(-1)[1]), r: 2 })));
}
