"""Quantities, or limits, at every point of a grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from symcost.errors import MissingValue, UsageError
from symcost.notation import text
from symcost.solve import solve
from symcost.sweep.grid import ROWS, Grid
from symcost.sweep.table import Table
from symcost.symbols import GLOSSARY, SYMBOLS
from symcost.terms import Terms, compiled

MOST_LIMITS = 100_000  # points at which a limit is searched for, each about a millisecond


@dataclass(frozen=True)
class Sweep:
    """Some quantities at every point of a grid, in float64, or `exact`, in Python's own numbers.

    Where a letter that is tied to a swept one would be no whole number (d_k = d/h), there is no value.
    """

    quantities: tuple[Terms, ...]
    grid: Grid
    exact: bool = False

    def __post_init__(self) -> None:
        present = {name for terms in self.quantities for name in terms.letters}
        ties = self.quantities[0].ties
        for name in self.grid.letters:
            if SYMBOLS[name] in ties:
                raise UsageError(
                    f"--sweep: {name} = {text(ties[SYMBOLS[name]])} is put in for {name}. "
                    f"Free it with --given {name}={name}, or sweep what it is made of."
                )
            tied = any(form.has(SYMBOLS[name]) for form in ties.values())
            if name not in present and not tied:
                names = ", ".join(terms.quantity for terms in self.quantities)
                raise UsageError(
                    f"--sweep: {name} does not appear in {names}. Sweep one of {', '.join(_sorted(present))}."
                )
        self._check_numbers()

    def _check_numbers(self) -> None:
        """Raises MissingValue where a letter is neither swept nor known."""
        missing = {name for terms in self.quantities for name in terms.missing()} - set(self.grid.letters)
        if missing:
            names = _sorted(missing)
            raise MissingValue(
                f"--sweep: {', '.join(names)} {'has' if len(names) == 1 else 'have'} no number. "
                f"Give {'it' if len(names) == 1 else 'them'} as in --given {names[0]}=…, or sweep it as well."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The letters, and the quantities with their units."""
        return (*self.grid.letters, *(f"{terms.quantity} ({terms.unit})" for terms in self.quantities))

    @cached_property
    def function(self) -> Any:
        """All quantities as one function of the swept letters."""
        return compiled(self.quantities, self.grid.letters, self.exact)

    @cached_property
    def _whole(self) -> Any:
        """The counts that are tied to swept letters, as one function of these; None where there are none."""
        from symcost.arrays import Compiled

        first = self.quantities[0]
        swept = {SYMBOLS[name] for name in self.grid.letters}
        known = {
            SYMBOLS[name]: value for name, value in first.known({}).items() if SYMBOLS[name] not in swept
        }
        forms = [
            form.xreplace(known)
            for tied, form in first.ties.items()
            if form.free_symbols & swept and GLOSSARY[tied.name].whole
        ]
        letters = [SYMBOLS[name] for name in self.grid.letters]
        usable = [form for form in forms if form.free_symbols <= swept]
        return Compiled(usable, letters) if usable else None

    def table(self) -> Table:
        """Every point in one table. Raises UsageError where it would not fit in memory."""
        self.grid.check_memory(len(self.columns))
        return self._of(self.grid)

    def blocks(self, points: int = ROWS) -> Iterator[Table]:
        """The same in tables of at most so many points, one after the other."""
        return map(self._of, self.grid.blocks(points))

    def on_dask(self, points: int = ROWS) -> Any:
        """The one quantity as a Dask array, a letter an axis, computed chunk by chunk wherever Dask runs."""
        if len(self.quantities) != 1:
            raise UsageError(f"sweep: expected one quantity for a Dask array, found {len(self.quantities)}.")
        return self.grid.on_dask(self.function, points)

    def _of(self, grid: Grid) -> Table:
        import numpy

        mesh = grid.exact_mesh() if self.exact else grid.mesh()
        found = self.function(*mesh)
        results = [found] if len(self.quantities) == 1 else list(found)
        impossible = self._impossible(grid)
        nothing = None if self.exact else numpy.nan
        columns = {}
        for name, values in zip(self.columns, [*mesh, *results], strict=True):
            column = numpy.broadcast_to(numpy.asarray(values), grid.shape).reshape(-1)
            if impossible is not None and name not in grid.letters:
                column = column.copy()
                column[impossible] = nothing
            columns[name] = column
        return Table(columns)

    def _impossible(self, grid: Grid) -> Any:
        """Where a tied count is no whole number or below 1; None where that is nowhere."""
        import numpy

        if self._whole is None:
            return None
        found = self._whole(*grid.mesh())
        wrong = numpy.zeros(grid.shape, dtype=bool)
        for values in [found] if len(self._whole.forms) == 1 else found:
            wrong |= (values != numpy.floor(values)) | (values < 1)
        return wrong.reshape(-1) if wrong.any() else None


@dataclass(frozen=True)
class Limits:
    """The limit of one letter at every point of a grid of others, and what it leaves over."""

    terms: Terms
    letter: str
    grid: Grid
    limits: Mapping[str, Any] = field(default_factory=dict)
    multiple_of: int = 1

    def __post_init__(self) -> None:
        if self.letter in self.grid.letters:
            raise UsageError(f"--sweep: {self.letter} is what is solved for. Sweep another letter.")
        if self.grid.size > MOST_LIMITS:
            raise UsageError(
                f"--sweep: expected at most {MOST_LIMITS:,} points, found {self.grid.size:,}. "
                "Take larger steps."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The swept letters, the one solved for, and what is left."""
        return (*self.grid.letters, self.letter, f"left ({self.terms.unit})")

    def blocks(self, points: int = 64) -> Iterator[Table]:
        """Tables of at most so many points, one after the other."""
        return map(self._of, self.grid.blocks(points))

    def table(self) -> Table:
        """Every point in one table."""
        return self._of(self.grid)

    def _of(self, grid: Grid) -> Table:
        import numpy

        values = [numpy.broadcast_to(each, grid.shape).reshape(-1) for each in grid.exact_mesh()]
        answers = numpy.empty((2, grid.size), dtype=object)
        for i, point in enumerate(zip(*values, strict=True)):
            given = dict(zip(grid.letters, point, strict=True))
            found = solve(self.terms, self.letter, **self.limits, given=given, multiple_of=self.multiple_of)
            answers[0, i] = found.at if found.fits else found.integer
            answers[1, i] = found.left
        return Table(dict(zip(self.columns, [*values, *answers], strict=True)))


def _sorted(names: set[str]) -> Sequence[str]:
    return [name for name in GLOSSARY if name in names]
