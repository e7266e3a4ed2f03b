// The cursor over a chart: what was there at that moment, dragging to zoom, and the same by keyboard.
// The note is built by hand with textContent: names are data, and the page's policy drops inline styles.

import { exact, number, shown as words, withUnit } from "./device-format.js";
import { pointAt } from "./chart-points.js";
import { say } from "./device-words.js";

const LEAST_DRAG = 6; // px

function make(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function numberRows(list, line, point, alone) {
  const unit = (value) => withUnit(number(value, line.precision), line.unit);
  const add = (label, value, muted) => list.append(make("dt", muted ? "muted" : "", label), make("dd", muted ? "muted" : "", value));
  add(line.label, point ? unit(point[1]) : say("no_data"), !point);
  if (!point || !line.bucket || !alone) return; // among others the average has to do
  if (point[2] !== point[3]) add(say("min_to_max"), say("from_to", { low: number(point[2], line.precision), high: number(point[3], line.precision) }), true);
  add(say("readings"), number(point[4], 0), true);
}

function stateRows(list, line, at) {
  const part = line.segments.find(([from, to]) => at >= from && at < to);
  list.append(make("dt", part ? "" : "muted", line.label), make("dd", part ? "" : "muted", part ? words(part[2]) : say("no_data")));
}

/** Fills the note with all series at a moment. */
function fill(tip, at, series) {
  const list = make("dl");
  const shown = series.filter((one) => !one.hidden);
  for (const line of shown) {
    if (line.kind === "states") stateRows(list, line, at);
    else numberRows(list, line, pointAt(line.points, at, line), shown.length === 1);
  }
  tip.replaceChildren(make("div", "when num", exact(at)), list);
}

export class Pointer {
  /** `plot()` gives `{left, right, top, bottom, span, series}`; `zoom(start, end)`, `scale(factor, at)` and `undo()` act. */
  constructor(box, { plot, zoom, scale, undo }) {
    Object.assign(this, { box, plot, zoom, scale, undo });
    this.line = make("div", "chart-cursor");
    this.drag = make("div", "chart-drag");
    this.tip = make("div", "tip");
    this.hide();
    box.append(this.drag, this.line, this.tip);
    box.addEventListener("pointermove", (event) => this.move(event));
    box.addEventListener("pointerleave", () => this.begun === undefined && this.hide());
    box.addEventListener("pointerdown", (event) => this.begin(event));
    box.addEventListener("pointerup", (event) => this.finish(event));
    box.addEventListener("pointercancel", () => this.stop());
    box.addEventListener("dblclick", () => this.undo());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.hide());
  }

  get area() {
    const plot = this.plot();
    return { ...plot, width: this.box.clientWidth - plot.left - plot.right, height: this.box.clientHeight - plot.top - plot.bottom };
  }

  at(event) {
    const { left, width, span } = this.area;
    const share = (event.clientX - this.box.getBoundingClientRect().left - left) / width;
    return span[0] + Math.min(1, Math.max(0, share)) * (span[1] - span[0]);
  }

  hide() {
    this.line.hidden = this.tip.hidden = this.drag.hidden = true;
    this.cursor = undefined;
  }

  show(at) {
    const area = this.area;
    if (!area.series.length) return;
    this.cursor = at;
    const x = area.left + ((at - area.span[0]) / (area.span[1] - area.span[0])) * area.width;
    this.line.style.cssText = `left:${x}px;top:${area.top}px;height:${area.height}px`;
    this.line.hidden = this.tip.hidden = false;
    fill(this.tip, at, area.series);
    const over = x + 14 + this.tip.offsetWidth > this.box.clientWidth;
    this.tip.style.left = `${over ? Math.max(0, x - 12 - this.tip.offsetWidth) : x + 12}px`;
    this.tip.style.top = `${area.top + 8}px`;
  }

  begin(event) {
    if (event.button || event.pointerType === "touch") return; // a finger scrolls the page
    this.begun = this.at(event);
    this.from = event.clientX;
    this.box.setPointerCapture(event.pointerId);
  }

  move(event) {
    const at = this.at(event);
    this.show(at);
    if (this.begun === undefined) return;
    const { left, width, span, top, height } = this.area;
    const x = (ms) => left + ((ms - span[0]) / (span[1] - span[0])) * width;
    const [from, to] = [x(Math.min(at, this.begun)), x(Math.max(at, this.begun))];
    this.drag.style.cssText = `left:${from}px;width:${to - from}px;top:${top}px;height:${height}px`;
    this.drag.hidden = false;
  }

  finish(event) {
    if (this.begun === undefined) return;
    const far = Math.abs(event.clientX - this.from) >= LEAST_DRAG;
    const ends = [this.begun, this.at(event)].sort((a, b) => a - b);
    this.stop();
    if (far) this.zoom(...ends);
  }

  stop() {
    this.begun = undefined;
    this.drag.hidden = true;
  }

  key(event) {
    const { span } = this.area;
    const step = (span[1] - span[0]) / (event.shiftKey ? 20 : 100);
    const from = this.cursor ?? span[1];
    const acts = {
      ArrowLeft: () => this.show(Math.max(span[0], from - step)),
      ArrowRight: () => this.show(Math.min(span[1], from + step)),
      Home: () => this.show(span[0]),
      End: () => this.show(span[1]),
      "+": () => this.scale(0.5, this.cursor),
      "=": () => this.scale(0.5, this.cursor),
      "-": () => this.scale(2, this.cursor),
      Escape: () => (this.begun === undefined ? this.undo() : this.stop()),
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    acts[event.key]();
  }
}
