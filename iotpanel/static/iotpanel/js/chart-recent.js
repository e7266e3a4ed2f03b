// The live values of the last seconds. What a load brings ends where the page believes that now is, and was read a moment
// before it is shown: a value that came meanwhile, or that is ahead of the page's clock, would be missing until the next load.

const KEPT = 30_000; // ms; a load that takes longer than that is followed by newer values anyway
const MOST = 200; // of a series

export class Recent {
  constructor() {
    this.values = new Map(); // series -> [[came, ms, value]], oldest first
  }

  /** A value of a series, with its instant; `came` is the page's own time. */
  take(id, ms, value, came = performance.now()) {
    const kept = (this.values.get(id) ?? []).filter(([before]) => came - before < KEPT);
    this.values.set(id, [...kept.slice(1 - MOST), [came, ms, value]]);
  }

  /** `[ms, value]` of a series that an answer up to `end` (ms), whose newest instant is `newest`, can't hold. */
  after(id, end, newest = -Infinity) {
    const found = this.values.get(id) ?? [];
    return found.filter(([, ms]) => ms >= end || ms > newest).map(([, ms, value]) => [ms, value]);
  }
}
