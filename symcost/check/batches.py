"""Batches: a sum over a batch of which one term counts the pairs of tokens of a single sequence."""

from __future__ import annotations

from collections.abc import Mapping

from symcost.check.case import Case
from symcost.check.findings import Pair
from symcost.check.polynomials import summands
from symcost.check.slips import written
from symcost.check.statements import Statement

FEWEST = 2  # terms that count the batch


def without_batch(case: Case, statement: Statement) -> Pair | None:
    """`8BTD + 4BTF + 2HT²`: what a batch keeps or computes has no term in T² alone, since each sequence has its own pairs."""
    forms = [item for item in statement.items if item.name is None and item.form.free_symbols]
    table = summands(case.tied(forms[-1].form)) if forms else None
    if not table or statement.about:
        return None
    powers = {term: dict(term) for term in table}
    of_batch = [term for term in table if {"b", "c"} <= powers[term].keys()]
    alone = [term for term in table if powers[term].get("c", 0) > 1 and _is_of_heads(powers[term])]
    if len(of_batch) < FEWEST or len(alone) != 1 or table[alone[0]] == 1:
        return None
    [term] = alone
    odd, right = {term: table[term]}, {tuple(sorted((("b", 1), *term))): table[term]}
    meant = {each: value for each, value in table.items() if each != term} | right
    message = f"the factor b is missing in {written(odd)}: every other term that counts tokens is of the whole batch"
    return Pair("differs", "SC201", forms[-1].source.strip(), written(meant), message=message)


def _is_of_heads(powers: Mapping[str, int]) -> bool:
    """Whether a term has something for each pair of tokens and head or width, and no batch; a mask alone is shared."""
    return "b" not in powers and not {"h", "h_kv", "d", "d_k"}.isdisjoint(powers)
