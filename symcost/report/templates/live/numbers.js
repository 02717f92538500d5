// Numbers as a reader sees them, in the same signs as the report's.
const LAST_EXACT = Number.MAX_SAFE_INTEGER;  // 2⁵³ − 1

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
