"""FLOPs of one step: every product with its gradients, the update operation by operation, and the sum."""

from __future__ import annotations

from collections import Counter

from sympy import Add

from symcost.report.blocks import (
    Block,
    Break,
    Code,
    Inline,
    Line,
    Math,
    Paragraph,
    Section,
    Table,
    joined,
    line,
)
from symcost.report.lecture.talk import NAMES, Row, Talk, added, named, told_once
from symcost.report.steps import name
from symcost.symbols import GLOSSARY, accumulation
from symcost.tables.optimizers import operations
from symcost.terms import GradientReads, Term, Terms

TWO = (
    "A multiply and an add are two FLOPs, so a matrix product costs 2 for each point of its joint axes. On "
    "the way back each factor that has a gradient takes one product over the same axes."
)
POINTS = "a product and a sum for each point of "  # how the reason of a matrix product begins
PASSES = ("forward_flops", "backward_flops", "recompute_flops", "optimizer_flops")


def flops(talk: Talk) -> tuple[Section, ...]:
    return _products(talk), _update(talk), _step(talk)


def _products(talk: Talk) -> Section:
    blocks = (
        Paragraph(line(TWO)),
        _table(talk),
        *talk.one_block("forward_flops", name("F_block")),
        *talk.result("forward_flops"),
        *talk.result("backward_flops", talk.multiple("backward_flops", "forward_flops", "F_forward")),
        *_again(talk),
    )
    code = talk.recipe.terms("forward_flops") + talk.recipe.show("forward_flops", "backward_flops")
    return Section(line("FLOPs of the products"), blocks, code=code)


def _table(talk: Talk) -> Table:
    """Every step that counts with what it runs over, and the products of its gradients."""
    forward: dict[str, list[Term]] = {}
    backward: dict[str, list[Term]] = {}
    for term in talk.costs["forward_flops"]:
        forward.setdefault(f"{term.place}.{term.tensor}", []).append(term)
    for term in talk.costs["backward_flops"]:
        reads = isinstance(term.because, GradientReads)
        backward.setdefault(term.because.words if reads else f"{term.place}.{term.tensor}", []).append(term)
    made = []
    for label in dict.fromkeys((*forward, *backward)):
        there, back = forward.get(label, []), backward.get(label, [])
        cells = (
            _points(talk, there[0]) if there else line("–"),
            line(talk.form(added(there))),
            joined((_reason(talk, term) for term in back), Break()) or line("none"),
            line(talk.form(added(back))),
        )
        made.append(Row(label, cells, (there or back)[0].times))
    rows = [(labels, *row.cells, line(talk.form(row.times))) for labels, row in told_once(made)]
    columns = ("step", "for each point of", "forward", "its gradients", "backward", "times")
    return Table(columns, tuple(rows), "lwrwrr")


def _points(talk: Talk, term: Term) -> Line:
    """What a step runs over: axes where it is a product, else the words of its reason."""
    words = str(term.because)
    if not words.startswith(POINTS):
        return line(words)
    axes, *more = words.removeprefix(POINTS).split(", ", 1)
    return line(talk.axes(axes.split(" × ")), *(f", {each}" for each in more))


def _reason(talk: Talk, term: Term) -> Inline:
    return talk.gradient(term.because) if isinstance(term.because, GradientReads) else str(term.because)


def _again(talk: Talk) -> list[Block]:
    terms = talk.costs["recompute_flops"]
    if not terms.terms:
        return []
    rows = tuple(
        (
            line(Code(term.place)),
            line(name(term.tensor)),
            line(talk.form(term.amount)),
            line(talk.form(term.times)),
        )
        for term in terms
    )
    return [
        Paragraph(line("What was not kept is computed a second time:")),
        Table(("layer", "product", "FLOPs", "times"), rows, "llrr"),
        *talk.result("recompute_flops"),
    ]


def _update(talk: Talk) -> Section:
    optimizer = talk.costs.optimizer
    rows, counts = [], []
    for step in optimizer.steps:
        kinds = Counter(operation.sign.word for operation in operations(step))
        spelled = ", ".join(f"{count} {kind}{'s' * (count > 1)}" for kind, count in kinds.items())
        counts.append(str(kinds.total()))
        rows.append((line(Math(step.latex, step.text)), line(step.because), line(spelled), line(counts[-1])))
    each = optimizer.flops_per_parameter
    added_up = Math(f"{'+'.join(counts)}={each}", f"{' + '.join(counts)} = {each}")
    blocks = (
        Paragraph(line("For each element, with the settings (rates, decays) computed once for all:")),
        Table(("update", "what for", "operations", "FLOPs"), tuple(rows), "lwwr"),
        Paragraph(line("Together ", added_up, " for each trained parameter.")),
        *talk.result("optimizer_flops", talk.by_parameters("optimizer_flops")),
    )
    return Section(line("FLOPs of the update"), blocks, code=talk.recipe.show("optimizer_flops"))


def _step(talk: Talk) -> Section:
    parts = [quantity for quantity in PASSES if talk.costs[quantity].terms]
    if "accumulation" in talk.costs.given:  # one update after as many passes as there are micro-batches
        names = [named(NAMES[each]) for each in parts if each != "optimizer_flops"]
        form = talk.verified("step_flops", accumulation * Add(*names) + named("F_update"))
        blocks = talk.result("step_flops", form, both=True)
    else:
        blocks = talk.result("step_flops", sum_of=parts)
    return Section(line("FLOPs of one step"), tuple(blocks), code=talk.recipe.show("step_flops"))


def by_growth(terms: Terms, letter: str) -> dict[str, Terms]:
    """The terms by how they grow with a letter: in c most are linear, attention's products quadratic."""
    symbol = GLOSSARY[letter].symbol
    groups: dict[str, list[Term]] = {}
    for term in terms:
        power = term.total.as_powers_dict().get(symbol, 0)
        name = (
            "score and value products"
            if power == 2
            else "the LM head"
            if term.place == "head"
            else "all linear layers"
        )
        groups.setdefault(name, []).append(term)
    return {name: terms.replaced(tuple(inside)) for name, inside in groups.items()}
