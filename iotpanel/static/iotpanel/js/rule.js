// The rule page: the form, the sentence and the back-test follow every edit; what is saved is the rule's JSON.
import { moment } from "./device-format.js";
import { actions } from "./rule-actions.js";
import { button, choice, icon, make, span, tool } from "./rule-dom.js";
import { Rows } from "./rule-rows.js";
import { strips } from "./rule-strip.js";
import { comparison, toGroup, toTree } from "./rule-tree.js";
import { LASTING, scopeRow, suggestDevices, whenRow } from "./rule-when.js";

const PAUSE = 300, TEST_PAUSE = 700;
const data = JSON.parse(document.getElementById("rule-data").textContent);
const find = (name) => document.querySelector(`[data-rule="${name}"]`);

class RulePage {
  constructor() {
    this.words = data.words;
    Object.assign(this, { actions: data.actions, products: data.products, groups: data.groups, scenes: data.scenes, inserts: data.inserts });
    this.productOf = new Map(); // of other devices that were suggested
    this.rows = new Rows(this);
    this.days = 30;
    this.load(structuredClone(data.body));
    this.saved = JSON.stringify(this.body());
    this.bind();
    this.redraw();
  }

  load(body) {
    const { when, clear, actions: list, scope, trigger, ...rest } = body;
    this.rest = rest;
    this.scope = scope || {};
    this.trigger = typeof trigger === "object" && trigger ? trigger : { kind: trigger || "readings" };
    this.when = toGroup(when);
    this.clear = clear ? toGroup(clear) : null;
    this.list = list?.length ? list : [this.freshAction("alarm")];
    if (!this.when.items.length && this.lasting) this.when.items.push({ leaf: comparison(this.first()) });
  }

  /** The rule as JSON. */
  body() {
    const trigger = Object.keys(this.trigger).length === 1 ? this.trigger.kind : this.trigger;
    const body = { ...this.rest, scope: this.scope, trigger, actions: this.list };
    const when = toTree(this.when), clear = this.clear && toTree(this.clear);
    if (when) body.when = when;
    if (clear) body.clear = clear;
    return body;
  }

  get product() {
    return data.products.find((each) => each.key === this.scope.product);
  }

  properties() {
    return this.product ? this.product.properties : data.any.properties;
  }

  /** What a fresh condition is about: a number, where there is one. */
  first() {
    return this.properties().find((each) => each.type === "number") || this.properties()[0];
  }

  attributes() {
    return this.product ? this.product.attributes : data.any.attributes;
  }

  /** What an event or another alarm brings with it. */
  params() {
    const known = { alarm: ["change", "severity", "rule"], command: ["command", "state", "reason", "error"] }[this.trigger.kind];
    if (known) return known.map((key) => ({ key, name: key, type: "text" }));
    if (this.trigger.kind !== "event") return [];
    return this.product?.events.find((event) => event.key === this.trigger.name)?.params || [];
  }

  lookup(word, key) {
    const list = { property: this.properties(), attribute: this.attributes(), param: this.params() }[word] || [];
    return list.find((each) => each.key === key);
  }

  get lasting() {
    return LASTING.includes(this.trigger.kind);
  }

  /** The commands that an action can send: of the other device's product where it is known. */
  commands(action) {
    const product = action.device ? data.products.find((each) => each.key === this.productOf.get(action.device)) : this.product;
    return product ? product.commands : data.any.commands;
  }

  optionsOf(kind, name) {
    return data.actions.find((each) => each.kind === kind)?.fields.find((each) => each.name === name)?.options || [];
  }

  /** What a field begins with when it is asked for. */
  freshValue(field, action) {
    if (field.type === "params") return this.freshParams(action) || {};
    if (field.type === "property") return this.properties().find((each) => each.type === "number")?.key || "";
    if (field.type === "levels") return [{ after: "15m", actions: [] }];
    if (field.type === "steps") return [this.freshAction(this.optionsOf("notify", "channel").length ? "notify" : "alarm")];
    if (field.type === "changes") return ["cleared"];
    if (field.type === "command") return this.commands(action)[0]?.key || "";
    if (field.options) return field.options[0]?.[0] ?? "";
    return { boolean: true, number: 0, span: "15m", json: {}, pairs: {} }[field.type] ?? "";
  }

  /** The arguments that a command cannot do without. */
  freshParams(action) {
    const needed = (this.commands(action).find((each) => each.key === action.name)?.params || []).filter((each) => each.required);
    const first = (each) => (each.enum ? each.enum[0] : { boolean: true, number: each.min ?? 0, json: {} }[each.type] ?? "");
    return needed.length ? Object.fromEntries(needed.map((each) => [each.key, first(each)])) : undefined;
  }

  freshAction(kind) {
    const action = { kind };
    for (const field of data.actions.find((each) => each.kind === kind)?.fields || []) if (field.required && !field.place) action[field.name] = this.freshValue(field, action);
    if (kind === "alarm") action.severity = "major";
    if (kind === "command") { const params = this.freshParams(action); if (params) action.params = params; }
    if (kind === "mqtt") action.topic = "devices/{{ device.key }}/down/";
    for (const [name, value] of Object.entries(action)) if (value === "") delete action[name];
    return action;
  }

  span(label, field, value, onChange) {
    return span(label, field, value, this.words.units, onChange);
  }

  /** A pause of a scene. */
  waitRow(step, path, earlier, remove) {
    const { words } = this;
    return make("div", { class: "cond-row action", "data-path": path }, icon("clock"), make("span", {}, words.wait_for), ...span(words.wait_for, `${path}.wait`, step.wait, words.units, (value) => { step.wait = value ?? ""; this.changed(); }),
      make("span", { class: "push row" }, earlier ? tool(words.earlier, "up", earlier) : null, tool(words.remove, "x", remove)));
  }

  /** The form anew; `field` gets the focus, else what had it. */
  redraw(field) {
    const { words, lasting } = this, set = (name) => (value) => { if (value === null || value === "") delete this.rest[name]; else this.rest[name] = value; this.changed(); };
    const focused = field || document.activeElement?.dataset?.field;
    find("when").replaceChildren(whenRow(this), scopeRow(this, () => find("label-dialog").showModal()));
    const conditions = this.rows.group(this.when, "when");
    if (lasting) conditions.append(make("div", { class: "cond-row" }, make("span", { class: "joint" }, words.for), ...span(words.for, "for", this.rest.for, words.units, set("for")), make("span", { class: "muted" }, words.for_note)));
    find("if").replaceChildren(conditions);
    find("clear-step").hidden = !lasting;
    find("clear").replaceChildren(...this.clearRows(set));
    find("then").replaceChildren(actions(this.list, this));
    find("limits").replaceChildren(...this.limits(set));
    if (!data.writes) for (const control of find("form").querySelectorAll("input, select, textarea, button")) control.disabled = true;
    if (focused) document.querySelector(`[data-field="${CSS.escape(focused)}"]`)?.focus();
    this.changed();
  }

  clearRows(set) {
    const { words } = this, own = Boolean(this.clear);
    const pick = choice(words.clears, "clear#kind", [["same", words.clears_same], ["own", words.clears_own]], own ? "own" : "same", (kind) => {
      if (kind === "own") { const first = structuredClone(this.when.items.find((item) => item.leaf?.property)?.leaf || comparison(this.first())); const turned = { ">": "<", ">=": "<", "<": ">", "<=": ">" }[first.op]; if (turned) first.op = turned; this.clear = toGroup(first); } else this.clear = null;
      this.redraw();
    });
    const after = [make("span", {}, words.for), ...span(words.clear_for, "clear_for", this.rest.clear_for, words.units, set("clear_for"))];
    return own ? [make("div", { class: "cond-row" }, pick), this.rows.group(this.clear, "clear"), make("div", { class: "cond-row" }, ...after)] : [make("div", { class: "cond-row" }, pick, ...after)];
  }

  limits(set) {
    const { words } = this;
    const cooldown = make("div", { class: "cond-row" }, make("span", {}, words.cooldown), ...span(words.cooldown, "cooldown", this.rest.cooldown, words.units, set("cooldown")), make("span", { class: "muted" }, words.cooldown_note));
    if (!this.rest.active) return [cooldown, make("div", { class: "cond-row" }, button(words.only_at, "clock", () => { this.rest.active = { from: "08:00", to: "18:00", tz: document.body.dataset.timeZone || "UTC" }; this.redraw(); }, "btn quiet small"))];
    return [cooldown, make("div", { class: "cond-row" }, make("span", {}, words.only), ...this.rows.hours(this.rest.active, "active"), button(words.remove, "x", () => { delete this.rest.active; this.redraw(); }, "btn quiet small push"))];
  }

  // --- What follows an edit ----------------------------------------------------------------------------------------

  changed() {
    clearTimeout(this.timer);
    clearTimeout(this.testTimer);
    this.timer = setTimeout(() => this.read(), PAUSE);
    this.testTimer = setTimeout(() => this.test(), TEST_PAUSE);
    find("unsaved").hidden = !data.writes || JSON.stringify(this.body()) === this.saved;
  }

  async ask(address, more, signal) {
    const answer = await fetch(address, { method: "POST", signal, headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value }, body: JSON.stringify({ body: this.body(), id: data.id, ...more }) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  }

  async read() {
    const found = await this.ask(data.addresses.read).catch(() => null);
    if (found) { this.sentence(found.sentence); this.problems(found.problems); }
  }

  sentence(parts) {
    find("sentence").replaceChildren(...parts.map(([text, field, severity]) => {
      if (!field) return document.createTextNode(text);
      const chip = make("b", { "data-severity": severity || null }, text);
      chip.addEventListener("click", () => this.focus(field));
      return chip;
    }));
  }

  focus(field) {
    for (let path = field; path; path = path.slice(0, Math.max(0, path.lastIndexOf(".")))) {
      const control = document.querySelector(`[data-field="${CSS.escape(path)}"], [data-path="${CSS.escape(path)}"] :is(input, select)`);
      if (control) { control.focus(); control.scrollIntoView({ block: "center" }); return; }
    }
  }

  problems(list) {
    for (const old of document.querySelectorAll("[data-field][aria-invalid]")) old.removeAttribute("aria-invalid");
    const box = find("problems"), untouched = !data.id && JSON.stringify(this.body()) === this.saved;
    box.hidden = !list.length;
    box.dataset.tone = untouched ? "accent" : "critical"; // nobody has done anything wrong yet
    box.querySelector("div").replaceChildren(...list.map(({ field, message }) => {
      const control = field && document.querySelector(`[data-field="${CSS.escape(field)}"]`);
      const step = control?.closest(".step")?.querySelector("h3").textContent;
      const line = make("p", {}, step ? make("b", { title: field }, step) : field ? make("span", { class: "key" }, field) : null, ` ${message}`);
      if (control) { if (!untouched) control.setAttribute("aria-invalid", "true"); line.addEventListener("click", () => control.focus()); }
      return line;
    }));
    for (const save of document.querySelectorAll("[data-save]")) save.disabled = list.length > 0;
  }

  async test() {
    this.abort?.abort();
    this.abort = new AbortController();
    const card = find("backtest");
    card.setAttribute("aria-busy", "true");
    const found = await this.ask(data.addresses.test, { days: this.days }, this.abort.signal).catch((error) => (error.name === "AbortError" ? "aborted" : null));
    if (found === "aborted") return;
    card.removeAttribute("aria-busy");
    this.tested(found);
  }

  tested(found) {
    const facts = find("facts"), note = find("note");
    facts.hidden = !found?.facts;
    note.hidden = !found?.note && Boolean(found);
    note.querySelector("span").textContent = found ? found.note || "" : this.words.test_failed;
    const known = find("known");
    known.hidden = !found?.known?.length;
    known.replaceChildren(...(found?.known || []).map(([text, since, later]) => make("p", {}, text.replace("TIME", since ? moment(since) : "").replace("LATER", later ? moment(later) : ""))));
    if (!found?.facts) { find("strips").replaceChildren(); return; }
    facts.replaceChildren(...found.facts.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", { class: "num" }, value))));
    strips(find("strips"), found, this.words);
  }

  bind() {
    for (const each of document.querySelectorAll("[data-days]")) each.addEventListener("click", () => {
      this.days = Number(each.dataset.days);
      for (const other of document.querySelectorAll("[data-days]")) other.setAttribute("aria-pressed", String(other === each));
      this.test();
    });
    find("form").addEventListener("submit", (event) => { find("body").value = JSON.stringify(this.body()); this.leaving = true; if (!find("form").reportValidity()) event.preventDefault(); });
    find("label-form")?.addEventListener("submit", (event) => {
      const { name, value } = event.target.elements;
      this.scope.labels = { ...this.scope.labels, [name.value.trim()]: value.value.trim() };
      event.target.reset();
      this.redraw();
    });
    find("json")?.addEventListener("click", () => { find("json-text").value = JSON.stringify(this.body(), null, 2); find("json-dialog").showModal(); });
    find("json-take")?.addEventListener("click", () => {
      try { this.load(JSON.parse(find("json-text").value)); find("json-text").removeAttribute("aria-invalid"); } catch (error) { find("json-text").setAttribute("aria-invalid", "true"); return; }
      find("json-dialog").close();
      this.redraw();
    });
    suggestDevices(find("form"), data.addresses.devices, this);
    addEventListener("beforeunload", (event) => { if (!this.leaving && data.writes && JSON.stringify(this.body()) !== this.saved) event.preventDefault(); });
  }
}

new RulePage();
