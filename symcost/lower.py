"""Lowering: a model's values under a convention become steps over held tensors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from sympy import Expr, Integer, Mul, Pow, Symbol

from symcost import rules
from symcost.conventions import Convention, Extra, SecondRun, Taking, Work
from symcost.rules import Rule
from symcost.tensors import Op, Role, Tensor, ops_between, size_of

# What casts a parameter; other rules promote its elements as they read them.
CASTS_PARAMETERS = frozenset({rules.CONTRACT, rules.BIAS})


@dataclass(eq=False, slots=True)
class Held:
    """A tensor as it lies in memory: its element type, how often it exists, and whose storage it is.

    `element` None is the model's own type. `base` is the tensor whose storage a view shares. `wants` says
    whether a gradient arrives for it, `by_heads` that it is written head after head, so that a token's heads
    do not lie together. `amount` is its size where its axes do not tell it, `stored` the quantised type that
    a frozen parameter lies in memory as.
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
    by_heads: bool = False
    amount: Expr | None = None
    stored: str | None = None

    @property
    def storage(self) -> Held:
        """The tensor that owns the memory."""
        held = self
        while held.base is not None:
            held = held.base
        return held

    @property
    def size(self) -> Expr:
        """How many elements it has."""
        return size_of(self.axes) if self.amount is None else self.amount

    @property
    def learned(self) -> bool:
        """Whether it is a parameter, a view of one, or the cast of one."""
        if self.storage.role is Role.PARAMETER:
            return True
        return self.maker is not None and self.maker.rule is rules.CAST and self.maker.inputs[0].learned


@dataclass(eq=False, slots=True)
class Step:
    """One rule applied to held tensors, at a place, `times` times.

    `saves` are the tensors that its gradients mention, each with the input whose gradient it is; `extras` are
    what was measured to be kept besides.
    """

    rule: Rule
    name: str
    place: str
    inputs: tuple[Held, ...]
    axes: tuple[str, ...]
    result: Held
    statistics: dict[Symbol, Held]
    times: Expr
    region: Region | None
    saves: tuple[tuple[Held, int], ...] = ()
    extras: tuple[tuple[Held, Extra], ...] = ()

    @property
    def label(self) -> str:
        """Its place and name: `block.attention.Q`."""
        return f"{self.place}.{self.name}".lstrip(".")

    @property
    def steps(self) -> list[Step]:
        """Itself: what a region has many of."""
        return [self]

    @property
    def alone(self) -> Step:
        """Itself."""
        return self

    @property
    def makes(self) -> tuple[Held, ...]:
        """Its result and the statistics that count."""
        return (self.result, *self.statistics.values())

    @property
    def work(self) -> Work | None:
        """What it is to a kernel library."""
        return _work(self.rule, self.inputs)


def _work(rule: Rule, inputs: Iterable[Held]) -> Work | None:
    if rule is rules.ATTENTION:
        return Work.ATTENTION
    if rule is not rules.CONTRACT:
        return None
    return Work.PRODUCT if any(held.learned for held in inputs) else Work.BATCHED_PRODUCT


@dataclass(eq=False, slots=True)
class Region:
    """A composite whose body is computed a second time on the way back.

    `step` stands for the composite as one step where it has a gradient of its own.
    """

    name: str
    place: str
    inputs: tuple[Held, ...]
    times: Expr
    parent: Region | None
    second_run: SecondRun
    events: list[Step | Region] = field(default_factory=list)
    step: Step | None = None

    @property
    def label(self) -> str:
        """Its place: `block`."""
        return self.place

    @property
    def steps(self) -> list[Step]:
        """Every step inside, in the order of the program."""
        return [step for event in self.events for step in event.steps]

    @property
    def saves(self) -> tuple[tuple[Held, int], ...]:
        """What its own gradient mentions, else its inputs; nothing where no gradient passes."""
        if self.step is not None:
            return self.step.saves
        return tuple((held, 0) for held in self.inputs) if any(step.saves for step in self.steps) else ()

    @property
    def makes(self) -> tuple[Held, ...]:
        """What there is once it has run."""
        return self.step.makes if self.step is not None else self.events[-1].makes

    @property
    def alone(self) -> Step:
        """The one step that it stands for, where it is one."""
        assert self.step is not None
        return self.step

    @property
    def work(self) -> Work | None:
        """What it is to a kernel library."""
        return self.step.work if self.step is not None else None

    def again(self, keeps: frozenset[Work] = frozenset()) -> list[Step]:
        """The steps that are run a second time, in the order of the program."""
        return [step for event in self._second(keeps) if event.work not in keeps for step in event.steps]

    def kept(self, keeps: frozenset[Work]) -> list[Step]:
        """The steps whose results are kept all the same; JAX keeps only those that its second run reads."""
        events = self._second(keeps) if self.second_run is SecondRun.NEEDED else self.events
        return [event.alone for event in events if event.work in keeps]

    def _second(self, keeps: frozenset[Work]) -> list[Step | Region]:
        """What a second run goes through, what is kept included."""
        match self.second_run:
            case SecondRun.NEEDED:
                return _needed(self.events, keeps)
            case SecondRun.TO_THE_LAST_THAT_SAVES:
                return _to_the_last_that_saves(self.events)
        return self.events if self.saves else []


@dataclass(eq=False, slots=True)
class Program:
    """A model, up to its loss, under a convention: its steps, the regions computed again, and its parameters.

    `outermost` lists what keeps tensors, in the order of the program: the steps outside all regions, and the
    regions that lie in no other.
    """

    loss: Tensor
    convention: Convention
    outermost: list[Step | Region]
    steps: list[Step]
    regions: list[Region]
    parameters: list[Held]


def lower(loss: Tensor, convention: Convention) -> Program:
    """The steps that lead to `loss` under a convention, in the order of the program."""
    lowering = _Lowering(loss, convention)
    lowering.run(ops_between((), loss), _Spot("", Integer(1), None))
    return lowering.program


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a step stands: its place, how often it is run, and the region that it lies in."""

    place: str
    times: Expr
    region: Region | None


class _Lowering:
    def __init__(self, loss: Tensor, convention: Convention) -> None:
        self.convention = convention
        self.program = Program(loss, convention, [], [], [], [])
        self.held: dict[Tensor, Held] = {}
        self.casts: dict[tuple[Held, str | None], Held] = {}

    def run(self, ops: list[Op], at: _Spot) -> None:
        for op in ops:
            if op.body is None:
                self.step(op, at)
            else:
                self.composite(op, at)

    def composite(self, op: Op, at: _Spot) -> None:
        place = f"{at.place}.{op.name}".lstrip(".") if op.rule in (rules.PART, rules.REPEAT) else at.place
        inside = _Spot(place, at.times * (op.times or 1), at.region)
        taking = self.convention.taking(op.rule, op.name)
        if taking is Taking.WHOLE:
            self.step(op, inside)
            return
        assert op.body is not None
        if op.carried is not None:
            passed = self.hold(op.inputs[0], at)
            for shared in op.inputs[1:]:
                self.hold(shared, at)
            self.held[op.carried] = Held(
                op.carried.name, op.carried.axes, op.carried.role, passed.element, inside.place, inside.times,
                passed.wants, op.carried.number,
            )  # fmt: skip
        region = self.region(op, inside) if taking is Taking.AGAIN else None
        self.run(op.body_ops(), replace(inside, region=region or inside.region))
        result = self.hold(op.body, inside)
        if op.carried is not None:
            result = Held(
                op.result.name, result.axes, result.role, result.element, at.place, at.times, result.wants,
                op.result.number,
            )  # fmt: skip
        self.held[op.result] = result
        if region is not None and self.convention.has_own_gradient(op.rule):
            result.by_heads = region.inputs[0].by_heads  # a kernel writes its result as its queries lie
            region.second_run = SecondRun.NEEDED
            region.step = self.make(op, inside, region.inputs, result)

    def region(self, op: Op, at: _Spot) -> Region:
        leaves = (op.carried, *op.inputs[1:]) if op.carried is not None else op.inputs
        inputs = tuple(self.hold(leaf, at) for leaf in leaves)
        region = Region(op.name, at.place, inputs, at.times, at.region, self.convention.second_run)
        self.program.regions.append(region)
        self.events(at).append(region)
        return region

    def events(self, at: _Spot) -> list[Step | Region]:
        return self.program.outermost if at.region is None else at.region.events

    def step(self, op: Op, at: _Spot) -> None:
        inputs = [self.hold(tensor, at) for tensor in op.inputs]
        if op.rule in self.convention.without:
            self.held[op.result] = inputs[0]
            return
        element = self.element(op.rule, inputs)
        inputs = [self.cast(held, element, op.rule, at) for held in inputs]
        work = _work(op.rule, inputs)
        if work in self.convention.lays_out:
            inputs = [self.lay_out(held, work, at) for held in inputs]
        tensor = op.result
        element = self.convention.role_elements.get(tensor.role, tensor.element or element)
        wants = any(
            held.wants and op.rule.gradient(slot) is not None
            for slot, held in zip(op.rule.takes, inputs, strict=False)
        )
        result = Held(
            tensor.name, tensor.axes, tensor.role, element, at.place, at.times, wants, tensor.number
        )
        if op.rule in self.convention.views:
            result.base = inputs[0]
        elif work is Work.BATCHED_PRODUCT or op.rule.moves:
            result.by_heads = "h" in tensor.axes
        elif work is not Work.PRODUCT and inputs:
            result.by_heads = inputs[0].by_heads
        self.held[op.result] = result
        self.emit(self.make(op, at, tuple(inputs), result), at)

    def make(self, op: Op, at: _Spot, inputs: tuple[Held, ...], result: Held) -> Step:
        statistics = {
            declared.symbol: self.beside(
                result,
                tensor.name,
                tensor.axes,
                self.convention.statistics[op.rule, tensor.name] or result.element,
            )
            for declared, tensor in zip(op.rule.statistics, op.statistics, strict=True)
            if self.convention.counts(op.rule, tensor.name)
        }
        step = Step(op.rule, op.name, at.place, inputs, op.axes, result, statistics, at.times, at.region)
        step.saves = tuple(_saves(step, self.convention.factors))
        step.extras = tuple(
            (self.beside(result, extra.name, (), extra.element, extra.amount), extra)
            for extra in self.convention.extras
            if extra.rule is op.rule
        )
        return step

    def beside(
        self, result: Held, name: str, axes: tuple[str, ...], element: str | None, amount: Expr | None = None
    ) -> Held:
        """What a step makes besides its result, without a gradient of its own."""
        return Held(
            name,
            axes,
            Role.ACTIVATION,
            element,
            result.place,
            result.times,
            False,
            result.number,
            amount=amount,
        )

    def emit(self, step: Step, at: _Spot) -> None:
        step.result.maker = step
        self.program.steps.append(step)
        self.events(at).append(step)

    def element(self, rule: Rule, inputs: list[Held]) -> str | None:
        """The type that a rule computes in: what it wants, else the model's own or the widest given."""
        if rule in self.convention.wanted:
            return self.convention.wanted[rule]
        if self.convention.returns_to_model:
            return None
        floats = [held.element for held in inputs if held.role in (Role.ACTIVATION, Role.PARAMETER)]
        if None in floats or not floats:
            return None
        return max(floats, key=lambda element: ("bf16", "fp16", "fp32").index(str(element)))

    def cast(self, held: Held, element: str | None, rule: Rule, at: _Spot) -> Held:
        """The tensor in the element type wanted: itself, or a cast that its readers share or make each."""
        convention = self.convention
        in_one_type = convention.returns_to_model or rule in convention.wanted
        reads_as_it_is = held.learned and rule not in CASTS_PARAMETERS
        right = (held.element or convention.element) == (element or convention.element)
        if right or reads_as_it_is or not in_one_type or held.role not in (Role.ACTIVATION, Role.PARAMETER):
            return held
        key = (held, element)
        if key in self.casts and (convention.shared_casts or held.learned):
            return self.casts[key]
        self.casts[key] = copy = self.copy(rules.CAST, held, at)
        copy.element = element
        return copy

    def lay_out(self, held: Held, work: Work | None, at: _Spot) -> Held:
        """The tensor as a product reads it: views written out, or the heads of a token beside each other."""
        batched = work is Work.BATCHED_PRODUCT
        if held.learned or not (held.base is not None if batched else held.by_heads):
            return held
        copy = self.copy(rules.LAY_OUT, held, at)
        if batched and self.convention.viewed:
            copy.amount = held.size * (1 - self.convention.viewed)
        return copy

    def copy(self, rule: Rule, held: Held, at: _Spot) -> Held:
        copy = Held(
            held.name, held.axes, Role.ACTIVATION, held.element, at.place, at.times, held.wants, held.number
        )
        copy.by_heads = held.by_heads and rule is not rules.LAY_OUT
        self.emit(Step(rule, held.name, at.place, (held,), held.axes, copy, {}, at.times, at.region), at)
        return copy

    def hold(self, tensor: Tensor, at: _Spot) -> Held:
        """The held tensor of a value; leaves are held when they are first met."""
        if tensor not in self.held:
            element = self.convention.role_elements.get(tensor.role, tensor.element)
            wants = tensor.role is Role.PARAMETER and tensor.trained
            self.held[tensor] = held = Held(
                tensor.name, tensor.axes, tensor.role, element, at.place, at.times, wants, tensor.number
            )
            held.stored = tensor.stored
            if tensor.role is Role.PARAMETER:
                self.program.parameters.append(held)
        return self.held[tensor]


# ------------------------------------------------------------ what a step's gradients mention


def _saves(step: Step, factors: bool) -> Iterator[tuple[Held, int]]:
    named = dict(zip(step.rule.takes, step.inputs, strict=False)) | {rules.y: step.result} | step.statistics
    for position, (slot, tensor) in enumerate(zip(step.rule.takes, step.inputs, strict=False)):
        gradient = step.rule.gradient(slot) if tensor.wants else None
        if gradient is None:
            continue
        if factors:
            for held in _factors(gradient, named, step):
                yield held, position
        else:
            mentioned = step.rule.reads(slot)
            for symbol, held in named.items():
                if symbol in mentioned:
                    yield held, position


def _factors(gradient: Expr, named: dict[Symbol, Held], step: Step) -> Iterator[Held]:
    """Each factor of a gradient: a tensor that is there, or one of its own where it is no bare slot."""
    for factor in Mul.make_args(gradient):
        symbols = [symbol for symbol in named if symbol in factor.free_symbols]
        bare = factor.is_Symbol or (isinstance(factor, Pow) and factor.exp == -1 and factor.base.is_Symbol)
        if bare or rules.WITHOUT_GRADIENT.issuperset(symbols):
            yield from (named[symbol] for symbol in symbols)
        elif symbols:
            names = {symbol: named[symbol].name for symbol in symbols}
            axes = max((named[symbol].axes for symbol in symbols), key=len)
            yield Held(
                rules.write(factor, names), axes, Role.ACTIVATION, step.result.element, step.place,
                step.times, False, step.result.number, step,
            )  # fmt: skip


# ------------------------------------------------------------------ how far a second run goes


def _to_the_last_that_saves(events: list[Step | Region]) -> list[Step | Region]:
    """PyTorch stops when the last saved tensor is there: before a step that saves only its inputs."""
    for position in range(len(events) - 1, -1, -1):
        saved = {id(held) for held, _ in events[position].saves if not held.learned}
        if saved:
            return events[: position + any(id(held) in saved for held in events[position].makes)]
    return []


def _needed(events: list[Step | Region], keeps: frozenset[Work]) -> list[Step | Region]:
    """The events whose results a gradient inside reads, and what they are made from, back to what is kept."""
    wanted = {id(held) for event in events for held, _ in event.saves}
    chosen = []
    for event in reversed(events):
        if any(id(held) in wanted for held in event.makes):
            chosen.append(event)
            if event.work not in keeps:
                wanted |= {id(held) for held in event.inputs}
    return chosen[::-1]
