"""Messages: what a device sends because a tensor is needed elsewhere or otherwise than it lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sympy import Expr, Integer

from symcost import rules
from symcost.layouts.placing import (
    FLAT,
    STATES,
    Layout,
    Placement,
    Placing,
    exchanged,
    of_parameters,
    where,
    without,
)
from symcost.lower import Held, Program, Step
from symcost.tensors import Role
from symcost.terms import Because, Term

GATHER, SCATTER, REDUCE, EXCHANGE, PASS = "all-gather", "reduce-scatter", "all-reduce", "all-to-all", "send"
RING = "ring"  # an all-gather or a reduce-scatter, of which one part is here at a time
REPEATED = frozenset({rules.REPEAT_HEADS, rules.BROADCAST})
FORWARD, AGAIN, BACKWARD, UPDATE = "forward", "second run", "backward", "update"


@dataclass(frozen=True)
class Message:
    """One collective operation of a group of devices, or one tensor sent to a neighbour.

    `size` is what it is about, in elements for each device: all that is gathered or reduced, what a device
    holds of all that is exchanged, what is sent. `asks` is the op that needs it, `when` the part of the step.
    """

    kind: str
    over: tuple[str, ...]
    size: Expr
    bytes: int
    tensor: str
    place: str
    asks: str
    when: str
    times: Expr
    because: str

    def sent(self, layout: Layout) -> Expr:
        """Elements that each device sends: rings pass on all parts but one, an all-reduce does so twice.

        Source: Patarasuk and Yuan 2009, bandwidth optimal all-reduce; Rajbhandari et al. 2020, ZeRO,
        section 7.
        """
        if self.kind == PASS:
            return self.size
        group = layout.devices(self.over)
        return (2 if self.kind == REDUCE else 1) * (group - 1) / group * self.size

    def term(self, layout: Layout) -> Term:
        """Bytes that each device sends, with the reason."""
        why = f"{self.kind} over {'·'.join(self.over)}, {self.when}, for {self.asks}: {self.because}"
        return Term(
            self.bytes * self.sent(layout), self.times, self.tensor, self.place, Because(why), "message_bytes"
        )


@dataclass(frozen=True)
class Bytes:
    """Bytes of one element in a message: of a tensor, of a parameter, of a parameter's gradient."""

    of: Mapping[Held, int]
    otherwise: int
    parameter: int
    gradient: int

    def activation(self, tensor: Held) -> int:
        return self.of.get(tensor, self.otherwise)


class Traffic:
    """Every message of one training step of a program under a layout.

    `apart` is the same model with all fused steps taken apart, whose forward pass shows the sums inside
    them; the gradients are those of `program`.
    """

    def __init__(self, layout: Layout, program: Program, apart: Program, element_bytes: Bytes) -> None:
        self.layout, self.program, self.apart, self.bytes = layout, program, apart, element_bytes
        self.placing, self.inside = Placing(layout, program), Placing(layout, apart)

    def messages(self) -> list[Message]:
        """All of them: forward, what is computed again, backward, update."""
        if not self.layout.rules:
            return []
        found = list(self._forward(self.apart.steps, FORWARD))
        for region in self.apart.regions:
            fused = (
                region.inputs if region.step is not None else ()
            )  # one kernel: what it reads is brought once
            found += self._forward(region.again(self.program.convention.keeps), AGAIN, fused)
        return [*found, *self._backward(), *self._update()]

    # The way forward: inputs are brought where the work is, results where they belong.

    def _forward(self, steps: Iterable[Step], when: str, brought: tuple[Held, ...] = ()) -> Iterator[Message]:
        placing = self.inside
        there: set[tuple[Held, tuple[str, ...]]] = set()
        for step in steps:
            if step.rule is rules.DRAW:
                continue
            for position, tensor in enumerate(step.inputs):
                if tensor.role in (Role.INDEX, Role.CONSTANT) or tensor in brought:
                    continue
                need = placing.need(step, position)
                key = tensor, tuple(sorted(where(need.lies)))
                if key in there or (when == AGAIN and tensor.role is Role.PARAMETER):
                    continue
                there.add(key)
                words = f"{tensor.name} lies otherwise than {step.name} needs it"
                yield from self._moves(tensor, placing.lies(tensor), (), need.lies, step, when, words)
            leaves, result = placing.leaves(step), step.result
            partial = tuple(
                mesh for mesh in leaves.partial if mesh not in self.layout.own_data
            )  # a loss of its own
            words = f"each device has a part of the sum that makes {result.name}"
            if not partial:
                words = f"{result.name} is made otherwise than it lies"
            yield from self._moves(result, leaves.lies, partial, placing.lies(result), step, when, words)

    # The way back: arriving gradients and kept tensors are brought to the work, sums over split axes are
    # added up.

    def _backward(self) -> Iterator[Message]:
        self.partial: dict[Held, tuple[tuple[str, ...], Step]] = {}
        moved: dict[tuple[Held, str, tuple[str, ...]], Message] = {}
        there: set[Held] = set()
        for step in reversed(self.program.steps):
            yield from self._arrivals(step, there)
            for position, (slot, tensor) in enumerate(zip(step.rule.takes, step.inputs, strict=False)):
                if not tensor.wants or step.rule.gradient(slot) is None:
                    continue
                need = self.placing.need(step, position)
                if of_parameters(tensor):
                    self._add(tensor, need.partial, step)
                    continue
                words = f"each device has a part of the sum that makes ∂{tensor.name}"
                for message in self._moves(
                    tensor, need.lies, need.partial, self.placing.lies(tensor), step, BACKWARD, words, "∂{}"
                ):
                    key = (
                        tensor,
                        message.kind,
                        message.over,
                    )  # its readers' gradients are added first and sent once
                    moved.setdefault(key, message)
            if of_parameters(step.result) and step.result in self.partial:
                for tensor in step.inputs:
                    self._add(tensor, *self.partial[step.result])
        yield from moved.values()

    def _add(self, tensor: Held, partial: tuple[str, ...], step: Step) -> None:
        before, asks = self.partial.get(tensor, ((), step))
        self.partial[tensor] = tuple(dict.fromkeys((*before, *partial))), asks

    def _arrivals(self, step: Step, there: set[Held]) -> Iterator[Message]:
        result, leaves = step.result, self.placing.leaves(step)
        if not result.wants:
            return
        if of_parameters(result):
            if step.rule in REPEATED:  # a view of what its readers' gradients read
                yield from self._gathered_anew(step, there)
            return
        words = f"the gradients of {step.name} read all of ∂{result.name}"
        yield from self._moves(
            result, self.placing.lies(result), (), leaves.lies, step, BACKWARD, words, "∂{}"
        )
        if step.rule.row is not None:
            for mesh in self.placing.work(step).get(step.axes[-1] if step.axes else "", ()):
                rows = {
                    axis: meshes for axis, meshes in self.placing.work(step).items() if axis != step.axes[-1]
                }
                size = self.layout.share(step.axes[:-1], rows)
                words = f"the gradient of {step.name} sums over rows that are split"
                yield self._message(REDUCE, (mesh,), size, result, step, BACKWARD, words, "rows of ∂{}")
        for tensor, _ in step.saves:
            if tensor in there or tensor not in step.inputs:
                continue
            there.add(tensor)
            need = self.placing.need(step, step.inputs.index(tensor))
            words = f"only the split {tensor.name} is kept, and the gradients of {step.name} read it whole"
            moved = self._moves(tensor, self.placing.lies(tensor), (), need.lies, step, BACKWARD, words)
            yield from (message for message in moved if message.kind != EXCHANGE)  # kept as it was received
        yield from self._gathered_anew(step, there)

    def _gathered_anew(self, step: Step, there: set[Held]) -> Iterator[Message]:
        """What is gathered for the work of a step is let go after it."""
        for position, tensor in enumerate(step.inputs):
            if FLAT in self.placing.lies(tensor) and tensor not in there:
                there.add(tensor)
                need = self.placing.need(step, position)
                words = f"the whole {tensor.name} was let go after the forward pass"
                yield from self._moves(
                    tensor, self.placing.lies(tensor), (), need.lies, step, BACKWARD, words
                )

    # The update: gradients are brought where the states lie, new parameters where the work reads them.

    def _update(self) -> Iterator[Message]:
        for tensor in self.program.parameters:
            if not tensor.wants or tensor not in self.partial:
                continue
            partial, step = self.partial[tensor]
            lies = self.placing.lies(tensor)
            states = self.layout.place(tensor.axes, STATES)
            words = f"each device has ∂{tensor.name} of its own tokens"
            # one group for all who read other tokens; tensor-parallel devices read the same ones
            inner = tuple(mesh for mesh in partial if mesh not in self.layout.own_data and mesh != "cp")
            whole = without(lies, where({FLAT: lies.get(FLAT, ())}))
            if inner:
                words_inner = f"each device has ∂{tensor.name} of a part of its tokens"
                yield from self._moves(
                    tensor, whole, inner, whole, step, UPDATE, words_inner, "∂{}", gradient=True
                )
            outer = tuple(mesh for mesh in partial if mesh not in inner)
            yield from self._moves(tensor, whole, outer, states, step, UPDATE, words, "∂{}", gradient=True)
            words = f"each device has the new {tensor.name} of the states that it holds"
            yield from self._moves(tensor, states, (), lies, step, UPDATE, words)

    # What brings a tensor from where it lies to where it is needed.

    def _moves(
        self,
        tensor: Held,
        lies: Placement,
        partial: tuple[str, ...],
        needed: Placement,
        step: Step,
        when: str,
        because: str,
        named: str = "{}",
        *,
        gradient: bool = False,
    ) -> Iterator[Message]:
        start, end = where(lies), where(needed)
        groups: dict[str, list[str]] = {}
        for mesh in partial:
            groups.setdefault(SCATTER if mesh in end else REDUCE, []).append(mesh)
        for mesh in exchanged(lies, needed):
            groups.setdefault(EXCHANGE, []).append(mesh)
        for mesh in start:
            if mesh not in end:
                groups.setdefault(GATHER, []).append(mesh)
        whole = self.layout.share(tensor.axes, lies)
        scattered: Expr = Integer(1)
        for kind in (SCATTER, REDUCE, EXCHANGE, GATHER):
            if kind not in groups:
                continue
            over = tuple(groups[kind])
            size = (
                self.layout.share(tensor.axes, without(lies, over)) if kind == GATHER else whole / scattered
            )
            yield self._message(kind, over, size, tensor, step, when, because, named, gradient)
            if kind == SCATTER:
                scattered *= self.layout.devices(over)

    def _message(
        self, kind: str, over: tuple[str, ...], size: Expr, tensor: Held, step: Step, when: str, because: str,
        named: str, gradient: bool = False,
    ) -> Message:  # fmt: skip
        made = tensor.maker
        while (
            made is not None and made.rule in REPEATED
        ):  # sent before it is repeated, and its gradient after the sum
            size = size * made.inputs[0].size / tensor.size
            tensor = made.inputs[0]
            made = tensor.maker
        if (
            kind in (GATHER, SCATTER)
            and set(over) <= set(self.layout.rings)
            and tensor.role is not Role.PARAMETER
        ):
            kind = RING
        if gradient:
            each = self.bytes.gradient
        elif tensor.role is Role.PARAMETER:
            each = self.bytes.parameter
        else:
            each = self.bytes.activation(tensor)
        asks = f"{step.place}.{step.name}".lstrip(".")
        return Message(
            kind,
            over,
            size,
            each,
            named.format(tensor.name),
            tensor.place or step.place,
            asks,
            when,
            step.times,
            because,
        )
