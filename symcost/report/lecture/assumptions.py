"""What is supposed: model, convention, optimizer, precision and GPU with their sources, and the letters."""

from __future__ import annotations

from dataclasses import replace

from symcost.conventions import OPTIONS
from symcost.layouts import Layout
from symcost.notation.numbers import with_unit
from symcost.report.blocks import Bullets, Code, Figure, Line, Math, Paragraph, Section, Table, joined, line
from symcost.report.lecture.talk import Talk
from symcost.report.steps import together
from symcost.symbols import GLOSSARY, n

NOT_ALL = (
    "What is derived is not all that a driver shows: rounding and fragmentation of the allocator, workspaces "
    "of kernels and the context of the driver come on top."
)


def assumptions(talk: Talk) -> Section:
    """Everything that the results rest on."""
    entries = (*_choices(talk), *_layout(talk), *_ties(talk), *_gpu(talk), *_numbers(talk))
    blocks = (Bullets(entries), letters(talk), Paragraph(line(NOT_ALL)))
    return Section(line("Assumptions"), blocks, code=talk.recipe.setup(talk.gpu, talk.costs.precision.matmul))


def _choices(talk: Talk) -> list[Line]:
    costs, convention, precision = talk.costs, talk.costs.convention, talk.costs.precision
    base, *options = convention.name.split("+")
    about = f": {convention.note or convention.source}. Source: {convention.source}."
    chosen = [OPTIONS[option] for option in options if option in OPTIONS]
    return [
        line("Model ", Code(costs.model.name), f": {costs.model.source}."),
        line("Convention ", Code(base), about),
        *(
            line("Option ", Code(f"+{each.name}"), f": {each.meaning}. Source: {each.source}.")
            for each in chosen
        ),
        line("Optimizer ", Code(costs.optimizer.name), f": {costs.optimizer.source}."),
        line("Precision ", Code(precision.name), f": {precision.note}. Source: {precision.source}."),
    ]


def _layout(talk: Talk) -> list[Line]:
    if talk.across is None:
        return []
    laid = talk.across.layout
    return [
        line("Layout ", Code(laid.name), f": {laid.note}. Source: {laid.source}."),
        line("What is told here is of ", *_device(laid), ", but for the FLOPs, time and money of the run, which are "
             "those of all together. ", talk.letter("b"), " is the sequences of one micro-batch of one replica."),
    ]  # fmt: skip


def _device(laid: Layout) -> Line:
    stages = "pp" in laid.mesh and laid.stage != "only"
    return line("one device", *((" of the pipeline stage ", Code(laid.stage)) if stages else ()))


def _ties(talk: Talk) -> list[Line]:
    """What is fixed, by the model or, of the GPUs, by the layout's mesh."""
    fixed: dict[str, list[Math]] = {}
    for symbol, form in talk.costs.ties.items():
        by = "layout" if talk.across is not None and symbol == n else "model"
        fixed.setdefault(by, []).append(together(talk.letter(symbol.name), talk.form(form), sign="="))
    return [line(f"Fixed by the {by}: ", *joined(ties), ".") for by, ties in fixed.items()]


def _gpu(talk: Talk) -> list[Line]:
    gpu = talk.gpu
    if gpu is None:
        return []
    lines = [
        line("GPU ", Code(gpu.name), f": {with_unit(gpu.memory, 'bytes')} of memory. Source: {gpu.source}.")
    ]
    if gpu.price is not None and talk.numbers.get("price") == gpu.price:
        lines.append(line(f"Price of a GPU: {with_unit(gpu.price, 'USD/h')}. Source: {gpu.price_source}."))
    return lines


def _numbers(talk: Talk) -> list[Line]:
    lines = [line(f"Numbers: {talk.example.source}.")] if talk.example is not None else []
    if talk.notation.name != "lecture":
        lines.append(line("Letters: those of ", Code(talk.notation.name), f", {talk.notation.source}."))
    return lines


def letters(talk: Talk) -> Table:
    """The letters in use with their meaning, and their numbers where some have one."""
    used = [letter for letter in GLOSSARY if letter in _used(talk)]
    numbers = bool(talk.numbers)
    rows = []
    for letter in used:
        entry = GLOSSARY[letter]
        row = (line(talk.letter(letter)), line(entry.meaning), line(entry.unit or "–"))
        rows.append((*row, _value(talk, letter) or line("free")) if numbers else row)
    columns = ("letter", "meaning", "unit", "value") if numbers else ("letter", "meaning", "unit")
    return Table(columns, tuple(rows), "lllr"[: len(columns)])


def _used(talk: Talk) -> set[str]:
    """The letters that occur anywhere in the report."""
    quantities = ["peak_memory", "training_time", "steps", *(["cost"] if "price" in talk.numbers else [])]
    used = {letter for quantity in quantities for letter in talk.costs[quantity].letters}
    if talk.across is not None:
        used.update(talk.costs["message_bytes"].letters)
    return used | {symbol.name for symbol in talk.costs.ties} | {"N", "M"}


def _value(talk: Talk, letter: str) -> Line:
    """The number of a letter, and what it comes from where that is another letter."""
    if letter == "M" and talk.gpu is not None:
        return line(Figure(with_unit(talk.gpu.memory, "bytes"), "letter", "M"))
    if letter not in talk.board.known:
        return ()
    symbol = GLOSSARY[letter].symbol
    number, form = talk.board.put_in(symbol), talk.costs.ties.get(symbol)
    if form is None:
        return line(replace(number, of=("letter", letter)))
    return line(replace(together(talk.form(form), number, sign="="), of=("tie", letter)))
