// The fields of an action by their type. Names, units and templates are data and only ever become text.
import { choice, entry, figure, make, span, tool } from "./rule-dom.js";

/** Types whose fields stand below their row. */
export const BLOCKS = new Set(["params", "pairs", "lines", "steps", "levels", "json"]);
const REFERENCE = /^\{([^{}]+)\}$/;

function jsonField(field, path, action, page) {
  const area = make("textarea", { class: "textarea code", rows: 2, "aria-label": field.label, "data-field": path, spellcheck: "false", placeholder: "{}" });
  area.value = action[field.name] === undefined ? "" : JSON.stringify(action[field.name]);
  area.addEventListener("input", () => {
    try {
      if (area.value.trim()) action[field.name] = JSON.parse(area.value); else delete action[field.name];
      area.removeAttribute("aria-invalid");
    } catch (error) { area.setAttribute("aria-invalid", "true"); return; }
    page.changed();
  });
  return make("div", { class: "inner" }, area);
}

/** A select that puts what is chosen where the cursor is. */
function inserter(input, field, page) {
  const written = (key) => (field.type === "words" ? `{${key}}` : field.type === "formula" ? key : `{{ values.${key} }}`);
  const fixed = field.type === "formula" ? [] : page.inserts[field.type === "words" ? "words" : "template"];
  const options = [...fixed, ...page.properties().map((each) => [written(each.key), each.name || each.key])];
  if (!options.length) return null;
  const pick = choice(`${page.words.insert}: ${field.label}`, "", [["", `${page.words.insert} …`], ...options], "", (text) => {
    const at = input.selectionEnd ?? input.value.length;
    input.setRangeText(text, input.selectionStart ?? at, at, "end");
    input.dispatchEvent(new Event("input"));
    pick.value = "";
    input.focus();
  });
  pick.classList.add("insert");
  return pick;
}

function written(field, path, action, page, set) {
  const formula = field.type === "formula";
  const input = entry(field.label, path, action[field.name], set, { class: formula ? "input mono grow" : "input grow", placeholder: formula ? "voltage * current / 1000" : field.label });
  return make("span", { class: "row grow" }, input, inserter(input, field, page));
}

function lines(field, path, action, page, set) {
  const area = make("textarea", { class: "textarea code", rows: 3, "aria-label": field.label, "data-field": path, spellcheck: "false", placeholder: field.label });
  area.value = action[field.name] ?? "";
  area.addEventListener("input", () => set(area.value));
  return make("div", { class: "inner stack-tight" }, make("div", { class: "row" }, make("span", { class: "muted" }, field.label), inserter(area, field, page)), area);
}

function property(field, path, action, page, set) {
  const numbers = page.properties().filter((each) => each.type === "number");
  return choice(field.label, path, numbers.map((each) => [each.key, each.unit ? `${each.name || each.key} (${each.unit})` : each.name || each.key]), action[field.name] || "", (key) => { set(key); page.redraw(); });
}

function command(field, path, action, page) {
  const known = page.commands(action);
  if (!known.length && !action.name) return make("span", { class: "muted", "data-field": path, tabindex: "-1" }, page.words.no_command);
  return choice(field.label, path, known.map((each) => [each.key, each.name]), action.name || "", (name) => { action.name = name; action.params = page.freshParams(action); page.redraw(); });
}

/** Another device by its key, with suggestions. */
function device(field, path, action, page, set) {
  const input = entry(field.label, path, action[field.name], (text) => set(text.trim()), { class: "input", placeholder: page.words.device_key, list: "rule-devices" });
  input.addEventListener("change", () => page.redraw());
  return make("span", { class: "row" }, input, tool(page.words.remove, "x", () => { delete action[field.name]; page.redraw(); }));
}

function valueControl(param, label, path, value, set, page) {
  const { words } = page, empty = param.required ? [] : [["", "–"]];
  if (param.enum) return choice(label, path, [...empty, ...param.enum.map((each) => [String(each), String(each)])], String(value ?? ""), (text) => set(param.enum.find((each) => String(each) === text) ?? null));
  if (param.type === "boolean") return choice(label, path, [...empty, ["true", words.yes], ["false", words.no]], String(value ?? ""), (text) => set(text === "" ? null : text === "true"));
  if (param.type === "number") return figure(label, path, value, set);
  if (param.type === "json") return jsonField({ name: "value", label }, path, { get value() { return value; }, set value(it) { set(it); } }, page);
  return entry(label, path, value, (text) => set(text === "" && !param.required ? null : text), { class: "input grow" });
}

/** The arguments of a command, each by its type, or out of a property. */
function params(field, path, action, page) {
  const { words } = page, kind = page.commands(action).find((each) => each.key === action.name);
  const given = action.params || {}, known = kind?.params || [];
  const rows = [...known, ...Object.keys(given).filter((key) => !known.some((each) => each.key === key)).map((key) => ({ key, name: key, type: "json", unknown: true }))];
  if (!rows.length) return null;
  const set = (key) => (value) => {
    action.params = { ...action.params };
    if (value === null || value === undefined) delete action.params[key]; else action.params[key] = value;
    if (!Object.keys(action.params).length) delete action.params;
    page.changed();
  };
  const lines = rows.map((param) => {
    const label = param.unit ? `${param.name || param.key} (${param.unit})` : param.name || param.key, here = `${path}.${param.key}`, value = given[param.key];
    const reference = typeof value === "string" && REFERENCE.exec(value)?.[1], matching = page.properties().filter((each) => param.type === "json" || !each.type || each.type === param.type || param.type === "text");
    const source = matching.length && !param.unknown ? choice(`${words.value_kind}: ${label}`, `${here}#kind`, [["constant", words.constant], ["property", words.another]], reference ? "property" : "constant", (from) => {
      set(param.key)(from === "property" ? `{${matching[0].key}}` : param.type === "boolean" ? true : param.enum ? param.enum[0] : null);
      page.redraw(here);
    }) : null;
    const input = reference ? choice(label, here, matching.map((each) => [each.key, each.name || each.key]), reference, (key) => set(param.key)(`{${key}}`)) : valueControl(param, label, here, value, set(param.key), page);
    return make("div", { class: "cond-row" }, make("span", { class: "muted param" }, label, param.required ? " *" : null), source, input, param.unknown ? tool(words.remove, "x", () => { set(param.key)(null); page.redraw(); }) : null);
  });
  return make("div", { class: "cond nested inner", "data-field": path, tabindex: "-1" }, ...lines);
}

const KINDS = { text: "", number: 0, truth: true, gone: null };
const kindOf = (value) => (value === null ? "gone" : typeof value === "boolean" ? "truth" : typeof value === "number" ? "number" : "text");

/** An object of plain values, one row each. */
function pairs(field, path, action, page) {
  const { words } = page, entries = Object.entries(action[field.name] || {}), list = page.attributes();
  const write = (rows) => { action[field.name] = Object.fromEntries(rows); page.changed(); };
  const rows = entries.map(([key, value], i) => {
    const here = `${path}.${key}`, put = (fresh) => { entries[i] = fresh; write(entries); };
    const name = entry(words.name, `${here}#name`, key, () => {}, { class: "input", list: list.length ? "rule-attributes" : null });
    name.addEventListener("change", () => { if (name.value.trim()) put([name.value.trim(), entries[i][1]]); page.redraw(); });
    const complex = value !== null && typeof value === "object";
    const type = complex ? null : choice(words.type, `${here}#type`, Object.keys(KINDS).map((each) => [each, words[each]]), kindOf(value), (kind) => { put([key, KINDS[kind]]); page.redraw(); });
    const input = value === null ? null : valueControl({ type: complex ? "json" : { truth: "boolean", number: "number", text: "text" }[kindOf(value)], required: true }, words.value, here, value, (fresh) => put([key, fresh ?? 0]), page);
    return make("div", { class: "cond-row" }, name, type, input, tool(words.remove, "x", () => { entries.splice(i, 1); write(entries); page.redraw(); }));
  });
  const add = make("button", { type: "button", class: "btn quiet small" }, words.add_value);
  add.addEventListener("click", () => {
    const free = list.find((each) => !entries.some(([key]) => key === each.key)), key = free?.key || `value${entries.length + 1}`;
    write([...entries, [key, free?.type === "boolean" ? true : free?.type === "text" ? "" : 0]]);
    page.redraw(`${path}.${key}#name`);
  });
  const known = make("datalist", { id: "rule-attributes" }, ...list.map((each) => make("option", { value: each.key }, each.name || each.key)));
  return make("div", { class: "cond nested inner", "data-field": path, tabindex: "-1" }, ...rows, make("div", { class: "cond-row" }, add), known);
}

function changes(field, path, action, page) {
  return choice(field.label, path, [["", page.words.usual], ...field.options], (action.on || []).join(","), (text) => { if (text) action.on = text.split(","); else delete action.on; page.redraw(); });
}

/** By type; what holds actions itself is added by rule-actions.js. */
export const CONTROLS = { words: written, template: written, formula: written, lines, property, command, device, params, pairs, changes, json: jsonField };

/** The control of one field; null where it has nothing to ask. */
export function control(field, path, action, page) {
  const set = (value) => {
    if (value === "" || value === null) delete action[field.name]; else action[field.name] = value;
    page.changed();
  };
  if (CONTROLS[field.type]) return CONTROLS[field.type](field, path, action, page, set);
  if (field.place) return make("a", { href: field.place[0], "data-field": path }, field.place[1]);
  if (field.options) return choice(field.label, path, [...(field.required ? [] : [["", "–"]]), ...field.options.map(([value, label]) => [String(value), label])], String(action[field.name] ?? ""), (text) => {
    const found = field.options.find(([value]) => String(value) === text);
    set(found ? found[0] : "");
    page.redraw();
  });
  if (field.type === "boolean") return choice(field.label, path, [["true", page.words.yes], ["false", page.words.no]], String(action[field.name] ?? false), (text) => set(text === "true"));
  if (field.type === "number") return figure(field.label, path, action[field.name], set);
  if (field.type === "span") return make("span", { class: "row" }, ...span(field.label, path, action[field.name], page.words.units, set));
  return entry(field.label, path, action[field.name], set, { class: "input grow", placeholder: field.label });
}
