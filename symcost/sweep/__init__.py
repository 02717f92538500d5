"""Sweeps: quantities and limits over all combinations of some letters' values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symcost.errors import UsageError
from symcost.sweep.grid import ROWS, Grid
from symcost.sweep.ranges import Range, of_values, ranges_of, read_range
from symcost.sweep.sweeping import Limits, Sweep
from symcost.sweep.table import Table, check_room, write
from symcost.terms import Terms

__all__ = [
    "ROWS",
    "Grid",
    "Limits",
    "Range",
    "Sweep",
    "Table",
    "check_room",
    "grid",
    "of_values",
    "read_range",
    "sweep",
    "write",
]


def grid(**ranges: Any) -> Grid:
    """Every combination of some letters' values, the first letter's changing slowest.

    >>> grid(c="1024:4096:x2", b=[1, 2]).shape
    (3, 2)
    """
    return Grid(tuple(ranges_of(ranges)))


def sweep(quantities: Terms | Sequence[Terms], exact: bool = False, **ranges: Any) -> Sweep:
    """Quantities at every combination of some letters' values: as text (`"1024:131072:x2"`) or as values.

    `exact` computes in Python's integers and fractions instead of float64. Raises UsageError for a range that
    is empty or falls, a letter that is in none of the quantities or tied to others.

    >>> import symcost
    >>> memory = symcost.derive("llama-2-7b")["peak_memory"]
    >>> list(sweep(memory, exact=True, c="1024:4096:x2", b=[1]).table().rows())
    [(1024, 1, 120897732608), (2048, 1, 142570749952), (4096, 1, 211686588416)]
    """
    several = (quantities,) if isinstance(quantities, Terms) else tuple(quantities)
    if not several:
        raise UsageError("sweep: expected at least one quantity, found none.")
    return Sweep(several, grid(**ranges), exact)
