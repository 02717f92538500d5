"""One device: what it holds and computes of a model that lies on a mesh, and what it sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from sympy import Expr, Integer, Max, ceiling

from symcost.conventions import ELEMENT_BYTES
from symcost.derive import Derivation, Moment
from symcost.errors import UsageError
from symcost.layouts.messages import BACKWARD, FORWARD, PASS, UPDATE, Bytes, Message, Traffic
from symcost.layouts.pipeline import pp
from symcost.layouts.placing import (
    ACTIVATIONS,
    FLAT,
    GRADIENTS,
    PARAMETERS,
    STATES,
    Layout,
    Placing,
    exchanged,
    without,
)
from symcost.lower import Held, Program, Region, Step, lower
from symcost.symbols import SYMBOLS, L, accumulation
from symcost.tables.precisions import Precision
from symcost.tensors import Role
from symcost.terms import Because, Term

BLOCK, EMBEDDING = "block", "embedding"


class OnDevice(Derivation):
    """What one device of a layout keeps and computes of a program; without a mesh, the whole of it.

    Of a pipeline it is a device of the layout's stage. Every term is the model's own, its amount over the
    mesh axes that the tensor is split by, its times over the stages.
    """

    def __init__(self, program: Program, layout: Layout, precision: Precision) -> None:
        super().__init__(program, "fp32" if precision.activation == 4 else "bf16")
        self.layout, self.precision = layout, precision
        self.placing = Placing(layout, program)
        self._received: dict[Held, Held] = {}  # copies that came in exchange, by the tensor that was sent
        if layout.mesh:
            self.program = replace(
                program, parameters=[each for each in program.parameters if self._is_here(each)]
            )

    # Which part of the model is here.

    @cached_property
    def stage(self) -> Expr:
        """The number of the pipeline stage, from 0."""
        layout = self.layout
        if "pp" not in layout.mesh:
            return Integer(0)
        named = {"first": Integer(0), "last": pp - 1, "middle": Integer(1), "only": Integer(0)}
        if layout.stage in named:
            return named[layout.stage]
        if not layout.stage.isdigit():
            raise UsageError(
                f"stage: expected first, last, middle or a number from 0, found '{layout.stage}'."
            )
        return Integer(int(layout.stage))

    @property
    def _ends(self) -> tuple[bool, bool]:
        """Whether this stage is the first, and whether it is the last."""
        layout, stages = self.layout, self.layout.numbers.get("pp")
        if "pp" not in layout.mesh or stages == 1 or layout.stage == "only":
            return True, True
        return self.stage == 0, layout.stage == "last" or (stages is not None and self.stage == stages - 1)

    def here(self, place: str) -> bool:
        """Whether the stage has this place: every stage has blocks, the first the embedding, the last the
        head.
        """
        kind = place.split(".")[0]
        first, last = self._ends
        return True if kind == BLOCK else first if kind == EMBEDDING else last

    def _blocks(self, times: Expr) -> Expr:
        """How many of `times` blocks this stage has."""
        layout = self.layout
        if "pp" not in layout.mesh or layout.numbers.get("pp") == 1:
            return times
        if layout.blocks:
            number = layout.numbers["pp"] - 1 if layout.stage == "last" else int(self.stage)
            return times * layout.blocks[number] / L
        return ceiling(times / pp) if layout.ceilings else times / pp

    def _in_flight(self, place: str) -> Expr:
        """How many micro-batches' activations of a place are there at a time, on this stage."""
        if "pp" not in self.layout.mesh or self.layout.numbers.get("pp") == 1:
            return Integer(1)
        schedule, kind = self.layout.schedule, place.split(".")[0]
        at_ends = schedule.first if kind == EMBEDDING else schedule.last
        held = schedule.in_flight(self.stage) if kind == BLOCK else at_ends
        known = {symbol: number for symbol, number in self._known.items() if held.has(symbol)}
        most = self._known.get(accumulation)
        at = held.xreplace(known)
        return most if most is not None and at.is_number and at > most else held

    @property
    def _known(self) -> dict[Expr, Integer]:
        return {
            SYMBOLS[name]: Integer(value) for name, value in self.layout.numbers.items() if name in SYMBOLS
        }

    def _times(self, place: str, times: Expr) -> Expr:
        return self._blocks(times) if place.split(".")[0] == BLOCK else times

    # What is kept.

    @property
    def _events(self) -> list[Step | Region]:
        return [event for event in super()._events if self.here(event.place)]

    def _asked_by(self, event: Step | Region) -> Iterator[tuple[Held, str, str, Because]]:
        """What a gradient reads of a tensor that came in exchange for another part is kept as it came."""
        step = event.step if isinstance(event, Region) else event
        for tensor, place, reader, because in super()._asked_by(event):
            yield self._as_read(tensor, step), place, reader, because

    def _as_read(self, tensor: Held, step: Step | None) -> Held:
        if step is None or tensor not in step.inputs:
            return tensor
        need = self.placing.need(step, step.inputs.index(tensor))
        if not exchanged(self.placing.lies(tensor), need.lies):
            return tensor
        return self._received.setdefault(tensor, replace(tensor, base=None))

    @cached_property
    def saved_activations(self) -> tuple[Term, ...]:
        whole = super().saved_activations  # its cache is overwritten with what is returned here
        if not self.layout.mesh:
            return whole
        sent = {copy: tensor for tensor, copy in self._received.items()}
        return tuple(
            replace(
                term,
                amount=self.placing.share(sent.get(kept.tensor, kept.tensor)),
                times=self._times(term.place, term.times) * self._in_flight(term.place),
            )
            for kept, term in zip(self.kept, whole, strict=True)
        )

    # What is learned.

    @cached_property
    def _readers(self) -> dict[Held, list[Step]]:
        found: dict[Held, list[Step]] = {}
        for step in self.program.steps:
            for tensor in step.inputs:
                found.setdefault(tensor, []).append(step)
        return found

    def learned(self, of: str = PARAMETERS, *, trained: bool = False) -> tuple[Term, ...]:
        """Elements that this device holds of every parameter, or of its gradient or states."""
        return tuple(
            replace(
                term,
                amount=self.layout.share(tensor.axes, self.layout.place(tensor.axes, of)),
                times=self._times(term.place, term.times),
            )
            if self.layout.mesh
            else term
            for tensor, term in zip(self.program.parameters, self._all_of_each, strict=True)
            if tensor.wants or not trained
        )

    def _is_here(self, tensor: Held) -> bool:
        return any(self.here(step.place) for step in self._readers.get(tensor, ()))

    @cached_property
    def parameters(self) -> tuple[Term, ...]:
        return self.learned()

    @cached_property
    def _all_of_each(self) -> tuple[Term, ...]:
        return Derivation(self.program, self.element).parameters

    # What is there for a moment.

    def moments(self) -> tuple[Moment, ...]:
        """Those of one device, on this stage; where ZeRO gathers parameters or sums whole gradients, also the
        way back through a block.
        """
        whole = self._whole_for_a_while("head"), self._whole_for_a_while(BLOCK)
        found = [
            replace(moment, terms=moment.terms + whole[0]) if moment.name == "loss backward" else moment
            for moment in super().moments()
        ]
        if whole[1]:
            meaning = "one block's parameters or gradients are whole beside all that is saved"
            before = ("parameter_memory", "optimizer_memory")
            found.insert(-1, Moment("block backward", meaning, before, self.activation_memory + whole[1]))
        return tuple(found)

    def _whole_for_a_while(self, kind: str) -> tuple[Term, ...]:
        """Bytes of what is split but must be whole while the head, or the largest block, is gone through."""
        sizes: dict[Expr, Expr] = {}  # by how often such a block is there
        for tensor in self.program.parameters:
            if tensor.place.split(".")[0] != kind:
                continue
            for of, each in ((PARAMETERS, self.precision.parameter), (GRADIENTS, self.precision.gradient)):
                lies = self.layout.place(tensor.axes, of)
                if FLAT in lies and (of == PARAMETERS or tensor.wants):
                    whole = self.layout.share(tensor.axes, without(lies, lies[FLAT]))
                    sizes[tensor.times] = sizes.get(tensor.times, Integer(0)) + each * whole
        if not sizes:
            return ()
        largest = Max(*sizes.values(), evaluate=False) if len(sizes) > 1 else next(iter(sizes.values()))
        because = Because(f"gathered, or not yet scattered, while the {kind} is gone through")
        return (Term(largest, Integer(1), f"whole {kind}", kind, because, "worst_moment_memory"),)

    def _there(self, tensor: Held, name: str, words: str) -> tuple[Term, ...]:
        amount = self.placing.share(tensor) * self.bytes_of(tensor)
        there = super()._there(tensor, name, words)
        return tuple(replace(term, amount=amount) for term in there if self.here(term.place))

    def _updated(self, tensor: Held) -> Expr:
        return self.layout.share(tensor.axes, self.layout.place(tensor.axes, STATES))

    # What generation keeps.

    def kv_cache(self, element_bytes: Expr) -> tuple[Term, ...]:
        """The part of keys and values that lies here, of this stage's blocks."""
        placed = (
            self.layout.share(tensor.axes, self.layout.place(tensor.axes, ACTIVATIONS))
            for tensor, *_ in self._keys_and_values()
        )
        return tuple(
            replace(term, amount=element_bytes * share, times=self._times(term.place, term.times))
            for term, share in zip(super().kv_cache(element_bytes), placed, strict=True)
        )

    # What is computed.

    def _flops(self, step: Step, amount: Expr, tensor: str, quantity: str, because: Because) -> Term:
        term = super()._flops(step, amount, tensor, quantity, because)
        if not self.layout.mesh:
            return term
        placing = self.placing if self._computed is self.program else self._placing_of_computed
        own = [
            mesh
            for meshes in placing.work(step).values()
            for mesh in meshes
            if mesh not in self.layout.own_data
        ]
        here = Integer(1) if self.here(step.place) else Integer(0)
        return replace(
            term,
            amount=here * term.amount / self.layout.devices(own),
            times=self._times(term.place, term.times),
        )

    @cached_property
    def _placing_of_computed(self) -> Placing:
        return Placing(self.layout, self._computed)

    # What is sent.

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """Every message that one device sends in one step, once for each of the micro-batches that ask for
        it.
        """
        if not self.layout.mesh:
            return ()
        apart = lower(self.program.loss, replace(self.program.convention, whole=frozenset()))
        of = {
            tensor: self.bytes_of(tensor) for tensor in self._activations((*self.program.steps, *apart.steps))
        }
        sizes = Bytes(of, ELEMENT_BYTES[self.element], self.precision.parameter, self.precision.gradient or 2)
        traffic = Traffic(self.layout, self.program, apart, sizes)
        inside = [
            replace(
                message,
                times=self._times(message.place, message.times)
                * (accumulation if message.when != UPDATE and self._many else 1),
            )
            for message in traffic.messages()
            if self.here(message.place) or self.here(message.asks)
        ]
        return tuple(inside) + tuple(self._between_stages())

    @property
    def _many(self) -> bool:
        return "pp" in self.layout.mesh or self.layout.accumulates

    def _activations(self, steps: Iterable[Step]) -> set[Held]:
        return {
            tensor
            for step in steps
            for tensor in (*step.inputs, step.result)
            if tensor.role is not Role.PARAMETER
        }

    def _between_stages(self) -> list[Message]:
        """What passes from stage to stage: the blocks' result, and its gradient on the way back."""
        if "pp" not in self.layout.mesh or self.layout.numbers.get("pp") == 1:
            return []
        axes = ("b", "c", "d")
        size = self.layout.share(axes, self.layout.place(axes, ACTIVATIONS))
        passes, (first, last) = self.layout.schedule.passes, self._ends
        each = ELEMENT_BYTES[self.element]
        ways = (
            ("x_out", FORWARD, passes - (1 if last else 0), "the next stage goes on with it"),
            ("∂x", BACKWARD, passes - (1 if first else 0), "the stage before goes on with it"),
        )
        found = [
            Message(PASS, ("pp",), size, each, name, BLOCK, BLOCK, when, accumulation * times, because)
            for name, when, times, because in ways
            if times != 0
        ]
        for tensor, readers in self._readers.items():
            kinds = {step.place.split(".")[0] for step in readers}
            if (
                tensor.role is Role.PARAMETER
                and tensor.wants
                and EMBEDDING in kinds
                and len(kinds) > 1
                and first != last
            ):
                share = self.layout.share(tensor.axes, self.layout.place(tensor.axes, PARAMETERS))
                because = f"the first and the last stage both hold {tensor.name}"
                found.append(
                    Message(
                        PASS, ("pp",), share, self.precision.gradient or 2, f"∂{tensor.name}", EMBEDDING,
                        "head.logits", UPDATE, Integer(1), because,
                    )
                )  # fmt: skip
        return found

    @property
    def message_bytes(self) -> tuple[Term, ...]:
        """Bytes that one device sends in one step."""
        return tuple(message.term(self.layout) for message in self.messages)

    @property
    def in_flight(self) -> Expr:
        """How many micro-batches' activations of a block are there at a time."""
        return self._in_flight(BLOCK)

    @property
    def bubble(self) -> Expr:
        """The time that a stage waits over the time that it works."""
        return self.layout.schedule.bubble if "pp" in self.layout.mesh else Integer(0)
