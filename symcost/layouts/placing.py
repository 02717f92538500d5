"""Placing: an ordered list of rules says which axis of a tensor is split over which axis of the mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from sympy import Expr, Mul, Symbol, ceiling

from symcost import rules
from symcost.layouts.pipeline import ALONE, Schedule
from symcost.lower import Held, Program, Step
from symcost.symbols import SYMBOLS
from symcost.tensors import Role, size_of

# What a rule can be for. Work and activations go by the same rules; what is learned lies in three ways.
ACTIVATIONS, PARAMETERS, GRADIENTS, STATES = "activations", "parameters", "gradients", "states"
LEARNED = frozenset({PARAMETERS, GRADIENTS, STATES})
EVERYTHING = LEARNED | {ACTIVATIONS}

FLAT = "*"  # any axis: all elements in a row, in equal parts
TOKENS_STAY = frozenset(
    {rules.DISPATCH, rules.COMBINE}
)  # done where a token is, whichever expert it is sent to

Axes = tuple[str, ...]
Placement = Mapping[str, tuple[str, ...]]  # axis → the mesh axes that it is split over
NOWHERE: Placement = MappingProxyType({})


@dataclass(frozen=True)
class Split:
    """One rule: a logical axis is split over a mesh axis, in what it is for.

    `beside` asks for one of these axes in the same tensor: sequence parallelism splits the tokens of what is
    d wide, and no others.
    """

    axis: str
    over: str
    of: frozenset[str] = EVERYTHING
    beside: tuple[str, ...] = ()

    def fits(self, axes: Axes, of: str) -> str | None:
        """The axis that this rule splits, or None."""
        if of not in self.of or (self.beside and not set(self.beside) & set(axes)):
            return None
        if self.axis == FLAT:
            return FLAT
        return next((axis for axis in axes if self.axis in _letters(axis)), None)


def _letters(axis: str) -> list[str]:
    """The lengths that an axis is made of: h and h_kv in `h+2h_kv`."""
    return [part.lstrip("0123456789") for part in axis.split("+")]


@dataclass(frozen=True)
class Layout:
    """A mesh of devices and the rules by which a model lies on it.

    `mesh` names its axes; a mesh axis splits a tensor once at most, and the first rule that fits wins. The
    sizes are letters of the glossary; `sizes` holds forms for axes that have none, `numbers` those given. A
    mesh axis in `own_data` reads sequences of its own: b is what each gets. `schedule` says how a pipeline is
    run, `stage` whose costs are meant, `blocks` how many blocks each stage has where they are uneven.
    `ceilings` rounds up what does not divide. `rings` are mesh axes over which keys and values pass round a
    ring instead of being gathered. With `accumulates` a step has several micro-batches even without a
    pipeline.
    """

    name: str
    mesh: tuple[str, ...] = ()
    rules: tuple[Split, ...] = ()
    source: str = ""
    note: str = ""
    sizes: Mapping[str, Expr] = field(default_factory=dict, hash=False)
    numbers: Mapping[str, int] = field(default_factory=dict, hash=False)
    own_data: tuple[str, ...] = ()
    rings: tuple[str, ...] = ()
    schedule: Schedule = ALONE
    stage: str = "first"
    blocks: tuple[int, ...] = ()
    ceilings: bool = False
    accumulates: bool = False

    def size(self, mesh: str) -> Expr:
        """How many devices lie along a mesh axis."""
        return self.sizes.get(mesh, SYMBOLS.get(mesh, Symbol(mesh, positive=True)))

    def devices(self, over: Iterable[str] | None = None) -> Expr:
        """How many devices lie along some mesh axes, or in all."""
        return Mul(*(self.size(each) for each in (self.mesh if over is None else over)))

    def place(self, axes: Axes, of: str) -> Placement:
        """Where a tensor of these axes lies by the rules: each mesh axis is used at most once.

        >>> from symcost.layouts import layout
        >>> dict(layout("megatron-tp-sp").place(("b", "c", "d"), "activations"))
        {'c': ('tp',)}
        >>> dict(layout("megatron-tp-sp").place(("b", "c", "d", "d_ff"), "activations"))
        {'d_ff': ('tp',)}
        """
        placement: dict[str, tuple[str, ...]] = {}
        used = set()
        for rule in self.rules:
            axis = rule.fits(axes, of) if rule.over not in used else None
            if axis is not None:
                placement[axis] = (*placement.get(axis, ()), rule.over)
                used.add(rule.over)
        return placement

    def share(self, axes: Axes, placement: Placement) -> Expr:
        """How many elements of a tensor lie on one device: its size over the mesh axes that it is split by.

        >>> from symcost.layouts import layout
        >>> tp = layout("megatron-tp")
        >>> tp.share(("b", "c", "d_ff"), tp.place(("b", "c", "d_ff"), "activations"))
        b*c*d_ff/tp
        """
        parts = [self._part(axis, placement.get(axis, ())) for axis in axes]
        return self._split(Mul(*parts), placement.get(FLAT, ()))

    def _part(self, axis: str, over: tuple[str, ...]) -> Expr:
        whole = size_of((axis,))
        if axis == "b":
            whole *= self.devices(mesh for mesh in self.own_data if mesh not in over)
            over = tuple(mesh for mesh in over if mesh not in self.own_data)
        return self._split(whole, over)

    def _split(self, whole: Expr, over: tuple[str, ...]) -> Expr:
        """One of the equal parts that a number is split into, rounded up where that is asked."""
        each = whole / self.devices(over)
        return ceiling(each) if self.ceilings and over else each

    def numbered(self, **numbers: int) -> Layout:
        """The same layout with sizes of its mesh given."""
        return replace(self, numbers={**self.numbers, **numbers})

    def on(self, stage: str) -> Layout:
        """The same layout seen from another pipeline stage: first, last, middle, or its number from 0."""
        return replace(self, stage=stage)


def without(placement: Placement, over: Iterable[str]) -> Placement:
    """A placement that is not split over some mesh axes."""
    gone = set(over)
    kept = {axis: tuple(each for each in meshes if each not in gone) for axis, meshes in placement.items()}
    return {axis: meshes for axis, meshes in kept.items() if meshes}


def where(placement: Placement) -> dict[str, str]:
    """The axis that each mesh axis splits."""
    return {mesh: axis for axis, meshes in placement.items() for mesh in meshes}


def exchanged(lies: Placement, needed: Placement) -> tuple[str, ...]:
    """The mesh axes that split one axis where a tensor lies, and another where it is needed."""
    start, end = where(lies), where(needed)
    return tuple(mesh for mesh, axis in start.items() if end.get(mesh, axis) != axis)


@dataclass(frozen=True)
class Need:
    """How a step needs one of its inputs: `lies`, in the input's own axes, and over which mesh axes the
    input's gradient comes out as partial sums.
    """

    lies: Placement
    partial: tuple[str, ...]


class Placing:
    """Where every tensor of a program lies, and how the work of every step is divided.

    The rules place tensors and work. Over a mesh axis that they leave free, work is divided as the first
    activation that it reads lies, and a result lies as its work leaves it.
    """

    def __init__(self, layout: Layout, program: Program) -> None:
        self.layout, self.program = layout, program

    @cached_property
    def _placed(self) -> tuple[dict[Held, Placement], dict[Step, Placement]]:
        held: dict[Held, Placement] = {}
        work: dict[Step, Placement] = {}
        for step in self._steps() if self.layout.rules else ():
            work[step] = placement = self._divide(step, lambda each: held.get(each) or self._by_rules(each))
            for made in (step.result, *step.statistics.values()):
                held[made] = self._left(made, placement)
        return held, work

    def _steps(self) -> Iterator[Step]:
        yield from self.program.steps
        yield from (region.step for region in self.program.regions if region.step is not None)

    def lies(self, tensor: Held) -> Placement:
        """Where a tensor lies."""
        return self._placed[0].get(tensor) or self._by_rules(tensor)

    def work(self, step: Step) -> Placement:
        """How the work of a step is divided."""
        return self._placed[1].get(step, NOWHERE)

    def share(self, tensor: Held) -> Expr:
        """How many elements of a tensor one device holds."""
        if tensor.amount is not None or not self.layout.rules:
            return tensor.size
        return self.layout.share(tensor.axes, self.lies(tensor))

    def _by_rules(self, tensor: Held) -> Placement:
        if tensor.role in (Role.INDEX, Role.CONSTANT):
            return NOWHERE
        return self.layout.place(tensor.axes, PARAMETERS if tensor.role is Role.PARAMETER else ACTIVATIONS)

    def _divide(self, step: Step, lies: Callable[[Held], Placement]) -> Placement:
        axes = work_axes(step)
        placement = dict(self.layout.place(axes, ACTIVATIONS))
        used = set(where(placement))
        for position, tensor in enumerate(step.inputs):
            if tensor.role not in (Role.ACTIVATION, Role.MASK) or of_parameters(tensor):
                continue
            own = dict(zip(tensor.axes, reads(step, position), strict=True))
            for mesh, axis in where(lies(tensor)).items():
                if mesh not in used and own.get(axis) in axes:
                    placement[own[axis]] = (*placement.get(own[axis], ()), mesh)
                    used.add(mesh)
        return placement

    def _left(self, made: Held, work: Placement) -> Placement:
        by_rules = dict(self._by_rules(made))
        used = set(where(by_rules))
        for mesh, axis in where(work).items():
            if mesh not in used and axis in made.axes:
                by_rules[axis] = (*by_rules.get(axis, ()), mesh)
        return by_rules

    def need(self, step: Step, position: int) -> Need:
        """How a step needs one of its inputs."""
        tensor, work = step.inputs[position], where(self.work(step))
        names = reads(step, position)
        lies: dict[str, tuple[str, ...]] = {}
        for own, axis in zip(tensor.axes, names, strict=True):
            meshes = tuple(mesh for mesh, divided in work.items() if divided == axis)
            lies |= {own: meshes} if meshes else {}
        partial = [mesh for mesh, divided in work.items() if divided not in names]
        joint = work_axes(step)
        for mesh, own in where(self.lies(tensor)).items():
            if own != FLAT and mesh in partial and names[tensor.axes.index(own)] not in joint:
                lies[own] = (
                    *lies.get(own, ()),
                    mesh,
                )  # the same places under another name: experts, groups of heads
                partial.remove(mesh)
        return Need(lies, tuple(partial))

    def leaves(self, step: Step) -> Need:
        """How the work of a step leaves its result, and over which mesh axes as partial sums."""
        work = where(self.work(step))
        lies: dict[str, tuple[str, ...]] = {}
        for mesh, axis in work.items():
            if axis in step.result.axes:
                lies[axis] = (*lies.get(axis, ()), mesh)
        return Need(lies, tuple(mesh for mesh, axis in work.items() if axis not in step.result.axes))


def work_axes(step: Step) -> Axes:
    """The axes that the work of a step runs over: its joint axes, and those that it sums over or looks up
    in.
    """
    if step.rule in TOKENS_STAY:
        return tuple(axis for axis in step.inputs[0].axes if axis in step.result.axes)
    if step.rule is rules.CONTRACT or step.rule.moves or not step.inputs:
        return step.axes
    return tuple(dict.fromkeys((*step.axes, *step.inputs[0].axes)))


def reads(step: Step, position: int) -> Axes:
    """The names by which a step reads the axes of an input: a product of queries and keys reads the keys' c
    as c'.
    """
    own = step.inputs[position].axes
    if step.rule is not rules.CONTRACT:
        return own
    left = step.axes[: len(step.inputs[0].axes)]
    if position == 0:
        return left
    return tuple(_read(axis, step.axes, left, step.result.axes) for axis in own)


def _read(own: str, joint: Axes, left: Axes, result: Axes) -> str:
    """The joint axis of that length: one that the left factor lacks, else one that is summed."""
    alike = [axis for axis in joint if axis.rstrip("'") == own.rstrip("'")]
    new = [axis for axis in alike if axis not in left] or [axis for axis in alike if axis not in result]
    return new[0] if len(alike) > 1 and new else alike[0] if alike else own


def of_parameters(tensor: Held) -> bool:
    """Whether it is a parameter, or made from parameters alone."""
    if tensor.role is Role.PARAMETER:
        return True
    made = tensor.maker
    return made is not None and bool(made.inputs) and all(of_parameters(each) for each in made.inputs)
