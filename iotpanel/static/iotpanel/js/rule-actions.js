// What a rule does: one row per action, its fields by the settings' schema that each action owns.
import { button, choice, entry, figure, icon, make, span, tool } from "./rule-dom.js";

function severity(value) {
  const mark = make("span", { class: "sev", "data-severity": value }), svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#sev-${value}`);
  svg.append(use);
  mark.append(svg);
  return mark;
}

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
  return area;
}

function control(field, path, action, page) {
  const set = (value) => {
    if (value === "" || value === null) delete action[field.name]; else action[field.name] = value;
    page.changed();
  };
  if (field.options) return choice(field.label, path, [...(field.required ? [] : [["", "–"]]), ...field.options.map(([value, label]) => [String(value), label])], String(action[field.name] ?? ""), (text) => {
    const found = field.options.find(([value]) => String(value) === text);
    set(found ? found[0] : "");
    page.redraw();
  });
  if (field.type === "boolean") return choice(field.label, path, [["true", page.words.yes], ["false", page.words.no]], String(action[field.name] ?? field.default ?? false), (text) => set(text === "true"));
  if (field.type === "number") return figure(field.label, path, action[field.name], set);
  if (field.type === "span") return make("span", { class: "row" }, ...span(field.label, path, action[field.name], page.words.units, set));
  if (field.type === "json") return jsonField(field, path, action, page);
  return entry(field.label, path, action[field.name], set, { class: "input grow", placeholder: field.label });
}

/** The rows of all actions, with what adds one. */
export function actions(list, page) {
  const { words } = page, box = make("div", { class: "cond" });
  const kinds = page.actions.map((each) => [each.kind, each.label]);
  list.forEach((action, i) => {
    const known = page.actions.find((each) => each.kind === action.kind), path = `actions.${i}`;
    const pick = choice(words.action, `${path}.kind`, kinds, action.kind, (kind) => { list[i] = page.freshAction(kind); page.redraw(); });
    const mark = action.kind === "alarm" ? severity(action.severity || "warning") : icon(known?.icon || "bolt");
    const fields = (known?.fields || []).filter((field) => field.required || field.shown || field.name in action);
    const hidden = (known?.fields || []).filter((field) => !fields.includes(field));
    const more = hidden.length ? choice(words.more_fields, "", [["", "+"], ...hidden.map((field) => [field.name, field.label])], "", (name) => {
      const field = hidden.find((each) => each.name === name);
      action[name] = field.options ? field.options[0]?.[0] : field.type === "boolean" ? true : field.type === "number" ? 0 : field.type === "span" ? "15m" : field.type === "json" ? {} : "";
      page.redraw();
    }) : null;
    const remove = tool(words.remove, "x", () => { list.splice(i, 1); page.redraw(); });
    const labelled = fields.map((field) => [field.bare || field.name === "message" ? null : make("span", { class: "muted" }, field.label), control(field, `${path}.${field.name}`, action, page)]).flat();
    box.append(make("div", { class: "cond-row", "data-path": path }, mark, pick, ...labelled, more, list.length > 1 ? remove : null));
  });
  box.append(make("div", { class: "cond-row" }, button(words.action, "plus", () => { list.push(page.freshAction(page.actions.some((each) => each.kind === "notify") ? "notify" : "alarm")); page.redraw(); })));
  return box;
}
