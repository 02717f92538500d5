"""Lowering: a model's values under a convention become steps over held tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sympy import Expr, Integer

from symcost import rules
from symcost.conventions import Convention, SecondRun, Taking
from symcost.rules import Rule
from symcost.tensors import Op, Role, Tensor, ops_between


@dataclass(eq=False, slots=True)
class Held:
    """A tensor as it lies in memory: its element type, how often it exists, and whose storage it is.

    `element` None is the model's own type. `base` is the tensor whose storage a view shares.
    `wants` says whether a gradient arrives for it.
    """

    name: str
    axes: tuple[str, ...]
    role: Role
    element: str | None
    place: str
    times: Expr
    wants: bool
    number: int
    maker: Step | None = None
    base: Held | None = None

    @property
    def storage(self) -> Held:
        """The tensor that owns the memory."""
        held = self
        while held.base is not None:
            held = held.base
        return held


@dataclass(eq=False, slots=True)
class Step:
    """One rule applied to held tensors, at a place, `times` times."""

    rule: Rule
    name: str
    place: str
    inputs: tuple[Held, ...]
    axes: tuple[str, ...]
    result: Held
    statistics: dict[str, Held]
    times: Expr
    region: Region | None

    @property
    def label(self) -> str:
        """Its place and name: `block.attention.Q`."""
        return f"{self.place}.{self.name}".lstrip(".")

    def saved(self) -> Iterator[tuple[Held, int]]:
        """The tensors that its gradients mention, each with the input whose gradient it is."""
        for position, (slot, tensor) in enumerate(zip(self.rule.takes, self.inputs, strict=False)):
            if not tensor.wants:
                continue
            reads = self.rule.reads(slot)
            for other, read in zip(self.rule.takes, self.inputs, strict=False):
                if other in reads:
                    yield read, position
            if rules.y in reads:
                yield self.result, position
            for name, statistic in self.statistics.items():
                if any(symbol.name == name for symbol in reads):
                    yield statistic, position


@dataclass(eq=False, slots=True)
class Region:
    """A composite whose body is computed a second time on the way back.

    `step` stands for the composite as one step where its rule says how gradients pass through it.
    """

    name: str
    place: str
    inputs: tuple[Held, ...]
    times: Expr
    parent: Region | None
    second_run: SecondRun
    steps: list[Step] = field(default_factory=list)
    step: Step | None = None

    @property
    def label(self) -> str:
        """Its place: `block`."""
        return self.place

    def again(self, keeps: object = None) -> list[Step]:
        """The steps that are run a second time, in the order of the program."""
        computed = [step for step in self.steps if not (callable(keeps) and keeps(step))]
        match self.second_run:
            case SecondRun.ALL:
                return computed
            case SecondRun.TO_THE_LAST_THAT_SAVES:
                return _to_the_last_that_saves(computed)
            case SecondRun.NEEDED:
                return _needed(computed)


@dataclass(eq=False, slots=True)
class Program:
    """A model under a convention: its steps, the regions computed again, and its parameters.

    `outermost` lists what keeps tensors, in the order of the program: the steps outside all regions, and the
    regions that lie in no other.
    """

    convention: Convention
    steps: list[Step]
    regions: list[Region]
    parameters: list[Held]

    @property
    def outermost(self) -> list[Step | Region]:
        found: list[Step | Region] = []
        for step in self.steps:
            outer = step.region
            while outer is not None and outer.parent is not None:
                outer = outer.parent
            if outer is None:
                found.append(step)
            elif outer not in found[-1:]:
                found.append(outer)
        return found


def lower(loss: Tensor, convention: Convention) -> Program:
    """The steps that lead to `loss` under a convention, in the order of the program."""
    lowering = _Lowering(convention)
    lowering.run(ops_between((), loss), "", Integer(1), None)
    return Program(convention, lowering.steps, lowering.regions, lowering.parameters)


class _Lowering:
    def __init__(self, convention: Convention) -> None:
        self.convention = convention
        self.steps: list[Step] = []
        self.regions: list[Region] = []
        self.parameters: list[Held] = []
        self.held: dict[Tensor, Held] = {}
        self.casts: dict[tuple[Held, str | None], Held] = {}

    def run(self, ops: list[Op], place: str, times: Expr, region: Region | None) -> None:
        for op in ops:
            if op.body is None:
                self.step(op, place, times, region)
            else:
                self.composite(op, place, times, region)

    def composite(self, op: Op, place: str, times: Expr, region: Region | None) -> None:
        inside = f"{place}.{op.name}".lstrip(".") if op.rule in (rules.PART, rules.REPEAT) else place
        taking = self.convention.taking(op.rule, inside if op.rule is not rules.BRANCH else f"{place}.{op.name}")
        if taking is Taking.WHOLE:
            self.step(op, inside, times, region)
            return
        assert op.body is not None
        times = times * (op.times or 1)
        if op.carried is not None:
            for shared in op.inputs[1:]:
                self.hold(shared, place, times / op.times)
            passed = self.hold(op.inputs[0], place, times)
            self.held[op.carried] = Held(
                op.carried.name, op.carried.axes, op.carried.role, passed.element, inside, times, True, op.carried.number
            )
        if taking is Taking.AGAIN:
            region = self.region(op, inside, times, region)
        self.run(op.body_ops(), inside, times, region)
        result = self.hold(op.body, inside, times)
        if op.carried is not None:
            result = Held(op.result.name, result.axes, result.role, result.element, place, result.times / op.times,
                          True, op.result.number)  # fmt: skip
        self.held[op.result] = result
        if taking is Taking.AGAIN and op.rule.differentiable:
            assert region is not None
            region.step = self.make(op, inside, times, region.parent, region.inputs, result)

    def region(self, op: Op, place: str, times: Expr, parent: Region | None) -> Region:
        leaves = (op.carried, *op.inputs[1:]) if op.carried is not None else op.inputs
        inputs = tuple(self.hold(leaf, place, times) for leaf in leaves)
        second_run = SecondRun.NEEDED if op.rule.differentiable else self.convention.second_run
        region = Region(op.name, place, inputs, times, parent, second_run)
        self.regions.append(region)
        return region

    def step(self, op: Op, place: str, times: Expr, region: Region | None) -> None:
        inputs = [self.hold(tensor, place, times) for tensor in op.inputs]
        element = self.element(op.rule, inputs)
        inputs = [self.cast(held, element, op, place, times, region) for held in inputs]
        result = Held(op.result.name, op.result.axes, op.result.role, op.result.element or element, place, times,
                      False, op.result.number)  # fmt: skip
        if op.result.role is Role.MASK and self.convention.mask is not None:
            result.element = self.convention.mask
        if op.rule in self.convention.views and inputs:
            result.base = inputs[0]
        made = self.make(op, place, times, region, tuple(inputs), result)
        result.maker = made
        result.wants = any(
            held.wants and op.rule.gradient(slot) is not None for slot, held in zip(op.rule.takes, inputs, strict=False)
        )
        self.held[op.result] = result
        self.steps.append(made)
        while region is not None:
            region.steps.append(made)
            region = region.parent

    def make(
        self, op: Op, place: str, times: Expr, region: Region | None, inputs: tuple[Held, ...], result: Held
    ) -> Step:
        statistics = {
            tensor.name: Held(tensor.name, tensor.axes, tensor.role, tensor.element or result.element, place, times,
                              False, tensor.number)  # fmt: skip
            for tensor in op.statistics
            if self.convention.counts(op.rule, tensor.name)
        }
        return Step(op.rule, op.name, place, inputs, op.axes, result, statistics, times, region)

    def element(self, rule: Rule, inputs: list[Held]) -> str | None:
        """The element type that a rule computes in: what it wants, else the model's own or the widest given."""
        if rule in self.convention.wanted:
            return self.convention.wanted[rule]
        if self.convention.returns_to_model:
            return None
        floats = [held.element for held in inputs if held.role in (Role.ACTIVATION, Role.PARAMETER)]
        if None in floats or not floats:
            return None
        return max(floats, key=lambda element: ("bf16", "fp16", "fp32").index(str(element)))

    def cast(
        self, held: Held, element: str | None, op: Op, place: str, times: Expr, region: Region | None
    ) -> Held:
        """The tensor in the element type wanted: itself, or a cast that its readers share or make each."""
        if held.role not in (Role.ACTIVATION, Role.PARAMETER) or held.element == element or not self.casts_at(op.rule):
            return held
        key = (held, element)
        shared = self.convention.shared_casts or held.role is Role.PARAMETER
        if shared and key in self.casts:
            return self.casts[key]
        copy = Held(held.name, held.axes, Role.ACTIVATION, element, place, times, held.wants, held.number)
        copy.maker = Step(rules.CAST, held.name, place, (held,), held.axes, copy, {}, times, region)
        self.casts[key] = copy
        return copy

    def casts_at(self, rule: Rule) -> bool:
        """Whether a rule computes in one element type: adding a residual or a bias promotes instead."""
        return self.convention.returns_to_model or rule in self.convention.wanted

    def hold(self, tensor: Tensor, place: str, times: Expr) -> Held:
        """The held tensor of a value; leaves are held when they are first met."""
        if tensor not in self.held:
            held = Held(tensor.name, tensor.axes, tensor.role, tensor.element, place, times,
                        tensor.role is Role.PARAMETER, tensor.number)  # fmt: skip
            self.held[tensor] = held
            if tensor.role is Role.PARAMETER:
                self.parameters.append(held)
        return self.held[tensor]


def _to_the_last_that_saves(steps: list[Step]) -> list[Step]:
    """PyTorch's second run stops when the last saved tensor is there: before a step that saves only its inputs."""
    for position in range(len(steps) - 1, -1, -1):
        step = steps[position]
        saved = {id(tensor) for tensor, _ in step.saved() if tensor.role is not Role.PARAMETER}
        if saved:
            own = id(step.result) in saved or any(id(held) in saved for held in step.statistics.values())
            return steps[: position + own]
    return []


def _needed(steps: list[Step]) -> list[Step]:
    """The steps whose results some gradient inside reads, and what these are made from."""
    wanted = {id(tensor) for step in steps for tensor, _ in step.saved()}
    chosen = []
    for step in reversed(steps):
        if id(step.result) in wanted or any(id(held) in wanted for held in step.statistics.values()):
            chosen.append(step)
            wanted |= {id(held) for held in step.inputs}
    return chosen[::-1]
