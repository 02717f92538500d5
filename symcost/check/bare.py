"""Bare numbers: what a number by itself comes from among those before it: one in another unit, a share, a sum, a product."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import combinations, permutations, product
from operator import mul

from symcost.check import numbers
from symcost.check.amounts import other_unit
from symcost.check.case import Amount, Case
from symcost.check.context import words_before
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.measures import counted
from symcost.check.numbers import binary, compare, number
from symcost.check.statements import Statement
from symcost.check.tables import heading_unit
from symcost.errors import SymcostError
from symcost.notation.reading import read
from symcost.notation.units import Unit

NEAR = 6  # numbers before one, that it may come from
NEXT = 3  # those that a share of two digits may be of
NEARBY = Fraction(1, 5)  # what a printed number may be off before it is looked at closely
DIGITS = 3  # by which a number that has been searched for is told from others
MOST_FACTORS = 3
ROUNDED = Fraction(1, 1000)  # what two numbers may be off that were rounded each
LEADS_ON = re.compile(
    r"(?:\b(?:which is|that is|i\.e\.|or|being)|=|≈|\()[\s\\$,`]*(?:about|some|roughly)?\s*\Z"
)
_OF = re.compile(r"\s*of\s*[$`]?\s*\Z")
WORDS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_ON_TOP = re.compile(
    r"\b(?:spare|extra|additional|another|margin of|reserve of|overhead of|plus|add)(?: about)? (\d+(?:\.\d+)?) ?\\?%"
)
_COUNT = re.compile(r"(?<![\w.,^{])(\d[\d,]*\d|\d)(?![\w.]|,\d)")


def explained(case: Case, statement: Statement) -> Pair | None:
    """What a number by itself comes from, or None where nothing before it says."""
    if (
        statement.span.block.cell is not None
        and len(statement.items) == 1
        and statement.items[0].unit is None
    ):
        statement = replace(
            statement, items=[replace(statement.items[0], unit=heading_unit(statement.span.block))]
        )
    printed, before = statement.items[-1].part.printed, _before(case, statement.span)
    if printed is None or len(statement.items) > 2:
        return None
    if len(statement.items) > 1:
        return _sum(statement, before)
    if printed.percent:
        return _share(case, statement, before)
    return _same(statement, before) or _sum(statement, before) or _product(case, statement, before)


def _before(case: Case, span: Span) -> list[Amount]:
    """The numbers said before, in the same section, the last of them last."""
    said = [each for each in case.said[-2 * NEAR :] if each.span.block.headings == span.block.headings]
    return said[-NEAR:]


def _same(statement: Statement, before: Sequence[Amount]) -> Pair | None:
    """`3.68e6 s, which is 42.6 days`: a number before it in another unit.

    It differs where the words lead on from that number, and a conversion of time is missing or there twice.
    """
    [item], span = statement.items, statement.span
    printed, unit, shown = item.part.printed, item.unit, item.source.strip()
    if printed is None:
        return None
    for other in reversed(before[-NEXT:]) if printed.significant > 1 else ():
        if _converts(other.unit, unit) and compare(other.value, printed, unit, statement.about).holds:
            return Pair("holds", "SC101", shown, message=f"{_shown(other)}, in another unit")
    last = before[-1] if before and before[-1].span.sentence.start == span.sentence.start else None
    if last is None or not last.value or _kind(last.unit) != _kind(unit):
        return None
    meant = binary(last.value, printed, unit)
    if meant is not None:
        return Pair("depends", "SC120", shown, message=f"right if {meant} is meant")
    if not _converts(last.unit, unit) or not LEADS_ON.search(words_before(span)):
        return None
    found = printed.value * item.scale
    slip = numbers.slip(last.value, found)
    if printed.significant >= DIGITS and last.unit is not None:
        backwards = last.value * (item.scale / last.unit.scale) ** 2
        slip = "converted the wrong way" if abs(found / backwards - 1) <= ROUNDED else slip
    if "s/h" in slip or "/day" in slip or "the wrong way" in slip:
        right = number(last.value / item.scale, unit)
        return Pair("differs", "SC204", shown, right, message=f"{_shown(last)} are {right}: {slip}")
    return None


def _converts(one: Unit | None, other: Unit | None) -> bool:
    """Whether two units measure the same kind of thing and differ in size."""
    return one is not None and other is not None and one.measures(other) and one.scale != other.scale


def _share(case: Case, statement: Statement, before: Sequence[Amount]) -> Pair | None:
    """`4.83e9, or 1.4 % of 2N`: a share of what is named behind it, or of two numbers before it; by how much one is less."""
    [item], span = statement.items, statement.span
    printed = item.part.printed
    if printed is None:
        return None
    wholes = _named_behind(case, span)
    last = before[-1:] if before else []
    pairs = [(part.value, whole) for part in last for whole in wholes]
    ways = [part / whole for part, whole in pairs if whole]
    amounts = [
        each.value for each in before[-NEXT if printed.significant < DIGITS else -NEAR :] if each.value
    ]
    if not wholes:
        ways += [way for one, other in permutations(amounts, 2) for way in (one / other, 1 - one / other)]
    if printed.significant > 1 and any(compare(way, printed, None, statement.about).holds for way in ways):
        return Pair("holds", "SC101", item.source.strip(), message="by the numbers before it")
    return None


def _named_behind(case: Case, span: Span) -> list[Fraction]:
    """What `2N` comes to in "1.4 % of 2N"."""
    at = bisect_right(case.document.spans, span.start, key=lambda each: each.start)
    following = case.document.spans[at : at + 1]
    if not following or following[0].block is not span.block or not _OF.match(span.after):
        return _letter_behind(case, span)
    try:
        part = read(following[0].text, following[0].form, names=case.knowledge.names()).parts[0]
    except SymcostError:
        return []
    return list(case.knowledge.evaluated(case.knowledge.translated(part.expr)))


def _letter_behind(case: Case, span: Span) -> list[Fraction]:
    found = re.match(r"\s*of ([A-Z]\w*)\b", span.after)
    return list(case.knowledge.numbers.get(case.knowledge.letter(found[1]), ())) if found else []


def _sum(statement: Statement, before: Sequence[Amount]) -> Pair | None:
    """`84.9M, plus 38.6M for the token table => 124M`: the numbers of a sentence together."""
    item, start = statement.items[-1], statement.span.sentence.start
    printed = item.part.printed
    listed = [
        each for each in before if each.span.sentence.start == start and _kind(each.unit) == _kind(item.unit)
    ]
    for first in range(len(listed) - 1):
        together = sum((each.value for each in listed[first:]), Fraction(0))
        if printed is not None and compare(together, printed, item.unit, False).holds:
            return Pair("holds", "SC101", item.source.strip(), message="the sum of what the sentence says")
    return None


def _kind(unit: Unit | None) -> tuple[tuple[str, int], ...]:
    return counted(unit) if unit is not None else ()


def _product(case: Case, statement: Statement, before: Sequence[Amount]) -> Pair | None:
    """`4.09 h or $7.36` at $1.80 per hour: a product of numbers before it whose unit is the one printed.

    In the other kind of bytes it differs, where one number before it and the count behind it make it up.
    """
    [item], span = statement.items, statement.span
    printed = item.part.printed
    if printed is None or printed.significant < DIGITS or not _kind(item.unit):
        return None
    shown = item.source.strip()
    start, text = span.sentence.start, span.sentence.text
    behind = text[span.end - start :]
    counts = _counts(f"{text[: span.start - start]} {behind}")
    counts += [1 + Fraction(percent) / 100 for percent in _ON_TOP.findall(text[: span.start - start])]
    if "byte" in dict(_kind(item.unit)):
        sizes = case.there(span).numbers.get("N") or case.knowledge.numbers.get("N", ())
        counts += [size for size in sizes if size]
    target = printed.value * item.scale
    factors: list[Fraction] = [Fraction(1), *counts, *(1 / count for count in counts if count)]
    shares = [target * factor for factor in factors]
    for chosen, value in _products(before, item.unit):
        if not any(abs(value - share) <= share * NEARBY for share in shares):
            continue
        for count in (*counts, Fraction(1)) if len(chosen) > 1 else counts:
            if any(compare(way, printed, item.unit, False).holds for way in (value * count, value / count)):
                named = [*map(_shown, chosen), *([number(count, None)] if count != 1 else [])]
                return Pair("holds", "SC101", shown, message=f"by {' and '.join(named)}")
    last = before[-1] if before and before[-1].span.sentence.start == span.sentence.start else None
    if last is not None and _kind(last.unit) == _kind(item.unit) == (("byte", 1),):
        for count in _counts(behind)[:1]:
            meant = binary(last.value * count, printed, item.unit)
            if meant is not None:
                return other_unit(case, last.value * count, meant, item, shown)
    return None


def _products(before: Sequence[Amount], unit: Unit | None) -> Iterator[tuple[Sequence[Amount], Fraction]]:
    """The products of numbers with units that are measured in this one, the shortest first."""
    measured = [each for each in before if each.value and _kind(each.unit)]
    for many in range(1, MOST_FACTORS + 1):
        for chosen, powers in product(combinations(measured, many), product((1, -1), repeat=many)):
            units = [
                each.unit**power for each, power in zip(chosen, powers, strict=True) if each.unit is not None
            ]
            if _kind(reduce(mul, units)) == _kind(unit):
                yield (
                    chosen,
                    reduce(mul, (each.value**power for each, power in zip(chosen, powers, strict=True))),
                )


def _counts(text: str) -> list[Fraction]:
    """The whole numbers from two on that stand in a text, in digits or in words."""
    found = [Fraction(each.replace(",", "")) for each in _COUNT.findall(text)]
    words = [Fraction(WORDS.index(word) + 2) for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS]
    return [count for count in (*found, *words) if count > 1]


def _shown(amount: Amount) -> str:
    return number(amount.printed, amount.unit)
