// The Frames tab: messages as bytes, as they pass. Looking is what keeps the recording on.

import { dump, fromBase64, hex, inline, pretty, text } from "./bytes.js";
import { clockMillis, exact, number, shown } from "./device-format.js";
import { say } from "./device-words.js";
import { parse, watch } from "./live.js";

const MOST = 500;

export class Frames {
  constructor(card, key) {
    Object.assign(this, { card, key, view: "auto", filter: "", paused: false, held: [], seen: new Set() });
    this.part = (name) => card.querySelector(`[data-part="${name}"]`);
    this.rows = this.part("rows");
    this.template = document.getElementById("frame-row");
    card.addEventListener("click", (event) => this.click(event));
    this.part("filter").addEventListener("input", (event) => this.narrow(event.target.value));
    watch([key], { raw: true, frames: (list) => this.take(list.filter((frame) => frame.device === key)), back: () => this.load() });
    this.load();
  }

  async load() {
    const answer = await fetch(this.card.dataset.url, { credentials: "same-origin" });
    if (answer.ok) this.take((await answer.json()).frames.reverse());
  }

  /** Frames, oldest first; those that are shown already are left out. */
  take(list) {
    const fresh = list.filter((frame) => !this.seen.has(this.name(frame)));
    for (const frame of fresh) this.seen.add(this.name(frame));
    if (this.paused) this.held.push(...fresh);
    else this.add(fresh);
    this.held = this.held.slice(-MOST);
    this.count();
  }

  name(frame) {
    return `${frame.ts} ${frame.topic} ${frame.payload_base64.slice(0, 64)} ${frame.verdict}`;
  }

  add(list) {
    for (const frame of list.slice(-MOST)) this.rows.prepend(this.row(frame));
    while (this.rows.children.length > MOST) this.rows.lastElementChild.remove();
    if (this.seen.size > 4 * MOST) this.seen = new Set([...this.seen].slice(-2 * MOST));
    this.part("none").hidden = this.rows.children.length > 0;
  }

  row(frame) {
    const node = this.template.content.cloneNode(true).firstElementChild;
    const cell = (name) => node.querySelector(`[data-cell="${name}"]`);
    const bytes = fromBase64(frame.payload_base64);
    node.frame = { ...frame, bytes };
    cell("time").textContent = clockMillis(frame.ts);
    cell("time").title = exact(frame.ts);
    const up = frame.direction === "up";
    cell("direction").querySelector("use").setAttribute("href", up ? "#i-up" : "#i-downlink");
    cell("direction").querySelector("title").textContent = say(up ? "frame_up" : "frame_down");
    cell("topic").textContent = frame.topic.replace(`devices/${this.key}/`, "");
    cell("topic").title = frame.topic;
    const good = up ? frame.verdict === "stored" : frame.verdict === "sent";
    cell("verdict").textContent = up ? (good ? say("stored") : frame.verdict) : say(`down_${frame.verdict}`);
    cell("verdict").dataset.tone = good ? "good" : "critical";
    cell("verdict").title = good ? "" : frame.detail;
    cell("size").textContent = number(frame.size, 0);
    this.show(node);
    this.sift(node);
    return node;
  }

  show(node) {
    const line = inline(node.frame.bytes, this.view);
    node.querySelector("[data-cell=payload]").textContent = line.length > 160 ? `${line.slice(0, 160)}\u2026` : line || "\u2013";
  }

  /** The whole frame with what can be done with it. */
  open(node) {
    const button = node.querySelector("[data-cell=payload]"), detail = node.querySelector("[data-cell=detail]");
    const opened = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", opened);
    detail.hidden = !opened;
    if (opened && !detail.children.length) detail.append(...this.details(node.frame));
  }

  details(frame) {
    const make = (name, className, content) => Object.assign(document.createElement(name), { className, textContent: content });
    const found = text(frame.bytes);
    const parts = [];
    if (frame.verdict === "stored") parts.push(...this.decoded(frame.detail, make));
    else if (frame.detail) parts.push(make("p", "", frame.detail));
    if (found !== null && found.trim()) parts.push(make("pre", "code", pretty(found)));
    parts.push(make("pre", "code hexdump", dump(frame.bytes)));
    for (const block of parts) if (block.tagName === "PRE") block.tabIndex = 0;
    if (frame.size > frame.bytes.length) parts.push(make("p", "muted", say("cut", { shown: number(frame.bytes.length, 0), size: number(frame.size, 0) })));
    const acts = make("div", "row wrap", "");
    const copy = make("button", "btn small", say("copy_hex"));
    copy.type = "button";
    copy.dataset.act = "copy";
    acts.append(copy);
    if (frame.direction === "up" && this.card.dataset.mayEdit !== undefined && frame.size === frame.bytes.length) acts.append(this.sampleLink(frame, make));
    return [...parts, acts];
  }

  /** What the codec made of the bytes: each value with its colour, of several reports each on its own line. */
  decoded(detail, make) {
    let reports;
    try {
      reports = [parse(detail)].flat();
    } catch (error) { // nothing was decoded, or more than is kept
      return detail ? [make("p", "mono break", detail)] : [];
    }
    return reports.map((values) => {
      const line = make("div", "row wrap", "");
      Object.entries(values).forEach(([name, value], i) => {
        const one = make("span", "", "");
        one.append(make("i", `swatch f${(i % 4) + 1}`, ""), `${name} `, make("b", "num", shown(value)));
        line.append(one);
      });
      return line;
    });
  }

  sampleLink(frame, make) {
    const link = make("a", "btn small", say("use_as_sample"));
    const port = /\/raw\/(\d+)$/.exec(frame.topic)?.[1];
    const query = new URLSearchParams({ hex: hex(frame.bytes).replaceAll(" ", ""), topic: frame.topic, ...(port ? { port } : {}) });
    link.href = `${this.card.dataset.sampleUrl}?${query}`;
    return link;
  }

  click(event) {
    const hit = (selector) => event.target.closest(selector);
    const view = hit("[data-view]");
    if (view) this.choose(view);
    else if (hit("[data-part=pause]")) this.pause(hit("[data-part=pause]"));
    else if (hit("[data-act=copy]")) this.copy(hit("[data-act=copy]"));
    else if (hit("[data-cell=payload]")) this.open(hit("tr"));
  }

  choose(button) {
    this.view = button.dataset.view;
    this.card.querySelectorAll("[data-view]").forEach((one) => one.setAttribute("aria-pressed", one === button));
    for (const row of this.rows.children) this.show(row);
  }

  async copy(button) {
    const { frame } = button.closest("tr");
    try {
      await navigator.clipboard.writeText(hex(frame.bytes));
    } catch (error) { // no clipboard on a page without TLS: select the bytes instead
      return getSelection().selectAllChildren(button.closest("tr").querySelector(".hexdump"));
    }
    button.textContent = say("copied");
  }

  pause(button) {
    this.paused = !this.paused;
    button.setAttribute("aria-pressed", this.paused);
    button.querySelector("span").textContent = this.paused ? button.dataset.go : button.dataset.pause;
    button.querySelector("use").setAttribute("href", this.paused ? "#i-play" : "#i-pause");
    if (!this.paused) this.add(this.held.splice(0));
    const mark = this.part("following");
    mark.dataset.state = this.paused ? "paused" : "live";
    mark.textContent = say(this.paused ? "paused" : "following");
    this.count();
  }

  count() {
    this.part("count").textContent = this.paused && this.held.length ? say("waiting_frames", { count: number(this.held.length, 0) }) : "";
  }

  narrow(words) {
    this.filter = words.trim().toLowerCase();
    for (const row of this.rows.children) this.sift(row);
  }

  sift(row) {
    const { topic, verdict, detail, bytes } = row.frame;
    const all = [topic, verdict, detail, text(bytes) ?? "", hex(bytes), hex(bytes).replaceAll(" ", "")].join("\n").toLowerCase();
    row.hidden = this.filter !== "" && !all.includes(this.filter);
  }
}
