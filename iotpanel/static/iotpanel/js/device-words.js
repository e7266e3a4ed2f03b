// What the scripts of the device page say, in the person's language: the template puts the sentences into the page.

const words = JSON.parse(document.getElementById("device-words")?.textContent ?? "{}");

/** The sentence called `name` with its `{placeholders}` filled. */
export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
}

const STEPS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A length of time in its largest whole unit, such as "4 min". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [size, unit] = STEPS.find(([step]) => whole >= step) ?? [1, "s"];
  return say(`for_${unit}`, { n: Math.floor(whole / size) });
}

/** "4 s ago". */
export function ago(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [size, unit] = STEPS.find(([step]) => whole >= step) ?? [1, "s"];
  return say(`ago_${unit}`, { n: Math.floor(whole / size) });
}
