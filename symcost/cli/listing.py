"""symcost list: what there is by name, each with its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from symcost.cli.options import form
from symcost.cli.printing import show, show_json, table
from symcost.cli.status import RIGHT

Rows = Sequence[tuple[str, ...]]


def _models() -> Rows:
    from symcost.families import known_models
    from symcost.model import LETTERS
    from symcost.training.bare import COUNTED

    return [
        *((name, "letters", model.source) for name, model in LETTERS.items()),
        *((name, "no layers", model.source) for name, (_, model) in COUNTED.items()),
        *((name, str(known["model_type"]), str(known["_source"])) for name, known in known_models().items()),
    ]


def _layouts() -> Rows:
    from symcost.layouts import COMPOSED, LAYOUTS

    found = [
        (each.name, f"{each.note} ({'·'.join(each.mesh) or 'no mesh'})", each.source)
        for each in LAYOUTS.values()
    ]
    return found + [(name, f"the same as {each.parts}", each.source) for name, each in COMPOSED.items()]


def _conventions() -> Rows:
    from symcost.conventions import CONVENTIONS, OPTIONS

    rows = [(convention.name, convention.note, convention.source) for convention in CONVENTIONS.values()]
    return rows + [(f"+{option.name}", option.meaning, option.source) for option in OPTIONS.values()]


def _gpus() -> Rows:
    from symcost.notation.numbers import with_unit
    from symcost.tables.gpus import GPUS

    def about(card: Any) -> str:
        peaks = ", ".join(f"{kind} {with_unit(peak, 'FLOP/s')}" for kind, peak in card.peak.items())
        return f"{with_unit(card.memory, 'bytes')}; {peaks}"

    return [(card.name, about(card), card.source) for card in GPUS.values()]


def _optimizers() -> Rows:
    from symcost.tables.optimizers import OPTIMIZERS

    return [
        (
            each.name,
            f"{each.bytes_per_parameter()} bytes and {each.flops_per_parameter} FLOPs a parameter",
            each.source,
        )
        for each in OPTIMIZERS.values()
    ]


def _precisions() -> Rows:
    from symcost.tables.precisions import PRECISIONS

    return [(each.name, each.note, each.source) for each in PRECISIONS.values()]


def _notations() -> Rows:
    from symcost.symbols import NOTATIONS

    return [
        (
            each.name,
            ", ".join(f"{ours} = {theirs}" for ours, theirs in each.letters.items()) or "as in list letters",
            each.source,
        )
        for each in NOTATIONS.values()
    ]


def _quantities() -> Rows:
    from symcost.symbols import DEVICE_QUANTITIES, QUANTITIES

    rows = [(each.name, f"{each.meaning} ({each.unit})") for each in QUANTITIES.values()]
    return rows + [
        (each.name, f"under a layout: {each.meaning}{f' ({each.unit})' if each.unit else ''}")
        for each in DEVICE_QUANTITIES.values()
    ]


def _letters() -> Rows:
    from symcost.symbols import GLOSSARY

    return [
        (each.name, f"{each.meaning}{f' ({each.unit})' if each.unit else ''}") for each in GLOSSARY.values()
    ]


def _tools() -> Rows:
    from symcost.tables.tools import TOOLS

    return [
        (each.name, f"{', '.join(each.quantities)}; {each.note}".rstrip("; "), each.source)
        for each in TOOLS.values()
    ]


LISTS: Mapping[str, Callable[[], Rows]] = {
    "models": _models,
    "conventions": _conventions,
    "gpus": _gpus,
    "optimizers": _optimizers,
    "precisions": _precisions,
    "notations": _notations,
    "quantities": _quantities,
    "letters": _letters,
    "layouts": _layouts,
    "tools": _tools,
}


@click.command("list")
@click.argument("what", type=click.Choice(list(LISTS)))
@form("text", "json")
def command(what: str, to: str) -> int:
    """What there is by name, each with its source."""
    rows = LISTS[what]()
    if to == "json":
        show_json([dict(zip(("name", "about", "source"), row, strict=False)) for row in rows])
    else:
        show(table(("name", "about", "source")[: len(rows[0])], rows))
    return RIGHT
