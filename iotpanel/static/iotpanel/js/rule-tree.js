// Conditions as the form holds them: groups of rows, out of the rule's JSON and back into it. Nothing is lost on the way:
// what the form has no fields for stays as it is and is edited as JSON.

const JOINS = ["all", "any"];

/** A node of the form: `{join, not, items}` or `{leaf}`. */
export function toNode(tree) {
  if (!tree || typeof tree !== "object") return { leaf: {} };
  if (tree.not !== undefined) {
    const inner = toNode(tree.not);
    return inner.items && !inner.not ? { ...inner, not: true } : { join: "all", not: true, items: [inner] };
  }
  const join = JOINS.find((word) => Array.isArray(tree[word]));
  return join ? { join, not: false, items: tree[join].map(toNode) } : { leaf: structuredClone(tree) };
}

/** The group that the form begins with. */
export function toGroup(tree) {
  const node = toNode(tree);
  return node.items ? node : { join: "all", not: false, items: tree ? [node] : [] };
}

/** The rule's JSON of a node; undefined where a group is empty. */
export function toTree(node) {
  if (node.leaf) return node.leaf;
  const items = node.items.map(toTree).filter((each) => each !== undefined);
  if (!items.length) return undefined;
  const tree = items.length === 1 ? items[0] : { [node.join]: items };
  return node.not ? { not: tree } : tree;
}

/** The path of each child, as the server names it in problems and in the sentence. */
export function pathsOf(node, path) {
  const inner = node.not ? `${path}.not` : path;
  return node.items.map((_, i) => (node.items.length === 1 ? inner : `${inner}.${node.join}.${i}`));
}

/** Which fields a leaf is shown with. */
export function kindOf(leaf) {
  for (const word of ["online", "no_data", "times", "during", "lua"]) if (word in leaf) return word;
  if ("area" in leaf) return leaf.area?.circle && "property" in leaf === false ? "area" : "json";
  if ("device" in leaf) return "other";
  if ("attribute" in leaf) return "attribute";
  if ("param" in leaf) return "param";
  if ("property" in leaf || !Object.keys(leaf).length) return "property";
  return "json";
}

/** A fresh leaf of a kind. */
export function fresh(kind, property) {
  const leaves = {
    online: { online: false },
    no_data: { no_data: "1h" },
    times: { times: 3, within: "10m", when: { property: property?.key, op: ">", value: null } },
    during: { during: { from: "18:00", to: "06:00", tz: document.body.dataset.timeZone || "UTC" } },
    area: { area: { circle: { lat: 0, lon: 0, radius: 500 } }, op: "outside" },
    lua: { lua: "return values.temperature > 5" },
    other: { device: "", property: "", op: ">", value: null },
  };
  return leaves[kind] || comparison(property);
}

/** A comparison that suits a property's type. */
export function comparison(property) {
  if (!property) return { property: "", op: ">", value: null };
  const first = { boolean: ["=", true], text: ["=", ""], json: ["changed", undefined] }[property.type] || [">", null];
  const leaf = { property: property.key, op: first[0] };
  if (first[1] !== undefined) leaf.value = first[1];
  return leaf;
}
