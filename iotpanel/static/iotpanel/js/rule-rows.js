// The rows of a rule's conditions: what is compared, how, and with what. Each row changes its leaf and tells the page.
import { button, choice, entry, figure, make, span, tool } from "./rule-dom.js";
import { comparison, fresh, kindOf, pathsOf, toTree } from "./rule-tree.js";

const NUMBERS = [">", ">=", "<", "<=", "between", "outside", "=", "!=", "changed"];
const TEXTS = ["=", "!=", "contains", "matches", "changed"];
const STATES = ["=", "!=", "changed"];
const ORDERED = [">", ">=", "<", "<=", "=", "!="];

export class Rows {
  /** `page` has `properties()`, `attributes()`, `words`, `changed()` and `redraw()`. */
  constructor(page) {
    this.page = page;
    this.words = page.words;
  }

  /** The rows of a group, with what adds to it. */
  group(node, path, remove = null) {
    const { words } = this, box = make("div", { class: remove ? "cond nested" : "cond" });
    if (node.items.length > 1 || node.not) box.append(this.joint(node, remove));
    const paths = pathsOf(node, path);
    node.items.forEach((item, i) => {
      const gone = () => { node.items.splice(i, 1); this.page.redraw(); };
      box.append(item.items ? this.group(item, paths[i], gone) : this.row(item, paths[i], i ? this.joining(node) : "", gone));
    });
    const add = (item) => () => { node.items.push(item()); this.page.redraw(); };
    const first = () => this.page.first();
    box.append(make("div", { class: "cond-row" }, make("span", { class: "joint" }),
      button(words.condition, "plus", add(() => ({ leaf: comparison(first()) }))),
      remove ? null : button(words.group, "plus", add(() => ({ join: node.join === "all" ? "any" : "all", not: false, items: [{ leaf: comparison(first()) }, { leaf: comparison(first()) }] })), "btn quiet small"),
      remove && !(node.items.length > 1 || node.not) ? tool(words.remove, "x", remove) : null));
    return box;
  }

  joining(node) {
    return node.join === "all" ? this.words.and : this.words.or;
  }

  joint(node, remove) {
    const { words } = this;
    const options = [["all", words.all], ["any", words.any], ["not all", words.not_all], ["not any", words.none]];
    const value = `${node.not ? "not " : ""}${node.join}`;
    const pick = choice(words.join, "", options, value, (chosen) => { node.not = chosen.startsWith("not "); node.join = chosen.replace("not ", ""); this.page.redraw(); });
    return make("div", { class: "cond-row" }, make("span", { class: "joint" }), pick, make("span", { class: "muted" }, words.of_these), remove ? tool(words.remove, "x", remove) : null);
  }

  row(item, path, joint, remove) {
    const kind = kindOf(item.leaf);
    const parts = (this[`as_${kind}`] || this.as_json).call(this, item.leaf, path, item);
    return make("div", { class: "cond-row", "data-path": path }, make("span", { class: "joint" }, joint), this.subject(item, kind, path), ...parts, tool(this.words.remove, "x", remove));
  }

  /** What a row is about: a property, an attribute, or one of the conditions of another kind. */
  subject(item, kind, path) {
    const { words } = this, page = this.page;
    const named = (prefix, list) => list.map((each) => [`${prefix}:${each.key}`, each.name || each.key]);
    const others = ["online", "no_data", "times", "during", "area", "other", "lua"].map((each) => [`kind:${each}`, words.kinds[each]]);
    const params = page.params();
    const options = [
      { label: words.properties, options: named("property", page.properties()) },
      ...(page.attributes().length ? [{ label: words.attributes, options: named("attribute", page.attributes()) }] : []),
      ...(params.length ? [{ label: words.params, options: named("param", params) }] : []),
      { label: words.more, options: others },
    ];
    const value = ["property", "attribute", "param"].includes(kind) ? `${kind}:${item.leaf[kind] ?? ""}` : `kind:${kind}`;
    return choice(words.what, `${path}.${kind}`, kind === "json" ? [["kind:json", "JSON"], ...options] : options, value, (chosen) => {
      const [word, ...rest] = chosen.split(":"), key = rest.join(":");
      if (word === "kind") item.leaf = fresh(key, page.first());
      else {
        const known = page.lookup(word, key), { property, ...leaf } = comparison(known || { key, type: "number" });
        item.leaf = { [word]: property, ...leaf };
      }
      page.redraw();
    });
  }

  as_property(leaf, path) {
    return this.compared(leaf, path, "property");
  }

  as_attribute(leaf, path) {
    return this.compared(leaf, path, "attribute");
  }

  as_param(leaf, path) {
    return this.compared(leaf, path, "param");
  }

  compared(leaf, path, word) {
    const { page, words } = this, known = page.lookup(word, leaf[word]), type = known?.type || "number";
    const ops = { number: NUMBERS, text: TEXTS, boolean: STATES, json: ["changed"] }[type] || NUMBERS;
    const allowed = word === "property" ? ops : ops.filter((op) => op !== "changed");
    const pick = choice(words.how, `${path}.op`, allowed.map((op) => [op, words.ops[op]]), leaf.op, (op) => { this.setOp(leaf, op, type); page.redraw(); });
    return [...(type === "number" && word === "property" ? this.over(leaf, path) : []), pick, ...this.right(leaf, path, known, type)];
  }

  /** The value now, or what a window of time makes of it. */
  over(leaf, path) {
    const { page, words } = this;
    const pick = choice(words.aggregate, `${path}.aggregate`, [["", words.now], ...Object.entries(words.aggregates)], leaf.aggregate || "", (kind) => {
      if (kind) { leaf.aggregate = kind; leaf.over ||= "1h"; } else { delete leaf.aggregate; delete leaf.over; delete leaf.window; delete leaf.per; delete leaf.tz; }
      page.redraw();
    });
    if (!leaf.aggregate) return [pick];
    const tumbling = choice(words.window, `${path}.window`, [["sliding", words.sliding], ["tumbling", words.tumbling]], leaf.window || "sliding", (chosen) => { if (chosen === "tumbling") { leaf.window = chosen; leaf.tz ||= document.body.dataset.timeZone || "UTC"; } else { delete leaf.window; delete leaf.tz; } page.changed(); });
    return [pick, make("span", {}, words.of), ...span(words.over, `${path}.over`, leaf.over, words.units, (text) => { leaf.over = text; page.changed(); }), tumbling];
  }

  setOp(leaf, op, type) {
    const list = ["between", "outside"].includes(op);
    leaf.op = op;
    if (op === "changed") { delete leaf.value; delete leaf.aggregate; delete leaf.over; }
    else if (list !== Array.isArray(leaf.value)) leaf.value = list ? [null, null] : type === "boolean" ? true : type === "text" ? "" : null;
  }

  right(leaf, path, known, type) {
    const { page, words } = this, unit = known?.unit ? [make("span", { class: "unit" }, known.unit)] : [], field = `${path}.value`;
    if (leaf.op === "changed") return [];
    if (Array.isArray(leaf.value) && leaf.value.length === 2 && ["between", "outside"].includes(leaf.op)) {
      const limit = (i) => figure(words.value, `${field}.${i}`, leaf.value[i], (number) => { leaf.value[i] = number; page.changed(); });
      return [limit(0), make("span", {}, words.and), limit(1), ...unit];
    }
    const variable = leaf.value && typeof leaf.value === "object";
    const with_ = type !== "boolean" && ORDERED.includes(leaf.op) ? [this.operand(leaf, field, variable)] : [];
    if (variable) return [...with_, ...this.variable(leaf.value, field), ...unit];
    return [...with_, this.constant(leaf, field, known, type), ...unit];
  }

  operand(leaf, field, variable) {
    const { page, words } = this, value = variable ? (leaf.value.previous ? "previous" : "property") : "constant";
    return choice(words.against, `${field}#kind`, [["constant", words.constant], ["property", words.another], ["previous", words.previous]], value, (kind) => {
      leaf.value = { constant: null, property: { property: page.properties()[0]?.key || "" }, previous: { previous: true } }[kind];
      page.redraw();
    });
  }

  variable(value, field) {
    const { page, words } = this, change = (name) => (number) => { if (number === null) delete value[name]; else value[name] = number; page.changed(); };
    const properties = page.properties().map((each) => [each.key, each.name || each.key]);
    const which = value.previous ? [] : [choice(words.another, `${field}.property`, properties, value.property, (key) => { value.property = key; page.changed(); })];
    return [...which, make("span", {}, words.plus), figure(words.plus, `${field}.plus`, value.plus, change("plus"))];
  }

  constant(leaf, field, known, type) {
    const { page, words } = this, set = (value) => { leaf.value = value; page.changed(); };
    if (type === "boolean") return choice(words.value, field, [["true", words.on], ["false", words.off]], String(leaf.value), (text) => set(text === "true"));
    if (known?.enum?.length) return choice(words.value, field, known.enum.map((each) => [String(each), String(each)]), String(leaf.value ?? ""), (text) => set(type === "number" ? Number(text) : text));
    return type === "text" ? entry(words.value, field, leaf.value, set) : figure(words.value, field, leaf.value, set);
  }

  as_online(leaf, path) {
    return [choice(this.words.how, `${path}.online`, [["true", this.words.online], ["false", this.words.offline]], String(leaf.online), (text) => { leaf.online = text === "true"; this.page.changed(); })];
  }

  as_no_data(leaf, path) {
    const { page, words } = this, properties = [["", words.anything], ...page.properties().map((each) => [each.key, each.name || each.key])];
    const which = choice(words.what, `${path}.property`, properties, leaf.property || "", (key) => { if (key) leaf.property = key; else delete leaf.property; page.changed(); });
    return [which, make("span", {}, words.for), ...span(words.for, `${path}.no_data`, leaf.no_data, words.units, (text) => { leaf.no_data = text; page.changed(); })];
  }

  as_times(leaf, path, item) {
    const { page, words } = this;
    const head = [figure(words.count, `${path}.times`, leaf.times, (number) => { leaf.times = number; page.changed(); }), make("span", {}, words.within), ...span(words.within, `${path}.within`, leaf.within, words.units, (text) => { leaf.within = text; page.changed(); })];
    item.inner ||= { join: "all", not: false, items: [{ leaf: leaf.when || {} }] };
    leaf.when = toTree(item.inner);
    const inner = this.row(item.inner.items[0], `${path}.when`, words.that, () => { item.leaf = comparison(page.first()); page.redraw(); });
    inner.classList.add("inner");
    return [...head, inner];
  }

  as_during(leaf, path) {
    const hours = leaf.during || (leaf.during = {});
    return this.hours(hours, `${path}.during`);
  }

  /** Weekdays, from, to and zone. */
  hours(hours, path) {
    const { page, words } = this;
    const days = make("span", { class: "days", role: "group", "aria-label": words.weekdays }, ...Object.entries(words.days).map(([key, name]) => {
      const on = !hours.weekdays || hours.weekdays.includes(key), node = make("button", { type: "button", class: "btn quiet small", "aria-pressed": String(on) }, name);
      node.addEventListener("click", () => {
        const all = Object.keys(words.days), now = new Set(hours.weekdays || all);
        if (!now.delete(key)) now.add(key);
        if (now.size === all.length || !now.size) delete hours.weekdays; else hours.weekdays = all.filter((day) => now.has(day));
        page.redraw();
      });
      return node;
    }));
    const time = (name, fallback) => entry(words[name], `${path}.${name}`, hours[name] ?? fallback, (text) => { hours[name] = text; page.changed(); }, { class: "input n", maxlength: 5 });
    const zone = entry(words.zone, `${path}.tz`, hours.tz ?? "UTC", (text) => { hours.tz = text.trim(); page.changed(); });
    return [days, make("span", {}, words.from), time("from", "00:00"), make("span", {}, words.to), time("to", "24:00"), zone];
  }

  as_area(leaf, path) {
    const { page, words } = this, { circle } = leaf.area;
    const number = (name) => figure(words[name], `${path}.area.circle.${name}`, circle[name], (value) => { circle[name] = value; page.changed(); });
    const side = choice(words.how, `${path}.op`, [["inside", words.inside], ["outside", words.outside]], leaf.op, (op) => { leaf.op = op; page.changed(); });
    return [side, number("radius"), make("span", { class: "unit" }, words.around), number("lat"), number("lon")];
  }

  as_other(leaf, path) {
    const { page, words } = this, set = (name) => (text) => { leaf[name] = text.trim(); page.changed(); };
    const device = entry(words.device_key, `${path}.device`, leaf.device, set("device"), { placeholder: words.device_key, list: "rule-devices" });
    const property = entry(words.property_key, `${path}.property`, leaf.property, set("property"), { placeholder: words.property_key });
    const op = choice(words.how, `${path}.op`, ORDERED.map((each) => [each, words.ops[each]]), leaf.op, (chosen) => { leaf.op = chosen; page.changed(); });
    return [device, property, op, figure(words.value, `${path}.value`, leaf.value, (number) => { leaf.value = number; page.changed(); })];
  }

  as_lua(leaf, path) {
    const area = make("textarea", { class: "textarea code grow", rows: 3, "aria-label": "Lua", "data-field": `${path}.lua`, spellcheck: "false" });
    area.value = leaf.lua;
    area.addEventListener("input", () => { leaf.lua = area.value; this.page.changed(); });
    return [area];
  }

  as_json(leaf, path, item) {
    const area = make("textarea", { class: "textarea code grow", rows: 3, "aria-label": "JSON", "data-field": path, spellcheck: "false" });
    area.value = JSON.stringify(leaf, null, 2);
    area.addEventListener("input", () => {
      try { item.leaf = JSON.parse(area.value); area.removeAttribute("aria-invalid"); } catch (error) { area.setAttribute("aria-invalid", "true"); return; }
      this.page.changed();
    });
    return [area];
  }
}
