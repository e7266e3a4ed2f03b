export { basicSetup } from "codemirror";
export { EditorView, keymap, Decoration, ViewPlugin } from "@codemirror/view";
export { EditorState, StateEffect, StateField, RangeSetBuilder } from "@codemirror/state";
export { indentWithTab } from "@codemirror/commands";
export { StreamLanguage, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { lua } from "@codemirror/legacy-modes/mode/lua";
export { tags } from "@lezer/highlight";
