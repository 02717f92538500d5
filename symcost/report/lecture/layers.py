"""The model as a tree, every layer with its parameters and what it keeps; and the parameters one by one."""

from __future__ import annotations

from dataclasses import replace

from sympy import Integer

from symcost.report.blocks import Block, Code, Figure, Line, Math, Of, Paragraph, Section, Table, line
from symcost.report.lecture.talk import Row, Talk, added, told_once
from symcost.report.steps import exact, name
from symcost.terms import Term, Terms

SHOWN = ("parameters", "saved_activations")


def layers(talk: Talk) -> Section:
    """The tree: in letters, and in numbers where there are."""
    numbers = talk.value("parameters") is not None
    rows, indent = [], []
    for place in _places(talk):
        row: list[Line] = [line(Code(place.rsplit(".", 1)[-1] or "model")), _times(talk, place)]
        for quantity in SHOWN:
            row += _cells(talk, quantity, place, numbers)
        rows.append(tuple(row))
        indent.append(place.count(".") + 1 if place else 0)
    columns = ("parameters", "in numbers", "saved activations", "in numbers") if numbers else (
        "parameters", "saved activations"
    )  # fmt: skip
    words = line("Elements of each layer; what stands under ", Code("block"), " is that of one block.")
    table = Table(("layer", "times", *columns), tuple(rows), "l" + "r" * (1 + len(columns)), tuple(indent))
    return Section(line("The model, layer by layer"), (Paragraph(words), table))


def _cells(talk: Talk, quantity: str, place: str, numbers: bool) -> list[Line]:
    """A quantity at a place, in letters and in numbers; of the whole model its name."""
    terms = talk.costs[quantity]
    total = added(_inside(terms, place)) if place else terms.total
    cells = [line(talk.form(total) if place else talk.name(quantity))]
    if numbers:
        value = talk.board.value(total)
        of: Of = ("exact", total) if place else ("exact", quantity)
        cells.append(line(replace(exact(value), of=of) if value is not None else Figure("–", *of)))
    return cells


def _places(talk: Talk) -> list[str]:
    """The model, then every layer that has parameters or keeps something, parents before children."""
    charged = [term.place for quantity in SHOWN for term in talk.costs[quantity]]
    wanted = {parent for place in charged for parent in _parents(place)}
    made = [parent for step in talk.costs.derivation.program.steps for parent in _parents(step.place)]
    return ["", *(place for place in dict.fromkeys((*made, *sorted(wanted))) if place in wanted)]


def _parents(place: str) -> list[str]:
    parts = place.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _inside(terms: Terms, place: str) -> list[Term]:
    return [term for term in terms if term.place == place or term.place.startswith(f"{place}.")]


def _times(talk: Talk, place: str) -> Line:
    """How often a layer is there, where that is not once."""
    found = {term.times for quantity in SHOWN for term in _inside(talk.costs[quantity], place)}
    if "." in place or len(found) != 1 or found == {Integer(1)}:
        return line("")
    times = talk.form(found.pop())
    return line(Math(rf"\times {times.latex}", f"× {times.text}"))


def parameters(talk: Talk) -> Section:
    """Every parameter with its shape, and their sum."""
    tensors = talk.costs.derivation.program.parameters
    told = told_once(
        Row(
            term.place,
            (line(name(term.tensor)), line(talk.axes(tensor.axes)), line(talk.form(term.amount))),
            term.times,
        )
        for term, tensor in zip(talk.costs["parameters"], tensors, strict=True)
    )
    rows = tuple((labels, *row.cells, line(talk.form(row.times))) for labels, row in told)
    blocks: tuple[Block, ...] = (
        Table(("layer", "parameter", "shape", "elements", "times"), rows, "lllrr"),
        *talk.one_block("parameters", name("N_block")),
        *talk.result("parameters"),
        *talk.result("parameter_memory", talk.by_parameters("parameter_memory")),
    )
    code = talk.recipe.terms("parameters") + talk.recipe.show("parameters", "parameter_memory")
    return Section(line("Parameters"), blocks, code=code)
