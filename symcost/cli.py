"""The command line. Each command imports what it needs when it runs, so that `--help` is there at once."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn

import click

import symcost
from symcost.errors import SymcostError, UsageError

if TYPE_CHECKING:
    from symcost.symbols import Notation
    from symcost.terms import Number, Terms
    from symcost.training import Costs

RIGHT, DIFFERS, WRONG = 0, 1, 2  # exit status: nothing wrong; a formula differs or nothing fits; a wrong call
MOST_SHOWN = 60  # characters of what was typed, in a complaint about it
FEW = 100_000  # new objects between two garbage collections: a command is short, and loading sympy makes no garbage


class Commands(click.Group):
    """The commands in the order in which they were written, not that of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(symcost.__version__, prog_name="symcost")
@click.pass_context
def commands(context: click.Context) -> None:
    """Derive, in closed form and with a reason for every term, what it costs to train a transformer."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command; every error is one line on stderr, and the exit status says what happened."""
    collections = gc.get_threshold()
    gc.set_threshold(FEW)
    atexit.register(
        gc.freeze
    )  # or else leaving would look through all that sympy made, which takes as long again
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")  # ∂, ᵀ and ² are in few others
    try:
        status = commands.main(args=arguments, prog_name="symcost", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.exceptions.Abort:
        status = _complain("interrupted")
    except click.ClickException as error:
        status = _complain(_one_line(error))
    except SymcostError as error:
        status = _complain(str(error))
    except RecursionError:
        status = _complain(
            "expected a formula or file of few brackets inside each other, found too many. Simplify it."
        )
    except (
        BrokenPipeError,
        SystemExit,
    ):  # click leaves by itself where the reader has seen enough (list … | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = RIGHT
    except OSError as error:
        status = _complain(
            f"{error.filename or 'standard output'}: expected a place to write to, found: {error.strerror}."
        )
    finally:
        gc.set_threshold(*collections)
    sys.exit(status if isinstance(status, int) else RIGHT)


def _complain(message: str) -> int:
    click.echo(f"symcost: {' '.join(message.split())}", err=True)
    return WRONG


def _one_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = f"{context.command_path.removeprefix('symcost').strip()}: " if context and context.parent else ""
    text = error.format_message().rstrip(".")
    return (
        f"{path}{text}. See symcost {path.rstrip(': ')} --help."
        if isinstance(error, click.UsageError)
        else path + text
    )


# ------------------------------------------------------------------------------- options that commands share


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
costs_of = _options(under, optimizer, precision, notation, given, gpu)


def form(*names: str) -> Callable[[Any], Any]:
    return click.option("--format", "to", type=click.Choice(names), default=names[0], show_default=True)


def _given(items: Iterable[str]) -> dict[str, Any]:
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


def _costs(
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

    values = _given(given)
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


def _notation(name: str) -> Notation:
    from symcost.errors import UnknownName, nearest
    from symcost.symbols import NOTATIONS

    if name not in NOTATIONS:
        raise UnknownName(f"'{name}' is not a notation. {nearest(name, NOTATIONS)}")
    return NOTATIONS[name]


def _value(terms: Terms) -> Number | None:
    """The value where every letter has a number, else None."""
    return None if terms.missing() else terms.at()


# ------------------------------------------------------------------------------------------------- derive


@commands.command()
@click.argument("model")
@click.argument("quantities", nargs=-1)
@click.option(
    "--scope", default="model", metavar="S", help="block, block.attention, head, block.attention.P …"
)
@click.option("--in", "unit", metavar="UNIT", help="The unit of the quantities: days, GB, PFLOP-days …")
@click.option(
    "--approximations", is_flag=True, help="Rules of thumb (6ND …) beside the exact forms, with their errors."
)
@layout
@costs_of
@form("text", "latex", "markdown", "json")
def derive(
    model: str, quantities: tuple[str, ...], scope: str, unit: str | None, approximations: bool, layout: str, under: str, optimizer: str,
    precision: str | None, notation: str, given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """Closed forms of what MODEL costs, with the reason for each term.

    MODEL is a name of `symcost list models`, a Hugging Face config.json or a TOML spec. Without QUANTITY all are
    shown; with one, its terms as well.
    """
    chosen = _notation(notation)
    costs = _costs(model, under, given, gpu, optimizer, precision, layout=layout)
    if approximations:
        return _approximated(costs, quantities, chosen, to)
    found = list(_scoped(costs, quantities, scope))
    if unit is not None:
        from sympy import Integer

        found = [terms.scaled(Integer(1), unit=unit) for terms in found]
    if to == "json":
        _print_json(
            {
                "model": costs.model.name,
                "convention": costs.convention.name,
                "optimizer": costs.optimizer.name,
                "precision": costs.precision.name,
                "layout": layout,
                "given": {name: _plain(value) for name, value in costs.given.items()},
                "quantities": {terms.quantity: terms.to_dict(notation) for terms in found},
            }
        )
        return RIGHT
    on_device = f", one device of {layout}" if layout != "single" else ""
    head = f"{costs.model.name} under {costs.convention.name}, {costs.optimizer.name}, {costs.precision.name}{on_device}\n"
    rows = [head] if to == "text" else []
    rows += [row for terms in found for row in _SHOW[to](terms, chosen, len(found) == 1)]
    if (
        to == "text"
        and len(found) == 1
        and not found[0].terms
        and found[0].quantity in ("saved_activations", "activation_memory")
    ):
        rows += [costs.why(scope)]
    if to == "text" and not quantities and gpu is not None:
        rows += _step_time(costs, gpu)
    _print(rows)
    return RIGHT


def _step_time(costs: Costs, gpu: str) -> list[str]:
    """The bounds of one step's time under a layout, where every letter has a number."""
    from symcost.notation.numbers import rounded, with_unit
    from symcost.tables.gpus import gpu as called
    from symcost.training import Across

    if not isinstance(costs, Across) or costs["peak_memory"].missing() or costs["memory_traffic"].missing():
        return []
    time, (stage, fullest) = costs.step_time(called(gpu)), costs.worst_stage()
    parts = ", ".join(
        f"{name} {with_unit(getattr(time, name), 's')}" for name in ("compute", "memory", "messages")
    )
    lines = [f"\none step on {gpu}: {parts}; {time.binds} binds"]
    for name, seconds in (("all at once", time.overlapped), ("one after the other", time.serial)):
        lines.append(
            f"  {name}: {with_unit(seconds, 's')}, MFU {rounded(100 * time.mfu(seconds), 1)} %, HFU {rounded(100 * time.hfu(seconds), 1)} %"
        )
    return [*lines, f"  fullest stage: {stage}, with {with_unit(fullest, 'bytes')}"]


def _approximated(costs: Costs, quantities: Sequence[str], notation: Notation, to: str) -> int:
    """Rules of thumb with what they leave out."""
    from symcost.notation import text
    from symcost.notation.numbers import rounded, significant
    from symcost.training import approximations

    rules = [rule for rule in approximations(costs) if not quantities or rule.quantity in quantities]
    if to == "json":
        _print_json([rule.to_dict() for rule in rules])
        return RIGHT

    def put(value: Any) -> str:
        return "–" if value is None else significant(value, 6)

    rows = []
    for rule in rules:
        percent = f"{rounded(100 * rule.relative, 2)} %" if rule.relative is not None else "–"
        forms = text(rule.rule, notation), text(rule.error, notation)
        rows.append((rule.quantity, forms[0], put(rule.value), put(rule.exact_value), percent, forms[1]))
    _print(_table(("quantity", "rule", "its value", "exact", "error", "exact − rule"), rows))
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
        yield from _table(
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


# -------------------------------------------------------------------------------------------------- solve


@commands.command()
@click.argument("model")
@click.option("--for", "letter", required=True, metavar="X", help="The letter to solve for: b, c, d, L, n …")
@click.option(
    "--limit", metavar="…", help='As in "peak_memory <= 24 GiB"; --gpu alone sets the memory limit.'
)
@click.option(
    "--sweep", multiple=True, metavar="k=from:to:step", help="A table over a letter: c=1024:131072:x2."
)
@click.option("--multiple-of", default=1, show_default=True, help="The answer is a multiple of this.")
@click.option(
    "--scope", default="model", metavar="S", help="The part that the limit is for: block, block.mlp, head …"
)
@layout
@costs_of
@form("text", "latex", "markdown", "json")
def solve(
    model: str, letter: str, limit: str | None, sweep: tuple[str, ...], multiple_of: int, scope: str, layout: str, under: str,
    optimizer: str, precision: str | None, notation: str, given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """The largest (or least) value of one letter within a limit: form, exact root, whole number, proof.

    Exit status 1 where nothing fits.
    """
    from symcost.solve import showing
    from symcost.solve import solve as solve_for

    chosen = _notation(notation)
    costs = _costs(model, under, given, gpu, optimizer, precision, letter, layout)
    terms, limits = _limit(limit, costs, scope)
    if sweep:
        return _sweep(terms, letter, limits, sweep, multiple_of, notation, to)
    answer = solve_for(terms, letter, **limits, multiple_of=multiple_of)
    if to == "json":
        _print_json(answer.to_dict())
    elif to == "text":
        _print(showing.rows(answer, chosen))
    else:
        sign = "$" if to == "markdown" else ""
        click.echo(f"{sign}{showing.line(answer, chosen)}{sign}")
    if not answer.fits:
        click.echo(f"symcost: {showing.shortfall(answer)}", err=True)
        return DIFFERS
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


def _sweep(
    terms: Terms,
    letter: str,
    limits: dict[str, Any],
    sweep: tuple[str, ...],
    multiple_of: int,
    notation: str,
    to: str,
) -> int:
    """A table of limits over one or more letters; over one letter, the curve that gives one for the other as well."""
    from itertools import product
    from math import prod

    from symcost.notation import code, text
    from symcost.notation.numbers import significant
    from symcost.solve import frontier
    from symcost.solve import solve as solve_for

    ranges = dict(_range(each) for each in sweep)
    if letter in ranges:
        raise UsageError(f"--sweep: {letter} is what is solved for. Sweep another letter.")
    points = prod(map(len, ranges.values()))
    if points > MOST_POINTS:
        raise UsageError(
            f"--sweep: expected at most {MOST_POINTS:,} points, found {points:,}. Take larger steps."
        )
    rows: list[dict[str, Any]] = []
    for values in product(*ranges.values()):
        point = dict(zip(ranges, values, strict=True))
        answer = solve_for(terms, letter, **limits, given=point, multiple_of=multiple_of)
        rows.append({**point, letter: answer.at if answer.fits else answer.integer, "left": answer.left})
    along = next(iter(ranges)) if len(ranges) == 1 else None
    curve = (
        frontier(terms, letter, along, values=ranges[along][:1], **limits).curve
        if along is not None
        else None
    )
    if to == "json":
        about = {
            "for": letter,
            "quantity": terms.quantity,
            "unit": terms.unit,
            "limit": _plain(*limits.values()),
        }
        plain_rows = [
            {name: None if cell is None else _plain(cell) for name, cell in row.items()} for row in rows
        ]
        _print_json(about | {"curve": code(curve) if curve is not None else None, "rows": plain_rows})
        return RIGHT

    def put(cell: Number | None) -> str:
        return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else significant(cell, 6)

    columns = (*ranges, letter, f"left ({terms.unit})")
    cells = [tuple(map(put, row.values())) for row in rows]
    head = [f"{letter} = {text(curve, _notation(notation))}\n"] if curve is not None else []
    _print([*head, *_table(columns, cells)])
    return RIGHT


MOST_POINTS = 100_000


def _range(text: str) -> tuple[str, list[int]]:
    """`c=1024:131072:x2` or `b=1:64:1` as a letter and its values."""
    from symcost.symbols import letter as glossary

    name, _, body = text.partition("=")
    parts = body.split(":")
    glossary(name.strip(), "--sweep")
    try:
        start, stop = int(parts[0]), int(parts[1])
        times = len(parts) > 2 and parts[2].startswith(("x", "*"))
        step = int(parts[2].lstrip("x*")) if len(parts) > 2 else 1
        if len(parts) > 3:
            raise ValueError
    except (ValueError, IndexError):
        raise UsageError(
            f"--sweep: expected letter=from:to:step, as in c=1024:131072:x2, found '{text}'."
        ) from None
    if start < 1 or stop < start or step < 1 + times:
        raise UsageError(f"--sweep: expected a rising range of positive numbers, found '{text}'.")
    if not times and (stop - start) // step > MOST_POINTS:
        raise UsageError(
            f"--sweep: expected at most {MOST_POINTS:,} points, found {(stop - start) // step:,} in '{text}'."
        )
    values = [start]
    while (following := values[-1] * step if times else values[-1] + step) <= stop:
        values.append(following)
    return name.strip(), values


# ------------------------------------------------------------------------------------------------- report


@commands.command()
@click.argument("model")
@click.option("--to", default="md", metavar="F,…", show_default=True, help="Formats, separated by commas.")
@click.option(
    "--output", default=".", metavar="DIR", help="The folder to write to, or - for standard output."
)
@click.option("--execute", is_flag=True, help="Run the notebook that --to ipynb writes (extra notebook).")
@costs_of
def report(
    model: str, to: str, output: str, execute: bool, under: str, optimizer: str, precision: str | None, notation: str,
    given: tuple[str, ...], gpu: str | None,
) -> int:  # fmt: skip
    """Write the whole derivation of MODEL, every result as letters, numbers and value."""
    from symcost.report import document, format_of, report_files

    names = [name.strip() for name in to.split(",")]
    options = {"under": under, "given": _given(given), "optimizer": optimizer, "precision": precision,
               "notation": notation, "gpu": gpu}  # fmt: skip
    if output == "-":
        made = document(model, **options)
        for written in [format_of(name).write(made) for name in names]:
            click.echo(written, nl=False)
        return RIGHT
    files = report_files(model, to=names, output=output, execute=execute, **options)
    _print([*document(model, **options).summary, *(f"report: {path}" for path in files)])
    return RIGHT


# ------------------------------------------------------------------------------------------------ measure


@commands.command()
@click.argument("model")
@click.option("--under", default="torch-eager", metavar="C", show_default=True, help="A convention that PyTorch can run.")
@click.option("--precision", metavar="P", help="Bytes of a parameter, gradient, state, activation.")
@given
@form("text", "json")
def measure(model: str, under: str, precision: str | None, given: tuple[str, ...], to: str) -> int:
    """What PyTorch keeps and counts here for MODEL, beside what is derived (extra measure).

    Letters without a number take small ones. Exit status 1 where something differs.
    """
    from symcost.measure import measure as measured

    found = measured(model, under=under, given=_given(given), precision=precision)
    if to == "json":
        _print_json(found.to_dict())
        return RIGHT if found.equal else DIFFERS
    numbers = ", ".join(f"{name} = {value:,}" for name, value in found.numbers.items())
    click.echo(f"{found.model} under {found.convention}, PyTorch {found.version}, {numbers}\n")
    for title, rows in (("quantity", found.quantities), ("kept tensor", found.tensors)):
        columns = (title, "derived", "measured", "difference", "unit")
        _print(_table(columns, [
            (row.name, f"{row.derived:,}", f"{row.measured:,}", f"{row.difference:+,}" if row.difference else "0", row.unit)
            for row in rows
        ]))  # fmt: skip
        click.echo()
    click.echo("equal to the byte" if found.equal else "derived and measured differ")
    return RIGHT if found.equal else DIFFERS


# ------------------------------------------------------------------------------------------------ optimum


@commands.command()
@click.argument("budget")
@form("text", "json")
def optimum(budget: str, to: str) -> int:
    """Parameters and tokens that BUDGET, in FLOPs, is best spent on, by each empirical law."""
    from symcost.dimensions import converted
    from symcost.notation import text
    from symcost.notation.numbers import rounded, scientific
    from symcost.notation.reading import read_amount
    from symcost.training import compute_optimal

    found = compute_optimal(converted(*read_amount(budget), "FLOPs", "budget"))
    if to == "json":
        _print_json([each.to_dict() for each in found])
        return RIGHT
    columns = ("law", "N", "D", "D/N", "loss", "N as a form of C", "source")
    rows = [
        (each.law, scientific(each.parameters), scientific(each.tokens), rounded(Fraction(each.tokens, each.parameters), 1),
         rounded(each.loss, 3) if each.loss else "–", text(each.parameters_form), each.source)
        for each in found
    ]  # fmt: skip
    _print([*_table(columns, rows), "\nThese laws are fits to runs: empirical, not derived."])
    return RIGHT


# --------------------------------------------------------------------------------------------------- list


@commands.command("list")
@click.argument("what", type=click.Choice(
    ["models", "conventions", "gpus", "optimizers", "precisions", "notations", "quantities", "letters",
     "layouts"]))  # fmt: skip
@form("text", "json")
def list_(what: str, to: str) -> int:
    """What there is by name, each with its source."""
    rows = _LISTS[what]()
    if to == "json":
        _print_json([dict(zip(("name", "about", "source"), row, strict=False)) for row in rows])
    else:
        _print(_table(("name", "about", "source")[: len(rows[0])], rows))
    return RIGHT


def _models() -> list[tuple[str, ...]]:
    from symcost.families import known_models
    from symcost.model import LETTERS
    from symcost.training.bare import COUNTED

    rows: list[tuple[str, ...]] = [(name, "letters", model.source) for name, model in LETTERS.items()]
    rows.extend((name, "no layers", model.source) for name, (_, model) in COUNTED.items())
    return rows + [
        (name, str(config["model_type"]), str(config["_source"])) for name, config in known_models().items()
    ]


def _layouts() -> list[tuple[str, ...]]:
    from symcost.layouts import COMPOSED, LAYOUTS

    found = [(each.name, f"{each.note} ({'·'.join(each.mesh) or 'no mesh'})", each.source) for each in LAYOUTS.values()]
    return found + [(name, f"the same as {parts}", "") for name, parts in COMPOSED.items()]


def _conventions() -> list[tuple[str, ...]]:
    from symcost.conventions import CONVENTIONS, OPTIONS

    rows = [(convention.name, convention.note, convention.source) for convention in CONVENTIONS.values()]
    return rows + [(f"+{option.name}", option.meaning, option.source) for option in OPTIONS.values()]


def _gpus() -> list[tuple[str, ...]]:
    from symcost.notation.numbers import with_unit
    from symcost.tables.gpus import GPUS

    def about(card: Any) -> str:
        peaks = ", ".join(f"{kind} {with_unit(peak, 'FLOP/s')}" for kind, peak in card.peak.items())
        return f"{with_unit(card.memory, 'bytes')}; {peaks}"

    return [(card.name, about(card), card.source) for card in GPUS.values()]


def _optimizers() -> list[tuple[str, ...]]:
    from symcost.tables.optimizers import OPTIMIZERS

    return [
        (
            each.name,
            f"{each.bytes_per_parameter()} bytes and {each.flops_per_parameter} FLOPs a parameter",
            each.source,
        )
        for each in OPTIMIZERS.values()
    ]


def _precisions() -> list[tuple[str, ...]]:
    from symcost.tables.precisions import PRECISIONS

    return [(each.name, each.note, each.source) for each in PRECISIONS.values()]


def _notations() -> list[tuple[str, ...]]:
    from symcost.symbols import NOTATIONS

    return [
        (
            each.name,
            ", ".join(f"{ours} = {theirs}" for ours, theirs in each.letters.items()) or "as in list letters",
            each.source,
        )
        for each in NOTATIONS.values()
    ]


def _quantities() -> list[tuple[str, ...]]:
    from symcost.symbols import QUANTITIES

    return [(each.name, f"{each.meaning} ({each.unit})") for each in QUANTITIES.values()]


def _letters() -> list[tuple[str, ...]]:
    from symcost.symbols import GLOSSARY

    return [
        (each.name, f"{each.meaning}{f' ({each.unit})' if each.unit else ''}") for each in GLOSSARY.values()
    ]


_LISTS = {
    "models": _models,
    "conventions": _conventions,
    "layouts": _layouts,
    "gpus": _gpus,
    "optimizers": _optimizers,
    "precisions": _precisions,
    "notations": _notations,
    "quantities": _quantities,
    "letters": _letters,
}


# ------------------------------------------------------------------------------------------------ printing


def _print(rows: Iterable[str]) -> None:
    """Rows to standard output, all of them or, where one of them is an error, none."""
    click.echo("\n".join(rows))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one runs on."""
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    widths[-1] = 0
    for row in (columns, *rows):
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _print_json(data: object) -> None:
    import json

    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    if isinstance(value, int | Fraction):
        return int(value) if value == int(value) else f"{value.numerator}/{value.denominator}"
    return str(value)
