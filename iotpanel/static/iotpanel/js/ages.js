// Keeps "4 s ago" true: <time data-ago> with the word, <time data-age> without. The words come from the page's language.
const DAY = 86400;
const words = () => JSON.parse(document.getElementById("span-words")?.textContent || "null") || { s: "N s", min: "N min", h: "N h", d: "N d", ago: "SPAN ago" };
let language;

/** A length of time in its largest unit, as the server writes it. */
export function span(seconds) {
  language ||= words();
  const n = Math.max(0, Math.floor(seconds));
  if (n < 60) return language.s.replace("N", n);
  if (n < 3600) return language.min.replace("N", Math.floor(n / 60));
  if (n < 2 * DAY) return language.h.replace("N", Math.floor(n / 3600));
  return language.d.replace("N", Math.floor(n / DAY));
}

/** "4 s ago". */
export function ago(seconds) {
  const text = span(seconds);
  return language.ago.replace("SPAN", text);
}

export function refresh() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-ago], time[data-age]")) {
    const seconds = (now - Date.parse(time.dateTime)) / 1000;
    if (seconds >= DAY) continue;
    const text = "ago" in time.dataset ? ago(seconds) : span(seconds);
    if (time.textContent !== text) time.textContent = text;
  }
}

export function bindAges() {
  setInterval(refresh, 1000);
}
