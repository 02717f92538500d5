"""Solving: what follows for a letter from the equation or the bound that a sentence has just written."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor

from sympy import Expr, Poly, Rational, Symbol, cancel, fraction, sqrt, together

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.numbers import compare
from symcost.check.rules import RULE_OF_THUMB
from symcost.check.statements import Item, Statement
from symcost.notation import text as plain_text
from symcost.notation.numbers import rounded
from symcost.symbols import GLOSSARY, D, N

C = GLOSSARY["C"].symbol

MOST_BACK = 4  # statements of a sentence, between a bound and what follows from it
_FOLLOWS = re.compile(
    r"(?:\b(?:so|hence|thus|that is|therefore|means?|gives?|yields?|needs?|requires?|implies|get|find|at)\b|i\.e\.|→|⇒|=>)"
    r"[\s,:$`(]*(?:that|at (?:least|most)|about|only|us|a|an)?[\s,:$`(]*\Z",
    re.IGNORECASE,
)
_AT_MOST, _AT_LEAST = ("≤", "<", "<=", "≪"), ("≥", ">", ">=", "≫")


def solution(case: Case, statement: Statement) -> Pair | None:
    """`26 + 182/n ≤ 32`, so `n ≥ 31`: the number at which the two sides of what was just written are equal.

    A whole number is the next one on the side where the bound holds. It differs where the bound is broken by it.
    """
    [name, *rest] = statement.items
    if len(rest) != 1 or name.name is None or not rest[0].is_number or rest[0].part.printed is None:
        return None
    if not _FOLLOWS.search(_words_before(statement)):
        return None
    for own in reversed(case.given[-MOST_BACK:]):
        same = own.statement.span.sentence.start == statement.span.sentence.start
        if (
            not same
            or not own.statement.single
            or own.statement.relations[0] not in ("=", *_AT_MOST, *_AT_LEAST)
        ):
            continue
        root = _root(case, own.statement, Symbol(name.name, positive=True))
        if root is not None:
            return _held(own.statement, statement, rest[0], *root)
    return None


def _words_before(statement: Statement) -> str:
    span = statement.span
    return span.sentence.text[: max(0, span.start - span.sentence.start)]


def _root(case: Case, bound: Statement, letter: Symbol) -> tuple[Fraction, bool] | None:
    """Where the two sides of a bound are equal, the one positive such place, and whether it holds above that."""
    left, right = (_side(case, item, letter) for item in bound.items)
    if left is None or right is None or letter not in (left - right).free_symbols:
        return None
    above, below = fraction(together(left - right))
    if (left - right).free_symbols != {letter} or not above.is_polynomial(letter):
        return None
    roots = [
        root for root in Poly(above, letter).ground_roots() if root > 0 and below.subs(letter, root) != 0
    ]
    if len(roots) != 1:
        return None
    beyond = (left - right).subs(letter, 2 * roots[0])
    return Fraction(int(roots[0].p), int(roots[0].q)), bool((beyond < 0) == (bound.relations[0] in _AT_MOST))


def _side(case: Case, item: Item, letter: Symbol) -> Expr | None:
    """One side with numbers for all letters but one."""
    form = case.knowledge.opened(item.form)
    known = {}
    for symbol in form.free_symbols - {letter}:
        values = case.knowledge.numbers.get(symbol.name, ())
        if len(values) != 1:
            return None
        known[symbol] = Rational(values[0].numerator, values[0].denominator)
    return form.xreplace(known) * Rational(item.scale.numerator, item.scale.denominator)


def _held(bound: Statement, statement: Statement, item: Item, root: Fraction, above: bool) -> Pair | None:
    """What follows from a bound, held against where its sides are equal."""
    printed, shown = item.part.printed, statement.span.text.strip()
    assert printed is not None
    said = printed.value * item.scale
    relation, source = statement.relations[0], bound.span.text.strip()
    exact = bound.relations[0] == "="
    whole = Fraction(ceil(root) if above else floor(root))
    if (
        said == whole
        if not exact and said.denominator == 1
        else compare(root, printed, item.unit, statement.about).holds
    ):
        if relation in (_AT_MOST if above else _AT_LEAST) and not exact:
            return None
        return Pair("holds", "SC101", shown, message=f"it solves {source}: {rounded(root, 2)}")
    breaks = said < root if above else said > root
    if not breaks or not root / 2 < said < root * 2 or exact:
        return None
    return Pair("differs", "SC203", shown, derived=str(whole), difference=str(whole - said),
                message=f"{source} is met from {rounded(root, 2)} {'up' if above else 'down'}: it should be {whole}")  # fmt: skip


def split_of_compute(case: Case, statement: Statement) -> Pair | None:
    """`N = √(C/(6r))` with `r = D/N`: the size, or the tokens, that a budget of 6ND and their ratio leave.

    It differs where only a number is wrong: `√(rC)/6`.
    """
    [name, *rest] = statement.items
    if name.name not in ("N", "D") or len(rest) != 1 or statement.relations != ["="]:
        return None
    form = rest[0].form
    if C not in form.free_symbols:
        return None
    sides = [
        [item.form for item in own.statement.items] for own in case.given if own.statement.relations == ["="]
    ]
    ratios = {
        left: right for left, right in sides if left in form.free_symbols and right.free_symbols == {N, D}
    }
    if not ratios or form.free_symbols != {C, *ratios}:
        return None
    budget = Rational(RULE_OF_THUMB["training"]) * N * D
    off = cancel((form**2).xreplace(ratios).xreplace({C: budget}) / Symbol(name.name, positive=True) ** 2)
    shown = f"{name.source.strip()} = {rest[0].source.strip()}"
    if off == 1:
        return Pair("holds", "SC101", shown, message=f"put into C = {budget}, with the ratio of the document")
    if not off.is_Rational:
        return None
    right = plain_text(rest[0].form / sqrt(off))
    return Pair("differs", "SC202", shown, right, message=f"put into C = {budget} it should be {right}")
