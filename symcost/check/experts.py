"""A mixture of experts: all parameters taken for those that a token uses, the used ones for all, a name for a product."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from symcost.check.case import Case
from symcost.check.catalogue import book
from symcost.check.chains import TAKEN_BACK
from symcost.check.context import words_before
from symcost.check.findings import Pair
from symcost.check.literals import Literal, literals
from symcost.check.numbers import compare, number
from symcost.check.statements import Item, Statement
from symcost.check.wordings import Wording

BILLION = 10**9
FLOPS_EACH = (Fraction(2), Fraction(6))  # of a parameter and token: forward, and forward and backward
BYTES_EACH = tuple(map(Fraction, ("1/2", "1", "2", "4", "8", "12", "14", "16", "18", "20")))
SIGNIFICANT = 3  # digits by which a number is told from others
MOST = Fraction(9, 10)  # of all parameters that a token of a mixture uses; else only a table is left out
FAR = Fraction(1, 20)  # by which a name is off at least, where it is no rounding
_AS_DENSE = Wording(
    r"\bdense\b|\bwould\b|\ball (?:the |its )?(?:experts|parameters|weights)\b|\bevery (?:expert|parameter|weight)\b",
    re.IGNORECASE,
)
_MOVED = Wording(
    r"\breads\b|\breading\b|\b(?:is|are|be|to|from) read\b|\bstream\w*|\bbandwidth\b|\bmoved?\b|\btraffic\b|\bfetch\w*|/s\b"
    r"|\beach step\b|\bfor (?:a|one|each) token\b",
    re.IGNORECASE,
)  # what a token uses has to be brought to it
_PARAMETERS = Wording(r"\bparam\w*|\bweights\b", re.IGNORECASE)


def of_experts(case: Case, statement: Statement) -> Pair | None:
    """What is wrong with arithmetic about a mixture of experts of which the document says how large it is."""
    left, right = statement.items[0], statement.items[-1]
    if left is right or right.part.printed is None or TAKEN_BACK.search(words_before(statement.span)):
        return None
    factors = literals(case, left, statement.span.form)
    sizes = _sizes(case, statement) if factors else None
    if sizes is None:
        return None
    said = _Arithmetic(case, statement.span.sentence.text, factors, right, *sizes)
    words = said.all_used() or said.used_kept() or said.name_multiplied()
    shown = f"{left.source.strip()} = {right.source.strip()}"
    return Pair("differs", "SC203", shown, message=words, quantity="active_parameters") if words else None


def _sizes(case: Case, statement: Statement) -> tuple[Fraction, Fraction] | None:
    """All parameters, and those that a token uses; nothing where a token uses all."""
    there = case.there(statement.span)
    found = []
    for letter, quantity in (("N", "parameters"), ("N_active", "active_parameters")):
        entry = book(case.first).entry(quantity)
        values = there.numbers.get(letter) or (there.evaluated(entry.total) if entry is not None else ())
        found.append(values[-1] if values else Fraction(0))
    every, used = found
    return (every, used) if every * MOST > used > 0 else None


@dataclass(frozen=True)
class _Arithmetic:
    """A product of numbers, what it is said to come to, and of how many parameters the model has and a token uses."""

    case: Case
    sentence: str
    factors: Sequence[Literal]
    right: Item
    every: Fraction
    used: Fraction

    def all_used(self) -> str:
        """`6 · 46.7e9` FLOPs for a token, which is only sent to some experts."""
        if self._counted.get("FLOP") != 1 or not self._times(FLOPS_EACH) or _AS_DENSE.search(self.sentence):
            return ""
        taken, sent = self._factor(self.every, Fraction(1)), number(self.used, None)
        return f"{taken} are all parameters; a token is only sent to {sent} of them" if taken else ""

    def used_kept(self) -> str:
        """`2 · 12.9 = 25.8 GB` for the weights, of which the next token may use any."""
        if self._counted != {"byte": 1} or not self._times(BYTES_EACH) or _MOVED.search(self.sentence):
            return ""
        taken, kept = self._factor(self.used, self.right.scale), number(self.every, None)
        return f"{taken} are the parameters that a token uses; all {kept} have to be kept" if taken else ""

    def name_multiplied(self) -> str:
        """`8 · 7B = 56B` parameters, as the name of a model has it."""
        if self._counted not in ({}, {"param": 1}) or not _PARAMETERS.search(self.sentence):
            return ""
        if [each.power for each in self.factors] != [1, 1]:
            return ""
        experts, one = sorted(each.value for each in self.factors)
        known = self.case.knowledge.numbers.get("E", ())
        if experts not in known or one < BILLION or abs(experts * one / self.every - 1) < FAR:
            return ""
        return f"only the experts are there {experts} times, the rest once: {number(self.every, None)} parameters"

    @property
    def _counted(self) -> dict[str, int]:
        return dict(self.right.unit.powers) if self.right.unit is not None else {}

    def _times(self, many: Collection[Fraction]) -> bool:
        return any(each.value**each.power in many for each in self.factors)

    def _factor(self, many: Fraction, scale: Fraction) -> str:
        """The factor that is so many, also where the unit behind the result has its power of ten: 12.9, in GB."""
        for each, by in product(self.factors, (Fraction(1), scale)):
            precise = each.power == 1 and each.printed.significant >= SIGNIFICANT
            if precise and compare(many / by, each.printed, None, False).holds:
                return number(each.value * by, None)
        return ""
