"""Tables with sources: optimizers, precisions, accelerators, published runs and empirical laws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, TypeVar

from symcost.errors import UnknownName, nearest

Entry = TypeVar("Entry", bound=Any)  # anything with a name

GIB = 2**30  # the same as symcost.symbols.GIB, here without waiting for sympy


def by_name(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    """A table that cannot be changed: each entry under its own name, in the order written."""
    return MappingProxyType({entry.name: entry for entry in entries})


def entry(table: Mapping[str, Entry], kind: str, name: str) -> Entry:
    """The entry called `name`. Raises UnknownName, naming the nearest.

    >>> from symcost.tables.gpus import GPUS
    >>> entry(GPUS, "GPU", "rtx-3090").year
    2020
    """
    if name in table:
        return table[name]
    raise UnknownName(f"'{name}' is not a known {kind}. {nearest(name, table)}")


def exact(printed: float, unit: int = 1) -> int:
    """The whole number that a source prints with a point or an exponent: its digits, not the nearest float.

    >>> exact(3.8e25), exact(35.6, 10**12)
    (38000000000000000000000000, 35600000000000)
    """
    value = Fraction(str(printed)) * unit
    if value.denominator != 1:
        raise ValueError(f"{printed} times {unit} is no whole number")
    return value.numerator
