// Puts any numbers into the closed forms, and shows what follows. Nothing is fetched and nothing is kept.
const COMPONENTS = ["parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory"];
const PARTS = ["parameters", "gradients", "optimizer states", "saved activations"];
const CONTEXTS = Array.from({ length: 10 }, (_, at) => 2 ** (at + 8)), AGAINST_C = "c: context length in tokens per sequence";

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
    this.figures = [...document.querySelectorAll(`[data-panel="${at}"] [data-of]`)].map((place) => {
      const [kind, of] = place.dataset.of.split(" "), text = document.createTextNode("");
      place.querySelector("math")?.removeAttribute("alttext");
      const inside = (kind === "tie" ? [...place.querySelectorAll("mn")].at(-1) : place.querySelector("math, code, strong")) ?? place;
      inside.replaceChildren(inside.localName === "math" ? maths("mn", {}, text) : text);
      return { text, kind, of, place };
    });
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
    const charts = place.appendChild(html("div", { class: "charts" }));
    for (const chart of ["growth", "curve", "parts", "times"]) this[chart] = charts.appendChild(html("figure"));
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
    for (const chart of ["stack", "memory", "frontier", "shares", "time"]) this[chart]();
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
      const isOwn = quantity === "shortcut" || quantity === "block";  // told of the report's own rules alone
      if (isOwn) table.closest(quantity === "block" ? ".wide" : "section").hidden = !own;
      if (quantity === "block" || isOwn && !own) continue;
      table.replaceChildren(...(own ? letters : []));
      this.lay(quantity, table, own);
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
    this.peak = this.peakAt(made);
    this.bound = this.atMost();
    const fixed = this.peak(0);
    this.known = { ...made.known, M_fixed: fixed, M_sequence: this.peak(1) - fixed, M_decimal: Math.floor(made.gpu.memory / GIB) * 1e9 };
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
    for (const { text, kind, of, place } of this.figures) put(text, this.figure(kind, of, place));
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
    const most = Math.max(...sizes), ordered = (one, other) => one < other ? -1 : one > other ? 1 : 0;
    const largest = this.terms.filter((term) => term.size === most)
      .sort((one, other) => ordered(one.place, other.place) || ordered(one.tensor, other.tensor)).map((term) => term.tensor);
    this.largestKept.textContent = `${largest.length > 1 ? `${largest.slice(0, -1).join(", ")} and ${largest.at(-1)} are the largest, each` : `${largest[0]} is the largest,`} ${
      rounded(100 * most / all, 1)} % of activation memory`;
    if (this.sorted) this.sort(...this.sorted);
  }

  // A number that stands among the derivation's words, and how it is shown there.
  figure(kind, of, place) {
    const { made, best, known } = this, { gpu, values } = made;
    const { peak } = this, value = of in values ? values[of] : F[of]?.(known);
    switch (kind) {
      case "tie": return putIn(known[of]);
      case "letter": return of === "M" ? bytes(gpu.memory) : putIn(known[of]);
      case "gpu": return gpu.name;
      case "value": return of === "b_max" ? `${grouped(best.b)} sequences` : Number.isNaN(value) ? "–"
        : short(value, of === "parameters" ? "parameters" : DATA.meanings[of][1]);
      case "exact": return value > LAST_EXACT ? `≈ ${scientific(value)}` : rounded(value, 6);
      case "bytes": return bytes(value);
      case "share": return `${rounded(100 * value / values.peak_memory, 1)} %`;
      case "bound": return bytes(this.bound[of]);
      case "binding": return `${rounded(100 * this.bound[of] / peak(best.b || 1), 1)} %`;
      case "proof": return best.b ? `${grouped(peak(best.b))} ≤ ${grouped(gpu.memory)} < ${grouped(peak(best.b + 1))}`
        : `${grouped(gpu.memory)} < ${grouped(peak(1))}`;
      case "fits": return best.b ? `${grouped(best.b)} sequences fit, ${grouped(best.b + 1)} do not; ${bytes(gpu.memory - peak(best.b))} are left.`
        : `Not one sequence fits: ${bytes(peak(1) - gpu.memory)} are missing.`;
      case "promise": {
        const decimal = known.M_decimal, promised = F[this.data.shortcut](known), fits = this.largest({ ...made, gpu: { ...gpu, memory: decimal } }).b;
        place.closest("section").hidden = this.built !== this.rules || promised < 1 || Math.floor(promised) === fits;
        return ` With ${decimal / 1e9} GB = ${grouped(decimal)} bytes it promises ${grouped(Math.floor(promised))} sequences, where ${
          grouped(fits)} fit (${grouped(best.b)} with ${bytes(gpu.memory)}).`;
      }
      default: {  // the worst of the moments in the table before
        const rows = [...place.closest("section").querySelectorAll('[data-of^="bytes "]')]
          .map((cell) => [cell.closest("tr").cells[0].textContent.trim(), F[cell.dataset.of.split(" ")[1]](known)]);
        const [worst, size] = rows.reduce((most, row) => row[1] > most[1] ? row : most), off = values.peak_memory / size - 1;
        return `The worst is ${worst}, with ${bytes(size)}; the sum of all parts is ${off ? `${rounded(Math.abs(100 * off), 1)} % ${off > 0 ? "more" : "less"}.` : "the same."}`;
      }
    }
  }

  // What each part takes at the largest batch, or at one sequence where none fits.
  atMost() {
    const { values } = this.made, there = Object.fromEntries(COMPONENTS.map((each) => [each, values[each]]));
    return { ...there, activation_memory: this.peak(this.best.b || 1) - values.static_memory };
  }

  // ------------------------------------------------------------ what is looked at

  stack() {
    const { values, gpu } = this.made, widest = Math.max(values.peak_memory, gpu.memory) * 1.02;
    const drawing = picture("svg", { viewBox: "0 0 1000 64", role: "img", preserveAspectRatio: "none", "aria-label":
      `Memory: ${COMPONENTS.map((each, at) => `${PARTS[at]} ${bytes(values[each])}`).join(", ")}, of ${bytes(gpu.memory)}` });
    let left = 0;
    COMPONENTS.forEach((each, at) => {
      const width = 1000 * values[each] / widest;
      drawing.append(...part("rect", at, { x: left, y: 8, width, height: 48, "data-part": each }));
      left += width;
    });
    const limit = 1000 * gpu.memory / widest;
    drawing.append(picture("path", { d: `M${limit},0V64`, class: "limit" }));
    const keys = COMPONENTS.map((each, at) => [swatch(at), `${PARTS[at]} ${bytes(values[each])}`]);
    this.bar.replaceChildren(drawing, html("figcaption", {}, legend([...keys, [stroke("limit"), `${gpu.name} ${bytes(gpu.memory)}`]])));
  }

  // Letters and ties with some numbers changed, for forms of nothing else.
  knownAt(changed) {
    const known = { ...this.made.known, ...changed };
    for (const [letter, form] of this.data.ties) known[letter] = F[form](known);
    return known;
  }

  memory() {
    const { made, best } = this, { b = 1 } = this.letters, { memory } = made.gpu, GIB = 2 ** 30;
    const top = Math.max(2, Math.floor(best.b * 3 / 2)), at = this.peak;
    const count = made.memory.straight ? 2 : 25, bs = Array.from({ length: count }, (_, step) => 1 + (top - 1) * step / (count - 1));
    const below = COMPONENTS.slice(0, 3).reduce((found, each) => [...found, found.at(-1) + made.values[each] / GIB], [0]);
    const whole = bs.map((each) => at(each) / GIB), room = memory / GIB;
    const plot = axes({ low: 1, high: top, whole: true, words: "b: batch size in sequences" },
      { low: 0, high: Math.max(room, ...whole) * 1.05, words: "memory in GiB" }, `Memory against b: ${bytes(at(1))} at 1, ${bytes(at(top))} at ${grouped(top)}`);
    const { drawing, x, y } = plot;
    COMPONENTS.forEach((each, at) => {
      const low = bs.map((one) => [one, below[at]]), high = bs.map((one, step) => [one, at < 3 ? below[at + 1] : whole[step]]);
      drawing.append(...part("polygon", at, { points: through([...low, ...high.reverse()], x, y), "data-part": each }));
    });
    drawing.append(level(y(room), "limit"));
    if (best.b) drawing.append(upright(x(best.b)), picture("circle", { cx: x(best.b), cy: y(room), r: 5, class: "dot" }));
    if (b <= top) drawing.append(cross(x(b), y(made.values.peak_memory / GIB)));
    const there = Object.values(this.bound);
    const most = there.indexOf(Math.max(...there)), sum = there.reduce((one, other) => one + other, 0);
    told(this.growth, best.b ? `b = ${grouped(best.b)} fits ${bytes(memory)}; ${PARTS[most]} take ${rounded(100 * there[most] / sum, 0)} %`
      : `Not one sequence fits ${bytes(memory)}: ${bytes(at(1) - memory)} are missing`, drawing,
      legend([...PARTS.map((words, index) => [swatch(index), words]), [stroke("limit"), made.gpu.name], [[cross(12, 7)], `b = ${grouped(b)}`]]));
  }

  frontier() {
    const all = CONTEXTS.map((c) => [c, this.largest(this.made, c).b]), points = all.filter(([, b]) => b > 0);
    const { b = 1, c = 1 } = this.letters, fits = b <= this.best.b, { gpu } = this.made;
    const top = Math.max(16, 2 * b, ...points.map(([, most]) => 2 * most));
    const plot = axes({ low: CONTEXTS[0], high: CONTEXTS.at(-1), log: 2, words: AGAINST_C }, { low: 1, high: top, log: 2, words: "largest b in sequences" },
      `Largest batch against context length: ${points.map(([one, other]) => `${grouped(other)} at ${grouped(one)}`).join(", ") || "nothing fits"}`);
    const { drawing, x, y } = plot;
    drawing.append(curve(points, plot, "curve curve-0"), ...points.map(([one, other]) => picture("circle", { cx: x(one), cy: y(other), r: 3.5, class: "point" },
      picture("title", {}, `c = ${grouped(one)}: b = ${grouped(other)}`))), cross(x(c), y(b), fits ? "here" : "here over"));
    const [last, most] = points.at(-1) ?? [], next = all[points.length];
    told(this.curve, points.length ? `At c = ${grouped(last)}, b = ${grouped(most)} fits ${bytes(gpu.memory)}${next ? `; from c = ${grouped(next[0])} on not even one` : ""}`
      : `Nothing fits ${gpu.name} at any context length`, drawing,
      html("p", {}, `Below the line it fits ${gpu.name}; × is b = ${grouped(b)}, c = ${grouped(c)}, which ${fits ? "fits" : "does not"}.`));
  }

  shares() {
    const groups = this.made.under.shares, worth = (form, c) => F[form](this.knownAt({ c }));
    const rows = CONTEXTS.map((c) => groups.map(([, form]) => worth(form, c)));
    const lead = rows.map((row) => row.indexOf(Math.max(...row))), at = lead.findIndex((leader, index) => index && leader !== lead[index - 1]);
    let title = `${groups[rows.at(-1).indexOf(Math.max(...rows.at(-1)))][0]} take the most at every c shown`, low = 0, high = 0;
    if (at > 0) {
      const [before, after] = [groups[lead[at - 1]], groups[lead[at]]];
      for ([low, high] = [CONTEXTS[at - 1] - 1, CONTEXTS[at]]; high - low > 1;) {
        const middle = Math.floor((low + high) / 2);
        if (worth(after[1], middle) >= worth(before[1], middle)) high = middle; else low = middle;
      }
      title = `${after[0][0].toUpperCase()}${after[0].slice(1)} catch up with ${before[0]} at c = ${grouped(high)}`;
    }
    const percent = (row, index) => 100 * row[index] / row.reduce((sum, each) => sum + each, 0);
    const plot = axes({ low: CONTEXTS[0], high: CONTEXTS.at(-1), log: 2, words: AGAINST_C }, { low: 0, high: 100, words: "share of forward FLOPs in %" }, title);
    groups.forEach((_, index) => plot.drawing.append(curve(CONTEXTS.map((c, step) => [c, percent(rows[step], index)]), plot, `curve curve-${index}`)));
    if (high) plot.drawing.append(upright(plot.x(high)));
    told(this.parts, title, plot.drawing, legend(groups.map(([words], index) => [stroke(`curve curve-${index}`), words])));
  }

  time() {
    const { known, forms, values } = this.made;
    this.times.hidden = !(values.cost >= 0);
    if (this.times.hidden) return;
    const most = Math.max(6, Math.ceil(Math.log2(known.n))), counts = Array.from({ length: most + 1 }, (_, power) => 2 ** power);
    const rows = counts.map((n) => {
      const there = { ...known, n };
      for (const quantity of ["training_time", "gpu_hours", "cost"]) there[DATA.names[quantity]] = F[forms[quantity]](there);
      return [there[DATA.names.training_time], there[DATA.names.cost]];
    });
    const [size, unit] = rows[0][0] >= 172800 ? [86400, "days"] : [3600, "hours"], spans = rows.map(([time]) => time / size), costs = rows.map(([, cost]) => cost);
    const same = Math.max(...costs) - Math.min(...costs) <= 1e-9 * costs[0];
    const title = `${grouped(counts.at(-1))} GPUs take ${significant(spans.at(-1), 3)} ${unit}${same ? "; the cost stays the same" : ""}`;
    const across = { low: 1, high: counts.at(-1), log: 2, words: "n: GPUs" }, spread = (all) => [10 ** Math.floor(Math.log10(Math.min(...all))), 10 ** Math.ceil(Math.log10(Math.max(...all)) + 1e-9)];
    const [low, high] = spread(spans), [least, dearest] = spread(costs);
    const plot = axes(across, { low, high, log: 10, words: `training time in ${unit}` }, title);
    const dollars = axis({ low: least, high: dearest, log: 10 }, BOTTOM, TOP);
    plot.drawing.append(curve(counts.map((n, at) => [n, spans[at]]), plot, "curve curve-0"), curve(counts.map((n, at) => [n, costs[at]]), { x: plot.x, y: dollars.place }, "curve curve-1"),
      cross(plot.x(known.n), plot.y(values.training_time / size)));
    told(this.times, title, plot.drawing, legend([[stroke("curve curve-0"), `training time in ${unit}`],
      [stroke("curve curve-1"), same ? `cost: ${money(costs[0])} with any number` : `cost: ${money(costs[0])} with one, ${money(costs.at(-1))} with ${grouped(counts.at(-1))}`], [[cross(12, 7)], `n = ${grouped(known.n)}`]]));
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
    this.largestKept = html("p", { class: "finding" });
    this.table.replaceChildren(html("h3", {}, "Saved activations by tensor"), this.largestKept, html("table", {}, html("thead", {}, head), this.body));
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
document.body.append(HATCHES);
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
