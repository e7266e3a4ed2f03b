// The codec workbench: every edit is tried on all frames, beside what the published script makes of them.
import { changedLines, meets, reports, same, verdict } from "./workbench-check.js";
import { editor } from "./workbench-editor.js";
import { bytes, frameButton, pairs, result } from "./workbench-view.js";

const PAUSE = 500;
const MOST_SAMPLES = 500;
const data = JSON.parse(document.getElementById("workbench").textContent);
const { frames, properties, published, words } = data;
const find = (name) => document.querySelector(`[data-${name}]`);
let leaving = false;
let answers = [], before = [], chosen = 0, timer = 0, asked = 0, failing = 0;

async function ask(script) {
  const started = performance.now();
  const answer = await fetch(data.try, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value },
    body: JSON.stringify({ script, frames: frames.map(({ hex, port, topic }) => ({ payload_base64: base64(hex), ...(port != null && { port }), ...(topic && { topic }) })) }),
  });
  if (!answer.ok) return { problem: `${answer.status} ${answer.statusText}` };
  return { ...(await answer.json()), ms: performance.now() - started };
}

const base64 = (hex) => btoa(pairs(hex).map((pair) => String.fromCharCode(parseInt(pair, 16))).join(""));

async function run() {
  clearTimeout(timer);
  if (!data.writes || !frames.length) { describe(); return; }
  const mine = ++asked;
  const now = await ask(edit.text());
  if (mine !== asked) return;                    // somebody typed on meanwhile
  failing = now.problem ? Number(/(?:line |:)(\d+)/.exec(now.problem)?.[1] || 0) : 0;
  answers = now.problem ? frames.map(() => ({ error: { code: "codec_error", message: now.problem } })) : now.answers;
  if (now.ms) find("took").textContent = words.took.replace("COUNT", frames.length).replace("MS", Math.round(now.ms));
  if (published && before.length !== frames.length) before = (await ask(published)).answers || [];
  draw();
}

const state = (i) => (answers[i] ? verdict(frames[i], answers[i], before[i], properties, words) : "none");

function describe() {
  const changed = published ? changedLines(edit.text(), published) : new Set();
  edit.show(changed, failing);
  const dirty = edit.text() !== published || !same(samples(), data.samples);
  find("unsaved").hidden = !dirty || !data.writes;
  find("changed").textContent = published ? (changed.size ? words.changed.replace("COUNT", changed.size) : words.same) : "";
}

function counts(states) {
  const compared = before.length ? frames.map((_, i) => same(reports(before[i]), reports(answers[i]))) : [];
  const tests = frames.map((frame, i) => [frame, i]).filter(([frame]) => frame.kind === "test");
  find('count="same"').textContent = compared.length ? compared.filter(Boolean).length : "–";
  find('count="differ"').textContent = compared.length ? compared.filter((equal) => !equal).length : "–";
  find('count="fail"').textContent = states.filter((one) => one === "bad").length;
  find('count="tests"').textContent = `${tests.filter(([frame, i]) => answers[i] && meets(frame.expected || [], answers[i])).length} / ${tests.length}`;
}

function foot(states) {
  const wrong = answers.filter((answer) => answer?.error);
  const why = [...new Set(wrong.map((answer) => answer.error.message))].slice(0, 2).join("; ").slice(0, 160);
  const verdictText = find("verdict");
  verdictText.className = wrong.length ? "critical-words" : "";
  verdictText.textContent = wrong.length ? words.fail.replace("COUNT", wrong.length).replace("WHY", why) : answers.length ? words.fine : "";
  const good = states.filter((one) => one === "good" || one === "diff").length;
  find("decoded").textContent = answers.length ? words.decode.replace("GOOD", good).replace("ALL", frames.length) : "";
  const mended = frames.filter((frame, i) => frame.kind === "letter" && ["good", "diff"].includes(states[i])).length;
  find("letters").hidden = !mended;
  find("letters").querySelector("b").textContent = words.letters.replace("COUNT", mended);
}

function draw() {
  const states = frames.map((_, i) => state(i));
  find("frames").replaceChildren(...frames.map((frame, i) => {
    const button = frameButton(frame, states[i], i === chosen, words);
    button.addEventListener("click", () => { chosen = i; draw(); find("frames").children[i].focus(); });
    return button;
  }));
  if (answers.length) { counts(states); foot(states); }
  describe();
  detail();
}

function detail() {
  const frame = frames[chosen];
  find("chosen").textContent = frame?.label || "";
  bytes(find("bytes"), frame?.hex || "");
  result(find("result"), answers[chosen], before[chosen], properties, words);
  const log = answers[chosen]?.log || [];
  find("log").hidden = !log.length;
  find("log").textContent = log.join("\n");
  if (!data.writes) return;
  find("keep").hidden = !frame || frame.kind === "test" || !reports(answers[chosen]);
  find("drop").hidden = frame?.kind !== "test";
}

/** The tests as they are saved: those that came with the script as they were, new ones with what they give now. */
function samples() {
  return frames.filter((frame) => frame.kind === "test").map((frame) => frame.sample || { hex: frame.hex, ...(frame.port != null && { port: frame.port }), ...(frame.topic && { topic: frame.topic }), expected: frame.expected });
}

function keep() {
  if (samples().length >= MOST_SAMPLES) return;
  const { hex, port, topic } = frames[chosen];
  const expected = reports(answers[chosen]).map(({ ts, values }) => (ts == null ? { values } : { ts, values }));
  frames.push({ kind: "test", hex, port, topic, label: "", expected });
  before = [];
  chosen = frames.length - 1;
  run();
}

function drop() {
  frames.splice(chosen, 1);
  answers.splice(chosen, 1);
  before.splice(chosen, 1);
  chosen = Math.max(0, chosen - 1);
  draw();
}

/** Hex with or without spaces, or Base64; null where it is neither. */
function hexOf(text) {
  const compact = text.replace(/0x|[\s:,-]/gi, "");
  if (/^([0-9a-f]{2})+$/i.test(compact)) return compact.toLowerCase();
  try {
    return [...atob(text.trim())].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")).join("") || null;
  } catch (error) { return null; }
}

function paste() {
  const hex = hexOf(document.getElementById("paste-bytes").value), port = document.getElementById("paste-port").value, wrong = find("paste-error");
  wrong.hidden = Boolean(hex);
  wrong.querySelector("span").textContent = words.badhex;
  if (!hex) return;
  frames.unshift({ kind: "pasted", hex, port: /^\d+$/.test(port) ? Number(port) : null, topic: null, label: "" });
  chosen = 0;
  before = [];
  answers = [];
  document.getElementById("paste-bytes").value = "";
  find("paste").closest("details").open = false;
  run();
  draw();
}

const edit = editor(find("editor"), {
  label: document.querySelector("[name=script]").getAttribute("aria-label"),
  onRun: run,
  onChange: () => { clearTimeout(timer); timer = setTimeout(run, PAUSE); describe(); },
});
const first = edit.text();
find("run")?.addEventListener("click", run);
find("keep")?.addEventListener("click", keep);
find("drop")?.addEventListener("click", drop);
find("paste").addEventListener("click", paste);
document.getElementById("publish").addEventListener("submit", (event) => { event.target.elements.samples.value = JSON.stringify(samples()); leaving = true; });
addEventListener("beforeunload", (event) => { if (!leaving && data.writes && edit.text() !== first) event.preventDefault(); });
draw();
run();
