"""symcost measure: what PyTorch keeps and counts here, beside what is derived."""

from __future__ import annotations

import click

from symcost.cli.options import form, given, given_values
from symcost.cli.printing import show, show_json, table
from symcost.cli.status import DIFFERS, RIGHT


@click.command("measure")
@click.argument("model")
@click.option(
    "--under",
    default="torch-eager",
    metavar="C",
    show_default=True,
    help="A convention that PyTorch can run.",
)
@click.option("--precision", metavar="P", help="Bytes of a parameter, gradient, state, activation.")
@given
@form("text", "json")
def command(model: str, under: str, precision: str | None, given: tuple[str, ...], to: str) -> int:
    """What PyTorch keeps and counts here for MODEL, beside what is derived (extra measure).

    Letters without a number take small ones. Exit status 1 where something differs.
    """
    from symcost.measure import measure as measured

    found = measured(model, under=under, given=given_values(given), precision=precision)
    if to == "json":
        show_json(found.to_dict())
        return RIGHT if found.equal else DIFFERS
    numbers = ", ".join(f"{name} = {value:,}" for name, value in found.numbers.items())
    click.echo(f"{found.model} under {found.convention}, PyTorch {found.version}, {numbers}\n")
    for title, rows in (("quantity", found.quantities), ("kept tensor", found.tensors)):
        columns = (title, "derived", "measured", "difference", "unit")
        differences = [f"{row.difference:+,}" if row.difference else "0" for row in rows]
        cells = [
            (row.name, f"{row.derived:,}", f"{row.measured:,}", difference, row.unit)
            for row, difference in zip(rows, differences, strict=True)
        ]
        show([*table(columns, cells), ""])
    click.echo("equal to the byte" if found.equal else "derived and measured differ")
    return RIGHT if found.equal else DIFFERS
