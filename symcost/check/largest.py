"""The largest batch: a quotient of the memory left over by that of one sequence, with what it drops and promises."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor

from sympy import Symbol

from symcost.check.case import Case
from symcost.check.catalogue import book
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.polynomials import Summands, minus, scaled, summands
from symcost.check.slips import written
from symcost.check.statements import Item, Statement
from symcost.errors import SymcostError
from symcost.notation.reading import read_list

HEAD_WIDTH = 64  # of the customary heads, where a document gives the width d but no heads
LOOKS_AHEAD = 200  # formulas behind an approximation that may state its numbers


def largest_batch(case: Case, item: Item) -> Pair | None:
    """(M − static memory)/(memory of one sequence): exact, or an approximation that may promise more than fits."""
    static, each = book(case.first).entry("static_memory"), book(case.first).entry("memory_per_sequence")
    top, bottom = item.form.as_numer_denom()
    kept_each, numerator = summands(case.tied(bottom)), summands(case.tied(top))
    if static is None or each is None or not kept_each or not numerator:
        return None
    limit = next((monomial for monomial in ((), (("M", 1),)) if monomial in numerator), None)
    factor = _common(kept_each, each.table)
    if limit is None or factor is None:
        return None
    memory = Fraction(numerator[limit]) / factor
    kept_static = scaled(
        {monomial: -value for monomial, value in numerator.items() if monomial != limit}, 1 / factor
    )
    kept_each = scaled(kept_each, 1 / factor)
    left_static, left_each = minus(static.table, kept_static), minus(each.table, kept_each)
    shown = item.source.strip()
    if not left_static and not left_each:
        return Pair(
            "holds",
            "SC102",
            shown,
            message=f"the largest batch, supposing {case.first}",
            quantity="peak_memory",
        )
    if any(value < 0 for value in (*left_static.values(), *left_each.values())):
        return None
    counts = _counts(
        case, memory if limit == () else None, (kept_static, kept_each), (static.table, each.table)
    )
    names = ", ".join(
        written({monomial: value}) for table in (left_static, left_each) for monomial, value in table.items()
    )
    return Pair("approximates", "SC111", shown, difference=names, quantity="peak_memory",
                message=f"unsafe: it drops {names}, so it promises more than fits{counts}")  # fmt: skip


def _counts(
    case: Case, memory: Fraction | None, kept: Sequence[Summands], derived: Sequence[Summands]
) -> str:
    """How many are promised and how many fit, at the numbers that the document gives, before or after."""
    numbers = {name: values[0] for name, values in _all_numbers(case).items()}
    if memory is None or "d" not in numbers:
        return ""
    if "h" not in numbers and numbers["d"] % HEAD_WIDTH == 0:
        numbers["h"] = numbers["d"] / HEAD_WIDTH
    if not {name for table in derived for monomial in table for name, _ in monomial} <= numbers.keys():
        return ""

    def at(table: Summands) -> Fraction:
        return sum((value * _product(monomial, numbers) for monomial, value in table.items()), Fraction(0))

    promised = (memory - at(kept[0])) // at(kept[1])
    fits = (memory - at(derived[0])) // at(derived[1])
    nominal = memory / 10**9
    also = (
        f" ({(nominal * 2**30 - at(derived[0])) // at(derived[1])} if GiB is meant)"
        if nominal.denominator == 1
        else ""
    )
    return f": {promised} where {fits} fit{also}, at h = {numbers['h']}"


def _all_numbers(case: Case) -> dict[str, tuple[Fraction, ...]]:
    """Numbers in force, and those that the document states further down."""
    found = dict(case.knowledge.numbers)
    for span in _ahead(case):
        if span.form != "latex":
            continue
        try:
            readings = read_list(span.text, span.form, names=case.knowledge.names())
        except SymcostError:
            continue
        for reading in readings:
            if (
                len(reading.parts) == 2
                and reading.parts[1].printed is not None
                and isinstance(reading.parts[0].expr, Symbol)
            ):
                found.setdefault(
                    case.knowledge.letter(reading.parts[0].expr.name), (reading.parts[1].printed.value,)
                )
    return found


def whole_number(case: Case, statement: Statement) -> Pair | None:
    """`23.94 ⇒ b_max = 23`: a largest number is rounded down to a whole one, a smallest one up."""
    *_, value, name, whole = (None, None, *statement.items)
    if value is None or name is None or statement.relations[-2:] != ["⇒", "="] or not whole.form.is_Integer:
        return None
    bound = re.search(r"max|min", name.name or "")
    if bound is None or not value.is_number:
        return None
    for exact in case.knowledge.evaluated(value.form):
        down = bound.group() == "max"
        right = floor(exact) if down else ceil(exact)
        shown = f"{value.source.strip()} ⇒ {name.source.strip()} = {whole.source.strip()}"
        if whole.form == right:
            return Pair("holds", "SC101", shown, message=f"rounded {'down' if down else 'up'}")
        if abs(int(whole.form) - exact) < 1:
            words = f"{value.source.strip()} has to be rounded {'down' if down else 'up'}"
            return Pair(
                "differs",
                "SC203",
                shown,
                derived=str(right),
                difference=str(right - int(whole.form)),
                message=words,
            )
    return None


def _common(document: Summands, derived: Summands) -> Fraction | None:
    """The factor between the terms that both have, where it is one for all."""
    factors = {
        Fraction(value) / derived[monomial] for monomial, value in document.items() if monomial in derived
    }
    return factors.pop() if len(factors) == 1 and document.keys() <= derived.keys() else None


def _product(monomial: Sequence[tuple[str, int]], known: dict[str, Fraction]) -> Fraction:
    result = Fraction(1)
    for name, power in monomial:
        result *= known[name] ** power
    return result


def _ahead(case: Case) -> Iterator[Span]:
    """The next formulas of the document, as far as a reader would look for numbers."""
    spans = case.document.spans
    first = bisect_right(spans, case.knowledge.position, key=lambda span: span.start)
    yield from spans[first : first + LOOKS_AHEAD]
