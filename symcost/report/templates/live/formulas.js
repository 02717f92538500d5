// Forms as trees: written as MathML and LaTeX, in letters or with numbers, and which terms a summand stands for.
const DATA = JSON.parse(document.getElementById("live-data").textContent);
const MATHS = "http://www.w3.org/1998/Math/MathML", PICTURE = "http://www.w3.org/2000/svg";

const element = (space) => (name, attributes = {}, ...inside) => {
  const made = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...inside);
  return made;
};
const html = element(""), maths = element(MATHS), picture = element(PICTURE);

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
