"""Measures: whether a product comes out in the unit printed behind it, by the units that its numbers were stated in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from operator import mul

from symcost.check.case import Amount, Case
from symcost.check.findings import Pair
from symcost.check.literals import Literal, is_time, literals
from symcost.check.numbers import SECONDS, compare, number, significant_step
from symcost.check.statements import Item, Statement
from symcost.check.subjects import FLOPS
from symcost.check.wordings import Wording
from symcost.notation.numbers import grouped, rounded
from symcost.notation.tokens import PrintedNumber
from symcost.notation.units import DIMENSIONS, Unit
from symcost.notation.units import unit as unit_called

_TIMES = Wording(
    r"(?:GPU[- ]?)?\b(seconds?|minutes?|hours?|days?|weeks?|years?)\b|(小时|天|年|秒)", re.IGNORECASE
)
_CHINESE = {"小时": "hours", "天": "days", "年": "years", "秒": "s"}

_COUNT = Unit("", Fraction(1), (0,) * len(DIMENSIONS))
_DEVICES = r"(?:[A-Z]\w* )?(?:GPU|TPU|NPU|chip|card|device|accelerator|[A-Z]\d{2,3}s?\b)"
_SEVERAL = Wording(
    rf"(?<![\d.,$-])((?!1\b)\d[\d,]*) (?!per ){_DEVICES}s?(?![ -]?(?:hours?|days?)\b)", re.IGNORECASE
)
FOR_ONE = Wording(
    r"\b(?:one|single|per|each|every|only|alone"
    r"|without(?! (?:\w+ )?(?:checkpoint|recomput)))\b",
    re.IGNORECASE,
)
_AN_HOUR = re.compile(rf"\b(?:per|a|each|every) {_DEVICES}s?[ -]*(?:and )?(?:hour|hr|h)\b", re.IGNORECASE)
_FLOP = Unit("FLOP", Fraction(1), tuple(int(name == "FLOP") for name in DIMENSIONS))
_COUNTED = ("byte", "FLOP", "s", "USD", "J")  # tokens, parameters and devices are often left out
_CERTAIN = (3600, 86400)  # numbers that only convert one unit of time into another
_NO_TIMES = (8, 1000, 1024)  # of those which follow, the ones that convert something else
_LIKELY = (7, 8, 24, 60, 365, 1000, 1024, 1440, 8760)  # those that may also count something
_SLIPS = tuple(Fraction(factor) ** power for factor in (3600, 24, 60, 86400, 1440, 8) for power in (1, -1))
_LASTING = (1, 60, 3600, 86400, 7 * 86400, 365 * 86400)
_SIZES: dict[tuple[tuple[str, int], ...], tuple[Fraction, ...]] = {  # of the units that there are, up to powers of ten
    (): (Fraction(1),),
    (("s", 1),): tuple(map(Fraction, _LASTING)),
    (("s", -1),): tuple(Fraction(1, size) for size in _LASTING),
    (("USD", 1), ("s", -1)): tuple(Fraction(1, size) for size in _LASTING),
    (("FLOP", 1),): tuple(map(Fraction, (1, 3600, 86400, 365 * 86400))),
    (("byte", 1),): (Fraction(1, 8), *(Fraction(2) ** power for power in (0, 10, 20, 30, 40))),
}  # fmt: skip


def unit_pair(case: Case, left: Item, right: Item, words: Sequence[str], statement: Statement) -> Pair | None:
    """Whether what is printed for a product is in the unit that its numbers give it.

    Each number has the unit beside it, the one that it was stated in, or that of a conversion (3600 s/h). What is left
    over must be a unit that the other numbers can have: none where only counts are left. It is wrong where it is a
    familiar factor instead, such as 24.
    """
    said = right.unit or _said(words)
    slip = _slip(case, left, right, statement, said) if said is not None else None
    if said is None or slip is None or right.part.printed is None:
        return None
    source, shown = left.source.strip(), right.source.strip()
    true = right.part.printed.value / slip
    is_in = next((name for name, size in SECONDS.items() if said.scale / slip == size), "")
    if said.powers == {"USD": 1}:
        derived = f"${grouped(round(true))}"
        message = f"the times have different units: a factor {1 / slip} makes it {derived}"
    elif "s" in said.powers and is_in:
        derived = f"{shown} {is_in}"
        message = f"{source} comes out in {is_in}, not in {said.spelling}: {rounded(true, 2)} {said.spelling}"
    else:
        derived = number(true, said)
        message = f"by the units of its numbers {source} is {derived}, not {shown}"
    return Pair("differs", "SC204", f"{source} = {shown}", derived=derived, difference=f"a factor {max(slip, 1 / slip)}",
                message=message)  # fmt: skip


def without_devices(case: Case, left: Item, right: Item, statement: Statement) -> Pair | None:
    """`41.7 h · $1.80 = $75` for a run on 8 GPUs, of which an hour costs that each: how many there are is left out."""
    printed, span = right.part.printed, statement.span
    in_dollars = printed is not None and right.unit is not None and right.unit.powers == {"USD": 1}
    told = list(_SEVERAL.finditer(case.document.text[: span.start])) if in_dollars else []
    if printed is None or not told or FOR_ONE.search(_AN_HOUR.sub(" ", f"{span.before} {span.after}")):
        return None
    counts = {Fraction(each[1].replace(",", "")) for each in told}
    factors = literals(case, left, span.form)
    if len(factors) < 2 or any(each.value in counts or each.value in _NO_TIMES for each in factors):
        return None
    for way in product(*(_units(case, each, statement) for each in factors)):
        known = [unit**each.power for unit, each in zip(way, factors, strict=True) if unit is not None]
        if len(known) == len(factors) and reduce(mul, known).powers == {"USD": 1, "device": -1}:
            many = Fraction(told[-1][1].replace(",", ""))
            total = f"${number(printed.value * many * right.scale, None)}"
            message = f"what one of them costs: the {told[-1][0]} cost {total}"
            return Pair(
                "differs", "SC204", f"{left.source.strip()} = {right.source.strip()}", total, message=message
            )
    return None


def measured(case: Case, left: Item, right: Item, statement: Statement) -> Iterator[Fraction]:
    """What a product comes to in base units by those of its numbers, where its digits are printed in such a unit."""
    printed, said = right.part.printed, right.unit
    if printed is None or said is None or not printed.value:
        return
    for known, plain in _ways(case, left, statement):
        if known is None or counted(said * known**-1):
            continue
        if _alike(plain, printed.value, _close(printed)):
            yield plain * known.scale


def _ways(case: Case, left: Item, statement: Statement) -> Iterator[tuple[Unit | None, Fraction]]:
    """The units that a product may come out in by those of its numbers, None where none has any, and the bare number."""
    found = [each for each in literals(case, left, statement.span.form) if each.power]
    plain = reduce(mul, (each.value**each.power for each in found), Fraction(1))
    for units in product(*(_units(case, each, statement) for each in found)) if len(found) > 1 else ():
        known = [unit**each.power for unit, each in zip(units, found, strict=True) if unit is not None]
        yield reduce(mul, known) if known else None, plain


def _slip(case: Case, left: Item, right: Item, statement: Statement, said: Unit) -> Fraction | None:
    """The familiar factor by which a product is off in the unit that is said, whatever its numbers are; else None."""
    printed = right.part.printed
    if printed is None or not printed.value:
        return None
    close = _close(printed)
    slips: list[Fraction] = []
    for known, plain in _ways(case, left, statement):
        if known is None:
            return None
        left_over = counted(said * known**-1)
        size = printed.value * said.scale / (plain * known.scale)
        if left_over and right.unit is None:
            return None
        if any(_alike(size, each, close) for each in _SIZES.get(left_over, (size,))):
            return None
        slips += [slip for slip in _SLIPS if _alike(size, slip, close)]
    return slips[0] if slips else None


def _units(case: Case, literal: Literal, statement: Statement) -> list[Unit | None]:
    """The units that a number may have, None where nothing tells."""
    if literal.unit is not None and literal.unit.powers != {"USD": 1}:
        return [literal.unit]
    stated = {
        (Unit("", Fraction(1), amount.unit.dimension) if _in_base_units(literal, amount) else amount.unit)
        for amount in literal.stated[-2:]
        if amount.unit is not None
        and (not literal.small or amount.span.sentence.start == statement.span.sentence.start)
    }
    of_flops = literal.stated and literal.stated[-1].unit is None and literal.stated[-1].about.quantities
    if of_flops and of_flops <= FLOPS:
        stated.add(_FLOP)
    of_one_kind = {(unit.scale, counted(unit)) for unit in stated}
    if len(of_one_kind) == 1:
        return [stated.pop()]
    if literal.unit is not None:
        return [literal.unit]
    converts = Unit("", 1 / literal.value, _COUNT.dimension) if literal.value else None
    if literal.value in _CERTAIN and not case.said_first(
        Wording(rf"{grouped(int(literal.value))} {_DEVICES}")
    ):
        return [converts]
    return [None, converts] if literal.value in _LIKELY else [None]


def _in_base_units(literal: Literal, amount: Amount) -> bool:
    """Whether a number is a stated one in seconds: 3.27e6 where 37.9 days were spoken of."""
    if literal.value in (amount.printed, amount.value):
        return literal.value == amount.value
    return is_time(amount.unit) and compare(amount.value, literal.printed, None, False).holds


def counted(unit: Unit) -> tuple[tuple[str, int], ...]:
    """What a unit measures, tokens, parameters and devices apart."""
    return tuple((name, power) for name, power in unit.powers.items() if name in _COUNTED)


def _close(printed: PrintedNumber) -> Fraction:
    """How near a number must be to what is printed, by its digits."""
    return max(Fraction(1, 100), significant_step(printed) / abs(printed.value) / 2)


def _alike(one: Fraction, other: Fraction, close: Fraction) -> bool:
    """Whether two sizes are near each other up to a power of ten, which a prefix or an exponent stands for."""
    ratio = one / other
    if ratio <= 0:
        return False
    ratio /= Fraction(10) ** (len(str(ratio.numerator)) - len(str(ratio.denominator)))
    while ratio > 3:
        ratio /= 10
    while ratio < Fraction(3, 10):
        ratio *= 10
    return abs(ratio - 1) <= close


def _said(words: Sequence[str]) -> Unit | None:
    """The unit of time in the words around a number."""
    for stretch in words:
        found = _TIMES.search(stretch)
        if found:
            return unit_called(_CHINESE.get(found[2] or "", "") or found[1])
    return None
