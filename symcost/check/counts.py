"""Counts: how many devices, sequences and tokens there are in one step, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from sympy import Expr, Integer

from symcost.check.findings import Pair
from symcost.check.polynomials import Monomial, summands
from symcost.check.statements import Statement
from symcost.check.wordings import Wording
from symcost.layouts import layout
from symcost.notation import text as plain_text
from symcost.symbols import SYMBOLS, accumulation, c, n
from symcost.training import Across, derive

MESHES = ("megatron-tp+ddp", "pp-1f1b+ddp", "megatron-tp+pp-1f1b", "megatron-tp+pp-1f1b+ddp", "megatron-tp+cp-ring+ddp",
          "megatron-tp+cp-ring+pp-1f1b+ddp")  # fmt: skip
global_batch = SYMBOLS["global_batch"]
_TOKENS = Wording(r"\btokens?\b", re.IGNORECASE)
_OF_STEP = Wording(r"\b(?:step|iteration|global batch|update)\b", re.IGNORECASE)


@cache
def relations() -> tuple[Expr, ...]:
    """Quotients that are 1: of the sequences of a step over its micro-batches', of all devices over the sizes of a mesh."""
    costs = derive("llama", layout="ddp", given={"accumulation": accumulation})
    assert isinstance(costs, Across)
    sequences = costs.tokens_of_step / c
    several = (sequences, sequences.xreplace({accumulation: Integer(1)}))
    return (*(global_batch / each for each in several), *(n / layout(mesh).devices() for mesh in MESHES))


def counted(statement: Statement, words: Sequence[str]) -> Pair | None:
    """$B = bmd$ sequences in a step, $n = tpd$ devices, and what follows for any of their letters; tokens of a step.

    It differs where the letters are those of a relation and stand otherwise.
    """
    for left, right in _claimed(statement, " ".join(words[:3])):
        found = _lone(left / right)
        if not found or len(found) < 3:
            continue
        shown = statement.items[-1].source.strip()
        for relation in relations():
            one = dict(_lone(relation) or ())
            if found in (
                tuple(sorted(one.items())),
                tuple(sorted((name, -power) for name, power in one.items())),
            ):
                return Pair("holds", "SC102", shown, message=f"since {plain_text(relation)} is 1")
        for relation in relations():
            if {name for name, _ in found} == {symbol.name for symbol in relation.free_symbols}:
                return Pair("differs", "SC201", shown, message=f"{plain_text(relation)} should be 1")
    return None


def _claimed(statement: Statement, words: str) -> Iterator[tuple[Expr, Expr]]:
    """Two sides that are said to be the same count."""
    items = statement.items
    for one, other in pairwise(items):
        if one.name is not None and one.name in SYMBOLS and set(statement.relations) <= {"=", "≈"}:
            yield one.form, other.form
    form = items[-1].form
    of_step = _TOKENS.search(words) and _OF_STEP.search(words)
    if of_step and c in form.free_symbols and global_batch not in form.free_symbols:
        yield global_batch * c, form


def _lone(form: Expr) -> Monomial | None:
    """The powers of the letters of a product without a number, in order."""
    table = summands(form) or {}
    return tuple(sorted(next(iter(table)))) if list(table.values()) == [1] else None
