"""The limit of one letter as another one varies: how much batch a longer context leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symcost.errors import UsageError
from symcost.solve.answering import Amount, solve
from symcost.solve.limit import Limit
from symcost.solve.turning import as_expr
from symcost.symbols import SYMBOLS
from symcost.terms import Terms


@dataclass(frozen=True)
class Frontier:
    """One letter's limit along another letter: b(c).

    `form` is the limit in letters; `curve` has numbers put in for all letters but `along`. `limits` has the
    answer for each value of it.
    """

    letter: str
    along: str
    form: Expr | None
    curve: Expr | None
    limits: Mapping[int, Limit]

    @property
    def rows(self) -> list[tuple[int, int | None]]:
        """The table: each value, and its whole number (None where even the largest is not enough)."""
        return [(value, limit.integer) for value, limit in self.limits.items()]


def frontier(
    terms: Terms,
    for_letter: str,
    along: str,
    *,
    values: Iterable[int],
    at_most: Amount | None = None,
    at_least: Amount | None = None,
    given: Mapping[str, Any] | None = None,
    multiple_of: int = 1,
) -> Frontier:
    """How one letter's limit gives way to another letter: the trade-off b(c) as a form and a table.

    Raises what `solve` raises.

    >>> from symcost import derive
    >>> numbers = {"d": 1024, "h": 16, "L": 12, "v": 32000}
    >>> memory = derive("cs190c")["peak_memory"]
    >>> frontier(memory, "b", "c", values=(256, 512, 1024), at_most="24 GiB", given=numbers).rows
    [(256, 63), (512, 27), (1024, 11)]
    """
    if along == for_letter:
        raise UsageError(f"frontier: {along} is what is solved for. Let another letter vary.")

    def at(value: int) -> Limit:
        put = {**(given or {}), along: value}
        return solve(
            terms, for_letter, at_most=at_most, at_least=at_least, given=put, multiple_of=multiple_of
        )

    limits = {value: at(value) for value in values}
    if not limits:
        raise UsageError(f"frontier: expected values of {along}, found none.")
    first = next(iter(limits.values()))
    curve = None
    if first.form is not None:
        numbers = {SYMBOLS[name]: as_expr(number) for name, number in first.numbers.items() if name != along}
        curve = first.form.xreplace(numbers | {first.bound: as_expr(first.limit)})
    return Frontier(for_letter, along, first.form, curve, limits)
