// The history chart of a card: several series over one window, with its strip, legend, table and address.
// Needs ECharts as `window.echarts`; without it (or where it fails) the table still works.

import { comparedIn, linkDownload, propertyIn, writeAddress } from "./chart-address.js";
import { append } from "./chart-points.js";
import { frame, option, units } from "./chart-option.js";
import { loadFlags, loadSeries, seriesId, seriesOf } from "./chart-load.js";
import { Pointer } from "./chart-pointer.js";
import { Recent } from "./chart-recent.js";
import { appendState, drawStates, FRAME } from "./chart-states.js";
import { Strip } from "./chart-strip.js";
import { onTheme, theme } from "./chart-theme.js";
import { Window } from "./chart-window.js";
import { legend, summary, table } from "./chart-words.js";
import { fromField, toField } from "./device-format.js";
import { say } from "./device-words.js";

const MOST = 8; // series; beyond that nobody can tell them apart
const REDRAW = 1000; // ms between redraws for live values
const SLIDE = 5000; // ms between redraws while nothing comes

export class HistoryChart {
  constructor(card) {
    this.card = card;
    this.device = card.dataset.device;
    this.look = theme();
    this.window = new Window();
    this.property = propertyIn(location.search) || card.dataset.property;
    this.compared = comparedIn(location.search).slice(0, MOST - 1);
    this.series = [];
    this.recent = new Recent();
    this.flags = [];
    this.wide = { points: [], rhythm: {} };
    this.hidden = new Set();
    this.part = (name) => card.querySelector(`[data-part="${name}"]`);
    this.build();
    this.bind();
  }

  build() {
    this.box = this.part("plot");
    this.canvas = this.part("canvas");
    this.echart = window.echarts?.init(this.canvas, null, { renderer: "canvas" });
    this.pointer = new Pointer(this.box, {
      plot: () => ({ ...this.room, span: this.span, series: this.series }),
      zoom: (start, end) => this.act(() => this.window.zoom(start, end)),
      scale: (factor, at) => this.act(() => this.window.scale(factor, at)),
      undo: () => this.window.undo() && this.load(),
    });
    this.strip = new Strip(this.part("strip"), (start, end) => this.act(() => this.window.zoom(start, end)));
    this.room = { ...FRAME };
    this.span = this.window.span;
  }

  bind() {
    this.card.addEventListener("click", (event) => this.click(event));
    const custom = this.part("custom");
    custom.addEventListener("submit", (event) => this.custom(event));
    custom.addEventListener("input", () => custom.elements.to.setCustomValidity(""));
    custom.closest("details").addEventListener("toggle", () => this.offer(custom));
    onTheme(() => {
      this.look = theme();
      this.draw();
    });
    new ResizeObserver(() => this.resize()).observe(this.box);
    setInterval(() => this.window.following && !document.hidden && this.draw(), SLIDE);
  }

  act(change) {
    change();
    this.load();
  }

  /** Shows another property of this device. */
  show(property) {
    this.property = property;
    this.compared = [];
    this.hidden.clear();
    this.load();
  }

  compare(id) {
    const all = [seriesId(this.device, this.property), ...this.compared];
    if (all.includes(id) || all.length >= MOST) return;
    this.compared.push(id);
    this.load();
  }

  click(event) {
    const hit = (selector) => event.target.closest(selector);
    const range = hit("[data-range]"), entry = hit("[data-series]"), gone = hit("[data-remove]");
    if (range) this.act(() => this.window.choose(range.dataset.range));
    else if (gone) this.act(() => (this.compared = this.compared.filter((id) => id !== gone.dataset.remove)));
    else if (entry) this.toggle(entry.dataset.series, event.altKey);
    else if (hit("[data-act=table]")) this.toggleTable(hit("[data-act=table]"));
    else if (hit("[data-act=full]")) document.fullscreenElement ? document.exitFullscreen() : this.card.requestFullscreen();
    else if (hit("[data-act=again]")) this.load();
  }

  toggle(id, alone) {
    const others = this.series.filter((line) => line.id !== id).map((line) => line.id);
    const isolated = others.length && others.every((other) => this.hidden.has(other));
    if (alone) this.hidden = new Set(isolated ? [] : others);
    else if (!this.hidden.delete(id)) this.hidden.add(id);
    this.draw();
  }

  toggleTable(button) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    this.part("table").hidden = !shown;
    this.draw();
  }

  custom(event) {
    event.preventDefault();
    const { from, to } = event.target.elements;
    const [start, end] = [fromField(from.value), fromField(to.value)];
    to.setCustomValidity(end > start ? "" : say("end_before_start"));
    if (!event.target.reportValidity()) return;
    event.target.closest("details").open = false;
    this.act(() => this.window.zoom(start, end));
  }

  /** The fields begin with the window that is shown. */
  offer(form) {
    form.elements.to.setCustomValidity("");
    [form.elements.from.value, form.elements.to.value] = this.span.map(toField);
  }

  /** Loads everything for the window; an older load that is still under way is dropped. */
  async load() {
    this.loading?.abort();
    const { signal } = (this.loading = new AbortController());
    this.address();
    const busy = setTimeout(() => this.box.setAttribute("aria-busy", "true"), 150);
    try {
      await this.fetch(signal);
      this.part("failed").hidden = true;
      this.draw();
    } catch (error) {
      if (error.name !== "AbortError") this.part("failed").hidden = false;
    } finally {
      clearTimeout(busy);
      if (!signal.aborted) this.box.removeAttribute("aria-busy");
    }
  }

  async fetch(signal) {
    const span = this.window.span, wider = this.window.wider;
    const names = [{ device: this.device, property: this.property }, ...this.compared.map(seriesOf)];
    const buckets = (this.box.clientWidth || 700) / 2;
    const [lines, flags, wide] = await Promise.all([
      Promise.all(names.map((name, i) => loadSeries(name, span, buckets, signal).catch((error) => this.without(i, error)))),
      loadFlags(this.device, span, signal),
      loadSeries(names[0], wider, 180, signal),
    ]);
    const found = lines.filter(Boolean);
    for (const line of found) if (line.device === this.device) line.label = line.name;
    this.series = found.filter((line) => line.kind === found[0].kind);
    if (this.window.following) for (const line of this.series) this.catchUp(line, span[1]);
    this.flags = flags;
    this.wide = { points: wide.points ?? [], rhythm: wide };
  }

  /** A compared series that is gone or not ours is left out; the first one is what the chart is about. */
  without(place, error) {
    if (place === 0 || error.name === "AbortError") throw error;
    return null;
  }

  address() {
    writeAddress(this);
    this.card.querySelectorAll("[data-range]").forEach((button) => button.setAttribute("aria-pressed", this.window.following && button.dataset.range === this.window.range));
    this.part("custom-summary")?.setAttribute("data-on", !this.window.following);
  }

  /** A live value: joins its series where the window ends now. */
  append(device, property, ms, value) {
    const id = seriesId(device, property);
    this.recent.take(id, ms, value);
    const line = this.series.find((one) => one.id === id);
    if (line && this.window.following && this.join(line, ms, value)) this.soon();
  }

  /** Whether the value is of the series' kind. */
  join(line, ms, value) {
    if (line.kind === "states") appendState(line.segments, ms, value);
    else if (["number", "bigint"].includes(typeof value)) append(line.points, ms, Number(value), line.bucket);
    else return false;
    line.readings += 1;
    return true;
  }

  /** What came while the series was loaded up to `end`, or is ahead of the page's clock. */
  catchUp(line, end) {
    const last = line.kind === "states" ? line.segments.at(-1)?.[1] : line.points.at(-1)?.[0] + (line.bucket ?? 0) * 1000;
    for (const [ms, value] of this.recent.after(line.id, end, last || -Infinity)) this.join(line, ms, value);
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (!document.hidden) this.draw();
    }, REDRAW);
  }

  draw() {
    const [first] = this.series;
    if (!first) return;
    this.span = this.window.span;
    this.trim();
    if (this.series.every((line) => this.hidden.has(line.id))) this.hidden.clear(); // the last one stays
    for (const line of this.series) line.hidden = this.hidden.has(line.id);
    this.card.dataset.kind = first.kind;
    this.card.style.setProperty("--lanes", this.series.length);
    first.kind === "states" ? this.drawBands() : this.drawLines();
    this.words(first);
    this.part("strip").hidden = first.kind === "states";
    if (first.kind !== "states") this.strip.show({ ...this.wide, wide: this.window.wider, span: this.span, left: this.room.left, right: this.room.right });
    if (this.pointer.cursor !== undefined && this.pointer.begun === undefined) this.pointer.show(this.pointer.cursor);
  }

  /** What has slid out of the window goes, but for one point that the line comes from. */
  trim() {
    if (!this.window.following) return;
    for (const line of this.series) {
      while (line.points?.length > 2 && line.points[1][0] < this.span[0]) line.points.shift();
      while (line.segments?.length > 1 && line.segments[0][1] < this.span[0]) line.segments.shift();
    }
  }

  drawLines() {
    this.part("bands").replaceChildren();
    this.canvas.hidden = false;
    this.room = frame(this.series);
    const view = { span: this.span, width: this.box.clientWidth, events: this.flags };
    this.echart?.setOption(option(this.series, view, this.look), { notMerge: true });
  }

  drawBands() {
    this.canvas.hidden = true;
    this.room = { ...FRAME };
    this.part("bands").replaceChildren(drawStates(this.part("bands"), this.series, this.span));
  }

  words(first) {
    this.part("title").textContent = first.name;
    this.part("empty").hidden = this.series.some((line) => (line.points ?? line.segments).length);
    this.box.setAttribute("aria-label", summary(this.series, this.span));
    legend(this.part("legend"), this.series);
    this.part("two-units").hidden = new Set(this.series.map((line) => line.unit ?? "")).size <= units(this.series).length || first.kind === "states";
    if (!this.part("table").hidden) table(this.part("table"), first);
    linkDownload(this.part("csv"), this);
  }

  resize() {
    this.echart?.resize();
    this.draw();
  }
}
