"""Amounts: whether a printed number is what stands before it, in its unit, and whether the unit is the right one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import chain
from operator import mul

from sympy import Expr, Symbol

from symcost.check import numbers
from symcost.check.case import MOST_BACK, Case
from symcost.check.chains import NO_CLAIM, UNCERTAIN
from symcost.check.context import words_before
from symcost.check.findings import Pair
from symcost.check.knowledge import SIZES
from symcost.check.literals import NUMBER, placeholders
from symcost.check.meanings import time_name
from symcost.check.measures import counted, measured
from symcost.check.numbers import number
from symcost.check.places import stated_beside
from symcost.check.polynomials import ratio, summands
from symcost.check.statements import Item, Statement, plain_name
from symcost.check.wordings import Wording
from symcost.notation.numbers import grouped, rounded
from symcost.notation.units import Unit
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
    exact = case.knowledge.evaluated(left.form) or case.there(statement.span).evaluated(left.form)
    exact = exact or _share(case, left)
    case.sizes |= {each.value for each in placeholders(left, statement.span.form)[1] if each.value >= MANY}
    if _for_all(case, exact, left, right):
        return Pair("holds", "SC103", shown, message="for all parameters")
    if left.name and not exact:
        exact = _as_time(case, left.name)
        if not exact:
            given = replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is given a number")
            return as_defined(case, left, right, shown) or given
    assigned = left.name in case.knowledge.values and left.name not in case.knowledge.definitions
    if left.name and (not statement.single or (assigned and left.name not in case.meant)):
        given = replace(NO_CLAIM, document=shown, message=f"{left.source.strip()} is given a number")
        return as_defined(case, left, right, shown) or given
    exact = exact or _at_a_share(case, left, right, statement)
    before = [value for item in earlier for value in case.knowledge.evaluated(item.form)]
    if not exact and not before:
        missing = ", ".join(plain_name(name) for name in _lacking(case, left)) or "a letter"
        return Pair("unchecked", "SC302", shown, message=f"no number is known for {missing}")
    if right.part.printed is None:
        return _unprinted_pair(case, left, right, exact, relation, shown, statement)
    return (
        _rounded_up(left, right, exact, shown, statement)
        or _as_printed(case, left, right, exact, before, shown, statement)
        or _at_other_numbers(case, left, right, shown, statement)
        or _in_other_units(case, left, right, exact, shown, statement)
        or _uncertain(case, left, shown)
        or _wrong(
            left,
            right,
            [(value * left.scale, _printed(right)) for value in exact],
            shown,
            relation,
            statement,
        )
    )


def _rounded_up(
    left: Item, right: Item, exact: Sequence[Fraction], shown: str, statement: Statement
) -> Pair | None:
    """`328/96 → 4` for the fewest chips that hold it all: a part of one is one more, and 328/16 → 20 is one too few."""
    printed, before = right.part.printed, words_before(statement.span)
    counts = left.unit is None and (right.unit is None or right.unit.powers == {"device": 1})
    if printed is None or printed.step != 1 or not (counts and _FEWEST.search(before)):
        return None
    for value in exact:
        whole = value // 1 + 1
        if value.denominator > 1 and printed.value == whole:
            return Pair("holds", "SC103", shown, message="rounded up to a whole number")
        if value.denominator > 1 and printed.value == whole - 1:
            message = f"{rounded(value, 2)} has to be rounded up, so that all of it fits: {whole}"
            return Pair("differs", "SC203", shown, str(whole), "1", message)
    return None


_FEWEST = Wording(
    r"\b(?:smallest|fewest|minimum|minimal)\b[^.;]{0,40}\b(?:GPUs?|TPUs?|chips?|cards?|devices?|nodes?|accelerators?|[A-Z]\d{2,3}s)\b",
    re.IGNORECASE,
)


def _printed(right: Item) -> Fraction:
    """The number that is printed, in base units."""
    return right.part.printed.value * right.scale if right.part.printed is not None else Fraction(0)


def _as_printed(
    case: Case,
    left: Item,
    right: Item,
    exact: Sequence[Fraction],
    before: Sequence[Fraction],
    shown: str,
    statement: Statement,
) -> Pair | None:
    """It is what is printed, by its own numbers or by those of the sides before it."""
    assert right.part.printed is not None
    for value in (*exact, *before):
        for candidate in _candidates(value, left, right):
            match = numbers.compare(candidate, right.part.printed, right.unit, statement.about)
            if match.holds:
                remark = (match.remark + _unrounded(case, left)).removeprefix("; ")
                return Pair("holds", "SC103" if match.remark else "SC101", shown, message=remark)
    slack = _rounded_before(left) + _rounded_names(case, left)
    nearly = (near for value in (exact if slack else ()) for near in _candidates(value, left, right))
    if any(abs(near - _printed(right)) <= slack * abs(near) for near in nearly):
        return Pair("holds", "SC103", shown, message="but for what was rounded before")
    return None


def _at_other_numbers(case: Case, left: Item, right: Item, shown: str, statement: Statement) -> Pair | None:
    """It is what is printed at a letter's number of before, at the sizes of one of the document's models, or at the numbers
    that its own sentence gives to letters."""
    assert right.part.printed is not None
    elsewhere = [(f"at the sizes of {model.name}", case.knowledge.at(model.sizes)) for model in case.models]
    if left.name in case.knowledge.definitions:
        beside = {
            name: number for name, number in stated_beside(case, statement.span).items() if name != left.name
        }
        elsewhere += [("at the numbers beside it", case.there(statement.span).at(beside))] if beside else []
    there = ((words, value) for words, known in elsewhere for value in known.evaluated(left.form))
    for at, value in chain(case.knowledge.evaluated_before(left.form), there):
        for near in _candidates(value, left, right):
            if numbers.compare(near, right.part.printed, right.unit, False).holds:
                return Pair("holds", "SC103", shown, message=at)
    return None


def _in_other_units(
    case: Case, left: Item, right: Item, exact: Sequence[Fraction], shown: str, statement: Statement
) -> Pair | None:
    """It is what is printed in the other kind of bytes, or in the units that its numbers were stated in."""
    assert right.part.printed is not None
    for value in exact:
        for candidate in _candidates(value, left, right):
            meant = numbers.binary(candidate, right.part.printed, right.unit)
            if meant:
                return other_unit(case, candidate, meant, right, shown)
    if left.is_number and right.unit is not None and left.unit is None:
        remark = _binary_remark(case, left, right)
        if remark:
            return Pair("holds", "SC103", shown, message=remark)
    for value in measured(case, left, right, statement):
        if numbers.compare(value, right.part.printed, right.unit, statement.about).holds:
            return Pair("holds", "SC103", shown, message="by the units that its numbers were stated in")
    return None


def _uncertain(case: Case, left: Item, shown: str) -> Pair | None:
    """What it is made of was wrong already, its numbers were only said in passing, or two of its names seem the same."""
    forms = (left.form, case.knowledge.opened(left.form))
    names = {symbol.name for form in forms for symbol in form.free_symbols}
    for name in sorted(names & case.wrong):
        return Pair("unchecked", "SC302", shown, message=f"the form of {plain_name(name)} differs")
    for name in sorted(names & case.knowledge.in_words):
        return Pair("unchecked", "SC302", shown, message=f"which number {name} has here is not certain")
    for letter in sorted(case.knowledge.confused(left.part.expr)):
        return Pair("unchecked", "SC302", shown, message=f"two of its names were taken for {letter}")
    for name in sorted(names) if left.name is None else ():
        ways = case.knowledge.definitions.get(name, ()) if name not in case.knowledge.numbers else ()
        if len(ways) > 1 and not all(map(case.knowledge.evaluated, ways)):
            return Pair(
                "unchecked",
                "SC302",
                shown,
                message=f"which of its forms {plain_name(name)} has is not certain",
            )
    return None


def as_defined(case: Case, left: Item, right: Item, shown: str) -> Pair | None:
    """A name beside the number that its form comes to, also where the words let it look like an assumption."""
    printed = right.part.printed
    if printed is None or printed.significant < FEW_DIGITS:
        return None
    for form in (*case.knowledge.definitions.get(left.name or "", ()), *_written_for(case, left)):
        for value in case.knowledge.evaluated(form):
            if any(
                numbers.compare(near, printed, right.unit, False).holds
                for near in _candidates(value, left, right)
            ):
                return Pair(
                    "holds", "SC101", shown, message=f"what {left.source.strip()} comes to by its form"
                )
    return None


def _written_for(case: Case, left: Item) -> Iterator[Expr]:
    """The forms that the document has put behind a letter of ours, which none of them defines."""
    for own in case.given[: -MOST_BACK - 1 : -1] if left.name in GLOSSARY else ():
        if left.name in own.statement.names and not own.wrong:
            yield from (item.form for item in own.statement.items if item.form.free_symbols and not item.name)


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
            return Pair("holds", "SC103", shown, message=at)
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


def _at_a_share(case: Case, left: Item, right: Item, statement: Statement) -> tuple[Fraction, ...]:
    """What a form comes to at a utilisation that was only said in passing, where that is what is printed: "you get 45 %"."""
    printed, span = right.part.printed, statement.span
    if printed is None or printed.significant < FEW_DIGITS or _lacking(case, left) != ["MFU"]:
        return ()
    text = " ".join((*span.block.lead, span.block.text[: max(0, span.start - span.block.start)]))
    for share in reversed(_PERCENT.findall(text)[-MOST_SHARES:]):
        known = case.knowledge.at({"MFU": Fraction(share) / 100})
        found = [value for value in known.evaluated(left.form)
                 if any(numbers.compare(near, printed, right.unit, statement.about).holds
                        for near in _candidates(value, left, right))]  # fmt: skip
        if found:
            return tuple(found)
    return ()


_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?\\?%")
MOST_SHARES = 3  # that a paragraph may have said last


def _share(case: Case, left: Item) -> tuple[Fraction, ...]:
    """What a quotient of two forms comes to whatever its letters are: (32bcd² + 4bc²d)/(96bcd² + 12bc²d) is 1/3."""
    top, bottom = (summands(case.tied(case.knowledge.opened(part))) for part in left.form.as_numer_denom())
    found = ratio(top, bottom) if top and bottom else None
    return (found,) if found is not None else ()


def _rounded_before(left: Item) -> Fraction:
    """By which share a product may be off, since its factors were printed rounded: half a unit in the last place of each."""
    slack = Fraction(0)
    for place in NUMBER.finditer(left.source) if not left.form.free_symbols else ():
        digits = re.match(r"[\d,{}]+\.(\d+)", place.group())
        whole = re.sub(r"[^\d]", "", digits.group()) if digits else ""
        if digits and len(whole.lstrip("0")) >= FEW_DIGITS:
            slack += Fraction(1, 2 * int(whole))
    return slack


def _rounded_names(case: Case, left: Item) -> Fraction:
    """The same for names of the document that stand for a large number of few digits: 4A, where A was 2.75e9."""
    slack, knowledge = Fraction(0), case.knowledge
    for name, power in left.form.as_powers_dict().items():
        [value, *others] = knowledge.numbers.get(str(name), (Fraction(0),))
        digits = str(value.numerator).rstrip("0") if value.denominator == 1 else ""
        few = FEW_DIGITS <= len(digits) <= MOST_DIGITS and value >= MANY and str(name) not in SIZES
        if few and not others and power.is_Integer:
            slack += abs(int(power)) * Fraction(1, 2 * int(digits))
    return slack


NEARBY = Fraction(1, 10)  # what ≈ allows for a number of one or two digits
MANY = 10**6  # parameters of a model
FEW_DIGITS = 3  # a number with fewer digits is taken as it stands
MOST_DIGITS = 5  # one with more is exact


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


def other_unit(case: Case, value: Fraction, meant: str, right: Item, shown: str) -> Pair:
    """A number that is right in the other kind of bytes: wrong where the one written can mean only one thing."""
    message = f"right if {meant} is meant: {_both_units(value, right.unit)}"
    spelled = right.unit.spelling if right.unit is not None else ""
    if spelled.endswith("iB") or (spelled.endswith("B") and _says_decimal(case.document.text)):
        return Pair("differs", "SC204", shown, derived=_both_units(value, right.unit),
                    message=f"{spelled} printed where {meant} is meant: {_both_units(value, right.unit)}")  # fmt: skip
    return Pair("depends", "SC120", shown, message=message)


_DECIMAL = Wording(
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
    if right.unit is not None and left.unit is not None and _are_of_two_kinds(left.unit, right.unit):
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


def _are_of_two_kinds(one: Unit, other: Unit) -> bool:
    """Whether two units measure different things, as tokens and the iterations that read them do."""
    tokens = {"token" in unit.powers for unit in (one, other)}
    return counted(one) != counted(other) or len(tokens) > 1


def _both_units(value: Fraction, unit: Unit | None) -> str:
    if unit is None:
        return rounded(value, 2)
    return f"{rounded(value / 10**9, 2)} GB are {rounded(value / 2**30, 2)} GiB"
