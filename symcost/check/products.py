"""Products: what one matrix product costs whose sides the text names, what it moves, and how much work that is a byte."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from sympy import Expr, Symbol, cancel

from symcost.check.case import Case
from symcost.check.context import section
from symcost.check.findings import Pair
from symcost.check.knowledge import OWN
from symcost.check.polynomials import reduced, summands
from symcost.check.recipes import element_types
from symcost.check.slips import FACTORS, one_slip
from symcost.check.statements import Item, Statement
from symcost.check.wordings import Wording
from symcost.notation import text as plain_text

_SIDES = r"[\[(]\s*([A-Za-z]\w*)\s*,\s*([A-Za-z]\w*)\s*[\])]"
_PRODUCT = re.compile(
    rf"{_SIDES}[^.;\[(]{{0,24}}(?:\\cdot|\\times|[·×@*]|\btimes\b|\bby\b)[^.;\[(]{{0,24}}{_SIDES}"
)
_KINDS = {
    kind: Wording(pattern, re.IGNORECASE)
    for kind, pattern in (
        ("intensity", r"\bintensity\b|\bflops? (?:per|over) bytes?\b"),
        ("byte", r"\bbytes\b|\btraffic\b"),
        ("FLOP", r"\bflops?\b|\bwork\b|\bcompute\b"),
    )
}  # what words say that a form is
_UNIT = Wording(r"\W*(FLOPs?|bytes?)\b(?! per)", re.IGNORECASE)
IN_SIDES = re.compile(
    r"\A[^=]*\[[^=\[\]]*\][^=]*(?:\\cdot|\\times|@|·|×)[^=]*\[[^=\[\]]*\]"
)  # X[B, D] · W[D, F]
_MORE = Wording(
    r"\b(?:backward|training|gradients?|layers?|mlp|attention|gpus?|devices?|chips?|pass(?:es)?|both|forward)\b",
    re.IGNORECASE,
)
_OF_MACS = Wording(
    r"\bMACs?\b|\bmultipl[\w-]+(?: and |-)(?:add|accumulate)s?\b[^.;]{0,20}\b(?:one|a single)\b",
    re.IGNORECASE,
)
NEAREST = 2  # blocks in which a product that something differs from is named


class Cost(NamedTuple):
    """One thing that a product costs: which it is, its form, and what that is in words."""

    kind: str
    form: Expr
    words: str


def product_pair(case: Case, statement: Statement, words: Sequence[str]) -> Pair | None:
    """`X[B, D] · W[D, F]` takes 2BDF FLOPs and reads and writes 2(BD + DF + BF) bytes in bf16."""
    near = " ".join(words[:4])
    if case.said_first(_OF_MACS):
        return None
    for at, sides in enumerate(_named(case, statement)):
        for item in statement.items:
            if item.name is None and item.form.free_symbols == set(sides):
                kind = _kind(statement, item, near)
                sure = at < NEAREST and not (_MORE.search(near) or statement.about)
                found = _judged(item, list(_costs(sides, _widths(case, statement))), kind, sure=sure)
                if found is not None:
                    return found
    return None


def _named(case: Case, statement: Statement) -> Iterator[tuple[Symbol, Symbol, Symbol]]:
    """The sides of the products that the section names, the last first."""
    span = statement.span
    for block in section(case.document, span):
        text = block.text[: span.start - block.start] if block is span.block else block.text
        for found in reversed(list(_PRODUCT.finditer(text.replace("$", "")))):
            rows, inner, again, columns = found.groups()
            if inner == again and len({rows, inner, columns}) == 3:
                names = map(case.knowledge.letter, (rows, inner, columns))
                one, two, three = (Symbol(name, positive=True) for name in names)
                yield one, two, three


def _costs(sides: tuple[Symbol, Symbol, Symbol], widths: Sequence[int]) -> Iterator[Cost]:
    """What a product of two matrices costs, each of which is read or written once."""
    flops, moved = 2 * prod(sides), sum(prod(sides) / side for side in sides)
    yield Cost("FLOP", flops, "a multiplication and an addition each")
    for width in widths:
        yield Cost("byte", width * moved, f"three matrices at {width} bytes an element")
        yield Cost("intensity", flops / (width * moved), f"FLOPs over bytes, at {width} an element")


def _widths(case: Case, statement: Statement) -> Sequence[int]:
    """Bytes of an element: those that the document speaks of, else of either of the two usual kinds."""
    half = case.suppositions.half
    narrow = min(element_types(statement.span.sentence.text), default=2) < 2  # "in int8"
    return () if narrow else (2, 4) if half is None else (2,) if half else (4,)


def _kind(statement: Statement, item: Item, near: str) -> str:
    """What a form is said to be: by the unit behind it, else by the words near it."""
    behind = _UNIT.match(statement.span.after) if item is statement.items[-1] else None
    if behind is not None:
        return "byte" if behind[1].lower().startswith("byte") else "FLOP"
    if item.unit is not None and len(item.unit.powers) == 1:
        return next(iter(item.unit.powers))
    return next((kind for kind, pattern in _KINDS.items() if pattern.search(near)), "")


def _judged(item: Item, costs: Sequence[Cost], kind: str, *, sure: bool) -> Pair | None:
    """A form that is what it is said to be, or a slip away from it where only one thing can be meant."""
    shown = item.source.strip()
    asked = [cost for cost in costs if cost.kind == kind]
    for cost in asked:
        if reduced(item.form - cost.form) == 0:
            return Pair("holds", "SC102", shown, plain_text(cost.form), message=cost.words)
    if not sure or len(asked) != 1:
        return None
    [cost] = asked
    slip, right = _slip(item.form, cost.form), plain_text(cost.form).replace(OWN, "")
    message = f"{slip}; {cost.words}: {right}"
    return Pair("differs", "SC201", shown, right, message=message, fix=right) if slip else None


def _slip(form: Expr, right: Expr) -> str:
    """A slip in a sum, or a familiar factor."""
    document, derived = summands(form), summands(right)
    slip = one_slip(document, derived, sure=True) if document and derived else None
    if slip is not None:
        return slip.words
    factor = cancel(form / right)
    familiar = factor.is_Rational and Fraction(factor.p, factor.q) in FACTORS
    return f"{factor} times as much" if familiar else ""
