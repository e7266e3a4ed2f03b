// When a rule looks, and at which devices: the rows of its trigger and of its scope.
import { button, choice, entry, figure, make } from "./rule-dom.js";
import { comparison } from "./rule-tree.js";

export const LASTING = ["readings", "attributes", "presence"];
const zone = () => document.body.dataset.timeZone || "UTC";
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** A cron expression as a choice of times, where it is one that people can choose. */
export function toTimes(cron) {
  const [, minute, hour, weekday] = /^(\d{1,2}) (\d{1,2}|\*) \* \* (\*|1-5|[0-6])$/.exec(cron || "") || [];
  if (minute === undefined) return { kind: "own" };
  if (hour === "*") return weekday === "*" ? { kind: "hourly", minute } : { kind: "own" };
  const at = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  return weekday === "*" ? { kind: "daily", at } : weekday === "1-5" ? { kind: "workdays", at } : { kind: "weekly", at, weekday };
}

export function toCron({ kind, at = "08:00", minute = "0", weekday = "1" }) {
  const [hours, minutes] = at.split(":").map(Number);
  if (kind === "hourly") return `${Number(minute) || 0} * * * *`;
  return `${minutes} ${hours} * * ${{ daily: "*", workdays: "1-5", weekly: weekday }[kind]}`;
}

/** Buttons that are on or off; at least one stays on. */
function toggles(label, field, options, chosen, onChange) {
  const on = new Set(chosen);
  const buttons = Object.entries(options).map(([value, text]) => {
    const node = make("button", { type: "button", class: "btn small", "aria-pressed": String(on.has(value)), "data-field": `${field}#${value}` }, text);
    node.addEventListener("click", () => { if (!on.has(value)) on.add(value); else if (on.size > 1) on.delete(value); onChange(Object.keys(options).filter((each) => on.has(each))); });
    return node;
  });
  return make("span", { class: "days", role: "group", "aria-label": label, "data-field": field, tabindex: "-1" }, ...buttons);
}

function schedule(page, text) {
  const { words, trigger } = page, times = toTimes(page.ownCron ? "" : trigger.cron);
  const write = (more) => { trigger.cron = toCron({ ...times, ...more }); page.changed(); };
  const pick = choice(words.how_often, "trigger#times", Object.entries(words.schedules), times.kind, (kind) => {
    page.ownCron = kind === "own";
    if (kind !== "own") trigger.cron = toCron({ ...times, kind });
    page.redraw();
  });
  const clock = make("input", { class: "input", type: "time", required: true, "aria-label": words.at, "data-field": "trigger.cron" });
  clock.value = times.at || "";
  clock.addEventListener("input", () => { if (clock.value) write({ at: clock.value }); });
  const day = choice(words.weekday, "trigger#weekday", [1, 2, 3, 4, 5, 6, 0].map((each) => [String(each), words.days[DAYS[each]]]), times.weekday || "1", (weekday) => write({ weekday }));
  const rest = {
    hourly: () => [make("span", {}, words.minute), figure(words.minute, "trigger.cron", Number(times.minute), (minute) => write({ minute: Math.max(0, Math.min(59, Math.trunc(minute) || 0)) }))],
    daily: () => [make("span", {}, words.at), clock],
    workdays: () => [make("span", {}, words.at), clock],
    weekly: () => [day, make("span", {}, words.at), clock],
    own: () => [text("cron", words.cron, { class: "input mono", placeholder: "0 8 * * 1-5" })],
  }[times.kind]();
  return [pick, ...rest, text("tz", words.zone)];
}

export function whenRow(page) {
  const { words, trigger } = page;
  const row = make("div", { class: "cond-row" }, choice(words.trigger, "trigger", Object.entries(words.triggers), trigger.kind, (kind) => {
    page.trigger = kind === "schedule" ? { kind, cron: "0 8 * * 1-5", tz: zone() } : { kind };
    page.ownCron = false;
    if (kind === "presence") page.when = { join: "all", not: false, items: [{ leaf: { online: false } }] };
    else if (!LASTING.includes(kind)) { page.when = { join: "all", not: false, items: [] }; page.clear = null; for (const name of ["for", "clear_for", "repeat"]) delete page.rest[name]; }
    else if (!page.when.items.length) page.when.items.push({ leaf: comparison(page.first()) });
    page.redraw();
  }));
  const text = (name, label, attributes) => entry(label, `trigger.${name}`, trigger[name], (value) => { if (value.trim()) trigger[name] = value.trim(); else delete trigger[name]; page.changed(); }, attributes);
  const some = (name, label, options, usual) => toggles(label, `trigger.${name}`, options, trigger[name] || usual, (chosen) => { trigger[name] = chosen; page.redraw(); });
  if (trigger.kind === "event") row.append(choice(words.event, "trigger.name", [["", words.any_event], ...(page.product?.events || []).map((each) => [each.key, each.name || each.key])], trigger.name || "", (name) => { if (name) trigger.name = name; else delete trigger.name; page.redraw(); }));
  if (trigger.kind === "command") row.append(choice(words.command, "trigger.name", [["", words.any_command], ...page.commands({}).map((each) => [each.key, each.name])], trigger.name || "", (name) => { if (name) trigger.name = name; else delete trigger.name; page.redraw(); }), some("states", words.which_states, words.states, words.undone));
  if (trigger.kind === "schedule") row.append(...schedule(page, text));
  if (trigger.kind === "alarm") row.append(some("changes", words.which_changes, words.changes, ["raised"]), some("severities", words.which_severities, words.severities, Object.keys(words.severities)));
  return row;
}

function chip(page, before, text, onGone) {
  const gone = make("button", { type: "button", "aria-label": `${page.words.remove}: ${text}` }, "×");
  gone.addEventListener("click", onGone);
  return make("span", { class: "chip" }, before, make("b", {}, text), gone);
}

/** Some devices by their keys: each a chip, with suggestions for the next. */
function devices(page, scope) {
  const { words } = page;
  const add = () => {
    const keys = input.value.split(/[\s,;]+/).filter((key) => key && !scope.devices.includes(key));
    if (!keys.length) return;
    scope.devices.push(...keys);
    page.redraw("scope.devices");
  };
  const input = entry(words.devices, "scope.devices", "", () => {}, { class: "input", list: "rule-devices", placeholder: words.add_device });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); add(); } });
  input.addEventListener("change", add);
  return [...scope.devices.map((key) => chip(page, "", key, () => { scope.devices = scope.devices.filter((each) => each !== key); page.redraw("scope.devices"); })), input];
}

export function scopeRow(page, openLabels) {
  const { words, scope } = page, row = make("div", { class: "cond-row" }, make("span", { class: "muted" }, words.scope_of));
  const set = (name) => (value) => { if (value) scope[name] = value; else delete scope[name]; page.redraw(); };
  row.append(choice(words.product, "scope.product", [["", words.any_product], ...page.products.map((each) => [each.key, each.name])], scope.product || "", set("product")));
  if (page.groups.length) row.append(make("span", {}, words.in), choice(words.group_label, "scope.group", [["", words.any_group], ...page.groups], scope.group || "", set("group")));
  for (const [name, value] of Object.entries(scope.labels || {})) row.append(chip(page, `${name} `, value, () => { delete scope.labels[name]; if (!Object.keys(scope.labels).length) delete scope.labels; page.redraw(); }));
  if (scope.devices) row.append(...devices(page, scope));
  row.append(button(words.label, "plus", openLabels, "btn quiet small"));
  row.append(scope.devices ? button(words.all_devices, "x", () => { delete scope.devices; page.redraw(); }, "btn quiet small") : button(words.only_devices, "plus", () => { scope.devices = []; page.redraw("scope.devices"); }, "btn quiet small"));
  return row;
}

/** Suggestions for every field that asks for a device. */
export function suggestDevices(form, address, page) {
  const known = document.getElementById("rule-devices");
  let timer = 0, asked = null;
  form.addEventListener("input", (event) => {
    if (event.target.getAttribute("list") !== "rule-devices") return;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const answer = await fetch(`${address}?q=${encodeURIComponent(event.target.value.trim())}`, { signal: asked.signal }).catch(() => null);
      if (!answer?.ok) return;
      const { devices: found } = await answer.json();
      for (const each of found) page.productOf.set(each.key, each.product);
      known.replaceChildren(...found.map((each) => make("option", { value: each.key }, each.name)));
    }, 150);
  });
}
