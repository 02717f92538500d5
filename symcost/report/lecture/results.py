"""What comes out: the main results, in numbers where there are numbers."""

from __future__ import annotations

from symcost.notation.numbers import with_unit
from symcost.report.blocks import Figure, Line, Section, Table, line
from symcost.report.lecture.talk import Talk

MEMORY = ("parameters", "static_memory", "activation_memory", "peak_memory")
WORK = ("step_flops", "training_flops", "training_time", "gpu_hours", "cost")


def results(talk: Talk) -> list[Section]:
    """A table of the main results, where there are numbers."""
    rows: list[tuple[Line, ...]] = [*_rows(talk, MEMORY)]
    if talk.b_max is not None and talk.gpu is not None:
        memory = Figure(with_unit(talk.gpu.memory, "bytes"), "letter", "M")
        words = line("largest batch within ", memory, " of ", Figure(talk.gpu.name, "gpu"))
        rows.append(
            (words, line(talk.b_max_name), line(Figure(f"{talk.b_max.floor:,} sequences", "value", "b_max")))
        )
    rows += _rows(talk, ("message_bytes",) if talk.across is not None else ())
    if talk.step_time is not None:
        shortest, longest = (
            with_unit(each, "s") for each in (talk.step_time.overlapped, talk.step_time.serial)
        )
        rows.append((line("time of one step"), line(""), line(f"{shortest} to {longest}")))
    rows += _rows(talk, WORK)
    if not rows:
        return []
    return [Section(line("Results"), (Table(("quantity", "name", "value"), tuple(rows), "llr"),))]


def _rows(talk: Talk, quantities: tuple[str, ...]) -> list[tuple[Line, ...]]:
    rows: list[tuple[Line, ...]] = []
    for quantity in quantities:
        value = talk.value(quantity)
        if value is not None:
            unit = "parameters" if quantity == "parameters" else talk.costs[quantity].unit
            words = quantity.replace("_", " ").replace("flops", "FLOPs").replace("gpu hours", "GPU-hours")
            rows.append(
                (
                    line(words),
                    line(talk.name(quantity)),
                    line(Figure(with_unit(value, unit), "value", quantity)),
                )
            )
    return rows


def summary(talk: Talk) -> tuple[str, ...]:
    """The main results for a terminal, a line each."""
    rows = [f"one device of {talk.across.layout.name}"] if talk.across is not None else []
    for quantity in ("parameters", "peak_memory", "step_flops", "training_time"):
        terms, value = talk.costs[quantity], talk.value(quantity)
        shown = f" = {with_unit(value, terms.unit)}" if value is not None else ""
        rows.append(f"{quantity:14} {terms.text(talk.notation.name)}{shown}")
    if talk.b_max is not None and talk.gpu is not None:
        memory = with_unit(talk.gpu.memory, "bytes")
        rows.append(f"{'b_max':14} {talk.b_max.floor} sequences on {talk.gpu.name} ({memory})")
    return tuple(rows)
