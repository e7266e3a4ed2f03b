// What a rule does: one block per action, its fields by the settings' schema that each action owns; any kind is added by a click.
import { button, choice, icon, make, tool } from "./rule-dom.js";
import { BLOCKS, CONTROLS, control } from "./rule-fields.js";

function severity(value) {
  const mark = make("span", { class: "sev", "data-severity": value }), svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#sev-${value}`);
  svg.append(use);
  mark.append(svg);
  return mark;
}

/** The menu that adds one of `kinds`, each `{kind, label, icon}`. */
export function adder(label, kinds, onChoose, classes = "btn small") {
  const items = kinds.map((each) => {
    const item = make("button", { type: "button", class: "menu-item", "data-add": each.kind }, icon(each.icon), make("span", {}, each.label));
    item.addEventListener("click", () => onChoose(each.kind));
    return item;
  });
  return make("details", { class: "drop" }, make("summary", { class: classes }, icon("plus"), make("span", {}, label)), make("div", { class: "panel tight" }, ...items));
}

/** One action: what it does, its usual fields beside it, long ones below, and a menu for the rest. */
export function row(action, path, page, { kinds, replace, remove, earlier }) {
  const { words } = page, known = page.actions.find((each) => each.kind === action.kind);
  const all = (known?.fields || []).filter((field) => field.name !== "on" || (page.lasting && !path.includes(".steps.") && !path.includes(".escalate.")));
  const fields = all.filter((field) => field.required || field.shown || field.name in action);
  const hidden = all.filter((field) => !fields.includes(field));
  const pick = choice(words.action, `${path}.kind`, kinds.map((each) => [each.kind, each.label]), action.kind, (kind) => replace(page.freshAction(kind)));
  const mark = action.kind === "alarm" ? severity(action.severity || "warning") : icon(known?.icon || "bolt");
  const caption = (field) => (field.bare ? null : make("span", { class: "muted" }, field.label));
  const beside = fields.filter((field) => !BLOCKS.has(field.type)).flatMap((field) => [caption(field), control(field, `${path}.${field.name}`, action, page)]);
  const below = fields.filter((field) => BLOCKS.has(field.type)).map((field) => control(field, `${path}.${field.name}`, action, page)).filter(Boolean);
  const more = hidden.length ? adder(words.more_fields, hidden.map((field) => ({ kind: field.name, label: field.label, icon: "plus" })), (name) => {
    action[name] = page.freshValue(hidden.find((field) => field.name === name), action);
    page.redraw(`${path}.${name}`);
  }, "btn quiet small") : null;
  return make("div", { class: "cond-row action", "data-path": path }, mark, pick, ...beside, more,
    make("span", { class: "push row" }, earlier ? tool(words.earlier, "up", earlier) : null, remove ? tool(words.remove, "x", remove) : null), ...below);
}

/** The blocks of all actions, with what adds one. */
export function actions(list, page) {
  const box = make("div", { class: "cond" });
  list.forEach((action, i) => box.append(row(action, `actions.${i}`, page, {
    kinds: page.actions,
    replace: (fresh) => { list[i] = fresh; page.redraw(`actions.${i}.kind`); },
    remove: list.length > 1 ? () => { list.splice(i, 1); page.redraw(); } : null,
  })));
  box.append(make("div", { class: "cond-row" }, adder(page.words.add_action, page.actions, (kind) => { list.push(page.freshAction(kind)); page.redraw(`actions.${list.length - 1}.kind`); })));
  return box;
}

/** The steps of a scene: actions one after the other, and pauses. */
export function steps(list, path, page) {
  const { words } = page, box = make("div", { class: "cond nested inner", "data-field": path, tabindex: "-1" });
  const kinds = page.actions.filter((each) => each.kind !== "scene");
  list.forEach((step, i) => {
    const here = `${path}.${i}`, remove = () => { list.splice(i, 1); page.redraw(); };
    const earlier = i ? () => { [list[i - 1], list[i]] = [list[i], list[i - 1]]; page.redraw(); } : null;
    if ("wait" in step) box.append(page.waitRow(step, here, earlier, remove));
    else box.append(row(step, here, page, { kinds, earlier, remove, replace: (fresh) => { list[i] = fresh; page.redraw(`${here}.kind`); } }));
  });
  const add = (kind) => { list.push(kind === "wait" ? { wait: "30s" } : page.freshAction(kind)); page.redraw(`${path}.${list.length - 1}.kind`); };
  const foot = make("div", { class: "cond-row" }, adder(words.add_step, [{ kind: "wait", label: words.wait, icon: "clock" }, ...kinds], add));
  if (page.scenes.length) foot.append(choice(words.take_steps, "", [["", `${words.take_steps} …`], ...page.scenes.map((each) => [String(each.id), each.name])], "", (id) => {
    list.push(...structuredClone(page.scenes.find((each) => String(each.id) === id)?.steps || []));
    page.redraw();
  }));
  box.append(foot);
  return box;
}

/** What happens while nobody acknowledges an alarm, one level after the other. */
export function levels(list, path, page) {
  const { words } = page, box = make("div", { class: "cond nested inner", "data-field": path, tabindex: "-1" });
  const kinds = page.actions.filter((each) => !["alarm", "scene"].includes(each.kind)), rotations = page.optionsOf("alarm", "assign");
  list.forEach((level, i) => {
    const here = `${path}.${i}`, set = (name) => (value) => { if (value) level[name] = value; else delete level[name]; page.changed(); };
    level.actions ||= [];
    box.append(make("div", { class: "cond-row", "data-path": here }, make("span", { class: "muted" }, words.after), ...page.span(words.after, `${here}.after`, level.after, (value) => { level.after = value ?? ""; page.changed(); }),
      make("span", { class: "muted" }, words.make_it), choice(words.make_it, `${here}.severity`, [["", words.as_it_is], ...Object.entries(words.severities)], level.severity || "", set("severity")),
      ...(rotations.length ? [make("span", { class: "muted" }, words.give_to), choice(words.give_to, `${here}.assign`, [["", words.nobody], ...rotations], level.assign || "", set("assign"))] : []),
      make("span", { class: "push row" }, tool(words.remove, "x", () => { list.splice(i, 1); page.redraw(); }))));
    level.actions.forEach((action, n) => box.append(row(action, `${here}.actions.${n}`, page, {
      kinds, replace: (fresh) => { level.actions[n] = fresh; page.redraw(`${here}.actions.${n}.kind`); }, remove: () => { level.actions.splice(n, 1); page.redraw(); },
    })));
    box.append(make("div", { class: "cond-row" }, adder(words.add_action, kinds, (kind) => { level.actions.push(page.freshAction(kind)); page.redraw(`${here}.actions.${level.actions.length - 1}.kind`); }, "btn quiet small")));
  });
  box.append(make("div", { class: "cond-row" }, button(words.add_level, "plus", () => { list.push({ after: "15m", actions: [] }); page.redraw(`${path}.${list.length - 1}.after`); }, "btn quiet small")));
  return box;
}

CONTROLS.steps = (field, path, action, page) => steps((action[field.name] ||= []), path, page);
CONTROLS.levels = (field, path, action, page) => levels((action[field.name] ||= []), path, page);
