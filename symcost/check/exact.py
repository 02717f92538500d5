"""Exact counts: a whole number, printed to its last digit, that one term keeps apart from what the document has derived."""

from __future__ import annotations

import re

from symcost.check.announcing import wanted
from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.numbers import number
from symcost.check.places import in_force
from symcost.check.polynomials import value_at
from symcost.check.recognising import public
from symcost.check.slips import written
from symcost.check.statements import Statement
from symcost.check.subjects import Subject
from symcost.check.wordings import Wording

_OTHERWISE = Wording(
    r"\b(?:without|exclud\w+|includ\w+|not count\w*|non-?embedding|leav\w+|ignor\w+|minus|plus|if|would|instead|unless)\b",
    re.IGNORECASE,
)  # what it is of other parameters by
DIGITS = 7  # from which on two counts are a term apart by no accident


def off_by_a_term(case: Case, statement: Statement, about: Subject) -> Pair | None:
    """`17,576,448 parameters` at sizes for which the document's own form gives 22,696,448: the head is missing."""
    [*others, item] = statement.items
    printed = item.part.printed
    if others or about.parts or printed is None or item.scale != 1 or printed.value.denominator != 1:
        return None
    if printed.significant < DIGITS or printed.scale != 1 or _OTHERWISE.search(statement.span.sentence.text):
        return None
    meant = wanted(about)
    entry = next((each for each in reversed(case.proven)
                  if each.quantity in meant and not each.parts and not each.per), None)  # fmt: skip
    known = next(iter(in_force(case, statement.span)))
    numbers = {name: values[0] for name, values in known.numbers.items()}
    derived = value_at(entry.table, numbers) if entry is not None else None
    if entry is None or not derived or derived == printed.value:
        return None
    for piece in entry.pieces:
        size = value_at(piece.in_all, numbers)
        if size == abs(derived - printed.value):
            off = f"{'missing' if derived > printed.value else 'too much'}: {written(piece.in_all)} = {number(size, None)}"
            right = number(derived, None)
            return Pair("differs", "SC203", item.source.strip(), right, number(derived - printed.value, None),
                        f"{off} of {piece.term.tensor} in {piece.term.place}; {entry.named()} at these sizes is {right}",
                        public(entry.quantity))  # fmt: skip
    return None
