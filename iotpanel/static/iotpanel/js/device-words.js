// What the scripts of the device page say, in the person's language: the template puts the sentences into the page.

const words = JSON.parse(document.getElementById("device-words")?.textContent ?? "{}");

/** The sentence called `name` with its `{placeholders}` filled. */
export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => (key in values ? values[key] : all));
}
