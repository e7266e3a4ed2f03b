// The script's editor: CodeMirror in a shadow root, where its styles are allowed by a strict policy (constructed style
// sheets). The textarea stays in the form and holds the text; without this module it is the editor itself.
import {
  Decoration, EditorView, HighlightStyle, RangeSetBuilder, StateEffect, StateField, StreamLanguage,
  basicSetup, indentWithTab, keymap, lua, syntaxHighlighting, tags,
} from "../vendor/codemirror/codemirror.min.js";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "var(--fs-small)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--text-3)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-changed": { backgroundColor: "var(--diff-add)", boxShadow: "inset 2px 0 0 var(--online)" },
  ".cm-failing": { backgroundColor: "var(--diff-remove)", boxShadow: "inset 2px 0 0 var(--critical)" },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-panels input, .cm-panels button": { font: "inherit", color: "inherit", backgroundColor: "var(--surface)", backgroundImage: "none" },
});
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.definitionKeyword, tags.controlKeyword], color: "var(--code-key)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.comment, color: "var(--code-comment)" },
]);

const mark = StateEffect.define();
const marks = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(mark)) return effect.value;
    return value.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

function decorate(state, changed, failing) {
  const builder = new RangeSetBuilder();
  for (let n = 1; n <= state.doc.lines; n++) {
    const kind = n === failing ? "cm-failing" : changed.has(n) ? "cm-changed" : "";
    if (kind) builder.add(state.doc.line(n).from, state.doc.line(n).from, Decoration.line({ class: kind }));
  }
  return builder.finish();
}

/**
 * Typing over a selection: left to itself, the browser keeps the look of what it replaces in style attributes, which the
 * policy refuses loudly. Brackets and quotes go the usual way: they enclose a selection.
 */
function typeOver(event, view) {
  const { main } = view.state.selection;
  if (event.inputType !== "insertText" || !event.data || main.empty || view.composing || /^[()[\]{}"'`]$/.test(event.data)) return false;
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { scrollIntoView: true, userEvent: "input.type" });
  return true;
}

/**
 * Puts an editor over the textarea in `host`. Returns `{text(), show(changedLines, failingLine)}`;
 * `onChange` is called after every edit, `onRun` by Ctrl Enter.
 */
export function editor(host, { onChange, onRun, label }) {
  const area = host.querySelector("textarea");
  const root = document.createElement("div");
  root.className = "editor-root";
  host.append(root);
  area.hidden = true;
  const shadow = root.attachShadow({ mode: "open" });
  const view = new EditorView({
    doc: area.value,
    root: shadow,
    parent: shadow,
    extensions: [
      keymap.of([{ key: "Mod-Enter", run: () => { onRun(); return true; } }, indentWithTab]),
      basicSetup, StreamLanguage.define(lua), look, syntaxHighlighting(colours), marks,
      EditorView.domEventHandlers({ beforeinput: typeOver }),
      EditorView.editable.of(!area.readOnly),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      EditorView.updateListener.of((update) => { if (update.docChanged) { area.value = update.state.doc.toString(); onChange(); } }),
    ],
  });
  return {
    text: () => view.state.doc.toString(),
    show: (changed, failing) => view.dispatch({ effects: mark.of(decorate(view.state, changed, failing)) }),
  };
}
