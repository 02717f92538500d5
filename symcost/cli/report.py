"""symcost report: the whole derivation, written out."""

from __future__ import annotations

from typing import Any

import click

from symcost.cli.options import costs_of, given_values, layout, links, links_asked_for
from symcost.cli.printing import show
from symcost.cli.status import RIGHT


@click.command("report")
@click.argument("model")
@click.argument("beside", required=False)
@click.option("--to", default="md", metavar="F,…", show_default=True, help="Formats, separated by commas.")
@click.option(
    "--output", default=".", metavar="DIR", help="The folder to write to, or - for standard output."
)
@click.option("--execute", is_flag=True, help="Run the notebook that --to ipynb writes (extra notebook).")
@click.option(
    "--plots/--no-plots",
    default=True,
    help="Plots as files beside Markdown, MyST, Marp and LaTeX. [default: on]",
)
@layout
@links
@costs_of
def command(
    model: str, beside: str | None, to: str, output: str, execute: bool, plots: bool, layout: str,
    links: str, under: str, optimizer: str, precision: str | None, notation: str, given: tuple[str, ...], gpu: str | None,
) -> int:  # fmt: skip
    """Write the whole derivation of MODEL, every result as letters, numbers and value.

    Under --layout it is that of one device, and a page stands still. BESIDE is a second model, or a convention
    for the same one: in a page (--to html) the controls of both stand side by side.
    """
    from symcost.conventions import CONVENTIONS
    from symcost.report import document, format_of, report_files, side_by_side

    names = [name.strip() for name in to.split(",")]
    options: dict[str, Any] = {
        "under": under,
        "given": given_values(given),
        "optimizer": optimizer,
        "precision": precision,
        "notation": notation,
        "gpu": gpu,
        "layout": layout,
        "links": links_asked_for(links),
    }
    made = document(model, **options)
    if beside is not None:
        convention = beside.split("+")[0] in CONVENTIONS
        other = document(model, **{**options, "under": beside}) if convention else document(beside, **options)
        made = side_by_side(made, other)
    if output == "-":
        for written in [format_of(name).write(made) for name in names]:
            click.echo(written, nl=False)
        return RIGHT
    files = report_files(made, to=names, output=output, execute=execute, plots=plots)
    show([*made.summary, *(f"report: {path}" for path in files)])
    return RIGHT
