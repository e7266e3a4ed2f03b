// The programs of the Connect tab: one shown at a time, the last language remembered, words coloured a little.

const REMEMBERED = "iotpanel.snippet";
const WORDS = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(\b(?:import|from|print|if|else|while|for|const|void|return|char|int|bool|delay)\b|^mosquitto_pub|^curl|^printf)|(#include[^\n]*|^\/\/[^\n]*|^# [^\n]*)|((?<![\w.-])\d+(?:\.\d+)?(?![\w.]))/gm;

function remembered() {
  try { return localStorage.getItem(REMEMBERED); } catch (error) { return null; }
}

/** Colours strings, words, remarks and numbers, built as nodes: the text is data. */
function colour(block) {
  if (block.dataset.coloured) return;
  block.dataset.coloured = "yes";
  const source = block.textContent, parts = [];
  let at = 0;
  for (const match of source.matchAll(WORDS)) {
    parts.push(source.slice(at, match.index));
    const mark = document.createElement("span");
    mark.className = match[1] ? "s" : match[2] ? "k" : match[3] ? "c" : "n";
    mark.textContent = match[0];
    parts.push(mark);
    at = match.index + match[0].length;
  }
  block.replaceChildren(...parts, source.slice(at));
}

function choose(box, kind, focus) {
  for (const tab of box.querySelectorAll("[data-snippet]")) {
    const on = tab.dataset.snippet === kind;
    tab.setAttribute("aria-selected", on);
    tab.tabIndex = on ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !on;
    if (on && focus) tab.focus();
  }
  box.querySelector("[data-part=copy]").dataset.copy = `#snippet-${kind}`;
}

function key(box, event) {
  const all = [...box.querySelectorAll("[data-snippet]")];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.matches("[data-snippet]")) return;
  event.preventDefault();
  choose(box, all[(all.indexOf(event.target) + step + all.length) % all.length].dataset.snippet, true);
}

/** Serves the programs inside `root`, again after each swap. */
export function bindSnippets(root) {
  const box = root.querySelector("[data-part=snippets]");
  if (!box || box.dataset.bound) return;
  box.dataset.bound = "yes";
  box.querySelectorAll("pre").forEach(colour);
  const last = remembered();
  if (last && box.querySelector(`[data-snippet="${CSS.escape(last)}"]`)) choose(box, last);
  box.addEventListener("keydown", (event) => key(box, event));
  box.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-snippet]");
    if (!tab) return;
    choose(box, tab.dataset.snippet);
    try { localStorage.setItem(REMEMBERED, tab.dataset.snippet); } catch (error) { /* private window */ }
  });
}
