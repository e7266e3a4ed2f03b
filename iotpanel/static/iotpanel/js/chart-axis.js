// Where the lines and labels of the axes stand: round numbers, round times of the person's own zone.

import { clock, clockSeconds, day, offsetAt } from "./device-format.js";

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const STEPS = [
  1, 2, 5, 10, 15, 30].map((n) => n * SECOND).concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 3, 7, 14, 30, 60, 91, 182, 365].map((n) => n * DAY));

/** Round times between two instants, at most `most` of them, and the step between them in ms. */
export function timeTicks(start, end, most) {
  const step = STEPS.find((size) => (end - start) / size <= most) ?? 730 * DAY;
  const ticks = [];
  const from = start + offsetAt(start);
  for (let local = Math.ceil(from / step) * step; ; local += step) {
    const guess = local - offsetAt(start);
    const at = local - offsetAt(guess); // the offset may have changed since the start: summer time
    if (at > end) return { ticks, step };
    if (at >= start) ticks.push(at);
  }
}

/** A tick's label: the clock, and the date where it changes. */
export function tickLabel(ms, step) {
  if (step >= DAY) return day(ms);
  const midnight = (ms + offsetAt(ms)) % DAY === 0;
  if (midnight) return day(ms);
  return step < MINUTE ? clockSeconds(ms) : clock(ms);
}

const FROM_ZERO = /^(k|M|G|m)?(W|VA|var|Wh|J)$|\/(s|min|h|d)$|^(%|ppm|lx|l|L|m³|counts?)$/;

/** Whether an axis begins at zero: rates and power do, temperatures do not. */
export function fromZero(unit, low) {
  return FROM_ZERO.test(unit) && low >= 0;
}

function niceStep(span, parts) {
  const rough = span / parts;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 2.5, 5, 10].find((n) => n * power >= rough * 0.999) ?? 10) * power;
}

/** A round axis `{min, max, interval, digits}` with four to six lines around the values. */
export function niceScale(low, high, zero) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { min: 0, max: 1, interval: 0.25, digits: 2 };
  const least = Math.max(Math.abs(low), Math.abs(high), 1e-9) * 1e-4;
  const pad = high - low < least ? Math.max(Math.abs(high) * 0.05, 0.5) : (high - low) * 0.04;
  const from = zero ? Math.min(0, low) : low - pad, to = high + pad;
  const interval = niceStep(to - from, 4);
  const digits = Math.max(0, Math.min(8, -Math.floor(Math.log10(interval) + 1e-9) + (/^2\.5/.test(interval.toExponential()) ? 1 : 0)));
  return { min: Math.floor(from / interval + 1e-9) * interval, max: Math.ceil(to / interval - 1e-9) * interval, interval, digits };
}
