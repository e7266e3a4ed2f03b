// Where the device is: what it reports, as telemetry/places.py finds it, with its age. Until it reports one, the registered place stays.

import { ago } from "./ages.js";
import { number } from "./device-format.js";
import { say } from "./device-words.js";
import { now } from "./freshness.js";

const PAIRS = [["lat", "lon"], ["lat", "lng"], ["lat", "long"], ["latitude", "longitude"]];
const degrees = (value, most) => typeof value === "number" && Math.abs(value) <= most;

function placeOf(values) {
  const [north, east] = PAIRS.find(([lat, lon]) => degrees(values[lat], 90) && degrees(values[lon], 180)) ?? [];
  return north && [values[north], values[east]];
}

export class Place {
  constructor(rows) {
    this.rows = [...rows];
    this.shown = Number(this.rows.find((row) => row.dataset.at)?.dataset.at ?? 0);
    this.halves = {}; // latitude and longitude may come in two messages
    this.times = {};
  }

  take(property, ms, value) {
    if (value && typeof value === "object") return this.show(placeOf(value), ms);
    if (!PAIRS.flat().includes(property)) return;
    Object.assign(this.halves, { [property]: value });
    this.times[property] = ms;
    const pair = PAIRS.find((names) => names.includes(property) && names.every((name) => name in this.halves));
    if (pair) this.show(placeOf(Object.fromEntries(pair.map((name) => [name, this.halves[name]]))), Math.min(...pair.map((name) => this.times[name])));
  }

  show(place, ms) {
    if (!place || ms < this.shown || !this.rows.length) return;
    this.shown = ms;
    const [degreesAt, said] = ["degrees", "said"].map((name) => this.rows.map((row) => row.querySelector(`[data-place=${name}]`)).find(Boolean));
    degreesAt.textContent = place.map((each) => `${number(each, 5)}\u00b0`).join(", ");
    const time = document.createElement("time");
    time.dateTime = new Date(ms).toISOString();
    time.dataset.ago = "";
    time.textContent = ago(Math.max(0, (now() - ms) / 1000));
    const [before, after] = say("reported_when").split("{time}");
    said.replaceChildren(before, time, after ?? "");
    for (const row of this.rows) row.hidden = false;
  }
}
