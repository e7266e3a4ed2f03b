// Lists of objects as rows of a form. The text area keeps the JSON and is what is sent; without this script it is the form.
(() => {
  "use strict";

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") made.className = value;
      else if (key in made && typeof value !== "string") made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  const asText = (kind, value) => {
    if (value === undefined || value === null) return "";
    if (kind === "list" && Array.isArray(value)) return value.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
    return kind === "json" || typeof value === "object" ? JSON.stringify(value) : String(value);
  };

  // What does not parse is kept as it was typed, so that the server names it and nothing typed is lost.
  const parsed = (text) => {
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };

  // In a list of values for numbers "1" means 1; text in quotes stays text.
  const asList = (text) => {
    const whole = text.trim().startsWith("[") ? parsed(text) : null;
    return Array.isArray(whole) ? whole : text.split(",").map((item) => parsed(item.trim())).filter((item) => item !== "");
  };

  const asValue = (kind, text) => {
    if (text === "") return undefined;
    if (kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
    if (kind === "list") return asList(text);
    return kind === "json" ? parsed(text) : text;
  };

  const cells = {
    flag(column, row, changed) {
      const input = element("input", { type: "checkbox", checked: Boolean(row[column.name]), "aria-label": column.label });
      input.addEventListener("change", () => {
        if (input.checked) row[column.name] = true;
        else delete row[column.name];
        changed();
      });
      return input;
    },
    choice(column, row, changed) {
      const input = element("select", { "aria-label": column.label });
      const choices = column.choices.includes(row[column.name]) || !row[column.name] ? column.choices : [...column.choices, row[column.name]];
      for (const choice of choices) input.append(element("option", { value: choice, selected: row[column.name] === choice }, choice));
      if (!row[column.name]) row[column.name] = choices[0];
      input.addEventListener("change", () => {
        row[column.name] = input.value;
        changed();
      });
      return input;
    },
    rows(column, row, changed, words) {
      if (!Array.isArray(row[column.name])) row[column.name] = [];
      return table(column.columns, row[column.name], changed, words);
    },
  };

  const inputCell = (column, row, changed) => {
    const long = column.kind === "json";
    const input = element(long ? "textarea" : "input", { "aria-label": column.label, spellcheck: "false" });
    if (long) input.rows = 2;
    if (column.kind === "number") input.inputMode = "decimal";
    if (column.kind !== "text") input.classList.add("is-mono");
    if (column.choices.length) input.setAttribute("placeholder", column.choices[0]);
    input.value = asText(column.kind, row[column.name]);
    input.addEventListener("input", () => {
      const value = asValue(column.kind, input.value);
      if (value === undefined) delete row[column.name];
      else row[column.name] = value;
      changed();
    });
    return input;
  };

  const cell = (column, row, changed, words) => (cells[column.kind] || inputCell)(column, row, changed, words);

  const button = (text, label, action) => {
    const made = element("button", { type: "button", class: "rows-button", "aria-label": label }, text);
    made.addEventListener("click", action);
    return made;
  };

  const line = (columns, rows, row, changed, words, redraw) => {
    const nested = columns.filter((column) => column.kind === "rows");
    const made = element("tr");
    for (const column of columns.filter((each) => each.kind !== "rows")) {
      made.append(element("td", { class: `is-${column.kind}`, "data-label": column.label }, cell(column, row, changed, words)));
    }
    const remove = button("×", words.remove, () => {
      rows.splice(rows.indexOf(row), 1);
      changed();
      redraw();
    });
    made.append(element("td", { class: "is-end" }, remove));
    const below = nested.map((column) =>
      element("tr", { class: "rows-nested" }, element("td", { colSpan: columns.length - nested.length + 1 }, element("b", {}, column.label), cell(column, row, changed, words))),
    );
    return [made, ...below];
  };

  const table = (columns, rows, changed, words) => {
    const holder = element("div", { class: "rows-table" });
    const redraw = () => {
      const head = element("tr", {}, ...columns.filter((column) => column.kind !== "rows").map((column) => element("th", { scope: "col" }, column.label)), element("th"));
      const body = rows.flatMap((row) => line(columns, rows, row, changed, words, redraw));
      const add = button(`+ ${words.add}`, words.add, () => {
        rows.push({});
        changed();
        redraw();
        holder.querySelectorAll(":scope > table > tbody > tr:not(.rows-nested)")[rows.length - 1]?.querySelector("input, select")?.focus();
      });
      const shown = rows.length ? element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)) : element("p", { class: "rows-empty" }, words.empty);
      holder.replaceChildren(shown, add);
    };
    redraw();
    return holder;
  };

  const listOf = (text) => {
    const value = text.trim() ? parsed(text) : [];
    return Array.isArray(value) && value.every((row) => row && typeof row === "object" && !Array.isArray(row)) ? value : null;
  };

  const enhance = (area) => {
    const columns = JSON.parse(area.dataset.rows);
    const words = JSON.parse(area.dataset.words);
    const holder = element("div", { class: "rows" });
    const toggle = button("", "", () => (area.hidden ? showJson() : showRows()));
    toggle.classList.add("rows-toggle");
    area.after(holder, toggle);
    const say = (text) => {
      toggle.textContent = text;
      toggle.setAttribute("aria-label", text);
    };
    const showJson = () => {
      const rows = listOf(area.value);
      if (rows) area.value = JSON.stringify(rows, null, 2);
      area.hidden = false;
      holder.replaceChildren();
      say(words.rows);
    };
    const showRows = () => {
      const rows = listOf(area.value);
      if (rows === null) return showJson();
      const changed = () => {
        area.value = JSON.stringify(rows);
        area.dispatchEvent(new Event("change", { bubbles: true }));
      };
      holder.replaceChildren(table(columns, rows, changed, words));
      area.hidden = true;
      return say(words.json);
    };
    if (!area.disabled && !area.readOnly) showRows();
  };

  const start = () => document.querySelectorAll("textarea[data-rows]").forEach(enhance);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
