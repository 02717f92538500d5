"""What `--sweep` does wherever it stands: the grid asked for, and its points in a table or a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from symcost.cli.printing import plain_or_text, show, show_json, table
from symcost.errors import UsageError

if TYPE_CHECKING:
    from symcost.sweep import Grid, Limits, Sweep, Table
    from symcost.training import Costs

MOST_SHOWN = 10_000  # points of a table that is printed
LONG = (
    100_000  # points from which on a bar shows how far a sweep is; of limits, each of which is searched for:
)
LONG_SEARCH = 300

options: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--sweep",
        multiple=True,
        metavar="k=from:to:step",
        help="A table over a letter: c=1024:131072:x2, b=1:8.",
    ),
    click.option("--output", metavar="FILE", help="Where a sweep is written: FILE.csv or FILE.parquet."),
)


def swept(function: Any) -> Any:
    """The options `--sweep` and `--output`."""
    for option in reversed(options):
        function = option(function)
    return function


def grid_asked_for(sweep: Iterable[str]) -> Grid:
    """The grid of all ranges."""
    from symcost.sweep import Grid, read_range

    return Grid(tuple(read_range(each) for each in sweep))


def check_swept(grid: Grid, costs: Costs) -> None:
    """Raises UsageError where a letter is swept and given, and where a mesh that is swept cannot be."""
    from symcost.training import Across

    for name in grid.letters:
        if str(costs.given.get(name, name)) != name:
            raise UsageError(f"--sweep: {name} is swept and given as {costs.given[name]}. Leave out one.")
    if isinstance(costs, Across):
        sizes = [each for each in grid.ranges if each.letter in costs.layout.mesh]
        for point in product(*(each.exact for each in sizes)):
            costs.check(**{each.letter: size for each, size in zip(sizes, point, strict=True)})


def show_sweep(
    swept: Sweep | Limits, to: str, output: str | None, about: Mapping[str, Any], head: str = ""
) -> None:
    """Every point: in a file where one is named, else as a table or JSON."""
    if output is not None:
        from symcost.sweep import check_room, write

        check_room(swept.grid.size, len(swept.columns), output)
        written = write(_watched(swept), output)
        show([*filter(None, [head]), f"{output}: {written:,} rows"])
        return
    if swept.grid.size > MOST_SHOWN:
        raise UsageError(
            f"--sweep: expected at most {MOST_SHOWN:,} points to print, found {swept.grid.size:,}. "
            "Write them with --output FILE.csv, or take larger steps."
        )
    rows = [row for block in _watched(swept) for row in block.rows()]
    if to == "json":
        names = [column.partition(" (")[0] for column in swept.columns]
        plain = [[None if cell is None else plain_or_text(cell) for cell in row] for row in rows]
        show_json({**about, "rows": [dict(zip(names, row, strict=True)) for row in plain]})
        return
    lines = _markdown if to == "markdown" else table
    shown = lines(swept.columns, [tuple(map(_cell, row)) for row in rows])
    show([f"{head}\n", *shown] if head else shown)


def _cell(value: Any) -> str:
    from symcost.notation.numbers import significant

    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else significant(Fraction(str(value)), 6)


def _markdown(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' ---: |' * len(list(columns))}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _watched(swept: Sweep | Limits) -> Iterator[Table]:
    """The blocks of a sweep; on a terminal, a long one with a bar that shows how far it is."""
    from symcost.sweep import Limits

    long = LONG_SEARCH if isinstance(swept, Limits) else LONG
    if swept.grid.size < long or not sys.stderr.isatty():
        yield from swept.blocks()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sweep", total=swept.grid.size)
        for block in swept.blocks():
            progress.advance(task, len(block))
            yield block
