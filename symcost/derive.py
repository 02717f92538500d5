"""Quantities read off a lowered model: each a list of terms with the tensor, the place and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Integer

from symcost import rules
from symcost.conventions import ELEMENT_BYTES
from symcost.errors import UnknownName, nearest
from symcost.lower import Held, Program, Region, Step
from symcost.tensors import Role, size_of
from symcost.terms import Because, GradientReads, Term

COUNTED_ROLES = (Role.ACTIVATION, Role.MASK)


@dataclass(eq=False, slots=True)
class Kept:
    """A tensor that stays until the way back: its storage, where it is charged, why, and who else reads it."""

    tensor: Held
    place: str
    reader: str
    because: Because
    also: dict[str, None] = field(default_factory=dict)


class Derivation:
    """What one program keeps and computes.

    `element` is the element type of whatever the convention leaves to the model.
    """

    def __init__(self, program: Program, element: str = "fp32") -> None:
        self.program = program
        self.element = program.convention.element or element

    @cached_property
    def kept(self) -> list[Kept]:
        """Every tensor that is kept, in the order in which it is first asked for."""
        kept: dict[Held, Kept] = {}
        for tensor, place, reader, because in self._asked_for():
            storage = tensor.storage
            if storage.role not in COUNTED_ROLES:
                continue
            if storage in kept:
                if reader != kept[storage].reader:
                    kept[storage].also[reader] = None
            else:
                kept[storage] = Kept(storage, place, reader, because)
        return list(kept.values())

    def _asked_for(self) -> Iterator[tuple[Held, str, str, Because]]:
        convention = self.program.convention
        for event in self.program.outermost:
            if isinstance(event, Region):
                yield from self._kept_by_region(event)
            elif convention.listed is None:
                yield from _read_by_gradients(event)
            elif event.rule in convention.listed:
                yield event.result, event.place, event.label, Because(f"{event.label}: the convention keeps this result")

    def _kept_by_region(self, region: Region) -> Iterator[tuple[Held, str, str, Because]]:
        if region.step is not None:
            yield from _read_by_gradients(region.step)
            return
        for tensor in region.inputs:
            yield tensor, region.place, region.place, Because(f"{tensor.name} is where {region.place} starts again")
        keeps = self.program.convention.keeps
        if keeps is not None:
            for step in region.steps:
                if keeps(step):
                    yield step.result, step.place, step.label, Because(f"{step.label}: kept, not computed again")

    @cached_property
    def saved_activations(self) -> tuple[Term, ...]:
        """Elements of every kept tensor."""
        return tuple(
            Term(size_of(kept.tensor.axes), kept.tensor.times, kept.tensor.name, kept.place, kept.because,
                 "saved_activations", tuple(kept.also))
            for kept in self.kept
        )  # fmt: skip

    @cached_property
    def activation_memory(self) -> tuple[Term, ...]:
        """Bytes of every kept tensor, each at its own element type."""
        return tuple(
            Term(term.amount * self.bytes_of(kept.tensor), term.times, term.tensor, term.place, term.because,
                 "activation_memory", term.also)
            for kept, term in zip(self.kept, self.saved_activations, strict=True)
        )  # fmt: skip

    def bytes_of(self, tensor: Held) -> int:
        """Bytes of one element."""
        return ELEMENT_BYTES[tensor.element or self.element]

    @cached_property
    def parameters(self) -> tuple[Term, ...]:
        """Elements of every parameter, one that is used twice counted once."""
        return tuple(
            Term(size_of(tensor.axes), tensor.times, tensor.name, tensor.place,
                 Because(f"{tensor.name} has the shape {' × '.join(tensor.axes)}"), "parameters")
            for tensor in self.program.parameters
        )  # fmt: skip

    @cached_property
    def forward_flops(self) -> tuple[Term, ...]:
        """2 FLOPs, a product and a sum, for each point of a contraction's joint axes."""
        return tuple(_product(step, step.result.name, "forward_flops", _points(step)) for step in self._counted())

    @cached_property
    def backward_flops(self) -> tuple[Term, ...]:
        """One contraction over the same axes for each input that has a gradient."""
        return tuple(
            _product(step, f"∂{tensor.name}", "backward_flops", str(_gradient(step, position)))
            for step in self._counted()
            for position, tensor in enumerate(step.inputs)
            if tensor.wants
        )

    @cached_property
    def recompute_flops(self) -> tuple[Term, ...]:
        """What regions compute a second time on the way back."""
        keeps = self.program.convention.keeps
        return tuple(
            _product(step, step.result.name, "recompute_flops", f"computed again, since {region.place} did not keep it")
            for region in self.program.regions
            for step in region.again(keeps)
            if step.rule in self.program.convention.counted
        )

    def _counted(self) -> list[Step]:
        return [step for step in self.program.steps if step.rule in self.program.convention.counted]

    def why(self, scope: str) -> str:
        """Why a tensor is kept, or why it is not. `scope` is `place.name`, as in `block.attention.S`.

        Raises UnknownName where no step makes or reads a tensor of that name there.
        """
        for kept in self.kept:
            if scope in (f"{kept.place}.{kept.tensor.name}", f"{kept.tensor.place}.{kept.tensor.name}"):
                also = f"; also read by {', '.join(kept.also)}" if kept.also else ""
                return f"{kept.tensor.name} is kept and charged to {kept.place}: {kept.because}{also}."
        for tensor in self._tensors():
            if f"{tensor.place}.{tensor.name}" == scope:
                return f"{tensor.name} is not kept: {self._why_not(tensor)}."
        known = list(dict.fromkeys(f"{tensor.place}.{tensor.name}" for tensor in self._tensors()))
        raise UnknownName(f"'{scope}' is no tensor of this model. {nearest(scope, known)}")

    def _tensors(self) -> Iterator[Held]:
        for step in self.program.steps:
            yield from step.inputs
            yield step.result

    def _why_not(self, tensor: Held) -> str:
        if tensor.role is Role.PARAMETER:
            return "it is a parameter, which is there in any case"
        if tensor.role in (Role.INDEX, Role.CONSTANT):
            return f"it is {'an index' if tensor.role is Role.INDEX else 'a constant'}, not an activation"
        storages = {kept.tensor: kept for kept in self.kept}
        if tensor.base is not None and tensor.storage in storages:
            return f"it is a view of {tensor.storage.name}, which is kept by {storages[tensor.storage].place}"
        region = tensor.maker.region if tensor.maker is not None else None
        if region is not None:
            return f"{region.place} computes it again from {', '.join(held.name for held in region.inputs)}"
        readers = [step for step in self.program.steps if tensor in step.inputs]
        slopes = "; ".join(
            f"{step.place}: {_gradient(step, step.inputs.index(tensor)).formula(rules.TEXT)} does not mention it"
            for step in readers
            if step.rule.differentiable and step.rule.gradient(step.rule.takes[step.inputs.index(tensor)]) is not None
        )
        return f"no gradient reads it ({slopes})" if slopes else "no gradient reads it"


def _read_by_gradients(step: Step) -> Iterator[tuple[Held, str, str, Because]]:
    for tensor, position in step.saved():
        yield tensor, step.place, step.label, _gradient(step, position)


def _gradient(step: Step, position: int) -> GradientReads:
    return GradientReads(
        step.label,
        step.rule,
        position,
        tuple(tensor.name for tensor in step.inputs),
        step.result.name,
        step.rule is rules.CONTRACT and step.inputs[1].axes[-1].rstrip("'") not in _bare(step.result.axes),
    )


def _bare(axes: tuple[str, ...]) -> set[str]:
    return {axis.rstrip("'") for axis in axes}


def _points(step: Step) -> str:
    return f"a product and a sum for each point of {' × '.join(step.axes)}"


def _product(step: Step, tensor: str, quantity: str, because: str) -> Term:
    return Term(Integer(2) * size_of(step.axes), step.times, tensor, step.place, Because(because), quantity)
