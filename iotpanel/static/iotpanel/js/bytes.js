// Bytes as people read them: text where it is text, else pairs of hex digits; and the long form with both side by side.

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The bytes of a base64 text. */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** "01 ff 7d". */
export function hex(bytes, most = bytes.length) {
  return Array.from(bytes.subarray(0, most), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** The text that the bytes are; null where they are none, or hold what nobody can see. */
export function text(bytes) {
  try {
    const found = decoder.decode(bytes);
    // eslint-disable-next-line no-control-regex -- control characters are what it looks for
    return /[\u0000-\u0008\u000e-\u001f\u007f]/.test(found) ? null : found;
  } catch (error) {
    return null;
  }
}

/** JSON with indentation, or the text as it is. */
export function pretty(found) {
  try {
    return JSON.stringify(JSON.parse(found), null, 2).length < 20_000 && !/\d{16}/.test(found) ? JSON.stringify(JSON.parse(found), null, 2) : found;
  } catch (error) {
    return found;
  }
}

/** Sixteen bytes a line: offset, hex, text. */
export function dump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const plain = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "\u00b7")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex(row).padEnd(47)}  ${plain}`);
  }
  return lines.join("\n");
}

/** One line in the chosen view: "auto", "hex" or "text". */
export function inline(bytes, view) {
  const found = view === "hex" ? null : text(bytes);
  if (found !== null) return found;
  return view === "text" ? new TextDecoder().decode(bytes) : hex(bytes);
}
