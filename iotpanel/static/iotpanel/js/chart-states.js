// What has no numbers is drawn as bands of states: on and off, or one colour for each word; silence is hatched.

import { tickLabel, timeTicks } from "./chart-axis.js";
import { draw, hatching } from "./chart-svg.js";
import { json, shown } from "./device-format.js";
import { span as duration } from "./ages.js";

const LANE = 30, GAP = 14, TOP = 10, BOTTOM = 24, LEFT = 14, RIGHT = 14;
const KINDS = 6;

/** The room around the bands, for the cursor. */
export const FRAME = { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM };

/** The class of a value's colour: booleans quiet and filled, words in the order in which they appear. */
function classes(segments) {
  const words = [...new Set(segments.map((part) => json(part[2])))];
  return (value) => {
    if (value === false) return "st-idle";
    if (value === true) return "st-run";
    return `st-${(words.indexOf(json(value)) % KINDS) + 1}`;
  };
}

function lane(line, y, x, [start, end], pattern) {
  const group = draw("g");
  const tone = classes(line.segments);
  group.append(draw("rect", { class: "st-none", x: x(start), y, width: x(end) - x(start), height: LANE, fill: pattern, rx: 2 }));
  for (const [from, to, value] of line.segments) {
    const left = x(Math.max(from, start)), right = x(Math.min(to, end));
    if (right <= left) continue;
    group.append(draw("rect", { class: tone(value), x: left, y, width: Math.max(1, right - left), height: LANE, rx: 2 }));
    if (right - left > 48) group.append(word(value, left + 6, y + LANE / 2 + 4, right - left - 12));
  }
  return group;
}

function word(value, x, y, room) {
  const text = shown(value), most = Math.floor(room / 7);
  return draw("text", { class: "st-word", x, y }, text.length > most ? `${text.slice(0, Math.max(1, most - 1))}\u2026` : text);
}

/** Draws the bands of all series into a box. */
export function drawStates(box, series, span) {
  const width = box.clientWidth || 600, height = box.clientHeight || 120;
  const x = (ms) => LEFT + ((ms - span[0]) / (span[1] - span[0])) * (width - LEFT - RIGHT);
  const [defs, pattern] = hatching();
  const root = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "states", "aria-hidden": "true" }, defs);
  series.filter((line) => !line.hidden).forEach((line, i) => {
    const y = TOP + GAP + i * (LANE + GAP + 14);
    root.append(draw("text", { x: LEFT, y: y - 5 }, line.label), lane(line, y, x, span, pattern));
  });
  const { ticks, step } = timeTicks(span[0], span[1], Math.max(2, Math.floor(width / 90)));
  for (const at of ticks) root.append(draw("text", { x: x(at), y: height - 6, "text-anchor": "middle" }, tickLabel(at, step)));
  return root;
}

/** Adds a live value: the state goes on, or another begins. */
export function appendState(segments, ms, value) {
  const last = segments.at(-1);
  if (last && json(last[2]) === json(value)) last[1] = Math.max(last[1], ms);
  else if (!last || ms > last[0]) segments.push([ms, ms + 1000, value]);
}

/** How long each state lasted, longest first: `[[words, "2 h"], ...]`. */
export function totals(segments) {
  const sums = new Map();
  for (const [from, to, value] of segments) {
    const key = json(value);
    const [, sum] = sums.get(key) ?? [value, 0];
    sums.set(key, [value, sum + (to - from)]);
  }
  return [...sums.values()].sort((a, b) => b[1] - a[1]).map(([value, ms]) => [shown(value), duration(ms / 1000)]);
}
