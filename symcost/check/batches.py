"""Batches: a sum over a batch of which one term counts the pairs of tokens of a single sequence."""

from __future__ import annotations

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.polynomials import Monomial, summands
from symcost.check.slips import written
from symcost.check.statements import Statement

FEWEST = 2  # terms that count the batch


def without_batch(case: Case, statement: Statement) -> Pair | None:
    """`8BTD + 4BTF + 2HT²`: what a batch keeps or computes has no term in T² alone, since each sequence has its own pairs."""
    forms = [item for item in statement.items if item.name is None and item.form.free_symbols]
    table = summands(case.tied(forms[-1].form)) if forms else None
    if not table or statement.about:
        return None
    of_batch = [term for term in table if _has(term, "b") and _has(term, "c")]
    alone = [term for term in table if not _has(term, "b") and dict(term).get("c", 0) > 1]
    if len(of_batch) < FEWEST or len(alone) != 1 or table[alone[0]] == 1:
        return None
    [term] = alone
    odd, right = {term: table[term]}, {tuple(sorted((("b", 1), *term))): table[term]}
    shown, meant = (
        forms[-1].source.strip(),
        {each: value for each, value in table.items() if each != term} | right,
    )
    return Pair("differs", "SC201", shown, written(meant), message=f"the factor b is missing in {written(odd)}: every other "
                "term that counts tokens is of the whole batch")  # fmt: skip


def _has(term: Monomial, letter: str) -> bool:
    return any(name == letter for name, _ in term)
