// The tiles: each live value takes its place, flashes once, and grows old by itself.

import { shown } from "./device-format.js";
import { spark } from "./device-spark.js";
import { ageTile, now, refill } from "./freshness.js";
import { append } from "./chart-points.js";

export class Tiles {
  constructor(box, { key, offlineAfter, pick }) {
    Object.assign(this, { box, key, offlineAfter, sparks: {} });
    box.addEventListener("click", (event) => this.click(event, pick));
    this.collect();
    setInterval(() => this.age(), 1000);
  }

  collect() {
    this.tiles = new Map([...this.box.querySelectorAll(".tile")].map((tile) => [tile.dataset.property, tile]));
    this.tiles.forEach((tile) => tile.dataset.at && refill(tile));
    this.age();
  }

  age() {
    const newest = Math.max(0, ...[...this.tiles.values()].map((tile) => Number(tile.dataset.at) || 0));
    this.tiles.forEach((tile) => ageTile(tile, this.offlineAfter, newest));
  }

  click(event, pick) {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    this.mark(tile.dataset.property);
    pick(tile.dataset.property);
  }

  mark(property) {
    this.tiles.forEach((tile, name) => (name === property ? tile.setAttribute("aria-current", "true") : tile.removeAttribute("aria-current")));
  }

  /** Takes a live value; false where no tile has this property yet. */
  take(property, ms, value) {
    const tile = this.tiles.get(property);
    if (!tile) return false;
    const before = Number(tile.dataset.at) || 0;
    if (ms < before) return true; // late: the newer one stays
    const text = shown(value, tile.dataset.precision === undefined ? undefined : Number(tile.dataset.precision));
    const place = tile.querySelector("[data-part=value]");
    const changed = place.textContent !== text;
    place.textContent = text;
    if (typeof value === "object" || typeof value === "string") place.parentElement.title = text;
    tile.dataset.at = ms;
    if (ms > before) this.arrived(tile, property, ms, value);
    if (changed) this.flash(tile);
    return true;
  }

  arrived(tile, property, ms, value) {
    refill(tile);
    ageTile(tile, this.offlineAfter, ms);
    const line = this.sparks[property];
    const number = ["boolean", "bigint"].includes(typeof value) ? Number(value) : value;
    if (!line || typeof number !== "number") return;
    append(line.points, ms, number, line.bucket);
    this.draw(property);
  }

  flash(tile) {
    tile.classList.remove("flash");
    requestAnimationFrame(() => tile.classList.add("flash"));
  }

  /** Fetches the tiles anew: a property has appeared, or the connection was away. */
  async reload() {
    const answer = await fetch(`/devices/${encodeURIComponent(this.key)}/parts/values/`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const html = new DOMParser().parseFromString(await answer.text(), "text/html");
    const current = this.box.querySelector("[aria-current]")?.dataset.property;
    this.box.replaceChildren(...html.body.children);
    this.box.hidden = false;
    this.collect();
    if (current) this.mark(current);
    Object.keys(this.sparks).forEach((property) => this.draw(property));
  }

  async loadSparks() {
    const answer = await fetch(`/devices/${encodeURIComponent(this.key)}/parts/sparks/`, { credentials: "same-origin" });
    if (!answer.ok) return;
    this.sparks = (await answer.json()).lines;
    Object.keys(this.sparks).forEach((property) => this.draw(property));
  }

  draw(property) {
    const tile = this.tiles.get(property), line = this.sparks[property];
    if (!tile || !line) return;
    const end = now();
    spark(tile.querySelector("[data-part=spark]"), line.points, { start: end - 86_400_000, end, period: Number(tile.dataset.period) || null, bucket: line.bucket });
  }

  redraw() {
    Object.keys(this.sparks).forEach((property) => this.draw(property));
  }
}
