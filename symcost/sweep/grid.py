"""Every combination of some letters' values: an open grid, whole, in blocks, or on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from symcost.errors import UsageError
from symcost.notation.numbers import with_unit
from symcost.sweep.ranges import Range

FLOAT = 8  # bytes
ROWS = 2**18  # points of a block


@dataclass(frozen=True)
class Grid:
    """Some letters and the values of each; the points are all combinations, the last letter changing fastest.

    >>> from symcost.sweep import read_range
    >>> grid = Grid((read_range("c=1024:4096:x2"), read_range("b=1:2")))
    >>> grid.size, [part.size for part in grid.blocks(2)]
    (6, [2, 2, 2])
    """

    ranges: tuple[Range, ...]

    def __post_init__(self) -> None:
        names = self.letters
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise UsageError(f"--sweep: {twice[0]} is swept twice. Give one range for it.")
        if not names:
            raise UsageError("sweep: expected at least one letter with its values, found none.")

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters, in order."""
        return tuple(each.letter for each in self.ranges)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each letter has."""
        return tuple(len(each) for each in self.ranges)

    @property
    def size(self) -> int:
        """How many points there are."""
        return prod(self.shape)

    def mesh(self) -> list[Any]:
        """The values of each letter along its own axis: what broadcasts to all points."""
        return [_along(each.floats, axis, len(self.ranges)) for axis, each in enumerate(self.ranges)]

    def exact_mesh(self) -> list[Any]:
        """The same in Python's own numbers."""
        import numpy

        arrays = []
        for axis, each in enumerate(self.ranges):
            values = numpy.empty(len(each), dtype=object)
            values[:] = each.exact
            arrays.append(_along(values, axis, len(self.ranges)))
        return arrays

    def blocks(self, points: int = ROWS) -> Iterator[Grid]:
        """Grids of at most so many points that together are this one, in its order."""
        axis = next((axis for axis in range(len(self.shape)) if prod(self.shape[axis + 1 :]) <= points), 0)
        rows = max(1, points // prod(self.shape[axis + 1 :]))
        before = prod(self.shape[:axis])
        for index in range(before):
            fixed = []
            for each in reversed(self.ranges[:axis]):
                index, i = divmod(index, len(each))
                fixed.append(each.part(i, i + 1))
            for start in range(0, self.shape[axis], rows):
                cut = self.ranges[axis].part(start, start + rows)
                yield Grid((*reversed(fixed), cut, *self.ranges[axis + 1 :]))

    def check_memory(self, columns: int) -> None:
        """Raises UsageError where all points would not fit in half of this machine's memory."""
        needed, there = self.size * columns * FLOAT, memory()
        if needed > there // 2:
            raise UsageError(
                f"sweep: {self.size:,} points of {columns} columns take {with_unit(needed, 'bytes')}, "
                f"expected at most half of the {with_unit(there, 'bytes')} here. Take larger steps, write a "
                "file with --output, or go through blocks()."
            )

    def on_dask(self, function: Callable[..., Any], points: int = ROWS) -> Any:
        """A compiled function at every point as a Dask array, a letter an axis, in chunks of so many.

        Nothing is computed before `.compute()`; on a cluster each worker holds a few chunks. Raises
        UsageError where Dask is not installed.
        """
        try:
            import dask.array as da  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise UsageError(
                "sweep: expected Dask, found none. Install the extra scale: pip install 'symcost[scale]'."
            ) from None
        import numpy

        limit = points * FLOAT
        chunks = da.core.normalize_chunks("auto", self.shape, limit=limit, dtype=numpy.float64)
        axes = []
        for axis, each in enumerate(self.ranges):
            shape = [1] * len(self.ranges)
            shape[axis] = len(each)
            own = tuple(chunks[axis] if i == axis else (1,) for i in range(len(shape)))
            axes.append(da.from_array(each.floats.reshape(shape), chunks=own))
        return da.map_blocks(
            function, *axes, chunks=chunks, dtype=numpy.float64, meta=numpy.empty((0,) * len(axes))
        )


def _along(values: Any, axis: int, of: int) -> Any:
    return values.reshape([-1 if i == axis else 1 for i in range(of)])


def memory() -> int:
    """Bytes of this machine's memory; 8 GiB where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 8 * 2**30
