// Puts any numbers into the closed forms above, and shows what follows. Nothing is fetched and nothing is kept.
(() => {
const DATA = JSON.parse(document.getElementById("live-data").textContent);
const MATHS = "http://www.w3.org/1998/Math/MathML", PICTURE = "http://www.w3.org/2000/svg";
const COMPONENTS = ["parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory"];
const LAST_EXACT = Number.MAX_SAFE_INTEGER;  // 2⁵³ − 1

// ---------------------------------------------------------------- elements

const element = (space) => (name, attributes = {}, ...inside) => {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};
const html = element(""), maths = element(MATHS), picture = element(PICTURE);

// ---------------------------------------------------------------- numbers as a reader sees them

const formats = Array.from({ length: 21 }, (_, places) =>
  new Intl.NumberFormat("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }));
const fixed = (value, places) => formats[places].format(value);
const grouped = (value) => fixed(value, 0);
const above = (power) => String(power).replace(/[-0-9]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
function writtenOut(value, places) {  // where so many digits after the point say it exactly, and not by chance
  for (let digits = 0; digits <= places && (digits === 0 || value * 10 ** digits < 1e12); digits += 1)
    if (Number(value.toFixed(digits)) === value) return fixed(value, digits);
  return null;
}
const rounded = (value, places = 4) => writtenOut(value, places) ?? fixed(value, places);
const magnitude = (value, digits) => Number(value.toExponential(digits - 1).split("e")[1]);
function significant(value, digits = 4) {
  if (value === 0) return "0";
  const places = digits - 1 - magnitude(value, digits);
  return places >= 0 ? rounded(value, Math.min(places, 20)) : grouped(Number(value.toPrecision(digits)));
}
function scientific(value, digits = 4) {
  if (value === 0) return "0";
  const power = magnitude(value, digits);
  return `${rounded(value / 10 ** power, digits - 1)} × 10${above(power)}`;
}
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
function bytes(value) {
  let at = 0;
  while (at + 1 < BINARY.length && Number(value.toPrecision(4)) >= 1024) { value /= 1024; at += 1; }
  return `${at ? significant(value) : rounded(value, 2)} ${BINARY[at]}`;
}
function inUnitOf(value, other) {  // so that two amounts can be compared
  let power = 0;
  while (power + 1 < BINARY.length && other >= 1024 ** (power + 1)) power += 1;
  return `${significant(value / 1024 ** power)} ${BINARY[power]}`;
}
function duration(seconds) {
  if (seconds < 1) return `${significant(seconds)} s`;
  const short = seconds < 1e6 ? rounded(seconds, 2) : grouped(seconds);
  const [size, unit] = [[172800, 86400, "days"], [3600, 3600, "h"], [600, 60, "min"]].find(([least]) => seconds >= least)?.slice(1) ?? [];
  return unit ? `${short} s = ${significant(seconds / size)} ${unit}` : `${short} s`;
}
function money(value) {
  if (value < 1000) return `$${Number.isInteger(value) ? value : fixed(value, 2)}`;
  const three = Number(value.toPrecision(3));
  if (three < 1e6) return `$${significant(value, 3)}`;
  return three < 1e9 ? `$${significant(value / 1e6, 3)} million` : `$${significant(value / 1e9, 3)} billion`;
}
function short(value, unit) {
  if (unit === "bytes") return bytes(value);
  if (unit === "s") return duration(value);
  if (unit === "USD") return money(value);
  return `${unit.startsWith("FLOPs") && value >= 1e6 ? scientific(value) : rounded(value, 2)} ${unit}`;
}
const whole = (value) => Number.isInteger(value) && value <= LAST_EXACT;
function saysAll(value, step) {  // whether four digits in the sensible unit are the exact number
  let power = 0n;
  while (value >= step ** (Number(power) + 1)) power += 1n;
  return BigInt(value) * 1000n % BigInt(step) ** power === 0n;
}
function shown(value, unit) {  // the exact number up to 2⁵³, then the rounded one; beyond it only that, and marked
  if (Number.isInteger(value) && !whole(value)) return `≈ ${short(value, unit)} (beyond 2⁵³, rounded)`;
  const step = { bytes: 1024, FLOPs: 10 }[unit];
  if (!whole(value) || !step || value < (unit === "bytes" ? 1024 : 1e6)) return short(value, unit);
  return `${grouped(value)} ${unit === "bytes" ? "B" : unit} ${saysAll(value, step) ? "=" : "≈"} ${short(value, unit)}`;
}
function putIn(value) {  // a number inside a formula
  if (Number.isNaN(value)) return "–";
  if (whole(value)) {
    const zeros = /0*$/.exec(String(value))[0].length;
    if (value < 1e12 || String(value).length - zeros > 5) return grouped(value);
    const power = 3 * Math.floor((String(value).length - 1) / 3);
    return `${rounded(value / 10 ** power, 3)}×10${above(power)}`;
  }
  if (value > LAST_EXACT) return scientific(value, 6);
  return writtenOut(value, 6) ?? (value >= 100 ? rounded(value, 2) : significant(value, 6));
}
const inLatex = (text) =>
  text.replace(/,/g, "{,}").replace(/ ?[×·] ?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, power) =>
    `\\times10^{${[...power].map((sign) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign)]).join("")}}`);

// ---------------------------------------------------------------- trees: formulas, LaTeX, and which terms they are of

// Where a form refers to another as a part of it, the other's tree itself is put, and its number remembered.
const TREES = DATA.trees, numberOf = new Map();
const linked = (node) => !Array.isArray(node) ? node : node[0] === "#" ? TREES[node[1]] : node.map(linked);
TREES.forEach((tree, at) => { TREES[at] = linked(tree); if (Array.isArray(tree)) numberOf.set(TREES[at], at); });
const isTree = (node, sign) => Array.isArray(node) && node[0] === sign;
const items = (sum) => sum.slice(1).flatMap((_, at, all) => at % 2 ? [[all[at - 1], all[at]]] : []);
const digitsFirst = (node, numbers) => typeof node === "number" || numbers && typeof node === "string"
  || isTree(node, "^") && digitsFirst(node[1], numbers) || isTree(node, "*") && digitsFirst(node[1], numbers);
const isWord = (node) => typeof node === "string" && !node.includes("_") && DATA.letters[node].text.length > 1;
const joint = (left, right, numbers) => digitsFirst(right, numbers) ? "·" : !numbers && (isWord(left) || isWord(right)) ? "\u2009" : "\u2062";

function polynomial(node) {  // exponents → 1, or null where it is none
  if (typeof node === "number") return new Set([""]);
  if (typeof node === "string") return new Set([node]);
  const [sign, ...parts] = node;
  if (sign === "(") return polynomial(parts[0]);
  if (sign === "+") return joined(items(node).map(([, item]) => polynomial(item)));
  if (sign === "*") return parts.map(polynomial).reduce(product);
  if (sign === "/" && typeof parts[1] === "number") return polynomial(parts[0]);
  if (sign === "^" && Number.isInteger(parts[1])) return Array(parts[1]).fill(polynomial(parts[0])).reduce(product);
  return null;
}
const joined = (sets) => sets.includes(null) ? null : new Set(sets.flatMap((set) => [...set]));
const product = (one, other) => one && other && new Set([...one].flatMap((left) => [...other].map((right) =>
  [...left.split(" "), ...right.split(" ")].filter(Boolean).sort().join(" "))));

function name(letter) {
  const { text } = DATA.letters[letter] ?? { text: letter };
  const at = text.indexOf("_");
  const sign = (word) => maths("mi", word.length > 1 ? { mathvariant: "normal" } : {}, word);
  return at < 0 ? sign(text) : maths("msub", {}, sign(text.slice(0, at)), sign(text.slice(at + 1)));
}

// Writes a tree as MathML. `slots`, if given, gathers the places of numbers with what reads each; `worth` writes
// the parts of a form as their values; `terms` finds what a summand stands for.
function written(node, { slots = null, worth = false, terms = null } = {}, outer = new Set([""])) {
  const inside = (part) => worth && numberOf.has(part) ? slot(F[numberOf.get(part)]) : written(part, { slots, worth });
  const slot = (read) => {
    const place = maths("mn", {}, "0");
    slots.push([place.firstChild, read]);
    return place;
  };
  if (typeof node === "number") return maths("mn", {}, String(node));
  if (typeof node === "string") return slots ? slot((known) => known[node]) : name(node);
  const [sign, ...parts] = node;
  const bracket = (made) => maths("mrow", {}, maths("mo", {}, "("), made, maths("mo", {}, ")"));
  const isValue = (part) => worth && numberOf.has(part);
  switch (sign) {
    case "(": return bracket(written(parts[0], { slots, worth, terms }, outer));
    case "+": {
      const row = maths("mrow");
      items(node).forEach(([negative, item], at) => {
        if (at || negative) row.append(maths("mo", {}, negative ? "−" : "+"));
        const made = terms ? summand(item, terms, outer) : inside(item);
        row.append(isTree(item, "+") && !isValue(item) ? bracket(made) : made);
      });
      return row;
    }
    case "*": {
      const row = maths("mrow");
      parts.forEach((part, at) => {
        if (at) row.append(maths("mo", {}, isValue(part) ? "·" : joint(parts[at - 1], part, slots)));
        const rest = terms && isTree(part, "+")
          ? parts.filter((each) => each !== part).map(polynomial).reduce(product, outer) : outer;
        const made = isTree(part, "+") && terms ? written(part, { terms }, rest) : inside(part);
        row.append(isTree(part, "+") && !isValue(part) ? bracket(made) : made);
      });
      return row;
    }
    case "/": return maths("mfrac", {}, inside(parts[0]), inside(parts[1]));
    case "^": return maths("msup", {}, Array.isArray(parts[0]) ? bracket(inside(parts[0])) : inside(parts[0]), written(parts[1]));
    case "√": return maths("msqrt", {}, inside(parts[0]));
    default: {
      const [called, ...arguments_] = parts;
      const signs = { floor: "⌊⌋", ceil: "⌈⌉" }[called];
      const row = maths("mrow", {}, ...(signs ? [] : [maths("mi", {}, called)]), maths("mo", {}, signs ? signs[0] : "("));
      arguments_.forEach((each, at) => row.append(...(at ? [maths("mo", {}, ",")] : []), inside(each)));
      row.append(maths("mo", {}, signs ? signs[1] : ")"));
      return row;
    }
  }
}
function summand(item, terms, outer) {
  const isSum = isTree(item, "(") || isTree(item, "+") || isTree(item, "*") && item.some((part) => isTree(part, "+"));
  if (isSum) return written(item, { terms }, outer);
  const own = product(outer, polynomial(item));
  const found = own ? terms.flatMap((term, at) => term.powers && [...term.powers].some((power) => own.has(power)) ? [at] : []) : [];
  const made = written(item);
  if (!found.length) return made;
  return maths("mrow", { class: "term", tabindex: "0", role: "button", "data-terms": found.join(" "),
    "aria-label": `${plain(item)}: ${found.map((at) => terms[at].tensor).join(", ")}` }, made);
}
function plain(node) {
  if (!Array.isArray(node)) return String(DATA.letters[node]?.text ?? node);
  const [sign, ...parts] = node;
  if (sign === "+") return items(node).map(([negative, item], at) => (negative ? " − " : at ? " + " : "") + (isTree(item, "+") ? `(${plain(item)})` : plain(item))).join("");
  if (sign === "(") return `(${plain(parts[0])})`;
  if (sign === "^") return plain(parts[0]) + above(parts[1]);
  if (sign === "f") return `${parts[0]}(${parts.slice(1).map(plain).join(", ")})`;
  return parts.map((part) => isTree(part, "+") ? `(${plain(part)})` : plain(part)).join(sign === "*" ? " " : sign);
}

// The same tree in LaTeX, in letters or with numbers.
function latex(node, numbers) {
  const inside = (part) => latex(part, numbers);
  const bracket = (text) => `\\left(${text}\\right)`;
  if (typeof node === "number") return String(node);
  if (typeof node === "string") return numbers ? inLatex(putIn(numbers[node])) : DATA.letters[node]?.latex ?? node;
  const [sign, ...parts] = node;
  switch (sign) {
    case "(": return bracket(inside(parts[0]));
    case "+": return items(node).map(([negative, item], at) => (negative ? "-" : at ? "+" : "") + (isTree(item, "+") ? bracket(inside(item)) : inside(item))).join("");
    case "*": return parts.map((part, at) => {
      const text = isTree(part, "+") ? bracket(inside(part)) : inside(part);
      const sign = at ? { "·": "\\cdot ", "\u2009": "\\," }[joint(parts[at - 1], part, numbers)] ?? "" : "";
      return sign || !at || !/^[A-Za-z]/.test(text) ? sign + text : ` ${text}`;
    }).join("");
    case "/": return `\\frac{${inside(parts[0])}}{${inside(parts[1])}}`;
    case "^": return `${Array.isArray(parts[0]) ? bracket(inside(parts[0])) : inside(parts[0])}^{${latex(parts[1])}}`;
    case "√": return `\\sqrt{${inside(parts[0])}}`;
    default: {
      const list = parts.slice(1).map(inside).join(",");
      return ["floor", "ceil"].includes(parts[0]) ? `\\left\\l${parts[0]} ${list}\\right\\r${parts[0]}` : `\\${parts[0]}${bracket(list)}`;
    }
  }
}

// A long row as several: cut before its signs, each line filled up to about as many signs as the report's own.
const ROOM = 96;
const pieces = (made) => made.localName === "mrow" && !made.classList.contains("term") ? [...made.children].flatMap(pieces) : [made];
const isSign = (piece) => piece.localName === "mo" && "+−".includes(piece.textContent);
function width(piece) {  // a sum's sign is two, a fraction as wide as its wider side
  if (piece.localName === "mfrac") return Math.max(...[...piece.children].map(width));
  if (piece.children.length) return [...piece.children].reduce((sum, each) => sum + width(each), 0);
  return "\u2009\u2062".includes(piece.textContent) ? 0 : isSign(piece) ? 2 : piece.textContent.length;
}
const widths = (all) => all.reduce((sum, each) => sum + width(each), 0);
function inLines(made) {
  const all = pieces(made);
  if (widths(all) <= ROOM) return [made];
  const summands = all.reduce((found, piece, at) => {
    if (at && isSign(piece)) found.push([]);
    found.at(-1).push(piece);
    return found;
  }, [[]]);
  const lines = summands.reduce((found, summand) => {
    if (widths(found.at(-1)) + widths(summand) > ROOM && found.at(-1).length) found.push([]);
    found.at(-1).push(...summand);
    return found;
  }, [[]]);
  for (const piece of all) if ("()".includes(piece.textContent)) piece.setAttribute("stretchy", false);
  return lines.map((line) => maths("mrow", {}, ...line));
}

async function copied(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* an older way, below */ }
  const field = html("textarea", { class: "aside" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}

// ---------------------------------------------------------------- a panel: controls, and what they change

const DOUBLINGS = Array.from({ length: 24 }, (_, power) => [2 ** power, 3 * 2 ** power]).flat().sort((x, y) => x - y);
const SHOWN = ["parameters", "saved_activations", ...COMPONENTS, "static_memory", "peak_memory", "b_max", "forward_flops", "backward_flops",
  "recompute_flops", "optimizer_flops", "step_flops", "flops_per_token", "steps", "training_flops", "training_time", "gpu_hours", "cost"];
const LARGEST = ["f", "floor", ["/", ["+", 0, "M", 1, "M_fixed"], "M_sequence"]];
const SHORT = 36;  // signs that a reader takes in at once
const partsOf = (form) => Array.isArray(form) ? form.slice(1).filter((part) => numberOf.has(part)).concat(form.slice(1).filter((part) => !numberOf.has(part)).flatMap(partsOf)) : [];
const SLIDERS = { b: 8192, c: 1048576, d: 65536, d_ff: 262144, h: 512, h_kv: 512, L: 512, v: 1048576 };
let count = 0;

class Panel {
  constructor(data, at, place, prefix) {
    Object.assign(this, { data, place, prefix, id: `panel-${++count}` });
    this.letters = { ...data.start };
    this.chosen = { under: data.under, precision: data.precision, optimizer: data.optimizer, gpu: data.gpus[0].name };
    this.rules = this.rulesNow();
    this.find = (list, name) => data[list].find((each) => each.name === name);
    this.results = [...document.querySelectorAll(`section[data-panel="${at}"] [data-quantity]`)].map((block) => {
      const math = block.querySelector("math"), table = math.querySelector("mtable");
      math.removeAttribute("alttext");  // what it says does not move
      return { quantity: block.dataset.quantity, table, letters: [...table.children].slice(0, Number(block.dataset.letters)) };
    });
    place.append(html("h2", { id: this.id }, `${data.model}: put your own numbers in`));
    place.setAttribute("aria-labelledby", this.id);
    this.controls();
    this.headline = place.appendChild(html("output", { class: "headline", "aria-live": "polite" }));
    this.bar = place.appendChild(html("figure", { class: "bar" }));
    this.curve = place.appendChild(html("figure", { class: "curve" }));
    this.why = html("p", { class: "why", "aria-live": "polite" });
    this.lines = place.appendChild(html("div", { class: "lines" }));
    this.table = place.appendChild(html("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Saved activations by tensor" }));
    for (const kind of ["mouseover", "focusin"]) place.addEventListener(kind, (event) => this.light(event.target.closest?.("[data-terms]")));
    for (const kind of ["mouseout", "focusout"]) place.addEventListener(kind, () => this.light(null));
  }

  controls() {
    const form = this.place.appendChild(html("form", { class: "controls", "aria-label": `Numbers for ${this.data.model}` }));
    form.addEventListener("submit", (event) => event.preventDefault());
    this.fields = {};
    const letters = form.appendChild(html("fieldset", {}, html("legend", {}, "Letters")));
    for (const letter of Object.keys(this.letters)) letters.append(this.field(letter));
    const choices = form.appendChild(html("fieldset", {}, html("legend", {}, "Under which rules")));
    const { conventions, precisions, optimizers, gpus } = this.data;
    choices.append(
      this.choice("under", "convention", conventions.map((each) => [each.name, each.name])),
      this.choice("precision", "element types", [["", "as the convention supposes"], ...precisions.map((each) => [each.name, each.name])]),
      this.choice("optimizer", "optimizer", optimizers.map((each) => [each.name, each.name])),
      this.choice("gpu", "GPU", gpus.map((each) => [each.name, `${each.name}, ${bytes(each.memory)}`])),
    );
    this.fault = form.appendChild(html("p", { class: "fault", role: "alert" }));
  }

  field(letter) {
    const entry = DATA.letters[letter], id = `${this.id}-${letter}`;
    const label = html("label", { for: id }, html("b", {}, entry.text), ` ${entry.meaning}`);
    const input = html("input", { id, type: "number", inputmode: "decimal", min: entry.whole ? 1 : 0, step: entry.whole ? 1 : "any",
      ...(entry.most ? { max: entry.most } : {}), "data-letter": letter, autocomplete: "off" });
    const row = html("div", { class: "field" }, label, input);
    this.fields[letter] = { input };
    input.addEventListener("input", () => this.type(letter, input.value));
    if (letter in SLIDERS) {
      const steps = DOUBLINGS.filter((value) => value <= SLIDERS[letter]);
      const slider = html("input", { type: "range", min: 0, max: steps.length - 1, step: 1, "aria-label": `${entry.text}, ${entry.meaning}, slider`, "data-slider": letter });
      slider.addEventListener("input", () => this.type(letter, String(steps[slider.value]), true));
      Object.assign(this.fields[letter], { slider, steps });
      row.append(slider);
    }
    return row;
  }

  choice(name, words, options) {
    const id = `${this.id}-${name}`;
    const select = html("select", { id, "data-choice": name }, ...options.map(([value, text]) => html("option", { value }, text)));
    select.addEventListener("change", () => {
      this.chosen[name] = select.value;
      const price = name === "gpu" && this.find("gpus", select.value).price;
      if (price && "price" in this.letters) this.letters.price = price;
      this.show();
    });
    (this.choices ??= {})[name] = select;
    return html("div", { class: "field" }, html("label", { for: id }, words), select);
  }

  wrong(letter, text) {
    const entry = DATA.letters[letter], value = Number(text);
    if (!text.trim() || !Number.isFinite(value) || value <= 0 || value >= 1e60) return `${entry.text}: expected a positive number (${entry.meaning}).`;
    if (entry.whole && !Number.isInteger(value)) return `${entry.text}: expected a whole number (${entry.meaning}).`;
    return entry.most && value > entry.most ? `${entry.text}: expected a number up to ${entry.most}.` : "";
  }

  type(letter, text, fill = false) {
    const { input } = this.fields[letter], fault = this.wrong(letter, text);
    input.setAttribute("aria-invalid", Boolean(fault));
    this.fault.textContent = fault;
    if (fault) return;
    this.letters[letter] = Number(text);
    this.show(fill ? null : letter);
  }

  rulesNow() {
    const { under, precision, optimizer } = this.chosen;
    return [under, precision, optimizer].join("|");
  }

  // What the page's address says of this panel, and back.
  address() {
    const changed = Object.entries(this.letters).filter(([letter, value]) => value !== this.data.start[letter]);
    const first = { under: this.data.under, precision: this.data.precision, optimizer: this.data.optimizer, gpu: this.data.gpus[0].name };
    const chosen = Object.entries(this.chosen).filter(([key, value]) => value !== first[key]);
    return [...changed, ...chosen].map(([key, value]) => [this.prefix + key, String(value)]);
  }
  take(parameters) {
    for (const [key, value] of parameters) {
      if (!key.startsWith(this.prefix)) continue;
      const name = key.slice(this.prefix.length);
      if (Object.hasOwn(this.letters, name) && !this.wrong(name, value)) this.letters[name] = Number(value);
      const select = Object.hasOwn(this.chosen, name) ? this.choices[name] : null;
      if (select && [...select.options].some((option) => option.value === value)) this.chosen[name] = value;
    }
  }

  // Every number, by the forms.
  compute(letters = this.letters) {
    const { data, chosen } = this;
    const under = this.find("conventions", chosen.under);
    const precision = this.find("precisions", chosen.precision || under.precision);
    const optimizer = this.find("optimizers", chosen.optimizer), gpu = this.find("gpus", chosen.gpu);
    const memory = under.memory[precision.element];
    const known = { epochs: 1, n: 1, ...letters, M: gpu.memory, peak: gpu.peak[precision.matmul] ?? NaN };
    for (const [letter, form] of data.ties) known[letter] = F[form](known);
    const { saved_activations, forward_flops, backward_flops, recompute_flops, step_flops, training_time } = under.forms;
    const { flops_per_token, steps, training_flops, gpu_hours, cost } = data.run;
    const forms = {
      parameters: data.parameters, saved_activations,
      parameter_memory: precision.parameter_memory, gradient_memory: precision.gradient_memory,
      optimizer_memory: optimizer.optimizer_memory[precision.name], activation_memory: memory.total, ...data.sums,
      forward_flops, backward_flops, recompute_flops, optimizer_flops: optimizer.optimizer_flops, step_flops,
      flops_per_token, steps, training_flops, training_time, gpu_hours, cost,
    };
    const values = {};
    for (const [quantity, form] of Object.entries(forms)) known[DATA.names[quantity]] = values[quantity] = F[form](known);
    return { under, precision, optimizer, gpu, memory, known, forms, values };
  }

  // Bytes of the peak at b sequences, and at a context of one's own.
  peakAt(made, context) {
    const known = { ...made.known, ...(context ? { c: context } : {}) };
    for (const [letter, form] of this.data.ties) known[letter] = F[form](known);
    const fixed = ["parameter_memory", "gradient_memory", "optimizer_memory"].reduce((sum, each) => sum + F[made.forms[each]](known), 0);
    return (b) => {
      known.b = b;
      known.N_A = F[made.forms.saved_activations](known);
      return fixed + F[made.memory.total](known);
    };
  }

  // The largest batch, in whole bytes: the largest b with f(b) ≤ M < f(b + 1).
  largest(made, context) {
    const at = this.peakAt(made, context);
    if (!(at(1) <= made.gpu.memory)) return { b: 0, at };
    let low = 1, high = 2;
    while (at(high) <= made.gpu.memory && high < 2 ** 40) [low, high] = [high, 2 * high];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      at(middle) <= made.gpu.memory ? low = middle : high = middle;
    }
    return { b: low, at };
  }

  show(typed = null) {
    for (const [letter, { input, slider, steps }] of Object.entries(this.fields)) {
      const value = this.letters[letter];
      if (letter !== typed) { input.value = value; input.setAttribute("aria-invalid", false); }
      if (slider) {
        slider.value = steps.findLastIndex((step) => step <= value);
        slider.setAttribute("aria-valuetext", grouped(value));
      }
    }
    for (const [name, select] of Object.entries(this.choices)) select.value = this.chosen[name];
    const made = this.compute();
    const broken = this.data.ties.find(([letter]) => DATA.letters[letter]?.whole && !Number.isInteger(made.known[letter]));
    this.place.classList.toggle("invalid", Boolean(broken));
    this.fault.textContent = broken
      ? `${DATA.letters[broken[0]].text} = ${plain(TREES[broken[1]])} = ${significant(made.known[broken[0]])}: expected a whole number. Choose numbers that divide.` : "";
    this.made = made;
    this.best = this.largest(made);
    this.build();
    this.fill();
    this.stack();
    this.frontier();
    remember();
  }

  // Formulas and rows are made anew only where the rules change; numbers are put into their places.
  build() {
    if (this.built === this.rulesNow()) return;
    this.built = this.rulesNow();
    const { made } = this;
    this.terms = made.memory.terms.map(([amount, times, tensor, place, because]) => ({
      amount, times, tensor: DATA.words[tensor], place: DATA.words[place], because: DATA.words[because],
      powers: product(polynomial(TREES[amount]), polynomial(TREES[times])) }));
    const focused = document.activeElement?.id;
    this.lines.replaceChildren(html("h3", {}, "Every result: in letters, with the numbers put in, as a value"), this.why);
    this.slots = [];
    this.middles = [];
    this.values = [];
    for (const quantity of SHOWN) this.line(quantity);
    const own = this.built === this.rules;
    for (const { quantity, table, letters } of this.results) {
      const section = table.closest("section");
      table.replaceChildren(...(own ? letters : []));
      if (quantity === "shortcut") section.hidden = !own;
      if (own || quantity !== "shortcut") this.lay(quantity, table, own);
    }
    if (focused) document.getElementById(focused)?.focus();
    this.rows();
  }

  // The forms of a quantity in letters; numbers are put into the last.
  forms(quantity) {
    if (quantity === "b_max") return this.made.memory.straight ? [LARGEST] : [];
    if (quantity === "shortcut") return [TREES[this.data.shortcut]];
    const total = TREES[this.made.forms[quantity]], by = quantity === "peak_memory" ? this.byCounts() : null;
    return by ? [total, by] : [total];
  }

  // The peak as 16N + 4N_A, where it is that.
  byCounts() {
    const factor = (quantity, letter) => {
      const tree = TREES[this.made.forms[quantity]];
      const number = tree === letter ? 1 : isTree(tree, "*") && tree.length === 3 && tree[2] === letter ? tree[1] : tree;
      return typeof number === "number" ? number : NaN;
    };
    const each = COMPONENTS.slice(0, 3).reduce((sum, quantity) => sum + factor(quantity, "N"), 0), kept = factor("activation_memory", "N_A");
    if (Number.isNaN(each + kept) || !kept) return null;
    const times = (number, letter) => {
      if (number === 1) return letter;
      const tree = ["*", number, letter];
      numberOf.set(tree, F.push((known) => number * known[letter]) - 1);
      return tree;
    };
    return ["+", 0, times(each, "N"), 0, times(kept, "N_A")];
  }

  // The rows of a result: in letters, where they do not stand there; with numbers put in; as a value.
  lay(quantity, table, lettered, terms = null) {
    const cell = (align, ...inside) => maths("mtd", { style: `text-align: ${align}` }, ...inside);
    const row = (made, called) => inLines(made).map((line, at) => table.appendChild(maths("mtr", {}, cell("right", ...(at ? [] : called)),
      cell("left", ...(at ? [maths("mspace", { width: "2em" })] : [maths("mo", {}, "=")]), line))));
    const forms = this.forms(quantity), last = forms.at(-1), { slots } = this;
    const called = name(quantity === "b_max" ? "b_max" : DATA.names[quantity] ?? "");
    if (!lettered) forms.forEach((form, at) => row(written(form, { terms }), at ? [] : [called]));
    if (quantity === "b_max" && last) {
      const place = (read) => { const made = maths("mn", {}, "0"); slots.push([made.firstChild, read]); return made; };
      const amount = (letter) => place((known) => inUnitOf(known[letter], known.M));
      const floor = (inside) => maths("mrow", {}, maths("mo", {}, "⌊"), inside, maths("mo", {}, "⌋"));
      row(floor(maths("mfrac", {}, maths("mrow", {}, amount("M"), maths("mo", {}, "−"), amount("M_fixed")), amount("M_sequence"))), []);
      row(floor(place((known) => rounded((known.M - known.M_fixed) / known.M_sequence, 2))), []);
    } else if (last) {
      const numbers = written(last, { slots }), middle = written(last, { slots, worth: true });
      const all = pieces(numbers);
      row(numbers, []);
      if (partsOf(last).length) this.middles.push([row(middle, []), last, all]);
    }
    const value = maths("mn", {}, "0");
    row(value, forms.length || lettered ? [] : [called]);
    this.values.push({ quantity, value: value.firstChild });
  }

  line(quantity) {
    const called = quantity.replaceAll("_", " "), table = maths("mtable", { displaystyle: "true" });
    const status = html("span", { role: "status" });
    const copy = html("button", { type: "button", class: "copy", id: `${this.id}-copy-${quantity}` }, "Copy LaTeX");
    copy.addEventListener("click", async () => {
      status.textContent = await copied(this.latex(quantity)) ? "copied" : "could not be copied";
      setTimeout(() => { status.textContent = ""; }, 2000);
    });
    const meaning = html("span");
    this.lay(quantity, table, false, ["saved_activations", "activation_memory"].includes(quantity) ? this.terms : null);
    Object.assign(this.values.at(-1), { meaning, row: this.lines.appendChild(html("div", { class: "line", "data-quantity": quantity },
      html("p", {}, html("strong", {}, called), ": ", meaning, " ", copy, status),
      html("div", { class: "wide", tabindex: "0", role: "group", "aria-label": called }, maths("math", { display: "block" }, table)))) });
  }

  latex(quantity) {
    const called = quantity === "b_max" ? "b_{\\max}" : DATA.letters[DATA.names[quantity]].latex;
    const text = this.values.find((each) => each.quantity === quantity).value.data;
    const value = inLatex(text).replace(/[A-Za-z/$%]+( [A-Za-z()⁵³,]+)*/g, (words) => words.startsWith("times") ? words : `\\text{${words.replace("$", "\\$")}}`);
    const forms = this.forms(quantity), numbers = forms.slice(-1).map((form) => latex(form, this.known));
    return `${called} ${[...forms.map((form) => latex(form)), ...numbers, value].map((row) => `&= ${row}`).join(" \\\\\n")}`;
  }

  // Every number into its place.
  fill() {
    const { made, best } = this, GIB = 2 ** 30;
    const put = (place, text) => { if (place.data !== text) place.data = text; };
    const at = this.peakAt(made), fixed = at(0);
    this.known = { ...made.known, M_fixed: fixed, M_sequence: at(1) - fixed, M_decimal: Math.floor(made.gpu.memory / GIB) * 1e9 };
    for (const [place, read] of this.slots) {
      const found = read(this.known);
      put(place, typeof found === "number" ? putIn(found) : found);
    }
    for (const [rows, form, numbers] of this.middles) {  // a short line needs no values in between
      const inner = partsOf(form)[0];
      const needed = isTree(form, "f") ? !Number.isInteger(F[numberOf.get(inner)](this.known)) : widths(numbers) > SHORT;
      for (const row of rows) row.style.display = needed ? "" : "none";
    }
    for (const { quantity, value, row, meaning } of this.values) {
      if (quantity === "shortcut") { put(value, significant(F[this.data.shortcut](this.known))); continue; }
      const isLimit = quantity === "b_max", number = isLimit ? best.b : made.values[quantity];
      const [words, unit] = isLimit ? [`the largest batch that fits ${bytes(made.gpu.memory)}`, "sequences"] : DATA.meanings[quantity];
      put(value, Number.isNaN(number) ? `– (${made.gpu.name} has no published peak for ${made.precision.matmul})`
        : shown(number, quantity === "parameters" ? "parameters" : unit));
      if (!row) continue;
      meaning.textContent = words;
      row.dataset.value = number;
      row.dataset.exact = whole(number);
    }
    const proof = best.b ? `${grouped(best.at(best.b))} B ≤ ${grouped(made.gpu.memory)} B < ${grouped(best.at(best.b + 1))} B` : "";
    const fits = best.b ? `${grouped(best.b)} sequences fit ${made.gpu.name} (${bytes(made.gpu.memory)}): ${proof}.`
      : `Not one sequence fits ${made.gpu.name} (${bytes(made.gpu.memory)}): ${bytes(best.at(1) - made.gpu.memory)} are missing.`;
    this.headline.textContent = `${fits} At b = ${grouped(this.letters.b ?? 1)} the peak is ${bytes(made.values.peak_memory)}`
      + (made.values.peak_memory > made.gpu.memory ? ", which does not fit." : ".");
    const sizes = this.terms.map((term) => F[term.amount](made.known) * F[term.times](made.known));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    this.terms.forEach((term, at) => {
      term.size = sizes[at];
      term.cells.size.textContent = `${grouped(sizes[at])} B`;
      term.cells.share.textContent = `${(100 * sizes[at] / all).toFixed(1)} %`;
      term.cells.bar.setAttribute("width", String(100 * sizes[at] / Math.max(...sizes)));
    });
    if (this.sorted) this.sort(...this.sorted);
  }

  // ------------------------------------------------------------ what is looked at

  stack() {
    const { values, gpu } = this.made, widest = Math.max(values.peak_memory, gpu.memory) * 1.02;
    const drawing = picture("svg", { viewBox: "0 0 1000 64", role: "img", preserveAspectRatio: "none", "aria-label":
      `Memory: ${COMPONENTS.map((each) => `${each.replaceAll("_", " ")} ${bytes(values[each])}`).join(", ")}, of ${bytes(gpu.memory)}` });
    let left = 0;
    COMPONENTS.forEach((each, at) => {
      const width = 1000 * values[each] / widest;
      drawing.append(picture("rect", { x: left, y: 8, width, height: 48, class: `part part-${at}`, "data-part": each }));
      left += width;
    });
    const limit = 1000 * gpu.memory / widest;
    drawing.append(picture("line", { x1: limit, x2: limit, y1: 0, y2: 64, class: "limit" }));
    const legend = html("ul", { class: "legend" }, ...COMPONENTS.map((each, at) => html("li", {},
      html("span", { class: `key part-${at}`, "aria-hidden": "true" }), `${each.replace("_memory", "").replace("activation", "saved activation")}${at === 2 ? " states" : "s"} ${bytes(values[each])}`)),
      html("li", {}, html("span", { class: "key limit-key", "aria-hidden": "true" }), `${gpu.name} ${bytes(gpu.memory)}`));
    this.bar.replaceChildren(drawing, html("figcaption", {}, legend));
  }

  frontier() {
    const contexts = Array.from({ length: 12 }, (_, at) => 2 ** (at + 6));
    const points = contexts.map((c) => [c, this.largest(this.made, c).b]).filter(([, b]) => b > 0);
    const { b = 1, c = 1 } = this.letters;
    const fits = b <= this.best.b;
    const drawing = picture("svg", { viewBox: "0 -14 640 330", role: "img", "aria-label": points.length
      ? `Largest batch against context length: ${points.map(([x, y]) => `${grouped(y)} at ${grouped(x)}`).join(", ")}` : "Nothing fits at any context length" });
    const top = Math.max(4, Math.ceil(Math.log2(Math.max(b, ...points.map(([, y]) => y), 1))) + 1);
    const x = (value) => 70 + 540 * (Math.log2(value) - 6) / 11, y = (value) => 250 - 230 * Math.log2(value) / top;
    const label = (text, attributes) => picture("text", attributes, text);
    contexts.forEach((value, at) => at % 2 || drawing.append(
      picture("line", { x1: x(value), x2: x(value), y1: 20, y2: 250, class: "grid" }),
      label(grouped(value), { x: x(value), y: 272, "text-anchor": "middle" })));
    for (let power = 0; power <= top; power += Math.ceil(top / 6)) drawing.append(
      picture("line", { x1: 70, x2: 610, y1: y(2 ** power), y2: y(2 ** power), class: "grid" }),
      label(grouped(2 ** power), { x: 62, y: y(2 ** power) + 4, "text-anchor": "end" }));
    drawing.append(label("c: context length in tokens per sequence", { x: 340, y: 304, "text-anchor": "middle" }),
      label("largest b, in sequences", { x: 70, y: 6 }));
    if (points.length) drawing.append(picture("polyline", { points: points.map(([one, other]) => `${x(one)},${y(other)}`).join(" "), class: "frontier" }));
    points.forEach(([one, other]) => drawing.append(picture("circle", { cx: x(one), cy: y(other), r: 3.5, class: "point" },
      picture("title", {}, `c = ${grouped(one)}: b = ${grouped(other)}`))));
    const here = [Math.min(Math.max(x(c), 70), 610), Math.min(Math.max(y(b), 20), 250)];
    drawing.append(picture("path", { d: `M${here[0] - 6},${here[1] - 6}l12,12m0,-12l-12,12`, class: fits ? "here" : "here over" }));
    this.curve.replaceChildren(drawing, html("figcaption", {}, points.length
      ? `Below the line it fits ${this.made.gpu.name}; × is b = ${grouped(b)}, c = ${grouped(c)}, which ${fits ? "fits" : "does not"}.`
      : `Nothing fits ${this.made.gpu.name} at any context length.`));
  }

  rows() {
    const columns = [["tensor", "tensor"], ["place", "place"], ["bytes, in letters", "form"], ["bytes", "size"], ["share", "size"], ["kept because", "because"]];
    this.sorted = null;
    const head = html("tr", {}, ...columns.map(([words, key], at) => {
      const button = html("button", { type: "button" }, words), cell = html("th", { scope: "col", "aria-sort": "none" }, button);
      button.addEventListener("click", () => {
        const falling = cell.getAttribute("aria-sort") === "none" ? key === "size" : cell.getAttribute("aria-sort") === "ascending";
        this.sort(key, falling);
        for (const other of head.children) other.setAttribute("aria-sort", "none");
        cell.setAttribute("aria-sort", falling ? "descending" : "ascending");
      });
      return cell;
    }));
    this.body = html("tbody");
    this.terms.forEach((term, at) => {
      const tree = TREES[term.times] === 1 ? TREES[term.amount] : null;
      const factor = (node) => isTree(node, "+") ? ["(", node] : node;
      const shownTree = tree ?? ["*", TREES[term.times], ...(isTree(TREES[term.amount], "*") ? TREES[term.amount].slice(1) : [factor(TREES[term.amount])])];
      term.form = plain(shownTree);
      const rect = picture("rect", { x: 0, y: 0, height: 10, width: 0, class: "part part-3" });
      term.cells = { size: html("td", { class: "r" }), share: html("span"), bar: rect };
      term.row = html("tr", { "data-terms": String(at), "data-term": String(at) },
        html("th", { scope: "row" }, html("code", {}, term.tensor)), html("td", {}, term.place),
        html("td", {}, maths("math", {}, written(shownTree))), term.cells.size,
        html("td", {}, picture("svg", { viewBox: "0 0 100 10", class: "share", preserveAspectRatio: "none", "aria-hidden": "true" }, rect), " ", term.cells.share),
        html("td", {}, term.because));
      this.body.append(term.row);
    });
    this.table.replaceChildren(html("h3", {}, "Saved activations by tensor"), html("table", {}, html("thead", {}, head), this.body));
  }

  sort(key, falling) {
    this.sorted = [key, falling];
    const order = [...this.terms].sort((one, other) => {
      const [left, right] = [one[key], other[key]];
      return (typeof left === "number" ? left - right : left.localeCompare(right)) * (falling ? -1 : 1);
    });
    const now = [...this.body.children];
    if (order.some((term, at) => term.row !== now[at])) this.body.append(...order.map((term) => term.row));
  }

  // A term's tensor, what asks for it, and its bar.
  light(target) {
    for (const lit of this.place.querySelectorAll(".lit")) lit.classList.remove("lit");
    if (!target) return;
    const found = target.dataset ? target.dataset.terms : target.getAttribute("data-terms");
    const chosen = found.split(" ").map((at) => this.terms[Number(at)]);
    for (const term of chosen) term.row.classList.add("lit");
    target.classList.add("lit");
    this.bar.querySelector('[data-part="activation_memory"]')?.classList.add("lit");
    for (const each of this.lines.querySelectorAll(".term"))
      if (each.getAttribute("data-terms").split(" ").some((at) => chosen.includes(this.terms[Number(at)]))) each.classList.add("lit");
    this.why.textContent = chosen.map((term) => `${term.tensor} (${term.place}), ${bytes(term.size)}, ${term.because}`).join(" · ");
  }
}

// ---------------------------------------------------------------- the page

const root = document.getElementById("live");
const several = DATA.panels.length > 1;
const panels = DATA.panels.map((data, at) => new Panel(data, at, root.appendChild(html("section", { class: "panel" })), several ? `${"abcd"[at]}.` : ""));
let ready = false, waiting = 0;
function remember() {
  if (!ready) return;
  clearTimeout(waiting);  // browsers allow few changes of an address in a second
  waiting = setTimeout(() => {
    const state = new URLSearchParams(panels.flatMap((panel) => panel.address())).toString();
    history.replaceState(null, "", `#${state}`);
  }, 150);
}
function recall() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  for (const panel of panels) { panel.take(parameters); panel.show(); }
}
root.hidden = false;
recall();
ready = true;
addEventListener("hashchange", () => { if (location.hash.includes("=")) recall(); });
document.addEventListener("click", (event) => {  // the address keeps the numbers when a heading is jumped to
  const link = event.target.closest?.('a[href^="#"]');
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!target) return;
  event.preventDefault();
  target.setAttribute("tabindex", "-1");
  target.scrollIntoView();
  target.focus({ preventScroll: true });
});
})();
