"""The parts of a model that tools count as wholes: what each learns and what its forward pass takes."""

from __future__ import annotations

from functools import cached_property

from sympy import Add, Expr

from symcost import rules
from symcost.conventions import Work
from symcost.lower import Held, Step
from symcost.rules import Rule
from symcost.symbols import E, k
from symcost.tables import tools
from symcost.tensors import size_of
from symcost.terms import GradientReads, Term, Terms
from symcost.training import TOKENS, Costs

Forms = dict[str, Expr]
PAIRS = frozenset({"c", "c'"})  # the axes of a score


class Parts:
    """One model taken apart into what tools count as wholes: projections, experts, LM head …

    >>> import symcost
    >>> Parts(symcost.derive("gpt2")).flops["score and value products"]
    4*L*b*c**2*d
    """

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.steps = [step for step in costs.derivation.program.steps if step.rule is rules.CONTRACT]

    @cached_property
    def parameters(self) -> Forms:
        """Parameters of each part; of experts, those that a token is sent to."""
        found: dict[str, list[Expr]] = {}
        held = self.costs.derivation.program.parameters
        for term, tensor in zip(self.costs["parameters"], held, strict=True):
            part = self._part_of_parameter(tensor)
            active = term.total.xreplace({E: k}) if part == tools.EXPERTS else term.total
            found.setdefault(part, []).append(active)
            if active != term.total:
                found.setdefault(tools.IDLE, []).append(term.total - active)
        return _summed(found)

    @cached_property
    def flops(self) -> Forms:
        """Forward FLOPs of each part; for what is no product, those of one with its parameters."""
        found = {part: 2 * TOKENS * form for part, form in self.parameters.items()}
        if self._tied:
            del found[tools.EMBEDDING]  # its parameters are the head's, which is a product
        found |= self.grouped(self.costs["forward_flops"])
        scores = [
            step.times * size_of(step.result.axes) for step in self.steps if PAIRS.issubset(step.result.axes)
        ]
        found[tools.SCORES] = Add(*scores).xreplace(self.costs.ties)
        return found

    def grouped(self, passes: Terms) -> Forms:
        """The sum of each part's terms; they may be of the way back or computed again."""
        found: dict[str, list[Expr]] = {}
        for term in passes:
            found.setdefault(self._part_of_term(term), []).append(term.total)
        return _summed(found)

    @cached_property
    def _of_steps(self) -> dict[str, str]:
        """The part of each product by its label, and by its place and result."""
        named = {step.label: self._part_of_product(step) for step in self.steps}
        return named | {f"{step.place}.{step.result.name}": named[step.label] for step in self.steps}

    def _part_of_term(self, term: Term) -> str:
        step = (
            term.because.words if isinstance(term.because, GradientReads) else f"{term.place}.{term.tensor}"
        )
        return self._of_steps.get(step, tools.ELEMENTS)

    def _part_of_product(self, step: Step) -> str:
        if step.work is Work.BATCHED_PRODUCT:
            return tools.CORE
        if step.place.startswith(("head", "embedding")):
            return tools.HEAD
        if "E" in step.result.axes:
            return tools.ROUTER
        if step.place.endswith(".experts"):
            return tools.EXPERTS
        return tools.PROJECTIONS if "attention" in step.place else tools.MLP

    def _part_of_parameter(self, tensor: Held) -> str:
        readers = self._readers(tensor)
        looked_up = rules.GATHER in readers or "c_max" in tensor.axes
        if looked_up:
            return tools.EMBEDDING if "v" in tensor.axes else tools.POSITIONS
        if rules.CONTRACT in readers:
            return self._part_of_product(readers[rules.CONTRACT])
        of_norm = "norm" in tensor.place
        if rules.BIAS in readers or tensor.name == "s":
            return tools.SHIFTS if of_norm else tools.BIASES
        return tools.FINAL_NORM if tensor.place == "final_norm" else tools.NORMS

    def _readers(self, tensor: Held) -> dict[Rule, Step]:
        steps = self.costs.derivation.program.steps
        return {step.rule: step for step in reversed(steps) if _reads(step, tensor)}

    @cached_property
    def _tied(self) -> bool:
        """Whether the head reads the embedding's table."""
        tensors = self.costs.derivation.program.parameters
        return any({rules.GATHER, rules.CONTRACT} <= self._readers(tensor).keys() for tensor in tensors)


def _reads(step: Step, tensor: Held) -> bool:
    """Whether a step reads a tensor, or a cast of it."""
    return any(
        held is tensor
        or (held.maker is not None and held.maker.rule is rules.CAST and tensor in held.maker.inputs)
        for held in step.inputs
    )


def _summed(groups: dict[str, list[Expr]]) -> Forms:
    return {name: Add(*amounts) for name, amounts in groups.items()}


def applied(count: tools.Count, base: Forms) -> Forms:
    """What a tool counts of a model's parts, and what it adds in letters."""
    found = {part: times * base[part] for part, times in count.times.items() if part in base}
    return {**found, **count.forms}
