// Which time a chart shows: the last hour, day, week or month up to now, or from one instant to another.
// It lives in the address, so that a view can be linked, reloaded and sent to a colleague.

import { now } from "./freshness.js";

const HOUR = 3_600_000, DAY = 24 * HOUR;
export const RANGES = { "1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY };
const WIDER = { "1h": DAY, "24h": 7 * DAY, "7d": 30 * DAY, "30d": 180 * DAY };
const LEAST = 5_000;

export class Window {
  constructor(search = location.search) {
    const asked = new URLSearchParams(search);
    const from = Number(asked.get("from")), to = Number(asked.get("to"));
    this.range = asked.get("range") in RANGES ? asked.get("range") : "24h";
    this.fixed = from > 0 && to - from >= LEAST ? [from, to] : null;
    this.back = [];
  }

  get following() {
    return this.fixed === null;
  }

  /** `[start, end]` in ms. */
  get span() {
    if (this.fixed) return this.fixed;
    const end = now();
    return [end - RANGES[this.range], end];
  }

  /** The wider window of the strip below, which always holds this one. */
  get wider() {
    const [start, end] = this.span;
    if (this.following) return [end - WIDER[this.range], end];
    const width = Math.max((end - start) * 7, DAY);
    const last = Math.min(now(), end + (width - (end - start)) / 2);
    return [Math.min(start, last - width), Math.max(last, end)];
  }

  choose(range) {
    this.back = [];
    this.range = range;
    this.fixed = null;
  }

  /** Shows from one instant to another; the view before can be come back to. */
  zoom(start, end) {
    const width = Math.max(end - start, LEAST);
    const last = Math.min(Math.max(end, start + width), Math.max(now(), end));
    this.back.push(this.fixed);
    this.back = this.back.slice(-20);
    this.fixed = [Math.round(last - width), Math.round(last)];
  }

  /** Half the width around an instant, or twice. */
  scale(factor, around) {
    const [start, end] = this.span;
    const middle = around ?? (start + end) / 2;
    this.zoom(middle - (middle - start) * factor, middle + (end - middle) * factor);
  }

  undo() {
    if (this.following) return false;
    this.fixed = this.back.pop() ?? null;
    return true;
  }

  /** Writes itself into an address's query. */
  write(query) {
    for (const name of ["range", "from", "to"]) query.delete(name);
    if (this.fixed) {
      query.set("from", this.fixed[0]);
      query.set("to", this.fixed[1]);
    } else if (this.range !== "24h") query.set("range", this.range);
  }
}
