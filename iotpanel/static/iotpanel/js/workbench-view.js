// How the workbench draws frames and results; everything by textContent, because frames hold whatever devices send.
import { flaw, same } from "./workbench-check.js";

const ICONS = { good: "check", bad: "x", diff: "edit", none: "dots" };

function make(name, classes, text) {
  const node = document.createElement(name);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

function icon(name, classes) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon ${classes}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const pairs = (hex) => hex.match(/../g) || [];

function badge(frame, state, words) {
  if (state === "bad") return [["critical", words.error]];
  if (state === "diff") return [["accent", words.differs]];
  if (frame.kind === "test") return [["outline", words.test]];
  return frame.kind === "pasted" ? [["outline", words.pasted]] : [];
}

function where(frame, words) {
  const parts = [frame.label, frame.port != null ? words.port.replace("PORT", frame.port) : "", frame.at ? new Date(frame.at).toLocaleTimeString(document.documentElement.lang, { hourCycle: "h23" }) : ""];
  return parts.filter(Boolean).join(", ");
}

/** The button of one frame in the list. */
export function frameButton(frame, state, current, words) {
  const button = make("button", "frame");
  button.type = "button";
  button.setAttribute("aria-current", String(current));
  const tail = make("span");
  for (const [tone, text] of badge(frame, state, words)) {
    const mark = make("span", "badge", text);
    mark.dataset.tone = tone;
    tail.append(mark);
  }
  button.append(icon(ICONS[state], state), make("span", "hex", pairs(frame.hex).slice(0, 32).join(" ") || "–"), tail, make("small", "", where(frame, words)));
  return button;
}

/** The bytes of a frame. */
export function bytes(box, hex) {
  box.replaceChildren(...pairs(hex).slice(0, 512).map((pair) => make("span", "", pair)));
}

function shown(value, property, words) {
  if (typeof value === "boolean") return value ? words.on : words.off;
  if (typeof value === "number") return property?.precision != null ? value.toFixed(property.precision) : String(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function row(key, value, old, property, words) {
  const line = make("div", "result"), right = make("span", "num"), text = shown(value, property, words);
  const wrong = flaw(property, value, words), oldWrong = old === undefined ? "" : flaw(property, old, words);
  const changed = old !== undefined && !same(old, value);
  if (changed) right.append(make("del", "", shown(old, property, words)), " ");
  const strong = make("b", "break", text);
  if (changed) { const ins = make("ins"); ins.append(strong); right.append(ins); } else right.append(strong);
  if (property?.unit) right.append(" ", make("span", "unit", property.unit));
  line.append(make("span", "mono", property?.name && property.name !== key ? `${property.name} ` : key), right);
  const notes = [wrong, !property ? words.unknown : "", changed && oldWrong && !wrong ? `${words.before.replace("VALUE", oldWrong)}. ${words.now}` : ""].filter(Boolean);
  if (notes.length) line.append(make("small", wrong ? "bad-note" : "", notes.join("; ")));
  return line;
}

/** Values in the thing model's order, then what it does not know by name: a script's table has no order of its own. */
export function ordered(values, properties) {
  const keys = Object.keys(properties), rank = (key) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  return Object.entries(values).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** The result of a frame: each report's values, the published script's beside those that differ. */
export function result(box, answer, before, properties, words) {
  box.replaceChildren();
  if (!answer) return;
  if (answer.error) {
    const wrong = make("div", "notice");
    wrong.dataset.tone = "critical";
    const text = make("div", "break");
    text.append(make("b", "mono", answer.error.code), make("br"), answer.error.message);
    wrong.append(icon("warn", ""), text);
    box.append(wrong);
    return;
  }
  if (!answer.reports.some(({ values }) => Object.keys(values).length)) box.append(make("p", "muted", words.nothing));
  answer.reports.forEach(({ ts, values }, i) => {
    if (ts != null) box.append(make("p", "muted num", new Date(ts).toISOString()));
    const old = before?.reports?.[i]?.values ?? {};
    for (const [key, value] of ordered(values, properties)) box.append(row(key, value, old[key], properties[key], words));
  });
}
