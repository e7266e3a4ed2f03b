// The strip below a chart: the wider time, and in it the window, whose edges can be dragged or moved with the arrow keys.

import { draw, path } from "./chart-svg.js";
import { runs } from "./chart-points.js";
import { moment } from "./device-format.js";
import { say } from "./device-words.js";

const HEIGHT = 38;

export class Strip {
  /** `choose(start, end)` is called when a person has moved the window. */
  constructor(box, choose) {
    this.box = box;
    this.choose = choose;
    this.dragged = null;
    box.addEventListener("pointerdown", (event) => this.begin(event));
    box.addEventListener("pointermove", (event) => this.move(event));
    box.addEventListener("pointerup", () => this.finish());
    box.addEventListener("pointercancel", () => this.cancel());
    box.addEventListener("keydown", (event) => this.key(event));
  }

  show({ points, rhythm, wide, span, left, right }) {
    Object.assign(this, { points, rhythm, wide, span, left, right });
    this.render();
  }

  x(ms) {
    const [start, end] = this.wide;
    return this.left + ((ms - start) / (end - start)) * (this.width - this.left - this.right);
  }

  at(x) {
    const [start, end] = this.wide;
    const share = (x - this.left) / (this.width - this.left - this.right);
    return start + Math.min(1, Math.max(0, share)) * (end - start);
  }

  render() {
    this.width = this.box.clientWidth || 600;
    const low = Math.min(...this.points.map((p) => p[1])), high = Math.max(...this.points.map((p) => p[1]));
    const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - 5 - ((value - low) / (high - low)) * (HEIGHT - 10));
    const lines = runs(this.points, this.rhythm).map((run) => run.map(([at, value]) => [this.x(at), y(value)]));
    this.frame = { window: draw("rect", { class: "win", y: 0, height: HEIGHT }), edges: [this.edge("start"), this.edge("end")] };
    const ground = draw("rect", { class: "ground", x: this.left, y: 0, width: this.width - this.left - this.right, height: HEIGHT, rx: 4 });
    const root = draw("svg", { viewBox: `0 0 ${this.width} ${HEIGHT}` }, ground, draw("path", { class: "ln c0", d: path(lines) }), this.frame.window, ...this.frame.edges);
    const focused = this.box.contains(document.activeElement) ? document.activeElement.dataset.edge : null;
    this.box.replaceChildren(root);
    this.place();
    if (focused) this.box.querySelector(`[data-edge="${focused}"]`)?.focus();
  }

  edge(which) {
    return draw("g", { class: "grip", tabindex: 0, role: "slider", "data-edge": which, "aria-label": say(`window_${which}`) },
      draw("rect", { class: "reach", x: -12, y: 0, width: 24, height: HEIGHT }),
      draw("line", { class: "edge", y1: 0, y2: HEIGHT }),
      draw("rect", { class: "handle", x: -3.5, y: HEIGHT / 2 - 8, width: 7, height: 16, rx: 2 }));
  }

  place() {
    const [from, to] = this.span.map((ms) => this.x(ms));
    this.frame.window.setAttribute("x", from);
    this.frame.window.setAttribute("width", Math.max(1, to - from));
    this.frame.edges.forEach((edge, i) => {
      edge.setAttribute("transform", `translate(${[from, to][i]} 0)`);
      edge.setAttribute("aria-valuemin", Math.round(this.wide[0] / 1000));
      edge.setAttribute("aria-valuemax", Math.round(this.wide[1] / 1000));
      edge.setAttribute("aria-valuenow", Math.round(this.span[i] / 1000));
      edge.setAttribute("aria-valuetext", moment(this.span[i]));
    });
  }

  begin(event) {
    if (event.button || !this.frame) return;
    const x = event.clientX - this.box.getBoundingClientRect().left;
    const [from, to] = this.span.map((ms) => this.x(ms));
    const reach = event.pointerType === "touch" ? 20 : 9;
    const near = Math.abs(x - from) < Math.abs(x - to) ? ["start", from] : ["end", to];
    if (Math.abs(x - near[1]) <= reach) this.dragged = near[0];
    else this.dragged = x > from && x < to ? "both" : "jump";
    this.grabbed = { at: this.at(x), span: [...this.span] };
    if (this.dragged === "jump") this.slide(this.at(x) - (this.span[0] + this.span[1]) / 2);
    this.box.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  move(event) {
    if (!this.dragged) return;
    const at = this.at(event.clientX - this.box.getBoundingClientRect().left);
    const [start, end] = this.grabbed.span;
    const least = (this.wide[1] - this.wide[0]) / 500;
    if (this.dragged === "start") this.span = [Math.min(at, end - least), end];
    else if (this.dragged === "end") this.span = [start, Math.max(at, start + least)];
    else if (this.dragged === "both") this.slide(at - this.grabbed.at);
    this.place();
  }

  slide(by) {
    const [start, end] = this.grabbed?.span ?? this.span;
    const shift = Math.min(Math.max(by, this.wide[0] - start), this.wide[1] - end);
    this.span = [start + shift, end + shift];
    this.place();
  }

  finish() {
    if (!this.dragged) return;
    const moved = this.span.some((ms, i) => ms !== this.grabbed.span[i]);
    this.dragged = null;
    this.grabbed = null;
    if (moved) this.choose(...this.span);
  }

  cancel() {
    if (this.dragged) this.span = this.grabbed.span;
    this.dragged = this.grabbed = null;
    this.place();
  }

  key(event) {
    const which = event.target.dataset?.edge, by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!which || !by) return;
    event.preventDefault();
    event.stopPropagation();
    const step = ((this.wide[1] - this.wide[0]) / 100) * by;
    const [start, end] = this.span;
    const next = which === "start" ? [Math.min(Math.max(start + step, this.wide[0]), end - Math.abs(step) / 2), end] : [start, Math.max(Math.min(end + step, this.wide[1]), start + Math.abs(step) / 2)];
    this.choose(...next);
  }
}
