"""Bare numbers: what the numbers before one make of it: the same in another unit, a share, a sum, a product with counts."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from functools import reduce
from itertools import combinations, permutations, product
from operator import mul
from typing import NamedTuple

from symcost.check import numbers
from symcost.check.amounts import other_unit
from symcost.check.case import Amount, Case
from symcost.check.context import words_before
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.knowledge import Knowledge
from symcost.check.measures import counted
from symcost.check.models import FURTHEST
from symcost.check.numbers import binary, number
from symcost.check.places import DEVICES, NUMBER_WORDS
from symcost.check.recipes import element_types
from symcost.check.statements import Statement
from symcost.check.subjects import FLOPS, IN_BYTES
from symcost.check.tables import row_of, unit_of
from symcost.check.wordings import Wording
from symcost.errors import SymcostError
from symcost.notation.reading import read_part
from symcost.notation.units import Unit
from symcost.notation.units import unit as unit_called
from symcost.symbols import GLOSSARY

NEAR = 6  # numbers before one, that it may come from
NEXT = 3  # those that it may be in another unit
DIGITS = 3  # by which a number that has been searched for is told from others
MOST_FACTORS = 3
LAST_FORMS = 3  # whose FLOPs or bytes a number may be made of
NARROW = 24  # characters before a number of bytes that say in which type its elements are
NEARBY = 600  # characters before a paragraph in which the devices may be counted
NEARLY = Fraction(1, 100)  # what a time may be off that was rounded before
ROUNDED = Fraction(1, 1000)  # what two numbers may be off that were rounded each
LEADS_ON = re.compile(
    r"(?:\b(?:which is|that is|i\.e\.|or|being)|=|≈|\()[\s\\$,`]*(?:about|some|roughly)?\s*\Z|, (?:about|some|roughly)\s*\Z"
)
BESIDE = re.compile(r"(?:,|\b(?:are|is|shows? up as|shown as|reads? as|appears? as|reported as)\W*)\s*\Z")
_ONE_DEVICE = Wording(
    r"\b(?i:one|single|an?) (?:\w+ )?(?:GPU|TPU|chip|card|device|accelerator|[A-Z]\d{2,3})\b(?![ -]?hours?\b)"
)
_OF = Wording(r"\s*of\s*[$`]?\s*\Z")
_PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?\\?%")
_ON_TOP = Wording(
    r"\b(?:spare|extra|additional|another|margin of|reserve of|overhead of|plus|add)(?: about)? (\d+(?:\.\d+)?) ?\\?%"
)
_OF_DEVICES = Wording(
    r"\A\W*(?:#|number of |no\.? of )?\s*(?:GPUs|TPUs|chips|devices|accelerators|cards)\W*\Z", re.IGNORECASE
)
_COUNT = re.compile(r"(?<![\w.,^{])(\d[\d,]*\d|\d)(?![\w.]|,\d)(?! ?\\?%)")


class Way(NamedTuple):
    """One thing that a number may be: its exact value in base units, and what that is in words."""

    value: Fraction
    words: str


def likely_ways(case: Case, statement: Statement) -> Iterator[Way]:
    """What the last numbers before one make of it: the same in another unit, a share of one in another, the sum of a sentence."""
    item, before = statement.items[-1], _before(case, statement.span)
    unit = unit_of(statement.span.block, item.unit)
    if item.part.printed is not None and item.part.printed.percent:
        yield from _shares(case, statement, before)
        return
    for each in reversed(before[-NEXT:]):
        if _converts(each.unit, unit):
            yield Way(each.value, f"{_shown(each)}, in another unit")
        elif unit is not None and unit.powers == {"byte": 1} and not _kind(each.unit):
            for width, name in element_types(words_before(statement.span, NARROW)).items():
                yield Way(each.value * width, f"{_shown(each)} in {name}")
    yield from _sums(statement, before, unit)


def in_other_words(case: Case, statement: Statement) -> Pair | None:
    """`3.68e6 s, which is 42.6 days`: a number before it in another unit, where a conversion is missing or there twice;
    or in the other kind of bytes."""
    [*others, item], span = statement.items, statement.span
    before = _before(case, span)
    printed, unit, shown = item.part.printed, unit_of(span.block, item.unit), item.source.strip()
    last = before[-1] if before and before[-1].span.sentence.start == span.sentence.start else None
    if printed is None or printed.percent or others or last is None or not last.value:
        return None
    if _kind(last.unit) != _kind(unit):
        return None
    meant = binary(last.value, printed, unit)
    if meant is not None:
        return Pair("depends", "SC120", shown, message=f"right if {meant} is meant")
    for count in (
        _counts(span.sentence.text[span.end - span.sentence.start :])[:1]
        if _kind(unit) == (("byte", 1),)
        else ()
    ):
        meant = binary(last.value * count, printed, unit)
        if meant is not None:
            return other_unit(case, last.value * count, meant, item, shown)
    ahead, tells = words_before(span), printed.significant >= DIGITS
    led_on = LEADS_ON.search(ahead) is not None
    if not _converts(last.unit, unit) or not (led_on or BESIDE.search(ahead)):
        return None
    found = printed.value * item.scale
    slip = numbers.slip(last.value, found) if led_on or tells else ""
    if tells and last.unit is not None:
        backwards = last.value * (item.scale / last.unit.scale) ** 2
        slip = "converted the wrong way" if abs(found / backwards - 1) <= ROUNDED else slip
    familiar = ("s/h", "/day", "the wrong way", *(("power of ten",) if led_on and tells else ()))
    if any(words in slip for words in familiar):
        right = number(last.value / item.scale, unit)
        return Pair("differs", "SC204", shown, right, message=f"{_shown(last)} are {right}: {slip}")
    return None


def of_one_device(case: Case, statement: Statement) -> Pair | None:
    """`16 A100`, 90.4 days, `2,170` GPU-hours: the hours of one of them, which all of them have each."""
    item, span = statement.items[-1], statement.span
    unit, printed, shown = unit_of(span.block, item.unit), item.part.printed, item.source.strip()
    if printed is None or unit is None or unit.powers != {"s": 1, "device": 1} or len(statement.items) > 1:
        return None
    if not printed.value:
        return None
    row = {each.start for each in row_of(case.document, span)}
    here = [
        each
        for each in _before(case, span)
        if (each.span.block.start in row if row else each.span.sentence.start == span.sentence.start)
    ]
    before = _devices_before(case, span)
    devices = _devices(case, span) if row else before and (_devices(case, span) or before)
    for time in (each for each in here if each.unit is not None and each.unit.powers == {"s": 1}):
        if devices > 1 and abs(time.value / (printed.value * unit.scale) - 1) <= NEARLY:
            right = number(time.value * devices / unit.scale, unit)
            return Pair("differs", "SC204", shown, right,
                        message=f"{_shown(time)} of one of {number(devices, None)} devices: together {right}")  # fmt: skip
    return None


def _devices(case: Case, span: Span) -> Fraction:
    """How many devices the row or the sentence of a number counts, 0 where it does not say or counts several."""
    cells = [each for each in row_of(case.document, span) if each.cell is not None]
    told = [
        each.text.strip() for each in cells if each.cell is not None and _OF_DEVICES.search(each.cell.column)
    ]
    found = {_count(count[0]) for each in told if (count := re.match(r"\d[\d,]*", each)) is not None}
    if not cells:
        found = {_count(each) for each in DEVICES.findall(span.sentence.text)}
    return found.pop() if len(found) == 1 else Fraction(0)


def _devices_before(case: Case, span: Span) -> Fraction:
    """How many devices were counted last before a number, 0 where only one has been spoken of since."""
    text = case.document.text[max(0, span.start - FURTHEST) : span.start]
    counted = list(DEVICES.finditer(text))[-1:]
    return next(
        (_count(last[1]) for last in counted if not _ONE_DEVICE.search(text, last.end())), Fraction(0)
    )


def _before(case: Case, span: Span) -> list[Amount]:
    """The numbers said before, in the same section, the last of them last."""
    said = [each for each in case.said[-2 * NEAR :] if each.span.block.headings == span.block.headings]
    return said[-NEAR:]


def _converts(one: Unit | None, other: Unit | None) -> bool:
    """Whether two units measure the same kind of thing and differ in size."""
    return one is not None and other is not None and one.measures(other) and one.scale != other.scale


def _shares(case: Case, statement: Statement, before: Sequence[Amount]) -> Iterator[Way]:
    """`4.83e9, or 1.4 % of 2N`: a share of what is named behind it, or of two numbers before it; by how much one is less."""
    wholes = _named_behind(case, statement.span)
    for part, whole in product(before[-1:], wholes):
        if whole:
            yield Way(part.value / whole, f"{_shown(part)} of what is named")
    amounts = [each for each in reversed(before) if each.value]
    pairs = [
        pair
        for pair in permutations(range(min(len(amounts), NEXT)), 2)
        if _kind(amounts[pair[0]].unit) == _kind(amounts[pair[1]].unit)
    ]
    for first, second in sorted(pairs, key=sum) if not wholes else ():
        one, other = amounts[first], amounts[second]
        if one.value == other.value:
            continue  # said twice
        words = f"by {_shown(one)} and {_shown(other)}"
        yield Way(one.value / other.value, words)
        yield Way(1 - one.value / other.value, words)
        yield Way(one.value / other.value - 1, words)
        if one.value + other.value:
            yield Way(one.value / (one.value + other.value), f"{words} together")


def _named_behind(case: Case, span: Span) -> list[Fraction]:
    """What `2N` comes to in "1.4 % of 2N"."""
    at = bisect_right(case.document.spans, span.start, key=lambda each: each.start)
    following = case.document.spans[at : at + 1]
    if not following or following[0].block is not span.block or not _OF.match(span.after):
        return _letter_behind(case, span)
    try:
        part = read_part(following[0].text, following[0].form, names=case.knowledge.names())
    except SymcostError:
        return []
    return list(case.knowledge.evaluated(case.knowledge.translated(part.expr)))


def _letter_behind(case: Case, span: Span) -> list[Fraction]:
    found = re.match(r"\s*of ([A-Z]\w*)\b", span.after)
    return list(case.knowledge.numbers.get(case.knowledge.letter(found[1]), ())) if found else []


def _sums(statement: Statement, before: Sequence[Amount], unit: Unit | None) -> Iterator[Way]:
    """`84.9M, plus 38.6M for the token table => 124M`: the numbers of a sentence together."""
    start = statement.span.sentence.start
    listed = [
        each for each in before if each.span.sentence.start == start and _kind(each.unit) == _kind(unit)
    ]
    for first in reversed(range(len(listed) - 1)):
        together = sum((each.value for each in listed[first:]), Fraction(0))
        yield Way(together, "the sum of what the sentence says")


def _kind(unit: Unit | None) -> tuple[tuple[str, int], ...]:
    return counted(unit) if unit is not None else ()


class _Factor(NamedTuple):
    """A number that may be multiplied or divided by."""

    value: Fraction
    unit: Unit | None
    words: str


def ways_of_products(case: Case, statement: Statement, places: Sequence[Knowledge]) -> Iterator[Way]:
    """`4.09 h or $7.36` at $1.80 per hour: products of numbers before it whose unit is the one printed, and with counts.

    A share is what such a product leaves without a unit: FLOPs over a rate and a time.
    """
    span, before, [item] = statement.span, _before(case, statement.span), statement.items
    unit, printed = unit_of(span.block, item.unit), item.part.printed
    kind, percent = _kind(unit), printed is not None and printed.percent
    said = [_Factor(each.value, each.unit, _shown(each)) for each in reversed(before) if each.value]
    factors = [
        each for each in said if each.unit is not None and (_kind(each.unit) or "token" in each.unit.powers)
    ]
    factors += _of_forms(case, span, places)
    factors += _rates(case, {each.unit for each in factors})
    if kind or percent:
        plain = list(_measured(factors, kind))
    else:
        plain = [(each.value, [each.words]) for each in said if not _kind(each.unit) and each.value > 1]
    yield from (Way(value, f"by {' and '.join(words)}") for value, words in plain if len(words) > 1)
    tokens = {each.value for each in said if each.unit is not None and "token" in each.unit.powers}
    of_devices = unit is not None and unit.powers.get("device", 0) > 0
    devices = {_devices(case, span), *map(_count, DEVICES.findall(span.block.text))} if of_devices else set()
    itself = {printed.value} if printed is not None else set()
    counts = [count for count in _counts_near(case, span, places) if count not in tokens | itself]
    for many in (1, 2):
        for (value, words), chosen, powers in product(
            plain, combinations(counts, many), product((1, -1), repeat=many)
        ):
            scale = reduce(mul, (count**power for count, power in zip(chosen, powers, strict=True)))
            if scale == 1:
                continue  # counts that cancel say nothing
            if of_devices and any(
                count in devices and power < 0 for count, power in zip(chosen, powers, strict=True)
            ):
                continue  # GPU-hours are of all of them
            yield Way(
                value * scale, f"by {' and '.join([*words, *(number(count, None) for count in chosen)])}"
            )


def _rates(case: Case, known: Container[Unit | None]) -> Iterator[_Factor]:
    """The last price of an hour and the last peak that another section has stated: $2.25 per GPU-hour, 989 TFLOP/s."""
    for last in (case.rates[kind] for kind in ("USD", "FLOP") if kind in case.rates):
        if last.value and last.unit not in known:
            yield _Factor(last.value, last.unit, _shown(last))


def _of_forms(case: Case, span: Span, places: Sequence[Knowledge]) -> Iterator[_Factor]:
    """The FLOPs and bytes that the last forms of the section come to."""
    for own in case.given[: -LAST_FORMS - 1 : -1]:
        quantities, where = own.about.sure_quantities, own.statement.span
        name = (
            "FLOP"
            if quantities and quantities <= FLOPS
            else "byte"
            if own.about.in_bytes or quantities & IN_BYTES
            else ""
        )
        if not name or where.block.headings != span.block.headings:
            continue
        for item in own.statement.items[-1:]:
            value = next((value for known in places for value in known.evaluated(item.form)), None)
            if value and item.form.free_symbols:
                yield _Factor(value, unit_called(name), item.source.strip())


def _measured(factors: Sequence[_Factor], kind: object) -> Iterator[tuple[Fraction, list[str]]]:
    """The products of numbers of different units that are measured in this kind, the shortest first."""
    for many in range(1, MOST_FACTORS + 1):
        for chosen, powers in product(combinations(factors, many), product((1, -1), repeat=many)):
            units = [
                each.unit**power for each, power in zip(chosen, powers, strict=True) if each.unit is not None
            ]
            together = reduce(mul, units)
            tokens = (
                "token" in together.powers
                and any("token" in each.powers for each in units)
                and not _kind(together)
            )
            if _kind(together) == kind and not tokens and len({each.dimension for each in units}) == many:
                value = reduce(mul, (each.value**power for each, power in zip(chosen, powers, strict=True)))
                yield value, [each.words for each in chosen]


def _counts_near(case: Case, span: Span, places: Sequence[Knowledge]) -> list[Fraction]:
    """The counts and shares that a product may have besides: those of the sentence, devices, the model's size."""
    start, text = span.sentence.start, span.sentence.text
    ahead, behind = text[: max(0, span.start - start)], text[max(0, span.end - start) :]
    found = [*reversed(_counts(ahead)), *_counts(behind)]
    found += [1 + Fraction(percent) / 100 for percent in _ON_TOP.findall(ahead)]
    found += [Fraction(percent) / 100 for percent in _PERCENT.findall(ahead)]
    devices = DEVICES.findall(case.document.text, max(0, span.block.start - NEARBY), span.start)
    found += [*map(_count, devices[-1:]), _devices(case, span)]
    found += [size for known in places[:1] for size in known.evaluated(GLOSSARY["N"].symbol)]
    return [count for count in dict.fromkeys(found) if count and count != 1]


def _counts(text: str) -> list[Fraction]:
    """The whole numbers from two on that stand in a text, in digits or in words."""
    found = [_count(each) for each in _COUNT.findall(text)]
    words = [NUMBER_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in NUMBER_WORDS]
    return [count for count in (*found, *words) if count > 1]


def _count(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))


def _shown(amount: Amount) -> str:
    return number(amount.printed, amount.unit)
