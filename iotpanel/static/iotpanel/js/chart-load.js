// Fetches what a chart draws. The server chooses the rollup for the window and says which.

/** A series' name in addresses: "device:property". */
export function seriesId(device, property) {
  return `${device}:${property}`;
}

/** The device and property of such a name; device keys hold no colon. */
export function seriesOf(id) {
  const at = id.indexOf(":");
  return { device: id.slice(0, at), property: id.slice(at + 1) };
}

async function json(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json(); // doubles do for drawing
}

/** One series over a window, in about `points` buckets. */
export async function loadSeries({ device, property }, [start, end], points, signal) {
  const query = new URLSearchParams({ property, start: Math.round(start), end: Math.round(end), points: Math.max(20, Math.round(points)) });
  const line = await json(`/devices/${encodeURIComponent(device)}/parts/chart/?${query}`, signal);
  return { ...line, id: seriesId(device, property), device, property };
}

/** The device's events inside a window, as flags. */
export async function loadFlags(device, [start, end], signal) {
  const query = new URLSearchParams({ start: Math.round(start), end: Math.round(end) });
  return (await json(`/devices/${encodeURIComponent(device)}/parts/flags/?${query}`, signal)).events;
}

/** What can be compared with a property: others of this device, and of the devices that a search finds. */
export async function loadChoices(device, property, query, signal) {
  const asked = new URLSearchParams({ property, q: query });
  return (await json(`/devices/${encodeURIComponent(device)}/parts/compare/?${asked}`, signal)).choices;
}
