"""Meshes: which of them a model fits on, the quickest step first, and the smallest size that divides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from symcost.cli.options import given_values, links_asked_for
from symcost.cli.printing import show, show_json, table
from symcost.cli.status import DIFFERS, RIGHT
from symcost.cli.swept import grid_asked_for
from symcost.errors import UsageError

if TYPE_CHECKING:
    from symcost.training import Costs
    from symcost.training.ranking import Ranking

USUAL = ("megatron-tp-sp+pp-1f1b+zero-1", "zero-3")
COLUMNS = tuple("layout under tp pp cp ep dp shard b micro-batches memory step MFU binds".split())
SHOWN = 20


def smallest_even(costs: Costs, letter: str, at_most: int) -> Iterator[str]:
    """Of a mesh axis, the smallest size that divides what it splits, which may be more than what just fits."""
    from symcost.notation.numbers import with_unit
    from symcost.training import Across
    from symcost.training.ranking import smallest

    if isinstance(costs, Across) and letter in costs.layout.mesh:
        found = smallest(costs, letter, at_most)
        words = f"{letter} = {found[0]:,}, with {with_unit(found[1], 'bytes')}" if found else "none"
        yield f"smallest that divides what it splits: {words}"


def ranked(
    model: str,
    layouts: str,
    under: str,
    given: Iterable[str],
    gpu: str | None,
    precision: str | None,
    links: str,
    sweep: Sequence[str],
    output: str | None,
    to: str,
) -> int:
    """Every mesh of n GPUs that the model fits on; without n, of the fewest GPUs, among powers of two.

    `layouts` and `under` may name several, with | between them. Where n is swept, the quickest mesh of every
    number of GPUs, in a table or as a picture. Exit status 1 where nothing fits.
    """
    from symcost.tables.gpus import gpu as called
    from symcost.training.ranking import fewest_gpus, rank

    values = given_values(given)
    if gpu is None or not isinstance(values.get("global_batch"), int):
        raise UsageError(
            "solve --for mesh: expected --gpu NAME and --given global_batch=…, the sequences of one step."
        )
    if output is not None and not sweep:
        raise UsageError("--output: expected a sweep of n to draw, found none. Give --sweep n=8:1024:x2.")
    gpus = values.pop("n", None)
    choices: dict[str, Any] = {
        "global_batch": values.pop("global_batch"),
        "given": values,
        "layouts": USUAL if layouts == "single" else tuple(layouts.split("|")),
        "under": tuple(under.split("|")),
        "precision": precision or "mixed-16",
        "links": links_asked_for(links),
    }
    card = called(gpu)
    if sweep:
        return _scaled(rank(model, card, gpus=_numbers_of_gpus(sweep, gpus), **choices), gpu, output, to)
    number = int(gpus) if gpus is not None else fewest_gpus(model, card, **choices)["n"]
    ranking = rank(model, card, gpus=number, **choices)
    if not len(ranking):
        *_, leanest = rank(model, card, gpus=number, fits=False, **choices).frontier()
        click.echo(f"symcost: {_shortfall(leanest, card.memory)}", err=True)
    if to == "json":
        show_json({"gpus": number, "gpu": gpu, "meshes": list(ranking.rows(len(ranking)))})
    else:
        heading = f"{len(ranking):,} meshes of {number:,} × {gpu} fit, the quickest first\n"
        show([heading, *_table(COLUMNS, [_cells(row) for row in ranking.rows(SHOWN)])])
    return RIGHT if len(ranking) else DIFFERS


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Without the mesh axes along which no mesh has more than one device."""
    from symcost.training.ranking import MESH

    kept = [
        place
        for place, name in enumerate(columns)
        if name not in MESH or any(row[place] != "1" for row in rows)
    ]
    return table([columns[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _numbers_of_gpus(sweep: Sequence[str], given: Any) -> list[int]:
    grid = grid_asked_for(sweep)
    if grid.letters != ("n",) or given is not None:
        found = ", ".join(grid.letters) if given is None else f"n = {given} among the numbers too"
        raise UsageError(f"solve --for mesh: expected a sweep of n alone, found {found}.")
    return [int(each) for each in grid.ranges[0].exact]


def _scaled(ranking: Ranking, gpu: str, output: str | None, to: str) -> int:
    """The quickest mesh of every number of GPUs."""
    rows = ranking.by_gpus()
    if output is not None:
        from symcost.report.plots import save, scaling

        show([f"{save(scaling(ranking), output)}: {len(rows):,} numbers of GPUs"])
    elif to == "json":
        show_json({"gpu": gpu, "meshes": rows})
    else:
        columns = ("GPUs", *COLUMNS, "tokens/s")
        cells = [(f"{row['n']:,}", *_cells(row), f"{row['rate']:,.0f}") for row in rows]
        show(
            [f"the quickest mesh of every number of {gpu} on which the model fits\n", *_table(columns, cells)]
        )
    return RIGHT if rows else DIFFERS


def _shortfall(row: dict[str, Any], memory: int) -> str:
    """What the leanest mesh lacks where none fits."""
    from symcost.notation.numbers import with_unit
    from symcost.training.ranking import MESH

    sizes = ", ".join(f"{axis} = {row[axis]}" for axis in MESH if row[axis] > 1)
    held, missing = (with_unit(int(each), "bytes") for each in (row["bytes"], row["bytes"] - memory))
    return (
        f"nothing fits: the leanest mesh, {row['layout']} with {sizes}, needs {held}; {missing} are missing."
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    from symcost.notation.numbers import with_unit
    from symcost.training.ranking import MESH

    sizes = (str(row[name]) for name in (*MESH, "b", "accumulation"))
    seconds = f"{row['overlapped']:.4g} … {row['serial']:.4g} s"
    memory = with_unit(int(row["bytes"]), "bytes")
    return row["layout"], row["under"], *sizes, memory, seconds, f"{100 * row['mfu']:.1f} %", row["binds"]
