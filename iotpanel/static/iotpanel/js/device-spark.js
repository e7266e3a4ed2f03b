// The last day of each value as a thin line in its tile, gaps left open.

import { runs } from "./chart-points.js";
import { draw, path } from "./chart-svg.js";

const HEIGHT = 26;

/** Draws points `[ms, average, ...]` between two instants into a box. */
export function spark(box, points, { start, end, period, bucket }) {
  if (!points.length) return box.replaceChildren();
  const width = box.clientWidth || 150;
  const low = Math.min(...points.map((p) => p[1])), high = Math.max(...points.map((p) => p[1]));
  const x = (ms) => 1 + ((ms - start) / (end - start || 1)) * (width - 6);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - 3 - ((value - low) / (high - low)) * (HEIGHT - 6));
  const last = points.at(-1);
  const lines = runs(points, { period, bucket }).map((run) => run.map(([at, value]) => [x(at), y(value)]));
  box.replaceChildren(draw("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
    draw("path", { class: "ln c1", d: path(lines) }),
    draw("circle", { class: "f1", cx: x(last[0]), cy: y(last[1]), r: 2 })));
}
