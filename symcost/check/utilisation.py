"""Utilisation: shares of a peak that count the wrong pass, stand upside down, or leave the backward pass out."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import reduce
from operator import mul

from symcost.check.case import Case, Product
from symcost.check.findings import Pair
from symcost.check.literals import literals
from symcost.check.numbers import number
from symcost.check.statements import Item, Statement
from symcost.check.subjects import Subject
from symcost.check.wordings import Wording
from symcost.notation.numbers import rounded

_MFU = Wording(r"\bMFU\b|\butili[sz]ation\b", re.IGNORECASE)
_HFU = Wording(r"\bHFU\b|\bhardware\b", re.IGNORECASE)
_LAST_USE = re.compile(
    r"\b(MFU|HFU|hardware (?:FLOPs? )?utili[sz]ation)\b(?!.*\b(?:MFU|HFU|utili[sz]ation)\b)",
    re.IGNORECASE | re.DOTALL,
)
_AGAIN = (Fraction(4, 3), Fraction(3, 4))  # passes with a forward pass that is made again, over those without
_TRAINING = Wording(r"\btrain", re.IGNORECASE)
MANY = 10**6  # FLOPs, rather than tokens or devices


def utilisation_pair(case: Case, left: Item, right: Item, statement: Statement) -> Pair | None:
    """An MFU of training that counts a third of the FLOPs that the document has for it: those of the forward pass alone."""
    printed, sentence = right.part.printed, statement.span.sentence.text
    if printed is None or not printed.percent or not (_MFU.search(sentence) and _TRAINING.search(sentence)):
        return None
    for each in literals(case, left, statement.span.form):
        forward = each.power == 1 and each.printed.significant > 1 and each.value > MANY
        if forward and any(_is_training(case, each.value, made) for made in case.products):
            return Pair("differs", "SC203", f"{left.source.strip()} = {right.source.strip()}",
                        derived=f"{rounded(300 * printed.value, 1)}%", message=f"{number(each.value, None)} FLOPs are those of "
                        "the forward pass: training takes three times as many")  # fmt: skip
    return None


def _is_training(case: Case, forward: Fraction, made: Product) -> bool:
    """Whether arithmetic was three times a number of FLOPs, for training: 3 × 29.0 = 87.0 GFLOPs."""
    right = made.right
    if right.part.printed is None or right.unit is None or right.unit.powers.get("FLOP") != 1:
        return False
    said, factors = right.part.printed.value, literals(case, made.left, made.statement.span.form)
    return (
        bool(_TRAINING.search(made.statement.span.sentence.text))
        and said * right.scale == 3 * forward
        and sorted(each.value for each in factors) == sorted((Fraction(3), said / 3))
    )


def hardware_pair(case: Case, left: Item, right: Item, statement: Statement) -> Pair | None:
    """`39.5% · 6/8` for the HFU of a run with recomputation: what the hardware does is more than the model needs, not less."""
    span, factors = statement.span, literals(case, left, statement.span.form)
    shares = [each for each in factors if each.power == 1 and each.value < 1]
    again = reduce(mul, (each.value**each.power for each in factors if each not in shares), Fraction(1))
    if (
        right.part.printed is None
        or len(shares) != 1
        or again not in _AGAIN
        or not _HFU.search(span.sentence.text)
    ):
        return None
    words = (*statement.names, span.sentence.text[: span.start - span.sentence.start])
    told = next((found for found in map(_LAST_USE.search, words) if found is not None), None)
    of_model = told is not None and told[1].upper() == "MFU"
    if told is None or of_model == (again < 1):
        return None
    true = f"{rounded(100 * shares[0].value / again, 1)}%"
    which = (
        "the model needs less than the hardware does"
        if of_model
        else "the hardware does more than the model needs"
    )
    return Pair("differs", "SC203", f"{left.source.strip()} = {right.source.strip()}", derived=true,
                message=f"the fraction is upside down: {which}, so it is {true}")  # fmt: skip


def pass_pair(case: Case, left: Item, right: Item, about: Subject, statement: Statement) -> Pair | None:
    """A number of FLOPs of the forward pass, doubled and called forward and backward: the backward pass is two by itself."""
    if (
        not about.quantities
        or not about.quantities <= {"training", "training_flops"}
        or "checkpoint" in about.options
    ):
        return None
    found = literals(case, left, statement.span.form)
    if len(found) != 2 or any(literal.power != 1 for literal in found):
        return None
    for factor, base in (found, found[::-1]):
        forward = base.stated and base.stated[-1].about.quantities == {"forward_flops"}
        if forward and factor.value == 2:
            three = 3 * base.value
            return Pair("differs", "SC203", f"{left.source.strip()} = {right.source.strip()}", derived=number(three, right.unit),
                        difference=number(base.value, right.unit), quantity="step_flops",
                        message="the forward pass is doubled for forward and backward together: the backward pass alone is "
                        "twice the forward "
                        f"pass, so it is 3 times that, {number(three, right.unit)}")  # fmt: skip
    return None
