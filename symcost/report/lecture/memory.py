"""Gradients, optimizer and the peak: what is there at the end of the forward pass."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from symcost.notation.numbers import rounded, with_unit
from symcost.report.blocks import Block, Code, Figure, Paragraph, Section, Table, line
from symcost.report.lecture.talk import Talk
from symcost.report.steps import exact
from symcost.tables.precisions import states

PARTS = ("parameter_memory", "gradient_memory", "optimizer_memory", "activation_memory")
LECTURED = (
    "textbook",
    "every-output",
    "megatron-2022",
)  # conventions of lectures and papers; no framework runs them


def memory(talk: Talk) -> tuple[Section, ...]:
    return _gradients(talk), _optimizer(talk), _peak(talk)


def _gradients(talk: Talk) -> Section:
    size = talk.costs.precision.gradient
    words = f"Each trained parameter has one gradient of the same shape, at {size} bytes an element."
    result = talk.result("gradient_memory", talk.by_parameters("gradient_memory"))
    return Section(
        line("Gradients"), (Paragraph(line(words)), *result), code=talk.recipe.show("gradient_memory")
    )


def _optimizer(talk: Talk) -> Section:
    optimizer = talk.costs.optimizer
    kept = states(optimizer, talk.costs.precision)
    rows = tuple((line(Code(state.name)), line(state.meaning), line(str(state.bytes))) for state in kept)
    blocks = (
        Paragraph(line("For each trained parameter ", Code(optimizer.name), " keeps:")),
        Table(("state", "meaning", "bytes"), rows, "llr"),
        *talk.result("optimizer_memory", talk.by_parameters("optimizer_memory")),
    )
    return Section(line("Optimizer"), blocks, code=talk.recipe.show("optimizer_memory"))


def _peak(talk: Talk) -> Section:
    blocks: list[Block] = [
        Paragraph(line("At the end of the forward pass all of these are there at once:")),
        *talk.result("peak_memory", talk.by_counts(), sum_of=PARTS),
        *_shares(talk),
        *_fullest(talk),
    ]
    if talk.costs.convention.name.split("+")[0] not in LECTURED:
        blocks += _moments(talk)
    return Section(line("Peak memory"), tuple(blocks), code=talk.recipe.show("static_memory", "peak_memory"))


def _shares(talk: Talk) -> list[Block]:
    """What each part is of the whole, where there are numbers."""
    whole = talk.value("peak_memory")
    if whole is None:
        return []
    rows = []
    for quantity in (*PARTS, "peak_memory"):
        part = talk.value(quantity) or 0
        share = f"{rounded(100 * Fraction(part) / Fraction(whole), 1)} %"
        cells = (
            line(replace(exact(part), of=("exact", quantity))),
            line(Figure(with_unit(part, "bytes"), "value", quantity)),
            line(Figure(share, "share", quantity)),
        )
        rows.append((line(talk.name(quantity)), *cells))
    return [Table(("part", "bytes", "in binary units", "share"), tuple(rows), "lrrr")]


def _fullest(talk: Talk) -> list[Block]:
    """Which stage of a pipeline is the fullest, where that is known."""
    costs = talk.across
    if costs is None or "pp" not in costs.layout.mesh or talk.value("peak_memory") is None:
        return []
    stage, memory = costs.worst_stage(**talk.numbers)
    return [
        Paragraph(
            line(
                f"Of the pipeline's stages, from 0, the fullest is {stage}, with {with_unit(memory, 'bytes')}."
            )
        )
    ]


def _moments(talk: Talk) -> list[Block]:
    """The moments of a step at which memory may be fullest, where a framework runs it."""
    rows = []
    for moment, terms in talk.costs.moments().items():
        value = talk.value(terms)
        shown = with_unit(value, "bytes") if value is not None else "–"
        rows.append((line(moment), line(talk.form(terms.total)), line(Figure(shown, "bytes", terms.total))))
    words = "While a framework runs the step, memory is fullest at one of these moments:"
    table = Table(("moment", "bytes", "in binary units"), tuple(rows), "lwr")
    return [Paragraph(line(words)), table, *_worst(talk)]


def _worst(talk: Talk) -> list[Block]:
    """Which moment is the worst, and by how much the sum of all parts is off."""
    values = {moment: talk.value(terms) for moment, terms in talk.costs.moments().items()}
    known = {moment: value for moment, value in values.items() if value is not None}
    whole = talk.value("peak_memory")
    if len(known) < len(values) or whole is None:
        return []
    worst = max(known, key=lambda moment: known[moment])
    off = Fraction(whole) / Fraction(known[worst]) - 1
    side = "more" if off > 0 else "less"
    words = f"The worst is {worst}, with {with_unit(known[worst], 'bytes')}; the sum of all parts is "
    more = f"{rounded(abs(100 * off), 1)} % {side}." if off else "the same."
    return [Paragraph(line(Figure(f"{words}{more}", "worst")))]
