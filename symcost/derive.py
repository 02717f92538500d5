"""Quantities read off a lowered model: each a list of terms with the tensor, the place and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr, Integer, Max

from symcost import arithmetic, rules
from symcost.conventions import ELEMENT_BYTES
from symcost.errors import UnknownName, nearest
from symcost.lower import Held, Program, Region, Step, lower
from symcost.symbols import E, k
from symcost.tensors import Op, Role, Tensor, ops_between
from symcost.terms import Because, GradientReads, Term

PAIRS = frozenset({"c", "c'"})  # the axes of a score
COUNTED_ROLES = (Role.ACTIVATION, Role.MASK)
_ROLE_WORDS = {Role.PARAMETER: "a parameter", Role.INDEX: "an index", Role.CONSTANT: "a constant table"}


@dataclass(eq=False, slots=True)
class Kept:
    """A tensor that stays until the way back: its storage, where it is charged, why, and who reads it too."""

    tensor: Held
    place: str
    reader: str
    because: Because
    also: dict[str, None] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        """Whether it was measured and does not follow from a gradient: reports show it apart."""
        maker = self.tensor.maker
        return maker is not None and any(held is self.tensor for held, _ in maker.extras)


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


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the training step at which memory may be fullest.

    `holds` names the quantities that are there in full; `terms` are the bytes that are there besides.
    """

    name: str
    meaning: str
    holds: tuple[str, ...]
    terms: tuple[Term, ...]


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
            if not self._counts(storage):
                continue
            if storage in kept:
                if reader != kept[storage].reader:
                    kept[storage].also[reader] = None
            else:
                kept[storage] = Kept(storage, place, reader, because)
        viewed = {
            copy.maker.inputs[0].storage: each
            for copy, each in kept.items()
            if copy.amount is not None and copy.maker is not None and copy.maker.rule is rules.LAY_OUT
        }
        views = [self._viewed(base, each) for base, each in viewed.items() if base not in kept]
        return [*kept.values(), *views]

    def _viewed(self, base: Held, copy: Kept) -> Kept:
        """What stays in place of a copy of a view, where the convention makes none."""
        share = self.program.convention.viewed
        stays = replace(base, amount=share * base.size)
        because = Because(f"{copy.because}; with {share} = 1 it stays a view of {base.name}")
        return Kept(stays, copy.place, copy.reader, because)

    def _counts(self, storage: Held) -> bool:
        """Whether a tensor counts among activations: one that is made in the forward pass."""
        return storage.role in COUNTED_ROLES or storage.name in self.program.convention.computed

    @property
    def _events(self) -> list[Step | Region]:
        """The steps outside regions computed again, and such regions, in the order of the program."""
        return self.program.outermost

    def _asked_for(self) -> Iterator[tuple[Held, str, str, Because]]:
        for event in self._events:
            yield from self._asked_by(event)

    def _asked_by(self, event: Step | Region) -> Iterator[tuple[Held, str, str, Because]]:
        convention = self.program.convention
        step = event.step if isinstance(event, Region) else event
        if isinstance(event, Region) and step is None:
            yield from self._kept_by_region(event)
        elif step is not None and convention.listed is None:
            yield from _read_by_gradients(step)
            for tensor, extra in step.extras:
                because = Because(f"{extra.source}; no gradient of ours asks for it")
                yield tensor, step.place, step.label, because
        elif step is not None and convention.listed is not None and step.rule in convention.listed:
            because = Because(f"{step.label}: the convention keeps this result")
            yield step.result, step.place, step.label, because

    def _kept_by_region(self, region: Region) -> Iterator[tuple[Held, str, str, Because]]:
        for tensor, _ in region.saves:
            because = Because(f"{tensor.name} is where {region.place} starts again")
            yield tensor, region.place, region.place, because
        for step in region.kept(self.program.convention.keeps):
            for tensor in step.makes:
                yield tensor, step.place, step.label, Because(f"{step.label}: kept, not computed again")

    def account(self) -> list[Account]:
        """Every step outside regions computed again, and every such region, in the order of the program."""
        first: dict[Held, str] = {kept.tensor: kept.reader for kept in self.kept}
        by_storage = {kept.tensor: kept for kept in self.kept}
        accounts = []
        for event in self._events:
            asked = list(self._asked_by(event))
            label = asked[0][2] if asked else event.label
            keeps, already = {}, {}
            for tensor, _, reader, _ in asked:
                storage = tensor.storage
                if not self._counts(storage):
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
                Account(
                    label, event.place, event.times, gradients, tuple(keeps.values()), tuple(already.items())
                )
            )
        return accounts

    @cached_property
    def saved_activations(self) -> tuple[Term, ...]:
        """Elements of every kept tensor."""
        return tuple(
            Term(kept.tensor.size, kept.tensor.times, kept.tensor.name, kept.place, kept.because,
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

    @cached_property
    def buffers(self) -> tuple[Term, ...]:
        """Bytes of the tables that gradients read and that were made once, before the first step."""
        read = {
            tensor.storage: (place, because)
            for tensor, place, _, because in self._asked_for()
            if tensor.storage.role is Role.CONSTANT and not self._counts(tensor.storage)
        }
        return tuple(
            Term(tensor.size * self.bytes_of(tensor), tensor.times, tensor.name, place, because, "buffers")
            for tensor, (place, because) in read.items()
        )

    def moments(self) -> tuple[Moment, ...]:
        """The moments of the second and every later step at which memory may be fullest.

        Source: storages tracked through whole steps of PyTorch 2.13, over models of four sizes.
        """
        steps = self.program.steps
        before = ("parameter_memory", "optimizer_memory")
        loss = self._there(steps[-1].result, "loss", "the loss is held")
        saved = (*self.activation_memory, *loss)
        moments = [Moment("forward end", "all that is saved is there, and no gradient yet", before, saved)]

        turns = next(
            (step for step in steps if step.rule in (rules.LOG_SOFTMAX, rules.CROSS_ENTROPY)), steps[-1]
        )
        words = f"{turns.label} turns the loss's gradient into that of the logits"
        gradients = tuple(
            term
            for tensor in (turns.result, turns.inputs[0])
            if tensor.axes
            for term in self._there(tensor, f"∂{tensor.name}", words)
        )
        meaning = "gradients of the size of the logits are there beside all that is saved"
        moments += [Moment("loss backward", meaning, before, saved + gradients)] if loss else []

        sizes = [
            self._updated(tensor) * self.bytes_of(tensor)
            for tensor in self.program.parameters
            if tensor.wants
        ]
        made = _largest(list(zip(sizes, [Integer(0), *sizes], strict=False)))
        because = Because("AdamW's loop makes two tensors of a parameter's size and holds one of the last's")
        largest = Term(
            Max(*made, evaluate=False),
            Integer(1),
            "largest parameter",
            "optimizer",
            because,
            "worst_moment_memory",
        )
        meaning = "all gradients and states are there, and what the update of the largest parameter makes"
        moments.append(Moment("optimizer step", meaning, (*before, "gradient_memory"), (*loss, largest)))
        return tuple(moments)

    def _there(self, tensor: Held, name: str, words: str) -> tuple[Term, ...]:
        """The bytes of a tensor that is held for a moment."""
        amount = tensor.size * self.bytes_of(tensor)
        return (Term(amount, tensor.times, name, tensor.place, Because(words), "worst_moment_memory"),)

    def _updated(self, tensor: Held) -> Expr:
        """How many elements of a parameter an update makes new."""
        return tensor.size

    def kv_cache(self, element_bytes: Expr) -> tuple[Term, ...]:
        """What generation keeps of the tokens seen: keys and values of every block, before heads are
        repeated.
        """
        return tuple(
            Term(element_bytes * tensor.size, times, tensor.name, place,
                 Because(f"{element_bytes} bytes for each element of {tensor.name}, of every token seen"),
                 "kv_cache_memory")
            for tensor, place, times in self._keys_and_values()
        )  # fmt: skip

    def _keys_and_values(self) -> Iterator[tuple[Tensor, str, Expr]]:
        """Each tensor that generation keeps, its place, and how often it is there."""
        return _keys_and_values(ops_between((), self.program.loss), "", Integer(1))

    def bytes_of(self, tensor: Held) -> int:
        """Bytes of one element."""
        return ELEMENT_BYTES[tensor.element or self.element]

    @cached_property
    def parameters(self) -> tuple[Term, ...]:
        """Elements of every parameter, one that is used twice counted once."""
        return tuple(
            Term(tensor.size, tensor.times, tensor.name, tensor.place,
                 Because(f"{tensor.name} has the shape {' × '.join(tensor.axes)}"), "parameters")
            for tensor in self.program.parameters
        )  # fmt: skip

    @cached_property
    def active_parameters(self) -> tuple[Term, ...]:
        """Elements of the parameters that one token meets: of the experts those k that it is sent to."""
        casts = {step.result: step.inputs[0] for step in self.program.steps if step.rule is rules.CAST}
        read = {casts.get(tensor, tensor): step for step in self.program.steps for tensor in step.inputs}
        return tuple(
            replace(term, amount=term.amount.xreplace({E: k} if "E" not in read[tensor].axes else {}),
                    quantity="active_parameters")
            for tensor, term in zip(self.program.parameters, self.parameters, strict=True)
        )  # fmt: skip

    @cached_property
    def forward_flops(self) -> tuple[Term, ...]:
        """2 FLOPs, a product and a sum, for each point of a contraction's joint axes; or every operation."""
        return tuple(self._forward("forward_flops", self._computed.steps))

    @cached_property
    def backward_flops(self) -> tuple[Term, ...]:
        """One contraction over the same axes for each input that has a gradient; or every operation."""
        return tuple(term for term in self._backward() if term.amount)

    @cached_property
    def recompute_flops(self) -> tuple[Term, ...]:
        """What regions compute a second time on the way back."""
        keeps = self._computed.convention.keeps
        return tuple(
            replace(term, because=Because(f"computed again, since {region.place} did not keep it"))
            for region in self._computed.regions
            for term in self._forward("recompute_flops", region.again(keeps))
        )

    @cached_property
    def _computed(self) -> Program:
        """The program whose work is counted: where every operation counts, with fused steps taken apart."""
        if not self.program.convention.operations:
            return self.program
        return lower(self.program.loss, replace(self.program.convention, whole=frozenset()))

    def _forward(self, quantity: str, steps: Iterable[Step]) -> Iterator[Term]:
        convention = self.program.convention
        for step in steps:
            if step.rule is not rules.CONTRACT and not convention.operations:
                continue
            amount = arithmetic.forward(step)
            if amount:
                yield self._flops(step, amount, step.result.name, quantity, Because(self._points(step)))
            each = convention.index_operations.get(step.rule, 0)
            for held in step.inputs:
                if each and held.role is Role.INDEX:
                    words = f"{each} operations on each index, as measured under {convention.name}"
                    yield self._flops(step, each * held.size, held.name, quantity, Because(words))

    def _backward(self) -> Iterator[Term]:
        convention = self.program.convention
        for step in self._computed.steps:
            counts = step.rule is rules.CONTRACT or convention.operations
            for position, (slot, tensor) in enumerate(zip(step.rule.takes, step.inputs, strict=False)):
                if counts and tensor.wants and step.rule.gradient(slot) is not None:
                    amount = arithmetic.backward(step, position, convention.written)
                    asks = _gradient(step, position)
                    yield self._flops(step, amount, f"∂{tensor.name}", "backward_flops", asks)
        for tensor, readers in arithmetic.accumulated(self._computed.steps).items():
            if convention.operations and readers > 1:
                amount = (readers - 1) * tensor.size
                because = Because(f"{readers} gradients arrive for {tensor.name} and are added")
                yield Term(amount, tensor.times, f"∂{tensor.name}", tensor.place, because, "backward_flops")

    def _points(self, step: Step) -> str:
        share = self.program.convention.pairs
        half = f", {share} of all pairs of tokens" if share != 1 and PAIRS.issubset(step.axes) else ""
        if step.rule is rules.CONTRACT:
            return f"a product and a sum for each point of {' × '.join(step.axes)}{half}"
        return f"the operations of {step.rule.name} on {' × '.join(step.axes)}{half}"

    def _flops(self, step: Step, amount: Expr, tensor: str, quantity: str, because: Because) -> Term:
        share = self.program.convention.pairs if PAIRS.issubset(step.axes) else Integer(1)
        return Term(share * amount, step.times, tensor, step.place, because, quantity)

    def why(self, scope: str) -> str:
        """Why a tensor, or a place, is kept or not. `scope` is a place or `place.name`: `block.attention.S`.

        Raises UnknownName where there is no place, and no step makes or reads a tensor, of that name.
        """
        for kept in self.kept:
            if scope in (f"{kept.place}.{kept.tensor.name}", f"{kept.tensor.place}.{kept.tensor.name}"):
                also = f"; also read by {', '.join(kept.also)}" if kept.also else ""
                return f"{kept.tensor.name} is kept and charged to {kept.place}: {kept.because}{also}."
        for tensor in self._tensors():
            if f"{tensor.place}.{tensor.name}" == scope:
                return f"{tensor.name} is not kept: {self._why_not(tensor)}."
        if scope in self.scopes:
            again = next(
                (region for region in self.program.regions if f"{scope}.".startswith(f"{region.place}.")),
                None,
            )
            reason = (
                f"{again.place} computes it again" if again is not None else "no gradient reads what it makes"
            )
            return f"{scope} keeps nothing: {reason}."
        known = list(dict.fromkeys(f"{tensor.place}.{tensor.name}" for tensor in self._tensors()))
        raise UnknownName(f"'{scope}' is no tensor of this model. {nearest(scope, known)}")

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """Every place, and every tensor as `place.name`, in the order of the program."""
        names: dict[str, None] = {}
        for tensor in (*self.program.parameters, *self._tensors()):
            parts = [*filter(None, tensor.place.split(".")), tensor.name]
            names |= {".".join(parts[:end]): None for end in range(1, len(parts) + 1)}
        return tuple(names)

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
            f"{step.place}: {_gradient(step, step.inputs.index(tensor)).formula(rules.TEXT)} "
            "does not mention it"
            for step in readers
            if step.rule.differentiable
            and step.rule.gradient(step.rule.takes[step.inputs.index(tensor)]) is not None
        )
        return f"no gradient reads it ({slopes})" if slopes else "no gradient reads it"


def _largest(updates: list[tuple[Expr, Expr]]) -> list[Expr]:
    """What an update makes, two of its own size and one of the last's, without those that another exceeds.

    Letters are counts: a size that divides another is no larger.
    """

    def divides(one: Expr, other: Expr) -> bool:
        return not one or bool(other and (other / one).as_numer_denom()[1] == 1)

    distinct = list(dict.fromkeys(updates))
    return [
        2 * size + last
        for size, last in distinct
        if not any(
            divides(size, larger) and divides(last, before if size == larger else larger)
            for larger, before in distinct
            if (larger, before) != (size, last)
        )
    ]


def _keys_and_values(ops: list[Op], place: str, times: Expr) -> Iterator[tuple[Tensor, str, Expr]]:
    for op in ops:
        if op.rule is rules.ATTENTION:
            yield from ((tensor, place, times) for tensor in _made_from(*op.inputs[1:3]))
        elif op.body is not None:
            inside = f"{place}.{op.name}".lstrip(".") if op.rule in (rules.PART, rules.REPEAT) else place
            yield from _keys_and_values(op.body_ops(), inside, times * (op.times or 1))


def _made_from(keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values before heads are repeated; where keys are joined from a projected latent and a part
    that all heads share, the latent and that part.
    """
    repeated = rules.REPEAT_HEADS, rules.BROADCAST
    keys, values = _before(keys, *repeated), _before(values, *repeated)
    joins = keys.made_by
    if joins is not None and joins.rule is rules.JOIN and "h" not in joins.inputs[1].axes:
        projected, shared = joins.inputs
        return _before(projected, rules.SPLIT, rules.BIAS, rules.CONTRACT), shared
    return keys, values


def _before(tensor: Tensor, *made: rules.Rule) -> Tensor:
    """What a tensor was made from, back through some rules."""
    while tensor.made_by is not None and tensor.made_by.rule in made:
        tensor = tensor.made_by.inputs[0]
    return tensor


def _read_by_gradients(step: Step) -> Iterator[tuple[Held, str, str, Because]]:
    for tensor, position in step.saves:
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
