"""Elements: numbers of elements that are printed as so many bytes, where each of them takes several."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from symcost.check.case import MOST_BACK, Case
from symcost.check.documents import Span
from symcost.check.findings import Pair
from symcost.check.literals import placeholders
from symcost.check.numbers import compare, number
from symcost.check.places import in_force
from symcost.check.recipes import element_types
from symcost.check.statements import Statement
from symcost.check.wordings import Wording

LATEST = 24  # numbers before one that may be a count
FEWEST = 10**4  # elements that are hardly as many as something else by chance
FURTHEST = 600  # characters from a count to the bytes that it is taken for
_COUNT_BEHIND = Wording(r"\W*(?:(?:bf|fp)\d+ )?(?:elements|values|numbers|entries)\b", re.IGNORECASE)
_COUNT_AHEAD = Wording(
    r"\b(?:count(?:s|ed|ing)?|in) (?:the )?(?:elements|values|numbers|entries)\b", re.IGNORECASE
)
_NARROW = Wording(r"\bquanti[sz]|\b[1-7] bits?\b", re.IGNORECASE)


def elements_as_bytes(case: Case, statement: Statement) -> Pair | None:
    """`3N` bf16 values, "that is 24.1 GB" for 8.03B: a count of elements that the document has just given, called bytes."""
    [*left, item], span = statement.items, statement.span
    printed = item.part.printed
    if printed is None or item.unit is None or item.unit.powers != {"byte": 1} or len(left) > 1:
        return None
    factors = [each.printed for each in placeholders(left[0], span.form)[1]] if left else []
    for count, words, where in _counts(case, span):
        width = _width(case, where, span)
        if width is None or count < FEWEST or width in {factor.value for factor in factors}:
            continue
        taken = next(
            (each for each in (printed, *factors) if compare(count, each, item.unit, False).holds), None
        )
        if taken is None:
            continue
        right, said = number(count * width / item.scale, item.unit), number(taken.value, item.unit)
        return Pair("differs", "SC204", span.text.strip(), right if taken is printed else "",
                    message=f"{words} are elements: at {width} bytes each they take {right}, not {said}")  # fmt: skip
    return None


def _counts(case: Case, span: Span) -> Iterator[tuple[Fraction, str, Span]]:
    """The numbers of elements given before, the last first: in numbers, and what forms of the section come to."""
    for amount in case.said[: -LATEST - 1 : -1]:
        if amount.unit is not None and amount.unit.powers == {"element": 1}:
            yield amount.value, number(amount.printed, amount.unit), amount.span
    for own in case.given[: -MOST_BACK - 1 : -1]:
        where, item = own.statement.span, own.statement.items[-1]
        if where.block.headings != span.block.headings or span.start - where.end > FURTHEST:
            return
        ahead = where.block.text[: max(0, where.start - where.block.start)]
        if item.form.free_symbols and (_COUNT_BEHIND.match(where.after) or _COUNT_AHEAD.search(ahead)):
            for known in in_force(case, span):
                yield from ((value, item.source.strip(), where) for value in known.evaluated(item.form))


def _width(case: Case, count: Span, span: Span) -> Fraction | None:
    """The bytes of an element, where the sentence of a number, or what leads to it from the count, names one type alone."""
    between = (
        case.document.text[count.sentence.start : span.sentence.end]
        if span.start - count.start < FURTHEST
        else ""
    )
    for words in (span.sentence.text, between, case.document.text):
        if _NARROW.search(words):
            return None
        widths = list(element_types(words))
        if widths:
            return widths[0] if len(widths) == 1 and widths[0] > 1 else None
    return None
