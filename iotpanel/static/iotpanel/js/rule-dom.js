// Small builders of form parts for the rule page; names and units are data and only ever become text.

/** An element with attributes and children; `true` sets an attribute without a value, `null` and `false` leave it out. */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A select. `options` are `[value, label]`, or `{label, options}` for a group. */
export function choice(label, field, options, value, onChange) {
  const option = ([key, text]) => make("option", { value: key, selected: key === value }, text);
  const parts = options.map((each) => (Array.isArray(each) ? option(each) : make("optgroup", { label: each.label }, ...each.options.map(option))));
  const known = options.flatMap((each) => (Array.isArray(each) ? [each] : each.options)).some(([key]) => key === value);
  if (!known) parts.unshift(make("option", { value: value ?? "", selected: true }, value || "–"));
  const select = make("select", { class: "select", "aria-label": label, "data-field": field }, ...parts);
  select.addEventListener("change", () => onChange(select.value));
  return select;
}

/** A text field. */
export function entry(label, field, value, onChange, attributes = {}) {
  const input = make("input", { class: "input", "aria-label": label, "data-field": field, autocomplete: "off", ...attributes });
  input.value = value ?? "";
  input.addEventListener("input", () => onChange(input.value));
  return input;
}

/** A number; what is none is kept as it was typed, so that the server can say what is wrong with it. */
export function figure(label, field, value, onChange) {
  const shown = typeof value === "number" ? String(value).replace("-", "\u2212") : value;
  return entry(label, field, shown, (text) => {
    const plain = text.trim().replace("\u2212", "-").replace(",", "."), number = Number(plain);
    onChange(plain === "" ? null : Number.isFinite(number) ? number : text);
  }, { class: "input n", inputmode: "decimal" });
}

const SPAN = /^(\d+(?:\.\d+)?)(s|m|h|d)$/;

/** A span of time such as "5m": a number and its unit; an empty number is no span. */
export function span(label, field, value, units, onChange) {
  const [, number = "", unit = "m"] = SPAN.exec(value || "") || [];
  const state = { number, unit };
  const tell = () => onChange(state.number.trim() === "" ? null : `${state.number.trim().replace(",", ".")}${state.unit}`);
  const input = entry(label, field, number, (text) => { state.number = text; tell(); }, { class: "input n", inputmode: "decimal" });
  return [input, choice(label, `${field}#unit`, units, unit, (chosen) => { state.unit = chosen; tell(); })];
}

export function button(label, name, onClick, classes = "btn small") {
  const node = make("button", { type: "button", class: classes }, name ? icon(name) : null, make("span", {}, label));
  node.addEventListener("click", onClick);
  return node;
}

/** A button with a picture alone. */
export function tool(label, name, onClick) {
  const node = make("button", { type: "button", class: "btn quiet square small push", "aria-label": label, title: label }, icon(name));
  node.addEventListener("click", onClick);
  return node;
}
