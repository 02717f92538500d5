"""Amounts: whether a printed number is what stands before it, in its unit, and whether the unit is the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from operator import mul

from sympy import Expr, Symbol

from symcost.check import numbers
from symcost.check.case import Amount, Case
from symcost.check.chains import NO_CLAIM, UNCERTAIN
from symcost.check.findings import Pair
from symcost.check.meanings import time_name
from symcost.check.polynomials import ratio, summands
from symcost.check.statements import Item, Statement, plain_name
from symcost.check.subjects import Subject
from symcost.errors import SymcostError
from symcost.notation.numbers import grouped, rounded, scientific
from symcost.notation.reading import read
from symcost.notation.units import Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY


def number_pair(
    case: Case,
    left: Item,
    right: Item,
    relation: str,
    shown: str,
    earlier: Sequence[Item],
    statement: Statement,
) -> Pair:
    """A form beside a number: what it comes to at the numbers in force, against what is printed."""
    exact = case.knowledge.evaluated(left.form) or _share(case, left)
    case.sizes |= {value for value in placeholders(left, statement.span.form)[1] if value >= MANY}
    if _for_all(case, exact, left, right):
        return Pair("holds", "SC103", shown, message="for all parameters")
    if left.name and not exact:
        exact = _as_time(case, left.name)
        if not exact:
            return replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is given a number")
    assigned = left.name in case.knowledge.values and left.name not in case.knowledge.definitions
    if left.name and (not statement.single or (assigned and left.name not in case.meant)):
        given = replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is given a number")
        return as_defined(case, left, right, shown) or given
    before = [value for item in earlier for value in case.knowledge.evaluated(item.form)]
    if not exact and not before:
        missing = ", ".join(plain_name(name) for name in _lacking(case, left)) or "a letter"
        return Pair("unchecked", "SC302", shown, message=f"no number is known for {missing}")
    if right.part.printed is None:
        return _unprinted_pair(case, left, right, exact, relation, shown, statement)
    printed = right.part.printed
    for value in (*exact, *before):
        for candidate in _candidates(value, left, right):
            match = numbers.compare(candidate, printed, right.unit, statement.about)
            if match.holds:
                remark = (match.remark + _unrounded(case, left)).removeprefix("; ")
                return Pair("holds", "SC103" if match.remark else "SC101", shown, message=remark)
    slack = _rounded_before(left)
    for value in exact if slack else ():
        if any(
            abs(near - printed.value * right.scale) <= slack * abs(near)
            for near in _candidates(value, left, right)
        ):
            return Pair("holds", "SC103", shown, message="but for what was rounded before")
    for at, value in case.knowledge.evaluated_before(left.form):
        if any(
            numbers.compare(near, printed, right.unit, False).holds
            for near in _candidates(value, left, right)
        ):
            return Pair("holds", "SC103", shown, message=f"at {at}, as before")
    in_bytes = left.unit is not None and "byte" in left.unit.powers
    for value in () if in_bytes else exact:
        for candidate in _candidates(value, left, right):
            meant = numbers.binary(candidate, printed, right.unit)
            if meant:
                return _other_unit(case, candidate, meant, right, shown)
    if left.is_number and right.unit is not None and left.unit is None:
        remark = _binary_remark(case, left, right)
        if remark:
            return Pair("holds", "SC103", shown, message=remark)
    names = {
        symbol.name for form in (left.form, case.knowledge.opened(left.form)) for symbol in form.free_symbols
    }
    for name in sorted(names & case.wrong):
        return Pair("unchecked", "SC302", shown, message=f"the form of {plain_name(name)} differs")
    for name in sorted(names & case.knowledge.in_words):
        return Pair("unchecked", "SC302", shown, message=f"which number {name} has here is not certain")
    ways = [(value * left.scale, printed.value * right.scale) for value in exact]
    return _wrong(left, right, ways, shown, relation, statement)


def as_defined(case: Case, left: Item, right: Item, shown: str) -> Pair | None:
    """A name beside the number that its form comes to, also where the words let it look like an assumption."""
    printed = right.part.printed
    if printed is None or printed.significant < FEW_DIGITS:
        return None
    for form in case.knowledge.definitions.get(left.name or "", ()):
        for value in case.knowledge.evaluated(form):
            if any(
                numbers.compare(near, printed, right.unit, False).holds
                for near in _candidates(value, left, right)
            ):
                return Pair(
                    "holds", "SC101", shown, message=f"what {left.source.strip()} comes to by its form"
                )
    return None


def _for_all(case: Case, each: Sequence[Fraction], left: Item, right: Item) -> bool:
    """Whether bytes a parameter come to what is printed for all of them: 12 B/param -> 1.49 GB."""
    printed = right.part.printed
    if printed is None or left.unit is None or right.unit is None or right.unit.powers != {"byte": 1}:
        return False
    if left.unit.powers != {"byte": 1, "param": -1}:
        return False
    case.settle_size()
    sizes = {*case.knowledge.numbers.get("N", ()), *case.sizes}
    ways = (value * left.scale * size for value in each for size in sizes)
    return any(numbers.compare(way, printed, right.unit, False).holds for way in ways)


def _unprinted_pair(
    case: Case,
    left: Item,
    right: Item,
    exact: Sequence[Fraction],
    relation: str,
    shown: str,
    statement: Statement,
) -> Pair:
    """A form beside arithmetic in numbers."""
    ways = [
        (value * left.scale, other * right.scale)
        for value in exact
        for other in case.knowledge.evaluated(right.form)
    ]
    after = statement.items[statement.items.index(right) + 1 :]
    if right.unit is None and left.unit is not None and after and after[0].unit is not None:
        ways += [(value, other * after[0].scale) for value, other in ways]
    if any(one == other for one, other in ways):
        return Pair("holds", "SC101", shown)
    for at, value in case.knowledge.evaluated_before(left.form):
        if any(value * left.scale == other * right.scale for other in case.knowledge.evaluated(right.form)):
            return Pair("holds", "SC103", shown, message=f"at {at}, as before")
    if statement.about and any(abs(one - other) <= numbers.NEAR * abs(one) for one, other in ways):
        return Pair("holds", "SC103", shown, message="about, within two per cent")
    remark = _binary_remark(case, left, right)
    if remark:
        return Pair("holds", "SC101", shown, message=remark)
    rounded_ways = [
        (one, other) for one, other in ways
        if other and abs(one - other) <= abs(other) * Fraction(1, 200) and (left.form.free_symbols or not right.form.is_Integer)
    ]  # fmt: skip
    if rounded_ways:
        return Pair("holds", "SC103", shown, message="but for what was rounded before")
    return _wrong(left, right, ways, shown, relation, statement)


def _as_time(case: Case, name: str) -> tuple[Fraction, ...]:
    """A time under another unit's name: T_hours from what is known of T_seconds."""
    stem, scale = time_name(name) or ("", 1)
    if not stem:
        return ()
    for other in [*case.knowledge.numbers, *case.knowledge.definitions]:
        known = time_name(other)
        if known and known[0] == stem and other != name:
            values = case.knowledge.evaluated(Symbol(other, positive=True))
            return tuple(value * known[1] / scale for value in values)
    return ()


def _share(case: Case, left: Item) -> tuple[Fraction, ...]:
    """What a quotient of two forms comes to whatever its letters are: (32bcd² + 4bc²d)/(96bcd² + 12bc²d) is 1/3."""
    top, bottom = (summands(case.tied(case.knowledge.opened(part))) for part in left.form.as_numer_denom())
    found = ratio(top, bottom) if top and bottom else None
    return (found,) if found is not None else ()


def _rounded_before(left: Item) -> Fraction:
    """By which share a product may be off, since its factors were printed rounded: half a unit in the last place of each."""
    slack = Fraction(0)
    for place in _NUMBER.finditer(left.source) if not left.form.free_symbols else ():
        digits = re.match(r"[\d,{}]+\.(\d+)", place.group())
        whole = re.sub(r"[^\d]", "", digits.group()) if digits else ""
        if digits and len(whole.lstrip("0")) >= FEW_DIGITS:
            slack += Fraction(1, 2 * int(whole))
    return slack


NEARBY = Fraction(1, 10)  # what ≈ allows for a number of one or two digits
MANY = 10**6  # parameters of a model
FEW_DIGITS = 3  # a number with fewer digits is taken as it stands


def _lacking(case: Case, left: Item) -> list[str]:
    opened = case.knowledge.opened(left.form)
    return sorted(symbol.name for symbol in opened.free_symbols if symbol.name not in case.knowledge.numbers)


def _candidates(value: Fraction, left: Item, right: Item) -> Iterator[Fraction]:
    """The value in base units, as the units of either side allow it to be read."""
    yield value * left.scale
    if right.unit is not None and _whole_unit(left) == right.unit.dimension:
        return
    if right.unit is not None and right.unit.spelling == "B" and left.unit is None:
        yield value / 10**9  # a billion
    inside = Fraction(1)
    for unit in left.part.units_inside:
        inside *= unit.scale
        if unit.dimension != (right.unit.dimension if right.unit else None):
            yield value / unit.scale
    if inside != 1:
        yield value / inside
    if right.unit is not None and left.unit is None and not left.part.units_inside:
        yield value * right.unit.scale
    if left.is_number and right.part.printed is not None and right.part.printed.scale in numbers.BINARY:
        yield value * right.part.printed.scale * right.scale  # 1.2 + 0.1 = 1.3 billion


def _whole_unit(item: Item) -> tuple[int, ...] | None:
    """What a product of several amounts with units measures: kW · h is an energy."""
    units = [*item.part.units_inside, *([item.unit] if item.unit is not None else [])]
    return reduce(mul, units).dimension if len(units) > 1 else None


def _other_unit(case: Case, value: Fraction, meant: str, right: Item, shown: str) -> Pair:
    """A number that is right in the other kind of bytes: wrong where the one written can mean only one thing."""
    message = f"right if {meant} is meant: {_both_units(value, right.unit)}"
    spelled = right.unit.spelling if right.unit is not None else ""
    if spelled.endswith("iB") or (spelled.endswith("B") and _says_decimal(case.document.text)):
        return Pair("differs", "SC204", shown, derived=_both_units(value, right.unit),
                    message=f"{spelled} printed where {meant} is meant: {_both_units(value, right.unit)}")  # fmt: skip
    return Pair("depends", "SC120", shown, message=message)


_DECIMAL = re.compile(
    r"\bGB\b[^.;\n]{0,20}(?:10\s?\^?\{?[⁹9]|decimal|1e9)|decimal (?:GB|units|gigabytes)", re.IGNORECASE
)


def _says_decimal(text: str) -> bool:
    """Whether a document says that its GB are decimal."""
    return _DECIMAL.search(text) is not None


def _binary_remark(case: Case, left: Item, right: Item) -> str:
    """24GB = 24·1024³: the same, if GB means GiB."""
    for one, other in ((left, right), (right, left)):
        if one.unit is None or one.part.printed is None or one.unit.scale.denominator != 1:
            continue
        binary = numbers.BINARY.get(int(one.unit.scale))
        if binary is None:
            continue
        for value in case.knowledge.evaluated(other.form):
            if value * other.scale == one.part.printed.value * binary:
                meant = one.unit.spelling.replace("B", "iB")
                nominal = int(one.part.printed.value * one.unit.scale)
                return (
                    f"{one.source.strip()} is meant as {one.part.printed.digits} {meant}: "
                    f"{grouped(int(value * other.scale))} B, not {grouped(nominal)}"
                )
    return ""


def _unrounded(case: Case, left: Item) -> str:
    """What the name comes to by an earlier definition that this one rounds."""
    forms = case.knowledge.definitions.get(left.name or "", ())
    values = [found[0] for form in forms if (found := case.knowledge.evaluated(form))]
    if len(set(values)) > 1 and values[-1] and abs(values[0] / values[-1] - 1) <= Fraction(1, 1000):
        return f"; its coefficient was rounded on the way: unrounded it is {rounded(values[0], 2)}"
    return ""


def _wrong(
    left: Item,
    right: Item,
    ways: Sequence[tuple[Fraction, Fraction]],
    shown: str,
    relation: str,
    statement: Statement,
) -> Pair:
    """A number that is none of what it could be: it differs, unless what it is held against is not certain."""
    timed = left.unit is not None and "s" in left.unit.powers and right.unit is None
    if relation in ("lead", "⇒") or not ways or statement.cut_off or timed:
        return Pair("unchecked", "SC302", shown, message=UNCERTAIN)
    if left.name in GLOSSARY and relation != "≈":
        return replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is given a number")
    if right.unit is not None and left.unit is not None and not left.unit.measures(right.unit):
        return Pair(
            "unchecked",
            "SC204",
            shown,
            message=f"{left.unit.spelling} and {right.unit.spelling} are of two kinds",
        )
    exact, value = ways[0]
    if left.name is not None and not numbers.slip(exact, value):
        return Pair(
            "unchecked",
            "SC302",
            shown,
            message=f"{left.source.strip()} comes to {number(exact, right.unit)} by its form",
        )
    few = right.part.printed is None or right.part.printed.significant < FEW_DIGITS
    if statement.about and few and exact and abs(value / exact - 1) <= NEARBY:
        message = f"{rounded(abs(value / exact - 1) * 100, 1)} % off"
        return Pair("approximates", "SC110", shown, number(exact / right.scale, right.unit), message=message)
    each = " or ".join(dict.fromkeys(number(one / right.scale, right.unit) for one, _ in ways))
    slip = numbers.slip(exact, value)
    code = "SC204" if "s/h" in slip or "s/day" in slip or "h/day" in slip else "SC203"
    message = f"{left.source.strip()} is {each}, not {number(value / right.scale, right.unit)}"
    return Pair("differs", code, shown, derived=each, difference=number((exact - value) / right.scale, right.unit),
                message=message + (f": {slip}" if slip else ""))  # fmt: skip


def number(value: Fraction, unit: Unit | None) -> str:
    """A number as a message shows it."""
    large = abs(value) >= 10**7 or 0 < abs(value) < Fraction(1, 100)
    shown = scientific(value, 4) if large else rounded(value, 2)
    return f"{shown} {unit.spelling}" if unit is not None else shown


def _both_units(value: Fraction, unit: Unit | None) -> str:
    if unit is None:
        return rounded(value, 2)
    return f"{rounded(value / 10**9, 2)} GB are {rounded(value / 2**30, 2)} GiB"


# ---------------------------------------------------------------------------------- what numbers were stated to be

_NUMBER = re.compile(
    r"\d[\d,]*(?:\{,\}\d+)*(?:\.\d+)?(?:e[+-]?\d+)?(?:\s*(?:\\times|\\cdot|[×·x*])\s*10\s*(?:\^\s*\{?-?\d+\}?"
    r"|\*\*\s*\d+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+))?"
)
_RAISED = re.compile(r"(?:\^|\*\*|\^\{)\s*\Z")  # what follows is an exponent
_CONVERSIONS = (60, 3600, 86400, 24, 365)  # seconds, minutes, hours, days and years in each other
_TIMES = re.compile(
    r"(?:GPU[- ]?)?\b(seconds?|minutes?|hours?|days?|weeks?|years?)\b|(小时|天|年|秒)", re.IGNORECASE
)
_CHINESE = {"小时": "hours", "天": "days", "年": "years", "秒": "s"}


@dataclass(frozen=True)
class Literal:
    """A number inside arithmetic: its value, how often it multiplies, and what it was stated to be before."""

    value: Fraction
    power: int
    stated: tuple[Amount, ...]


def placeholders(item: Item, form: str) -> tuple[Expr | None, list[Fraction]]:
    """Arithmetic with q_0, q_1 … for its numbers, exponents apart, and the numbers; None where it is none."""
    places = [
        place for place in _NUMBER.finditer(item.source) if not _RAISED.search(item.source, 0, place.start())
    ]
    if not 0 < len(places) <= 12 or item.part.expr.free_symbols:
        return None, []
    text, values = item.source, []
    for at, place in reversed(list(enumerate(places))):
        value = _value(place.group(), form)
        if value is None:
            return None, []
        values.append(value)
        text = f"{text[: place.start()]} q_{at} {text[place.end() :]}"
    values.reverse()
    try:
        found = read(text, form, names=[f"q_{at}" for at in range(len(places))])  # type: ignore[arg-type]
    except SymcostError:
        return None, []
    return found.parts[0].expr, values


def literals(case: Case, item: Item, form: str) -> list[Literal]:
    """The numbers of a product or quotient, with their powers; none where it is no such thing."""
    expression, values = placeholders(item, form)
    table = summands(expression) if expression is not None else None
    if table is None or len(table) != 1:
        return []
    powers = dict(next(iter(table)))
    return [
        Literal(value, powers.get(f"q_{at}", 0), tuple(case.amounts.get(value, ())))
        for at, value in enumerate(values)
    ]


def _value(source: str, form: str) -> Fraction | None:
    try:
        printed = read(source, form).parts[0].printed  # type: ignore[arg-type]
    except SymcostError:
        return None
    return printed.value if printed is not None else None


def state(case: Case, item: Item, about: Subject) -> None:
    """Remembers a printed number with its unit and what it is of."""
    printed = item.part.printed
    if printed is None or printed.percent:
        return
    amount = Amount(printed.value * item.scale, item.unit, about)
    for key in {printed.value, printed.value * item.scale}:
        case.amounts.setdefault(key, []).append(amount)


def time_pair(case: Case, left: Item, right: Item, words: Sequence[str], statement: Statement) -> Pair | None:
    """Whether a time that is computed from times stated before is in the unit that it is said to be in."""
    paid = right.unit is not None and right.unit.powers == {"USD": 1}
    said = right.unit if paid else _said_unit(right, words)
    if said is None or right.part.printed is None:
        return None
    found = literals(case, left, statement.span.form)
    unit, dimension, work, timed = Fraction(1), 0, 0, False
    for literal in found:
        units = {
            (_time_scale(amount.unit), amount.unit.powers.get("s", 0), amount.unit.powers.get("FLOP", 0))
            for amount in literal.stated[-2:]
            if amount.unit is not None and _counts_time(amount.unit)
        }
        if len(units) == 1 and literal.power:
            [(scale, power, flops)] = units
            unit *= scale**literal.power
            dimension += power * literal.power
            work += flops * literal.power
            timed = timed or bool(power)
        elif literal.value in _CONVERSIONS:
            unit *= Fraction(literal.value) ** -literal.power
    if not timed or work or dimension != said.powers.get("s", 0) or unit == said.scale:
        return None
    shown = f"{left.source.strip()} = {right.source.strip()}"
    if paid:
        cost = f"${grouped(round(right.part.printed.value * unit))}"
        return Pair("differs", "SC204", shown, derived=cost, difference=f"a factor {max(unit, 1 / unit)}",
                    message=f"the times have different units: a factor {unit} makes it {cost}")  # fmt: skip
    known = next(
        (name for name, scale in numbers.SECONDS.items() if Fraction(scale) ** dimension == unit), None
    )
    if known is None:
        return None
    factor = max(unit / said.scale, said.scale / unit)
    return Pair("differs", "SC204", shown, derived=f"{right.source.strip()} {known}", difference=f"a factor {factor}",
                message=f"{left.source.strip()} comes out in {known}, not in {said.spelling}: "
                f"{rounded(right.part.printed.value * unit / said.scale, 2)} {said.spelling}")  # fmt: skip


def _counts_time(unit: Unit) -> bool:
    """Whether a unit is a time, something for each unit of time, or FLOPs, which a rate turns into a time."""
    return abs(unit.powers.get("s", 0)) == 1 or unit.powers == {"FLOP": 1}


def _time_scale(unit: Unit) -> Fraction:
    """Seconds, or 1/s; the numbers of FLOPs and bytes are in the arithmetic as they are printed."""
    return Fraction(1) if {"FLOP", "byte"} & unit.powers.keys() else unit.scale


def _said_unit(right: Item, words: Sequence[str]) -> Unit | None:
    if right.unit is not None:
        return right.unit if "s" in right.unit.powers else None
    for stretch in words:
        found = _TIMES.search(stretch)
        if found:
            return unit_called(_CHINESE.get(found[2] or "", "") or found[1])
    return None


def pass_pair(case: Case, left: Item, right: Item, about: Subject, statement: Statement) -> Pair | None:
    """A number of FLOPs of the forward pass, doubled and called forward and backward: the backward pass is two by itself."""
    if (
        not about.quantities
        or not about.quantities <= {"training", "training_flops"}
        or "checkpoint" in about.options
    ):
        return None
    found = literals(case, left, statement.span.form)
    if len(found) != 2 or any(literal.power != 1 for literal in found):
        return None
    for factor, base in (found, found[::-1]):
        forward = base.stated and base.stated[-1].about.quantities == {"forward_flops"}
        if forward and factor.value == 2:
            three = 3 * base.value
            return Pair("differs", "SC203", f"{left.source.strip()} = {right.source.strip()}", derived=number(three, right.unit),
                        difference=number(base.value, right.unit), quantity="step_flops",
                        message="the forward pass is doubled for forward and backward together: the backward pass alone is "
                        "twice the forward "
                        f"pass, so it is 3 times that, {number(three, right.unit)}")  # fmt: skip
    return None
