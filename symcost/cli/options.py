"""Options that commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from symcost.errors import SymcostError, UsageError

if TYPE_CHECKING:
    from symcost.symbols import Notation
    from symcost.training import Costs

MOST_SHOWN = 60  # characters of what was typed, in a complaint about it


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


under = click.option(
    "--under", default="textbook", metavar="C", help="Convention, with options: textbook+flash."
)
given = click.option("--given", multiple=True, metavar="k=v,…", help="Numbers and forms: b=4,c=256,d_ff=4*d.")
gpu = click.option("--gpu", metavar="NAME", help="A GPU of `symcost list gpus`: its memory and its peak.")
notation = click.option("--notation", default="lecture", metavar="N", help="Whose letters to write in.")
optimizer = click.option(
    "--optimizer", default="adamw", metavar="O", help="Whose states and FLOPs are counted."
)
precision = click.option(
    "--precision", metavar="P", help="Bytes of a parameter, gradient, state, activation."
)
layout = click.option(
    "--layout",
    default="single",
    metavar="NAME[,tp=8,…]",
    help="Costs of one device of a layout of `symcost list layouts`.",
)
links = click.option(
    "--links",
    default="",
    metavar="dp=25GB/s,…",
    help="What one device sends a second along mesh axes that are slower than its GPU's own link.",
)
costs_of = _options(under, optimizer, precision, notation, given, gpu)


def form(*names: str) -> Callable[[Any], Any]:
    return click.option("--format", "to", type=click.Choice(names), default=names[0], show_default=True)


def given_values(items: Iterable[str]) -> dict[str, Any]:
    """`b=4,c=256` and `d_ff=min(4*d,8192)`, split at the commas outside brackets."""
    values: dict[str, Any] = {}
    for item in items:
        from symcost.notation.reading import read_assignment

        for assignment in _split(item):
            try:
                name, value = read_assignment(assignment)
            except SymcostError as error:
                shown = assignment if len(assignment) <= MOST_SHOWN else f"{assignment[:MOST_SHOWN]}…"
                raise UsageError(f"--given '{shown}': {error}") from None
            if name in values and values[name] != value:
                raise UsageError(
                    f"--given: {name} is given twice, as {values[name]} and as {value}. Give it once."
                )
            values[name] = value
    return values


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, sign in enumerate(text):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def costs_asked_for(
    model: str,
    under: str,
    given: Iterable[str],
    gpu: str | None,
    optimizer: str,
    precision: str | None,
    sought: str = "",
    layout: str = "single",
) -> Costs:
    """The costs asked for. `sought` is a letter to solve for, which must stand in the forms."""
    from symcost.symbols import GLOSSARY
    from symcost.training import ON_REQUEST, derive

    values = given_values(given)
    if sought in ON_REQUEST:
        values.setdefault(sought, GLOSSARY[sought].symbol)
    costs = derive(model, under=under, given=values, optimizer=optimizer, precision=precision, layout=layout)
    if gpu is not None:
        from symcost.tables.gpus import gpu as called

        card = called(gpu)
        costs.numbers.setdefault("M", card.memory)
        costs.numbers.setdefault("peak", card.peak_for(costs.precision.matmul))
        costs.numbers.setdefault("bandwidth", card.bandwidth)
        if card.watts is not None:
            costs.numbers.setdefault("watts", card.watts)
    for remark in costs.remarks:
        click.echo(f"symcost: {remark}", err=True)
    return costs


def links_asked_for(text: str) -> dict[str, Fraction]:
    """Bytes a second along each mesh axis named: `dp=25GB/s,pp=25GB/s`."""
    from symcost.dimensions import converted
    from symcost.notation.reading import read_amount

    found = {}
    for part in _split(text):
        axis, _, written = (each.strip() for each in part.partition("="))
        if not written:
            raise UsageError(f"--links: expected a mesh axis and a rate, as in dp=25GB/s, found '{part}'.")
        try:
            found[axis] = Fraction(converted(*read_amount(written), "B/s", axis))
        except SymcostError as error:
            raise UsageError(f"--links '{part}': {error}") from None
    return found


def notation_called(name: str) -> Notation:
    from symcost.errors import UnknownName, nearest
    from symcost.symbols import NOTATIONS

    if name not in NOTATIONS:
        raise UnknownName(f"'{name}' is not a notation. {nearest(name, NOTATIONS)}")
    return NOTATIONS[name]
