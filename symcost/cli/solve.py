"""symcost solve: the largest or least value of one letter within a limit."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING, Any

import click

from symcost.cli.meshes import ranked, smallest_even
from symcost.cli.options import costs_asked_for, costs_of, form, layout, links, notation_called
from symcost.cli.printing import plain_or_text, show, show_json
from symcost.cli.status import DIFFERS, RIGHT
from symcost.cli.swept import check_swept, grid_asked_for, show_sweep, swept
from symcost.errors import UsageError

if TYPE_CHECKING:
    from symcost.sweep import Limits
    from symcost.terms import Terms
    from symcost.training import Costs


@click.command("solve")
@click.argument("model")
@click.option(
    "--for", "letter", required=True, metavar="X", help="The letter to solve for: b, c, d, L, n …; or mesh."
)
@click.option(
    "--limit", metavar="…", help='As in "peak_memory <= 24 GiB"; --gpu alone sets the memory limit.'
)
@click.option("--multiple-of", default=1, show_default=True, help="The answer is a multiple of this.")
@click.option(
    "--scope", default="model", metavar="S", help="The part that the limit is for: block, block.mlp, head …"
)
@swept
@layout
@links
@costs_of
@form("text", "latex", "markdown", "json")
def command(
    model: str, letter: str, limit: str | None, multiple_of: int, scope: str, sweep: tuple[str, ...],
    output: str | None, layout: str, links: str, under: str, optimizer: str, precision: str | None, notation: str,
    given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """The largest (or least) value of one letter within a limit: form, exact root, whole number, proof.

    Exit status 1 where nothing fits.
    """
    from symcost.solve import showing
    from symcost.solve import solve as solve_for
    from symcost.sweep import Limits
    from symcost.symbols import SYMBOLS
    from symcost.training import Across

    if letter == "mesh":
        return ranked(model, layout, under, given, gpu, precision, links, sweep, output, to)
    if links:
        raise UsageError(f"--links: expected --for mesh, which times a step, found --for {letter}.")
    chosen = notation_called(notation)
    costs = costs_asked_for(model, under, given, gpu, optimizer, precision, letter, layout)
    terms, limits = _limit(limit, costs, scope)
    if isinstance(costs, Across) and letter in SYMBOLS:
        multiple_of = lcm(multiple_of, costs.lies_in_parts(letter))
    if sweep:
        found = Limits(terms, letter, grid_asked_for(sweep), limits, multiple_of)
        check_swept(found.grid, costs)
        return _sweep(found, notation, to, output)
    if output is not None:
        raise UsageError("--output: expected a sweep to write, found none. Give --sweep c=1024:131072:x2.")
    answer = solve_for(terms, letter, **limits, multiple_of=multiple_of)
    if to == "json":
        show_json(answer.to_dict())
    elif to == "text":
        show(showing.rows(answer, chosen))
    else:
        sign = "$" if to == "markdown" else ""
        click.echo(f"{sign}{showing.line(answer, chosen)}{sign}")
    if not answer.fits:
        click.echo(f"symcost: {showing.shortfall(answer)}", err=True)
        return DIFFERS
    if to == "text" and "at_most" in limits:
        for line in smallest_even(costs, letter, limits["at_most"]):
            click.echo(line)
    return RIGHT


def _limit(limit: str | None, costs: Costs, scope: str) -> tuple[Terms, dict[str, Any]]:
    """The terms that are limited, and how: `at_most` or `at_least` how much, in their own unit."""
    if limit is None:
        if "M" in costs.numbers:
            return costs[costs.fills].of(scope), {"at_most": costs.numbers["M"]}
        raise UsageError(
            'solve: expected a limit, found none. Give --limit "peak_memory <= 24 GiB" or --gpu NAME.'
        )
    from symcost.dimensions import converted
    from symcost.notation.reading import read_limit
    from symcost.symbols import QUANTITIES

    quantity, relation, value, measured = read_limit(limit)
    sides = {"<=": "at_most", ">=": "at_least"}
    if relation not in sides:
        raise UsageError(
            f"--limit: expected <= or >= after {quantity}, found {relation}. A limit that is met is kept."
        )
    if value <= 0:
        raise UsageError(
            f"--limit: expected a positive number of {QUANTITIES[quantity].unit}, found {value}."
        )
    amount = converted(value, measured, QUANTITIES[quantity].unit, f"--limit: {quantity}")
    return costs[quantity].of(scope), {sides[relation]: amount}


def _sweep(found: Limits, notation: str, to: str, output: str | None) -> int:
    """A table of limits over one or more letters; over one, the curve that gives one for the other too."""
    from symcost.notation import code, text
    from symcost.solve import frontier

    along = found.grid.ranges[0]
    first, curve = along[0], None
    if len(found.grid.ranges) == 1 and isinstance(first, int):
        curve = frontier(found.terms, found.letter, along.letter, values=[first], **found.limits).curve
    about = {
        "for": found.letter,
        "quantity": found.terms.quantity,
        "unit": found.terms.unit,
        "limit": plain_or_text(*found.limits.values()),
        "curve": code(curve) if curve is not None else None,
    }
    head = f"{found.letter} = {text(curve, notation_called(notation))}" if curve is not None else ""
    show_sweep(found, to, output, about, head)
    return RIGHT
