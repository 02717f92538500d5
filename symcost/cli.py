"""The command line. Each command imports what it needs when it runs, so that `--help` is there at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn

import click

import symcost
from symcost.errors import SymcostError, UsageError

if TYPE_CHECKING:
    from symcost.solve import Limit
    from symcost.symbols import Notation
    from symcost.terms import Number, Terms
    from symcost.training import Costs

RIGHT, DIFFERS, WRONG = 0, 1, 2  # exit status: nothing wrong; a formula differs or nothing fits; a wrong call


class Commands(click.Group):
    """The commands in the order in which they were written, not that of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(symcost.__version__, prog_name="symcost")
def commands() -> None:
    """Derive, in closed form and with a reason for every term, what it costs to train a transformer."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command; every error is one line on stderr, and the exit status says what happened."""
    try:
        status = commands.main(args=arguments, prog_name="symcost", standalone_mode=False)
    except click.exceptions.Exit as stop:
        status = stop.exit_code
    except click.exceptions.Abort:
        status = _complain("interrupted")
    except click.ClickException as error:
        status = _complain(_one_line(error))
    except SymcostError as error:
        status = _complain(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        status = RIGHT
    sys.exit(status if isinstance(status, int) else RIGHT)


def _complain(message: str) -> int:
    click.echo(f"symcost: {' '.join(message.split())}", err=True)
    return WRONG


def _one_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = f"{context.command_path.removeprefix('symcost').strip()}: " if context and context.parent else ""
    text = error.format_message().rstrip(".")
    return f"{path}{text}. See symcost {path.rstrip(': ')} --help." if isinstance(error, click.UsageError) else path + text


# ------------------------------------------------------------------------------- options that commands share


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


under = click.option("--under", default="textbook", metavar="C", help="Convention, with options: textbook+flash.")
given = click.option("--given", multiple=True, metavar="k=v,…", help="Numbers and forms: b=4,c=256,d_ff=4*d.")
gpu = click.option("--gpu", metavar="NAME", help="A GPU of `symcost list gpus`: its memory and its peak.")
notation = click.option("--notation", default="lecture", metavar="N", help="Whose letters to write in.")
optimizer = click.option("--optimizer", default="adamw", metavar="O", help="Whose states and FLOPs are counted.")
precision = click.option("--precision", metavar="P", help="Bytes of a parameter, gradient, state, activation.")
costs_of = _options(under, optimizer, precision, notation, given, gpu)


def form(*names: str) -> Callable[[Any], Any]:
    return click.option("--format", "to", type=click.Choice(names), default=names[0], show_default=True)


def _given(items: Iterable[str]) -> dict[str, Any]:
    """`b=4,c=256` and `d_ff=min(4*d,8192)`, split at the commas outside brackets."""
    from symcost.notation.reading import read_assignment

    values: dict[str, Any] = {}
    for item in items:
        for assignment in _split(item):
            name, value = read_assignment(assignment)
            if name in values and values[name] != value:
                raise UsageError(f"--given: {name} is given twice, as {values[name]} and as {value}. Give it once.")
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


def _costs(model: str, under: str, given: Iterable[str], gpu: str | None, optimizer: str, precision: str | None) -> Costs:
    from symcost.training import derive

    costs = derive(model, under=under, given=_given(given), optimizer=optimizer, precision=precision)
    if gpu is not None:
        from symcost.tables.gpus import gpu as called

        card = called(gpu)
        costs.numbers.setdefault("M", card.memory)
        costs.numbers.setdefault("peak", card.peak_for(costs.precision.matmul))
    return costs


def _notation(name: str) -> Notation:
    from symcost.errors import UnknownName, nearest
    from symcost.symbols import NOTATIONS

    if name not in NOTATIONS:
        raise UnknownName(f"'{name}' is not a notation. {nearest(name, NOTATIONS)}")
    return NOTATIONS[name]


def _value(terms: Terms) -> Number | None:
    """The value where every letter has a number, else None."""
    return terms.at() if not terms.missing() else None


# ------------------------------------------------------------------------------------------------- derive


@commands.command()
@click.argument("model")
@click.argument("quantities", nargs=-1)
@click.option("--scope", default="model", metavar="S", help="block, block.attention, head, block.attention.P …")
@costs_of
@form("text", "latex", "markdown", "json")
def derive(
    model: str, quantities: tuple[str, ...], scope: str, under: str, optimizer: str, precision: str | None,
    notation: str, given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """Closed forms of what MODEL costs, with the reason for each term.

    MODEL is a name of `symcost list models`, a Hugging Face config.json or a TOML spec. Without QUANTITY all are
    shown; with one, its terms as well.
    """
    chosen = _notation(notation)
    costs = _costs(model, under, given, gpu, optimizer, precision)
    found = [_scoped(costs, name, scope) for name in quantities or costs if quantities or costs[name].terms]
    if to == "json":
        _print_json(
            {
                "model": costs.model.name,
                "convention": costs.convention.name,
                "optimizer": costs.optimizer.name,
                "precision": costs.precision.name,
                "given": {name: _plain(value) for name, value in costs.given.items()},
                "quantities": {terms.quantity: terms.to_dict(notation, _value(terms)) for terms in found},
            }
        )
        return RIGHT
    if to == "text":
        click.echo(f"{costs.model.name} under {costs.convention.name}, {costs.optimizer.name}, {costs.precision.name}\n")
    for terms in found:
        _SHOW[to](terms, chosen, len(found) == 1)
    if to == "text" and len(found) == 1 and not found[0].terms:
        click.echo(costs.why(scope))
    return RIGHT


def _scoped(costs: Costs, quantity: str, scope: str) -> Terms:
    """A quantity at a place; a tensor that exists but is not kept has no terms, and `why` tells the reason."""
    terms = costs[quantity]
    try:
        return terms.of(scope)
    except SymcostError:
        costs.why(scope)  # raises for what is no tensor either
        return terms.nothing(scope)


def _show_text(terms: Terms, notation: Notation, alone: bool) -> None:
    from symcost.notation.numbers import with_unit

    value = _value(terms)
    of = f" of {terms.scope}" if terms.scope != "model" else ""
    shown = f" = {with_unit(value, terms.unit)}" if value is not None else ""
    whole = value is not None and value == int(value) and terms.unit in ("bytes", "FLOPs")
    exact = f" ({value:,} {terms.unit})" if whole else ""
    unit = "" if value is not None else f" {terms.unit}".rstrip()
    heading = f"{terms.quantity}{of}"
    click.echo(f"{heading:{len(heading) if alone else 20}} {terms.text(notation.name)}{unit}{shown}{exact}")
    if alone and terms.terms:
        rows = [
            (_amount(term.amount, term.times, notation), term.tensor, term.place,
             str(term.because) + (f"; also read by {', '.join(term.also)}" if term.also else ""))
            for term in terms
        ]  # fmt: skip
        _print_table(("amount", "tensor", "place", "because"), rows)


def _amount(amount: Any, times: Any, notation: Notation) -> str:
    from symcost.notation import text

    return text(amount, notation) if times == 1 else f"{text(times, notation)} × {text(amount, notation)}"


def _show_latex(terms: Terms, notation: Notation, alone: bool) -> None:
    click.echo(terms.latex(notation.name))


def _show_markdown(terms: Terms, notation: Notation, alone: bool) -> None:
    from symcost.notation import latex
    from symcost.notation.numbers import with_unit

    value = _value(terms)
    shown = f" = {with_unit(value, terms.unit)}" if value is not None else f" {terms.unit}"
    of = f" of `{terms.scope}`" if terms.scope != "model" else ""
    click.echo(f"**{terms.quantity}**{of}: ${terms.latex(notation.name)}${shown}\n")
    if alone:
        click.echo("| amount | times | tensor | place | because |\n| ---: | ---: | --- | --- | --- |")
        for term in terms:
            because = str(term.because).replace("|", "\\|").replace("_", "\\_")
            amount, times = latex(term.amount, notation), latex(term.times, notation)
            click.echo(f"| ${amount}$ | ${times}$ | `{term.tensor}` | `{term.place}` | {because} |")
        click.echo()


_SHOW = {"text": _show_text, "latex": _show_latex, "markdown": _show_markdown}


# -------------------------------------------------------------------------------------------------- solve


@commands.command()
@click.argument("model")
@click.option("--for", "letter", required=True, metavar="X", help="The letter to solve for: b, c, d, L, n …")
@click.option("--limit", metavar="…", help='As in "peak_memory <= 24 GiB"; --gpu alone sets the memory limit.')
@click.option("--sweep", multiple=True, metavar="k=from:to:step", help="A table over a letter: c=1024:131072:x2.")
@click.option("--multiple-of", default=1, show_default=True, help="The answer is a multiple of this.")
@costs_of
@form("text", "latex", "markdown", "json")
def solve(
    model: str, letter: str, limit: str | None, sweep: tuple[str, ...], multiple_of: int, under: str, optimizer: str,
    precision: str | None, notation: str, given: tuple[str, ...], gpu: str | None, to: str,
) -> int:  # fmt: skip
    """The largest (or least) value of one letter within a limit: form, exact root, whole number, proof.

    Exit status 1 where nothing fits.
    """
    from symcost.solve import solve as solve_for

    chosen = _notation(notation)
    if multiple_of < 1:
        raise UsageError(f"--multiple-of: expected a positive whole number, found {multiple_of}.")
    costs = _costs(model, under, given, gpu, optimizer, precision)
    quantity, at_most = _limit(limit, costs, gpu)
    terms = costs[quantity]
    if sweep:
        return _sweep(terms, letter, at_most, sweep, multiple_of, to)
    answer = solve_for(terms, letter, at_most=at_most, multiple_of=multiple_of)
    if to == "json":
        _print_json(answer.to_dict())
    elif to == "text":
        _show_limit(answer, chosen)
    else:
        sign = "$" if to == "markdown" else ""
        bound = "floor" if answer.ceiling is None else "ceil"
        body = f"{letter}=\\left\\l{bound}{answer.latex(notation)}\\right\\r{bound}={answer.integer}"
        click.echo(f"{sign}{body}{sign}")
    if answer.floor == 0:
        from symcost.notation.numbers import with_unit

        click.echo(
            f"symcost: {quantity} <= {_plain(at_most)}: nothing fits: at {letter} = "
            f"{answer.certificate.next if answer.certificate else 1} {with_unit(answer.missing, terms.unit)} are missing "
            f"({_plain(answer.missing)} {terms.unit}). Raise the limit, or lower another letter.",
            err=True,
        )
        return DIFFERS
    return RIGHT


def _limit(limit: str | None, costs: Costs, gpu: str | None) -> tuple[str, Number]:
    """The quantity that is limited and how much of it there may be, in its own unit."""
    if limit is None:
        if "M" in costs.numbers:
            return "peak_memory", costs.numbers["M"]
        raise UsageError('solve: expected a limit, found none. Give --limit "peak_memory <= 24 GiB" or --gpu NAME.')
    from symcost.notation.reading import read_limit
    from symcost.symbols import QUANTITIES

    quantity, _, value, unit = read_limit(limit)
    if value <= 0:
        raise UsageError(f"--limit: expected a positive number of {QUANTITIES[quantity].unit}, found {value}.")
    if unit is None:
        return quantity, value
    return quantity, _in_unit_of(quantity, value, unit)


def _in_unit_of(quantity: str, value: Fraction | int, unit: Any) -> Number:
    """A limit in the unit of its quantity. Raises UsageError where the dimensions differ."""
    from symcost.notation.units import unit as unit_called
    from symcost.symbols import QUANTITIES

    own = {"bytes": "B", "GPU-hours": "GPU-hours", "USD": "USD", "s": "s", "FLOPs": "FLOP"}.get(QUANTITIES[quantity].unit)
    expected = unit_called(own) if own else None
    if expected is None or expected.dimension != unit.dimension:
        raise UsageError(f"--limit: {quantity} is in {QUANTITIES[quantity].unit}, found {unit.spelling}.")
    exact = Fraction(value) * unit.scale / Fraction(expected.scale)
    return int(exact) if exact.denominator == 1 else exact


def _show_limit(answer: Limit, notation: Notation) -> None:
    from symcost.notation import text
    from symcost.notation.numbers import rounded, with_unit
    from symcost.notation.printing import substituted
    from symcost.solve import LIMITS
    from symcost.symbols import GLOSSARY

    unit, name = answer.terms.unit, answer.letter
    click.echo(f"{answer.quantity} = {text(answer.equation, notation)} <= {with_unit(answer.limit, unit)}")
    if answer.form is not None:
        bound = LIMITS.get(unit)
        numbers = {GLOSSARY[each].symbol: value for each, value in answer.numbers.items()}
        numbers |= {bound: answer.limit} if bound is not None else {}
        click.echo(f"{name} = {text(answer.form, notation)}")
        click.echo(f"  = {substituted(answer.form, numbers, 'text', notation)}")
        if isinstance(answer.value, int | Fraction):
            click.echo(f"  = {_plain(answer.value)} = {rounded(answer.value, 6)}")
        elif answer.value is not None:
            click.echo(f"  = {text(answer.value)}")
    else:
        click.echo(f"no closed form worth reading: {name} is found by exact search")
    if answer.integer is None:
        return
    word = "largest" if answer.ceiling is None else "least"
    click.echo(f"{word} whole number: {name} = {answer.integer:,}")
    proof = answer.certificate
    if proof is not None:
        click.echo(f"proof: at {proof.k:,} it is {_plain(proof.at_k)} {unit}, at {proof.next:,} it is {_plain(proof.at_next)}; "
                   f"left {with_unit(answer.left, unit)}")  # fmt: skip
    click.echo("what binds: " + ", ".join(f"{quantity} {rounded(100 * share, 1)} %" for quantity, _, share in answer.binds()))


def _sweep(terms: Terms, letter: str, at_most: Number, sweep: tuple[str, ...], multiple_of: int, to: str) -> int:
    """A table of limits over one or more letters."""
    from itertools import product

    from symcost.solve import solve as solve_for

    ranges = dict(_range(each) for each in sweep)
    if letter in ranges:
        raise UsageError(f"--sweep: {letter} is what is solved for. Sweep another letter.")
    rows: list[dict[str, Any]] = []
    for values in product(*ranges.values()):
        point = dict(zip(ranges, values, strict=True))
        answer = solve_for(terms, letter, at_most=at_most, given=point, multiple_of=multiple_of)
        rows.append({**point, letter: answer.integer, "left": _plain(answer.left)})
    if to == "json":
        _print_json({"for": letter, "quantity": terms.quantity, "limit": _plain(at_most), "unit": terms.unit, "rows": rows})
    else:
        columns = (*ranges, letter, f"left ({terms.unit})")
        _print_table(columns, [tuple(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()) for row in rows])  # fmt: skip
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
        raise UsageError(f"--sweep: expected letter=from:to:step, as in c=1024:131072:x2, found '{text}'.") from None
    if start < 1 or stop < start or step < 1 + times:
        raise UsageError(f"--sweep: expected a rising range of positive numbers, found '{text}'.")
    if not times and (stop - start) // step > MOST_POINTS:
        raise UsageError(f"--sweep: expected at most {MOST_POINTS:,} points, found {(stop - start) // step:,} in '{text}'.")
    values = [start]
    while (following := values[-1] * step if times else values[-1] + step) <= stop:
        values.append(following)
    return name.strip(), values


# ------------------------------------------------------------------------------------------------- report


@commands.command()
@click.argument("model")
@click.option("--to", default="md", metavar="F,…", show_default=True, help="Formats, separated by commas.")
@click.option("--output", default=".", metavar="DIR", help="The folder to write to, or - for standard output.")
@costs_of
def report(
    model: str, to: str, output: str, under: str, optimizer: str, precision: str | None, notation: str,
    given: tuple[str, ...], gpu: str | None,
) -> int:  # fmt: skip
    """Write the whole derivation of MODEL, every result as letters, numbers and value."""
    from pathlib import Path

    from symcost.report import document, write_file
    from symcost.report.writers import format_of, write

    _notation(notation)
    made = document(model, under=under, given=_given(given), optimizer=optimizer, precision=precision,
                    notation=notation, gpu=gpu)  # fmt: skip
    formats = [format_of(name.strip()) for name in to.split(",")]
    if output == "-":
        for each in formats:
            click.echo(write(made, each.name), nl=False)
        return RIGHT
    for row in made.summary:
        click.echo(row)
    for each in formats:
        path = Path(output) / f"{Path(model).stem if '/' in model else model}{each.suffix}"
        write_file(path, write(made, each.name))
        click.echo(f"report: {path}")
    return RIGHT


# --------------------------------------------------------------------------------------------------- list


@commands.command("list")
@click.argument("what", type=click.Choice(
    ["models", "conventions", "gpus", "optimizers", "precisions", "notations", "quantities", "letters"]))  # fmt: skip
@form("text", "json")
def list_(what: str, to: str) -> int:
    """What there is by name, each with its source."""
    rows = _LISTS[what]()
    if to == "json":
        _print_json([dict(zip(("name", "about", "source"), row, strict=False)) for row in rows])
    else:
        _print_table(("name", "about", "source")[: len(rows[0])], rows)
    return RIGHT


def _models() -> list[tuple[str, ...]]:
    from symcost.families import known_models
    from symcost.model import LETTERS

    rows: list[tuple[str, ...]] = [(name, "letters", model.source) for name, model in LETTERS.items()]
    return rows + [(name, str(config["model_type"]), str(config["_source"])) for name, config in known_models().items()]


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
        (each.name, f"{each.bytes_per_parameter()} bytes and {each.flops_per_parameter} FLOPs a parameter", each.source)
        for each in OPTIMIZERS.values()
    ]


def _precisions() -> list[tuple[str, ...]]:
    from symcost.tables.precisions import PRECISIONS

    return [(each.name, each.note, each.source) for each in PRECISIONS.values()]


def _notations() -> list[tuple[str, ...]]:
    from symcost.symbols import NOTATIONS

    return [
        (each.name, ", ".join(f"{ours} = {theirs}" for ours, theirs in each.letters.items()), each.source)
        for each in NOTATIONS.values()
    ]


def _quantities() -> list[tuple[str, ...]]:
    from symcost.symbols import QUANTITIES

    return [(each.name, f"{each.meaning} ({each.unit})") for each in QUANTITIES.values()]


def _letters() -> list[tuple[str, ...]]:
    from symcost.symbols import GLOSSARY

    return [(each.name, f"{each.meaning}{f' ({each.unit})' if each.unit else ''}") for each in GLOSSARY.values()]


_LISTS = {
    "models": _models,
    "conventions": _conventions,
    "gpus": _gpus,
    "optimizers": _optimizers,
    "precisions": _precisions,
    "notations": _notations,
    "quantities": _quantities,
    "letters": _letters,
}


# ------------------------------------------------------------------------------------------------ printing


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one runs on."""
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    widths[-1] = 0
    for row in (columns, *rows):
        click.echo("  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_json(data: object) -> None:
    import json

    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _plain(value: Any) -> Any:
    if isinstance(value, int | Fraction):
        return int(value) if value == int(value) else f"{value.numerator}/{value.denominator}"
    return str(value)

