"""Literals: the numbers inside arithmetic, and what they were stated to be before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sympy import Expr, floor

from symcost.check.case import Amount, Case
from symcost.check.documents import Span
from symcost.check.numbers import compare
from symcost.check.polynomials import summands
from symcost.check.statements import Item
from symcost.check.subjects import Subject
from symcost.check.tables import heading_unit
from symcost.check.wordings import Wording
from symcost.errors import SymcostError
from symcost.notation.reading import read_part
from symcost.notation.tokens import PrintedNumber
from symcost.notation.units import Unit
from symcost.notation.units import unit as unit_called

NUMBER = re.compile(
    r"\d[\d,]*(?:\{,\}\d+)*(?:\.\d+)?(?:(?:e|\\(?:text|mathrm)\{e\})[+-]?\d+)?(?:\s*(?:\\times|\\cdot|[×·x*])\s*10\s*(?:\^\s*\{?-?\d+\}?"
    r"|\*\*\s*\d+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?:[KMBT](?![A-Za-z])|\\(?:text|mathrm)\{[KMBT]\}|\s?\\?%)?"
)
_RAISED = re.compile(r"(?:\^|\*\*|\^\{)\s*\Z")  # what follows is an exponent
_BESIDE = re.compile(
    r"(?:\\[ ,;!]|[~\s])*(?:\\(?:text|mathrm)\{\s*)?([A-Za-z]+(?:\s?/\s?[A-Za-z]+|-[A-Za-z]+)?)\}?"
)
_MONEY = re.compile(r"\\?\$\s?\Z")
_PER_TIME = re.compile(
    r"\s*(?:/|per|an?|each|every)\s*(?P<device>(?:GPU|TPU|chip|card|device|[A-Z]+\d+)s?[ -](?:and )?)?"
    r"(?P<time>second|hour|hr|h|day|year)\b"
)
_BYTES_EACH = Wording(r"[`$*\s]{1,4}(bytes? (?:per|of each|for each|for every) \w+)")
SMALL = 32
ROUNDED = 3  # digits of a number that may stand for one with more: 1.72e6 for 1,720,320
RATES = ("USD", "FLOP", "byte")  # a price of an hour, a peak, a bandwidth
RECENT = 60  # amounts, of which one may be meant in seconds
MOST = 12  # numbers in one piece of arithmetic


@dataclass(frozen=True)
class Literal:
    """A number inside arithmetic: how it is printed, how often it multiplies, the unit beside it, what it was stated to be.

    `small` are whole numbers that may well count something else the next time.
    """

    printed: PrintedNumber
    power: int = 0
    unit: Unit | None = None
    small: bool = False
    stated: tuple[Amount, ...] = ()

    @property
    def value(self) -> Fraction:
        return self.printed.value


def placeholders(item: Item, form: str) -> tuple[Expr | None, list[Literal]]:
    """Arithmetic with q_0, q_1 … for its numbers, exponents and units apart, and the numbers; None where it is none."""
    places = [
        place for place in NUMBER.finditer(item.source) if not _RAISED.search(item.source, 0, place.start())
    ]
    if not 0 < len(places) <= MOST or item.part.expr.free_symbols:
        return None, []
    text, found = item.source, []
    for at, place in reversed(list(enumerate(places))):
        printed = _printed(place.group(), form)
        if printed is None:
            return None, []
        start, end, unit = place.start(), place.end(), None
        beside = _BESIDE.match(item.source, end)
        if beside is not None and (unit := unit_called(beside[1])) is not None:
            end = beside.end()
        elif money := _MONEY.search(item.source, 0, start):
            start, unit = money.start(), unit_called("$")
        found.append(Literal(printed, unit=unit, small=place.group().isdigit() and printed.value < SMALL))
        text = f"{text[:start]} q_{at} {text[end:]}"
    found.reverse()
    try:
        part = read_part(text, form, names=[f"q_{at}" for at in range(len(places))])  # type: ignore[arg-type]
    except SymcostError:
        return None, []
    return part.expr, found


def literals(case: Case, item: Item, form: str) -> list[Literal]:
    """The numbers of a product or quotient, also rounded down, with their powers; none where it is no such thing, or one is 0."""
    expression, found = placeholders(item, form)
    expression = expression.args[0] if isinstance(expression, floor) else expression
    table = summands(expression) if expression is not None else None
    if table is None or len(table) != 1 or not all(each.value for each in found):
        return []
    powers = dict(next(iter(table)))
    return [
        replace(each, power=powers.get(f"q_{at}", 0), stated=_stated(case, each))
        for at, each in enumerate(found)
    ]


def _printed(source: str, form: str) -> PrintedNumber | None:
    try:
        return read_part(source, form).printed  # type: ignore[arg-type]
    except SymcostError:
        return None


def _stated(case: Case, literal: Literal) -> tuple[Amount, ...]:
    """What a number was stated to be before, there perhaps with more digits."""
    same = case.amounts.get(literal.value, ())
    if same or literal.printed.significant < ROUNDED or literal.printed.scale == 1:
        return tuple(same)
    in_seconds = (each for each in case.said[-RECENT:] if is_time(each.unit))
    return (
        *(each for each in case.said if compare(each.printed, literal.printed, None, False).holds),
        *(each for each in in_seconds if compare(each.value, literal.printed, None, False).holds),
    )


def is_time(unit: Unit | None) -> bool:
    """Whether a unit is one of time alone: days, hours."""
    return unit is not None and unit.powers == {"s": 1}


def state(case: Case, item: Item, about: Subject, span: Span, names: Sequence[str] = ()) -> None:
    """Remembers a printed number with its unit, also that in the words behind it ($1.50 per GPU-hour), and what it is of."""
    printed = item.part.printed
    if printed is None or printed.percent:
        return
    unit, per = item.unit or heading_unit(span.block) or _unit_behind(span), _PER_TIME.match(span.after)
    if unit is None and "C" in names:
        unit = unit_called("FLOP")  # the glossary's letter for the compute of a run
    if unit is not None and unit.powers == {"USD": 1} and per is not None:
        hour, device = unit_called(per["time"]), unit_called("GPU") if per["device"] else None
        for each in filter(None, (hour, device)):
            unit = unit * each**-1
    scale = unit.scale if unit is not None else Fraction(1)
    amount = Amount(printed.value * scale, unit, about, span)
    case.said.append(amount)
    powers = unit.powers if unit is not None else {}
    for kind in RATES:
        if powers.get(kind) == 1 and powers.get("s") == -1:
            case.rates[kind] = amount
    for key in {printed.value, amount.value}:
        case.amounts.setdefault(key, []).append(amount)


def _unit_behind(span: Span) -> Unit | None:
    """`2 + 2 + 4 + 4 + 4 = 16` bytes per parameter."""
    found = _BYTES_EACH.match(span.after)
    return unit_called(re.sub(r" .* ", " per ", found[1])) if found is not None else None
