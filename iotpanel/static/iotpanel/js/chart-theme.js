// The colours of a chart, read from the tokens of the theme in force; charts are rebuilt when it changes.

const SERIES = 8;

function hatch(colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
    pen.stroke();
  }
  return { image: tile, repeat: "repeat" };
}

/** Colours, font and the hatching of gaps. */
export function theme() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: SERIES }, (_, i) => token(`--series-${i + 1}`)),
    grid: token("--chart-grid"),
    axis: token("--chart-axis"),
    base: token("--line-strong"),
    surface: token("--surface"),
    muted: token("--text-3"),
    limit: token("--text-2"),
    font: token("--font"),
    hatch: hatch(token("--chart-gap")),
    size: parseFloat(token("--fs-micro")) * parseFloat(style.fontSize),
  };
}

/** Calls back after each change of theme; the frame of the page says so. */
export function onTheme(changed) {
  document.addEventListener("themechange", changed);
}
