// Small drawings without a library: the sparkline of a tile, the strip below a chart, the bands of states.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
export function draw(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A path through runs of `[x, y]`, broken between them. */
export function path(runs) {
  return runs.map((run) => run.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("")).join("");
}

let hatches = 0;

/** A hatching pattern of its own; returns `[defs, "url(#...)"]`. */
export function hatching() {
  const id = `hatch-${++hatches}`;
  const pattern = draw("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("line", { class: "hatch-line", y2: 6 }));
  return [draw("defs", {}, pattern), `url(#${id})`];
}
