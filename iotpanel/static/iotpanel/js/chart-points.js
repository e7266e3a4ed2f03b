// Points are `[ms, average, minimum, maximum, count]`, oldest first. A silence longer than two expected periods is a gap:
// it breaks the line and is drawn as what it is.

/** Whether the silence between two neighbouring points is a gap. Without an expected period nothing is missing. */
function isGap(before, after, { period, bucket }) {
  const silence = after[0] - before[0] - (bucket ?? 0) * 1000;
  return Boolean(period) && silence > 2 * period * 1000;
}

/** The points in unbroken runs. */
export function runs(points, rhythm) {
  const all = [];
  points.forEach((point, i) => {
    if (i === 0 || isGap(points[i - 1], point, rhythm)) all.push([]);
    all[all.length - 1].push(point);
  });
  return all;
}

/** Silences `[from, to]` in ms inside the window, its ends included where the window begins or ends in silence. */
export function gaps(points, rhythm, start, end) {
  if (!rhythm.period) return [];
  const bucket = (rhythm.bucket ?? 0) * 1000;
  const found = [];
  points.forEach((point, i) => {
    if (i && isGap(points[i - 1], point, rhythm)) found.push([points[i - 1][0] + bucket, point[0]]);
  });
  const last = points.at(-1);
  if (last && end - last[0] - bucket > 2 * rhythm.period * 1000) found.push([last[0] + bucket, end]);
  return found.map(([from, to]) => [Math.max(from, start), Math.min(to, end)]).filter(([from, to]) => to > from);
}

/** Rows for the chart with an empty one in each gap, and the set of rows that stand alone and need a dot to be seen. */
export function rows(points, rhythm) {
  const out = [];
  const alone = new Set();
  for (const run of runs(points, rhythm)) {
    if (out.length) out.push([run[0][0] - 1, null, null, null, 0]);
    if (run.length === 1) alone.add(out.length);
    for (const point of run) out.push(point);
  }
  return { rows: out, alone };
}

/** Minimum, weighted average and maximum over all points; null without points. */
export function statistics(points) {
  if (!points.length) return null;
  let low = Infinity, high = -Infinity, total = 0, count = 0;
  for (const [, average, minimum, maximum, n] of points) {
    low = Math.min(low, minimum);
    high = Math.max(high, maximum);
    total += average * n;
    count += n;
  }
  return { low, high, average: count ? total / count : points[0][1], count, now: points.at(-1)[1] };
}

/** The point whose bucket covers an instant, or null where there was none: never the neighbour of a gap. */
export function pointAt(points, ms, rhythm) {
  let from = 0, to = points.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (points[middle][0] <= ms) from = middle + 1;
    else to = middle;
  }
  const before = points[from - 1], after = points[from];
  if (before && after && isGap(before, after, rhythm)) {
    const reach = Math.max((rhythm.bucket ?? 0) * 1000, rhythm.period * 1000);
    if (ms - before[0] <= reach) return before;
    return after[0] - ms <= reach / 2 ? after : null;
  }
  if (!before || !after) return nearEnd(before ?? after, ms, rhythm);
  return ms - before[0] <= after[0] - ms ? before : after;
}

function nearEnd(point, ms, rhythm) {
  if (!point) return null;
  const reach = 2 * Math.max((rhythm.bucket ?? 0) * 1000, (rhythm.period ?? 60) * 1000);
  return Math.abs(ms - point[0]) <= reach ? point : null;
}

/** Adds a live value: a new point where points are readings, else into its bucket. */
export function append(points, ms, value, bucket) {
  const at = bucket ? Math.floor(ms / (bucket * 1000)) * bucket * 1000 : ms;
  const last = points.at(-1);
  if (last && at < last[0]) return; // late: the next load shows it in its place
  if (!last || at > last[0]) points.push([at, value, value, value, 1]);
  else if (bucket) points[points.length - 1] = [at, (last[1] * last[4] + value) / (last[4] + 1), Math.min(last[2], value), Math.max(last[3], value), last[4] + 1];
  else points[points.length - 1] = [at, value, value, value, 1];
}
