"""Tensors with named axes, and the ops that made them: the values are the graph."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import count

from sympy import Add, Expr, Mul

from symcost.rules import Rule
from symcost.symbols import length

_numbers = count()


class Role(Enum):
    """What a tensor is for. Only activations and parameters have a gradient."""

    ACTIVATION = "activation"
    PARAMETER = "parameter"
    MASK = "dropout mask"
    INDEX = "index"
    CONSTANT = "constant"


@cache
def size_of(axes: tuple[str, ...]) -> Expr:
    """The product of the axes' lengths; an axis of several parts, as in "h+2h_kv", is as long as their sum.

    >>> size_of(("b", "c", "c'"))
    b*c**2
    """
    return Mul(*(Add(*(_part(part) for part in axis.split("+"))) for axis in axes))


def _part(text: str) -> Expr:
    letter = text.lstrip("0123456789")
    times = text.removesuffix(letter) if letter else ""
    return (length(times) if times else 1) * length(letter or text)


@dataclass(eq=False, slots=True)
class Tensor:
    """A value with named axes. Two tensors are the same only if they are one object.

    `element` is its element type where the op that made it fixes one; None means the model's own. A parameter
    that is not `trained` has no gradient; `stored` is the type that it lies in memory as where quantised.
    `number` grows with each tensor made, so that sorting by it gives the order of the program.
    """

    name: str
    axes: tuple[str, ...]
    role: Role = Role.ACTIVATION
    element: str | None = None
    made_by: Op | None = None
    number: int = field(default_factory=_numbers.__next__)
    trained: bool = True
    stored: str | None = None

    @property
    def size(self) -> Expr:
        """How many elements it has."""
        return size_of(self.axes)

    def __repr__(self) -> str:
        return f"{self.name} [{' '.join(self.axes)}]"


@dataclass(eq=False, slots=True)
class Op:
    """One application of a rule. A composite also has a body: the result of the same work in simpler ops.

    `axes` are the joint axes that the work runs over (for a contraction all axes of both factors).
    `statistics` are the small extra results that its rule declares. `times` is how often a repeat runs its
    body, and `carried` the body's own stand-in for what passes through it.
    """

    rule: Rule
    name: str
    inputs: tuple[Tensor, ...]
    axes: tuple[str, ...]
    result: Tensor = field(init=False)
    statistics: tuple[Tensor, ...] = ()
    body: Tensor | None = None
    times: Expr | None = None
    carried: Tensor | None = None

    def body_ops(self) -> list[Op]:
        """The ops of the body in the order of the program."""
        assert self.body is not None
        leaves = (*self.inputs, self.carried) if self.carried is not None else self.inputs
        return ops_between(leaves, self.body)


def ops_between(leaves: Iterable[Tensor], result: Tensor) -> list[Op]:
    """The ops that lead from `leaves` to `result`, in the order in which they were written."""
    seen = {id(leaf) for leaf in leaves}
    found: list[Op] = []
    waiting = [result]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if tensor.made_by is not None:
            found.append(tensor.made_by)
            waiting.extend(tensor.made_by.inputs)
    return sorted(found, key=lambda op: op.result.number)
