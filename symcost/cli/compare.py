"""symcost compare: why two counts differ, part by part."""

from __future__ import annotations

import click

from symcost.cli.options import (
    form,
    given,
    given_values,
    notation,
    notation_called,
    optimizer,
    precision,
    under,
)
from symcost.cli.printing import show, show_json
from symcost.cli.status import RIGHT


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--model",
    metavar="M",
    help="The model that both count; llama, or gpt beside a formula, if none is given.",
)
@click.option(
    "--quantity",
    metavar="Q",
    help="A quantity, or batch_flops: forward, backward and recomputed, of a batch.",
)
@under
@optimizer
@precision
@notation
@given
@form("text", "markdown", "json")
def command(
    first: str, second: str, model: str | None, quantity: str | None, under: str, optimizer: str,
    precision: str | None, notation: str, given: tuple[str, ...], to: str,
) -> int:  # fmt: skip
    """Why two counts differ, part by part: the difference as a form, in per cent, and where they cross.

    FIRST and SECOND are each a tool of `symcost list tools` (6ND, megatron-lm), a convention, a model, an
    optimizer, a precision, a layout, or a formula in text.
    """
    from symcost.compare import compare, showing

    chosen = notation_called(notation)
    found = compare(
        first, second, model=model, quantity=quantity, under=under, given=given_values(given),
        optimizer=optimizer, precision=precision, notation=notation,
    )  # fmt: skip
    if to == "json":
        show_json({"first": first, "second": second, "comparisons": [each.to_dict() for each in found]})
        return RIGHT
    rows = showing.rows if to == "text" else showing.markdown
    show("\n".join(rows(each, chosen)) + "\n" for each in found)
    return RIGHT
