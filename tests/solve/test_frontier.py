"""Two letters against each other: the form of the trade-off and its table."""

from __future__ import annotations

import pytest

import symcost
from symcost.errors import UsageError
from symcost.solve import frontier, solve
from symcost.symbols import c
from symcost.terms import evaluator

SHAPE = {"d": 1024, "h": 16, "L": 12, "v": 32_000}
MEMORY = symcost.derive("cs190c")["peak_memory"]


def test_a_frontier_is_the_limit_for_each_value():
    found = frontier(MEMORY, "b", "c", values=(256, 512, 1024, 2048), at_most="24 GiB", given=SHAPE)
    fits = [
        (tokens, max(k for k in range(100) if MEMORY.at(**SHAPE, c=tokens, b=max(k, 1)) <= 24 * 2**30))
        for tokens in (256, 512, 1024, 2048)
    ]
    assert found.rows == fits


def test_the_curve_has_only_the_other_letter_in_it_and_gives_every_exact_root():
    found = frontier(MEMORY, "b", "c", values=(256, 300), at_most="24 GiB", given=SHAPE)
    assert found.curve.free_symbols == {c}
    for tokens, limit in found.limits.items():
        assert evaluator(found.curve)({"c": tokens}) == limit.value


def test_where_nothing_fits_the_table_has_a_zero():
    assert frontier(MEMORY, "b", "c", values=(65_536,), at_most="24 GiB", given=SHAPE).rows == [(65_536, 0)]


@pytest.mark.parametrize(
    ("along", "values", "says"),
    [("b", (1,), "b is what is solved for"), ("c", (), "expected values of c, found none")],
)
def test_a_frontier_needs_another_letter_and_values(along, values, says):
    with pytest.raises(UsageError, match=says):
        frontier(MEMORY, "b", along, values=values, at_most="24 GiB", given=SHAPE)


def test_a_frontier_passes_on_how_the_limit_is_asked():
    sixteens = frontier(
        MEMORY, "d", "b", values=(4,), at_most="24 GiB", given=SHAPE | {"c": 256}, multiple_of=128
    )
    assert sixteens.limits[4] == solve(
        MEMORY, "d", at_most="24 GiB", given=SHAPE | {"c": 256, "b": 4}, multiple_of=128
    )
