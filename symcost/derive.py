"""Quantities read off a lowered model: each a list of terms with the tensor, the place and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Integer

from symcost import rules
from symcost.conventions import ELEMENT_BYTES
from symcost.errors import UnknownName, nearest
from symcost.lower import Held, Program, Region, Step
from symcost.tensors import Op, Role, Tensor, ops_between, size_of
from symcost.terms import Because, GradientReads, Term

COUNTED_ROLES = (Role.ACTIVATION, Role.MASK)
_ROLE_WORDS = {Role.PARAMETER: "a parameter", Role.INDEX: "an index", Role.CONSTANT: "a constant table"}


@dataclass(eq=False, slots=True)
class Kept:
    """A tensor that stays until the way back: its storage, where it is charged, why, and who else reads it."""

    tensor: Held
    place: str
    reader: str
    because: Because
    also: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """One step as a lecturer goes through it: its gradients, what it keeps, and what is there already.

    `already` names a tensor that is needed but kept before (its keeper's place), or that is no activation.
    """

    label: str
    place: str
    times: Expr
    gradients: tuple[GradientReads, ...]
    keeps: tuple[Kept, ...]
    already: tuple[tuple[str, str], ...]


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
        for event in self.program.outermost:
            yield from self._asked_by(event)

    def _asked_by(self, event: Step | Region) -> Iterator[tuple[Held, str, str, Because]]:
        listed = self.program.convention.listed
        if isinstance(event, Region):
            yield from self._kept_by_region(event)
        elif listed is None:
            yield from _read_by_gradients(event)
        elif event.rule in listed:
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

    def account(self) -> list[Account]:
        """Every step outside the regions computed again, and every such region, in the order of the program."""
        first: dict[Held, str] = {kept.tensor: kept.reader for kept in self.kept}
        by_storage = {kept.tensor: kept for kept in self.kept}
        accounts = []
        for event in self.program.outermost:
            asked = list(self._asked_by(event))
            label = asked[0][2] if asked else event.label
            keeps, already = {}, {}
            for tensor, _, reader, _ in asked:
                storage = tensor.storage
                if storage.role not in COUNTED_ROLES:
                    already[tensor.name] = f"is {_ROLE_WORDS[storage.role]}"
                elif first[storage] == reader:
                    keeps[storage] = by_storage[storage]
                else:
                    already[storage.name] = f"is kept for {first[storage]}"
            step = event.step if isinstance(event, Region) else event
            gradients = () if step is None else tuple(
                _gradient(step, position)
                for position, (slot, tensor) in enumerate(zip(step.rule.takes, step.inputs, strict=False))
                if tensor.wants and step.rule.gradient(slot) is not None
            )  # fmt: skip
            accounts.append(
                Account(label, event.place, event.times, gradients, tuple(keeps.values()), tuple(already.items()))
            )
        return accounts

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


def kv_cache(loss: Tensor, element_bytes: int) -> tuple[Term, ...]:
    """What generation keeps of the tokens seen: the keys and values of every block, before heads are repeated."""
    return tuple(_keys_and_values(ops_between((), loss), "", Integer(1), element_bytes))


def _keys_and_values(ops: list[Op], place: str, times: Expr, element_bytes: int) -> Iterator[Term]:
    for op in ops:
        if op.rule is rules.ATTENTION:
            for tensor in op.inputs[1:3]:
                while tensor.made_by is not None and tensor.made_by.rule is rules.REPEAT_HEADS:
                    tensor = tensor.made_by.inputs[0]
                because = Because(f"{element_bytes} bytes for each element of {tensor.name}, of every token seen")
                yield Term(element_bytes * tensor.size, times, tensor.name, place, because, "kv_cache_memory")
        elif op.body is not None:
            inside = f"{place}.{op.name}".lstrip(".") if op.rule in (rules.PART, rules.REPEAT) else place
            yield from _keys_and_values(op.body_ops(), inside, times * (op.times or 1), element_bytes)


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
