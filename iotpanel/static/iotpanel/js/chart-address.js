// What a chart shows, in addresses: the page's own, and that of the same readings as CSV.

/** The property that a query asks for; null where it asks for none. */
export function propertyIn(search) {
  return new URLSearchParams(search).get("property");
}

/** The compared series, as "device:property". */
export function comparedIn(search) {
  return new URLSearchParams(search).getAll("compare").filter((id) => id.includes(":"));
}

/** Puts the chart's state into the page's address, without a step in the history. */
export function writeAddress({ window, property, compared }) {
  const query = new URLSearchParams(location.search);
  window.write(query);
  query.delete("compare");
  query.set("property", property);
  for (const id of compared) query.append("compare", id);
  history.replaceState(history.state, "", `?${query}`);
}

/** Points the download link at the window and the properties of this device. */
export function linkDownload(link, { span: [start, end], series, device }) {
  if (!link) return;
  const query = new URLSearchParams({ format: "csv", start: Math.round(start), end: Math.round(end) });
  for (const line of series) if (line.device === device) query.append("property", line.property);
  link.href = `${link.dataset.base}?${query}`;
}
