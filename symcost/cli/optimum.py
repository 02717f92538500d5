"""symcost optimum: parameters and tokens that a compute budget is best spent on."""

from __future__ import annotations

from fractions import Fraction

import click

from symcost.cli.options import form
from symcost.cli.printing import show, show_json, table
from symcost.cli.status import RIGHT


@click.command("optimum")
@click.argument("budget")
@form("text", "json")
def command(budget: str, to: str) -> int:
    """Parameters and tokens that BUDGET, in FLOPs, is best spent on, by each empirical law."""
    from symcost.dimensions import converted
    from symcost.notation import text
    from symcost.notation.numbers import rounded, scientific
    from symcost.notation.reading import read_amount
    from symcost.training import compute_optimal

    found = compute_optimal(converted(*read_amount(budget), "FLOPs", "budget"))
    if to == "json":
        show_json([each.to_dict() for each in found])
        return RIGHT
    columns = ("law", "N", "D", "D/N", "loss", "N as a form of C", "source")
    rows = [
        (each.law, scientific(each.parameters), scientific(each.tokens),
         rounded(Fraction(each.tokens, each.parameters), 1), rounded(each.loss, 3) if each.loss else "–",
         text(each.parameters_form), each.source)
        for each in found
    ]  # fmt: skip
    show([*table(columns, rows), "\nThese laws are fits to runs: empirical, not derived."])
    return RIGHT
