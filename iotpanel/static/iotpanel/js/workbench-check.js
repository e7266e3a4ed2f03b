// What the workbench concludes: is a value what the thing model allows, and do two results say the same?

/** Why a value would be refused, in words; "" where it would not. `words` hold the sentences. */
export function flaw(property, value, words) {
  if (!property) return "";
  const kind = typeof value;
  if (property.type === "number" && kind !== "number") return words.badtype.replace("KIND", "number");
  if (property.type === "boolean" && kind !== "boolean") return words.badtype.replace("KIND", "boolean");
  if (property.type === "text" && kind !== "string") return words.badtype.replace("KIND", "text");
  if (kind === "number" && property.max != null && value > property.max) return words.above.replace("LIMIT", property.max);
  if (kind === "number" && property.min != null && value < property.min) return words.below.replace("LIMIT", property.min);
  return "";
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  return Array.isArray(a) === Array.isArray(b) && keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** The reports of an answer without their log; null for an error. */
export const reports = (answer) => (answer?.reports ? answer.reports.map(({ ts, values }) => ({ ts, values })) : null);

/** Whether an answer is what a test expects: `ts` counts only where the test names it. */
export function meets(expected, answer) {
  const got = reports(answer);
  if (!got || got.length !== expected.length) return false;
  return expected.every((want, i) => same(want.values, got[i].values) && (want.ts == null || want.ts === got[i].ts));
}

/** "bad" (error, or refused by the thing model), "diff" (other than published, or than its test), "good". */
export function verdict(frame, answer, before, properties, words) {
  if (!answer || answer.error) return "bad";
  if (frame.kind === "test" && frame.expected && !meets(frame.expected, answer)) return "diff";
  const refused = answer.reports.some(({ values }) => Object.entries(values).some(([key, value]) => flaw(properties[key], value, words)));
  if (refused) return "bad";
  return before && !same(reports(before), reports(answer)) ? "diff" : "good";
}

/** The numbers of the lines of `text` that `published` does not have, by a longest common subsequence. */
export function changedLines(text, published) {
  const a = published.split("\n"), b = text.split("\n");
  if (a.length * b.length > 4_000_000) return new Set();
  const long = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) long[i][j] = a[i] === b[j] ? long[i + 1][j + 1] + 1 : Math.max(long[i + 1][j], long[i][j + 1]);
  const changed = new Set();
  for (let i = 0, j = 0; j < b.length;) {
    if (i < a.length && a[i] === b[j]) { i++; j++; }
    else if (i < a.length && long[i + 1][j] >= long[i][j + 1]) i++;
    else changed.add(++j);
  }
  return changed;
}
