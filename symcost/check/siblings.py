"""Siblings: the same calculation made for two cases, where the second leaves out a count or a share that holds for both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symcost.check.case import Case, Product
from symcost.check.findings import Pair
from symcost.check.literals import SMALL, Literal, literals
from symcost.check.measures import FOR_ONE, counted
from symcost.check.numbers import number
from symcost.check.statements import Item, Statement
from symcost.check.wordings import Wording
from symcost.notation.units import Unit

LATEST = 12  # calculations that another may be the sibling of
MOST = 64  # epochs, steps, GPUs
LARGE = 10**6  # parameters, tokens, FLOPs
_DEVICE = r"(?:GPU|TPU|chip|card|accelerator|device|[A-Z]\d{2,3})s?\b"
_COUNTED = (r"epochs?\b", r"(?:gradient[- ])?accumulation(?: steps)?", _DEVICE)


def sibling_pair(case: Case, left: Item, right: Item, statement: Statement) -> Pair | None:
    """`3 · 10,000 · … = 14,720 s`, then `10,000 · … = 2.67 h`: the 3 epochs are missing in the second.

    All other numbers must be the same or of the same kind, one of them the very same; and the words must say that the
    count or the share holds, and not that this is without it.
    """
    found = next(_found(case, left, right, statement), None)
    case.products.append(Product(left, right, statement))
    return found


def _found(case: Case, left: Item, right: Item, statement: Statement) -> Iterator[Pair]:
    printed, mine = right.part.printed, _factors(case, left, statement)
    for earlier in reversed(case.products[-LATEST:] if printed is not None and len(mine) > 1 else ()):
        theirs = (
            _factors(case, earlier.left, earlier.statement) if _kind(earlier.right) == _kind(right) else ()
        )
        lacking = _lacking(mine, theirs)
        words = _words(case, lacking, earlier, statement) if lacking is not None else ""
        if lacking is not None and words and printed is not None:
            value = printed.value * lacking.value**lacking.power
            shown = f"{number(value * 100, None)} %" if printed.percent else number(value, right.unit)
            yield Pair("differs", "SC203", f"{left.source.strip()} = {right.source.strip()}", derived=shown,
                       message=f"{words} missing, which {earlier.left.source.strip()} has: {shown}")  # fmt: skip


def _factors(case: Case, item: Item, statement: Statement) -> list[Literal]:
    return [each for each in literals(case, item, statement.span.form) if each.power and each.value != 1]


def _kind(item: Item) -> object:
    printed = item.part.printed
    return (counted(item.unit) if item.unit is not None else (), printed is not None and printed.percent)


def _lacking(mine: Sequence[Literal], theirs: Sequence[Literal]) -> Literal | None:
    """The one number that the second of two calculations lacks, where all others correspond."""
    rest, others, shared = list(theirs), [], 0
    for each in mine:
        same = next((other for other in rest if (other.value, other.power) == (each.value, each.power)), None)
        if same is None:
            others.append(each)
        else:
            rest.remove(same)
            shared += not each.small and each.value != 10
    for each in others:
        alike = next(
            (other for other in rest if other.power == each.power and _alike(one=each, other=other)), None
        )
        if alike is None:
            return None
        rest.remove(alike)
    return rest[0] if shared and len(rest) == 1 else None


def _alike(one: Literal, other: Literal) -> bool:
    """Whether two numbers may stand for the same thing in two cases: two sizes, two shares, two counts, two times."""
    units = [_unit(each) for each in (one, other)]
    if units[0] is not None and units[1] is not None:
        return counted(units[0]) == counted(units[1])
    if one.value < 1 or other.value < 1:
        return one.value < 1 and other.value < 1
    if one.value >= LARGE or other.value >= LARGE:
        return one.value >= LARGE and other.value >= LARGE
    return one.value.denominator == other.value.denominator == 1 and min(one.value, other.value) >= SMALL


def _unit(literal: Literal) -> Unit | None:
    return literal.unit or next(
        (each.unit for each in reversed(literal.stated) if each.unit is not None), None
    )


def _words(case: Case, lacking: Literal, earlier: Product, statement: Statement) -> str:
    """What is missing, where the words say that it holds here: "still at 45 %", or "3 epochs" before."""
    span, value = statement.span, lacking.value
    if value < 1:
        percent = number(value * 100, None).removesuffix(".00")
        sentence = span.sentence.text
        return f"the {percent} % are" if re.search(rf"(?<![\d.]){percent}\s*\\?%", sentence) else ""
    clause = f"{span.before} {span.after}"
    together = earlier.statement.span.block.headings == span.block.headings
    if not together or value.denominator > 1 or value > MOST or FOR_ONE.search(clause):
        return ""
    for counts in _COUNTED:
        said = case.said_first(Wording(rf"(?<![\d.,-]){value} ({counts})", re.IGNORECASE))
        if said is not None and said.start() < span.start and not re.search(counts, clause, re.IGNORECASE):
            return f"the {value} {said[1]} are"
    return ""
