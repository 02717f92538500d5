// Charts that are drawn anew with every number: each states its finding, its axes have units, its text is text.
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 468, 26, 236];

// Marks beside the colours, so that parts are told apart in grey and by the colour-blind.
const hatch = (id, ...lines) => picture("pattern", { id, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
  ...lines.map((d) => picture("path", { d, class: "hatch" })));
const HATCHES = picture("svg", { width: 0, height: 0, class: "aside", "aria-hidden": "true" }, picture("defs", {},
  hatch("hatch-1", "M-2,10L10,-2M-2,2L2,-2M6,10L10,6"), hatch("hatch-2", "M0,4H8"), hatch("hatch-3", "M-2,-2L10,10M-2,6L2,10M6,-2L10,2")));
const part = (shape, at, attributes) => [picture(shape, { ...attributes, class: `part part-${at}` }),
  ...(at ? [picture(shape, { ...attributes, "data-part": null, class: `hatch-${at}` })] : [])];
const legend = (keys) => html("ul", { class: "legend" }, ...keys.map(([mark, words]) => html("li", {},
  picture("svg", { class: "key", viewBox: "0 0 24 14", "aria-hidden": "true" }, ...mark), words)));
const swatch = (at) => part("rect", at, { x: 0, y: 0, width: 24, height: 14 });
const stroke = (kind) => [picture("path", { d: "M0,7H24", class: kind })];

// An axis: what maps a value to its place, and the values that are named. Logarithmic ones go by powers of `log`.
function axis({ low, high, log, whole, words }, start, end) {
  const share = log ? (value) => Math.log(value / low) / Math.log(high / low) : (value) => (value - low) / (high - low);
  const place = (value) => start + (end - start) * Math.min(Math.max(share(value), 0), 1);
  let ticks = [];
  if (log) {
    const [first, last] = [low, high].map((value) => Math.log(value) / Math.log(log)), step = Math.max(1, Math.ceil((last - first) / 6));
    for (let power = Math.ceil(first - 1e-9); power <= last + 1e-9; power += step) ticks.push(log ** power);
  } else {
    const rough = 10 ** Math.max(whole ? 0 : -9, Math.floor(Math.log10((high - low) / 4)));
    const step = [1, 2, 5, 10].find((each) => (high - low) / (each * rough) <= 6) * rough;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) ticks.push(value);
  }
  return { place, ticks: ticks.map((value) => [place(value), value >= 1 || value === 0 ? grouped(value) : significant(value, 3)]), words };
}

// An empty picture with its axes: what is drawn into it comes after the grid.
function axes(across, upwards, told) {
  const x = axis(across, LEFT, RIGHT), y = axis(upwards, BOTTOM, TOP);
  const text = (words, attributes) => picture("text", attributes, words);
  const drawing = picture("svg", { viewBox: "0 0 480 284", role: "img", "aria-label": told },
    ...x.ticks.flatMap(([at, words]) => [picture("line", { x1: at, x2: at, y1: TOP, y2: BOTTOM, class: "grid" }), text(words, { x: at, y: 254, "text-anchor": "middle" })]),
    ...y.ticks.flatMap(([at, words]) => [picture("line", { x1: LEFT, x2: RIGHT, y1: at, y2: at, class: "grid" }), text(words, { x: LEFT - 8, y: at + 4, "text-anchor": "end" })]),
    text(x.words, { x: (LEFT + RIGHT) / 2, y: 278, "text-anchor": "middle" }), text(y.words, { x: 4, y: 14 }));
  return { drawing, x: x.place, y: y.place };
}
const through = (points, x, y) => points.map(([one, other]) => `${x(one).toFixed(1)},${y(other).toFixed(1)}`).join(" ");
const curve = (points, { x, y }, kind) => picture("polyline", { points: through(points, x, y), class: kind });
const cross = (at, up, kind = "here") => picture("path", { d: `M${at - 6},${up - 6}l12,12m0,-12l-12,12`, class: kind });
const upright = (at, kind = "mark") => picture("path", { d: `M${at},${TOP}V${BOTTOM}`, class: kind });
const level = (at, kind = "mark") => picture("path", { d: `M${LEFT},${at}H${RIGHT}`, class: kind });
const told = (place, title, ...inside) => place.replaceChildren(html("figcaption", {}, html("strong", {}, title)), ...inside);
