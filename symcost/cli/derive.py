"""symcost derive: closed forms of what a model costs, with the reason for each term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from symcost.cli.options import (
    costs_asked_for,
    costs_of,
    form,
    layout,
    links,
    links_asked_for,
    notation_called,
)
from symcost.cli.printing import plain_or_text, show, show_json, table
from symcost.cli.status import RIGHT
from symcost.cli.swept import MOST_SHOWN, check_swept, grid_asked_for, show_sweep, swept
from symcost.errors import UsageError

if TYPE_CHECKING:
    from symcost.layouts.timing import StepTime
    from symcost.symbols import Notation
    from symcost.terms import Number, Terms
    from symcost.training import Costs


@click.command("derive")
@click.argument("model")
@click.argument("quantities", nargs=-1)
@click.option(
    "--scope", default="model", metavar="S", help="block, block.attention, head, block.attention.P …"
)
@click.option("--in", "unit", metavar="UNIT", help="The unit of the quantities: days, GB, PFLOP-days …")
@click.option(
    "--approximations", is_flag=True, help="Rules of thumb (6ND …) beside the exact forms, with their errors."
)
@click.option("--sensitivity", is_flag=True, help="Shares, elasticities, what leads and what one more costs.")
@swept
@layout
@links
@costs_of
@form("text", "latex", "markdown", "json")
def command(
    model: str, quantities: tuple[str, ...], scope: str, unit: str | None, approximations: bool,
    sensitivity: bool, sweep: tuple[str, ...], output: str | None, layout: str, links: str, under: str,
    optimizer: str, precision: str | None, notation: str, given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """Closed forms of what MODEL costs, with the reason for each term.

    MODEL is a name of `symcost list models`, a Hugging Face config.json or a TOML spec. Without QUANTITY all
    are shown; with one, its terms as well.
    """
    chosen = notation_called(notation)
    costs = costs_asked_for(model, under, given, gpu, optimizer, precision, layout=layout)
    time = _step_time(costs, gpu, links, bool(quantities))
    if approximations:
        return _approximated(costs, quantities, chosen, to)
    if sweep and not quantities:
        raise UsageError(
            "--sweep: expected the quantities to sweep, found none. Name them, as in peak_memory."
        )
    if output is not None and not sweep:
        raise UsageError("--output: expected a sweep to write, found none. Give --sweep c=1024:131072:x2.")
    found = list(_scoped(costs, quantities, scope))
    if unit is not None:
        from sympy import Integer

        found = [terms.scaled(Integer(1), unit=unit) for terms in found]
    if sensitivity:
        return _profiled(costs, found, chosen, to)
    if sweep:
        return _swept(costs, found, sweep, to, output)
    if to == "json":
        show_json(
            {
                "model": costs.model.name,
                "convention": costs.convention.name,
                "optimizer": costs.optimizer.name,
                "precision": costs.precision.name,
                "layout": layout,
                "given": {name: plain_or_text(value) for name, value in costs.given.items()},
                "quantities": {terms.quantity: terms.to_dict(notation) for terms in found},
                **({"step_time": time.to_dict()} if time is not None else {}),
            }
        )
        return RIGHT
    supposed = [
        f"{costs.model.name} under {costs.convention.name}",
        costs.optimizer.name,
        costs.precision.name,
    ]
    supposed += [f"one device of {layout}"] if layout != "single" else []
    rows = [f"{', '.join(supposed)}\n"] if to == "text" else []
    rows += [row for terms in found for row in _SHOW[to](terms, chosen, len(found) == 1)]
    if (
        to == "text"
        and len(found) == 1
        and not found[0].terms
        and found[0].quantity in ("saved_activations", "activation_memory")
    ):
        rows += [costs.why(scope)]
    if to == "text" and time is not None:
        rows += _timed(costs, time, gpu)
    show(rows)
    return RIGHT


def _profiled(costs: Costs, found: Sequence[Terms], notation: Notation, to: str) -> int:
    """What each quantity turns on; of FLOPs, from where on attention leads."""
    from symcost.compare import overtakings
    from symcost.compare.profile import overtaking_rows, profile, rows

    profiles = [profile(terms) for terms in found]
    if to == "json":
        show_json([each.to_dict() for each in profiles])
        return RIGHT
    lines = [row for each in profiles for row in (*rows(each, notation), "")]
    if costs.scopes and any(terms.unit.startswith("FLOPs") and terms.scope == "model" for terms in found):
        lines += overtaking_rows(overtakings(costs), notation)
    show(lines)
    return RIGHT


def _swept(costs: Costs, found: Sequence[Terms], sweep: Sequence[str], to: str, output: str | None) -> int:
    """The quantities at every point of a grid: a few points exactly, more in float64."""
    from symcost.sweep import Sweep

    grid = grid_asked_for(sweep)
    check_swept(grid, costs)
    swept = Sweep(tuple(found), grid, exact=grid.size <= MOST_SHOWN)
    about = {"model": costs.model.name, "convention": costs.convention.name, "scope": found[0].scope,
             "units": {terms.quantity: terms.unit for terms in found}}  # fmt: skip
    show_sweep(swept, to, output, about)
    return RIGHT


def _step_time(costs: Costs, gpu: str | None, links: str, others: bool) -> StepTime | None:
    """The bounds of one step's time under a layout, where nothing else is asked and every letter has a
    number.
    """
    from symcost.tables.gpus import gpu as called
    from symcost.training import Across
    from symcost.training.across import check_links

    if links and (gpu is None or not isinstance(costs, Across) or others):
        raise UsageError(
            "--links: expected --gpu NAME, --layout NAME and no QUANTITY, for the time of a step under a layout."
        )
    if gpu is None or others or not isinstance(costs, Across):
        return None
    asked = links_asked_for(links)
    check_links(asked, costs.layout.mesh)
    lacking = dict.fromkeys((*costs["peak_memory"].missing(), *costs["memory_traffic"].missing()))
    if links and lacking:
        raise UsageError(
            f"--links: expected a number for every letter, found none for {', '.join(lacking)}. Give them with --given."
        )
    return None if lacking else costs.step_time(called(gpu), asked)


def _timed(costs: Costs, time: StepTime, gpu: str | None) -> list[str]:
    from symcost.notation.numbers import rounded, with_unit
    from symcost.training import Across

    assert isinstance(costs, Across)
    stage, fullest = costs.worst_stage()
    parts = ", ".join(
        f"{name} {with_unit(getattr(time, name), 's')}" for name in ("compute", "memory", "messages")
    )
    lines = [f"\none step on {gpu}: {parts}; {time.binds} binds"]
    for name, seconds in (("all at once", time.overlapped), ("one after the other", time.serial)):
        lines.append(
            f"  {name}: {with_unit(seconds, 's')}, MFU {rounded(100 * time.mfu(seconds), 1)} %, "
            f"HFU {rounded(100 * time.hfu(seconds), 1)} %"
        )
    return [*lines, f"  fullest stage: {stage}, with {with_unit(fullest, 'bytes')}"]


def _approximated(costs: Costs, quantities: Sequence[str], notation: Notation, to: str) -> int:
    """Rules of thumb with what they leave out."""
    from symcost.notation import text
    from symcost.notation.numbers import rounded, significant
    from symcost.training import approximations

    rules = [rule for rule in approximations(costs) if not quantities or rule.quantity in quantities]
    if to == "json":
        show_json([rule.to_dict() for rule in rules])
        return RIGHT

    def put(value: Any) -> str:
        return "–" if value is None else significant(value, 6)

    rows = []
    for rule in rules:
        percent = f"{rounded(100 * rule.relative, 2)} %" if rule.relative is not None else "–"
        forms = text(rule.rule, notation), text(rule.error, notation)
        rows.append((rule.quantity, forms[0], put(rule.value), put(rule.exact_value), percent, forms[1]))
    show(table(("quantity", "rule", "its value", "exact", "error", "exact − rule"), rows))
    return RIGHT


def _scoped(costs: Costs, quantities: Sequence[str], scope: str) -> Iterator[Terms]:
    """The quantities asked for at a place; if none is named, all that are not empty there."""
    if quantities or scope == "model":
        yield from (costs[name].of(scope) for name in quantities or costs if quantities or costs[name].terms)
        return
    costs["parameters"].of(scope)  # raises where there is no such place
    yield from (costs[name].of(scope) for name in costs if scope in costs[name].places())


def _show_text(terms: Terms, notation: Notation, alone: bool) -> Iterator[str]:
    from symcost.notation.numbers import with_unit

    value = _value(terms)
    of = f" of {terms.scope}" if terms.scope != "model" else ""
    shown = f" = {with_unit(value, terms.unit)}" if value is not None else ""
    whole = value is not None and value == int(value) and terms.unit in ("bytes", "FLOPs")
    exact = f" ({value:,} {terms.unit})" if whole else ""
    unit = "" if value is not None else f" {terms.unit}".rstrip()
    heading = f"{terms.quantity}{of}"
    yield f"{heading:{len(heading) if alone else 20}} {terms.text(notation.name)}{unit}{shown}{exact}"
    if alone and terms.terms:
        yield from table(
            ("amount", "tensor", "place", "because"),
            [
                (_amount(term.amount, term.times, notation), term.tensor, term.place, term.reason)
                for term in terms
            ],
        )


def _amount(amount: Any, times: Any, notation: Notation) -> str:
    from symcost.notation import text

    return text(amount, notation) if times == 1 else f"{text(times, notation)} × {text(amount, notation)}"


def _show_latex(terms: Terms, notation: Notation, alone: bool) -> Iterator[str]:
    yield terms.latex(notation.name)


def _show_markdown(terms: Terms, notation: Notation, alone: bool) -> Iterator[str]:
    from symcost.notation import latex
    from symcost.notation.numbers import with_unit

    value = _value(terms)
    shown = f" = {with_unit(value, terms.unit)}" if value is not None else f" {terms.unit}"
    of = f" of `{terms.scope}`" if terms.scope != "model" else ""
    yield f"**{terms.quantity}**{of}: ${terms.latex(notation.name)}${shown}\n"
    if alone:
        yield "| amount | times | tensor | place | because |\n| ---: | ---: | --- | --- | --- |"
        for term in terms:
            because = term.reason.replace("|", "\\|").replace("_", "\\_")
            amount, times = latex(term.amount, notation), latex(term.times, notation)
            yield f"| ${amount}$ | ${times}$ | `{term.tensor}` | `{term.place}` | {because} |"


_SHOW = {"text": _show_text, "latex": _show_latex, "markdown": _show_markdown}


def _value(terms: Terms) -> Number | None:
    """The value where every letter has a number, else None."""
    return None if terms.missing() else terms.at()
