"""Costs across devices: what one device of a layout holds, computes and sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from math import lcm

from sympy import Expr, Integer

from symcost import symbols as s
from symcost.conventions import Convention
from symcost.errors import UsageError
from symcost.layouts import GRADIENTS, PARAMETERS, STATES, Layout, OnDevice
from symcost.layouts.checking import Sizes
from symcost.layouts.timing import StepTime
from symcost.lower import lower
from symcost.model import Model
from symcost.symbols import DEVICE_QUANTITIES, QUANTITIES
from symcost.tables.gpus import Gpu
from symcost.terms import Because, Number, Term, Terms, evaluator
from symcost.training.costs import TOKENS, Costs, Given

OF_THE_RUN = (
    "flops_per_token",
    "training_flops",
    "pflop_days",
    "training_time",
    "gpu_hours",
    "cost",
    "energy",
)
NOT_DERIVED = ("decode_time", "decode_rate")  # a token goes through all stages, one after the other


Links = Mapping[str, int | Fraction]  # bytes a second in one direction, by mesh axis


class Across(Costs):
    """The costs of one device: a step's quantities are a device's own, the run's are those of all together.

    b is the sequences of one micro-batch of one replica. Sizes of the mesh stand in the forms as letters.

    >>> import symcost
    >>> symcost.derive("gpt", layout="megatron-tp")["parameters"].of("block.mlp.W_1").text()
    'd·d_ff/tp'
    """

    def __init__(
        self, model: Model, under: Convention, given: Given, optimizer_name: str, precision_name: str | None,
        layout: Layout,
    ) -> None:  # fmt: skip
        for name, value in layout.numbers.items():
            if name in given and given[name] != value:
                raise UsageError(
                    f"{name}: found {given[name]} among the numbers and {value} in the layout. Give it once."
                )
        letters = [mesh for mesh in layout.mesh if mesh in s.SYMBOLS]
        asked = {name: s.SYMBOLS[name] for name in (*letters, *self._of_pipeline(layout))}
        put_in: dict[str, float | Fraction | str | Expr] = {**asked, **layout.numbers, **given}
        if "n" not in put_in and len(letters) == len(layout.mesh):
            put_in["n"] = layout.devices()
        super().__init__(model, under, put_in, optimizer_name, precision_name)
        known = {name: int(value) for name, value in self.numbers.items() if name in asked}
        self.layout = replace(layout.numbered(**known), accumulates="accumulation" in put_in)
        self._of = PARAMETERS
        self.check()

    def check(self, **sizes: Number) -> None:
        """Raises UsageError where the mesh cannot be, with these sizes put in, naming those that would do."""
        self._sizes({**self.numbers, **sizes})

    @cached_property
    def _sizes(self) -> Sizes:
        return Sizes.of(self.derivation, self.ties)

    def _terms(self, quantity: str, terms: tuple[Term, ...]) -> Terms:
        return replace(super()._terms(quantity, terms), sizes=self._sizes)

    @staticmethod
    def _of_pipeline(layout: Layout) -> tuple[str, ...]:
        if "pp" not in layout.mesh:
            return ()
        return ("accumulation", "chunks") if layout.schedule.passes != 1 else ("accumulation",)

    def lies_in_parts(self, letter: str) -> int:
        """The number that a count must be a multiple of, so that the mesh splits it evenly.

        >>> import symcost
        >>> laid = symcost.derive("llama-2-7b", layout="megatron-tp-sp+cp-ring,tp=8,cp=4")
        >>> laid.lies_in_parts("c"), laid.lies_in_parts("b")
        (32, 1)
        """
        layout, counted = self.layout, s.SYMBOLS[letter]
        split = [layout.devices(each.over) for each in self._sizes.split if each.length == counted]
        if counted == s.L and "pp" in layout.mesh and not layout.blocks:
            split.append(s.SYMBOLS["pp"] * layout.schedule.passes)
        known = [each for each in split if all(part.name in self.numbers for part in each.free_symbols)]
        return 1 if layout.ceilings else lcm(*(int(evaluator(each)(self.numbers)) for each in known))

    @cached_property
    def derivation(self) -> OnDevice:
        """The model lowered under the convention, on one device of the layout."""
        return OnDevice(lower(self.model.loss, self.convention), self.layout, self.precision)

    def on(self, stage: str) -> Across:
        """The same costs of another pipeline stage: first, last, middle, or its number from 0."""
        given = {
            name: value for name, value in self.given.items() if name != "n" or self.ties.get(s.n) is None
        }
        return Across(
            self.model,
            self.convention,
            given,
            self.optimizer.name,
            self.precision.name,
            self.layout.on(stage),
        )

    def worst_stage(self, **numbers: float | Fraction) -> tuple[int, Number]:
        """The pipeline stage whose memory is fullest, and its bytes. `numbers` are put in beside the costs'
        own.
        """
        stages = int(self["peak_memory"].known(numbers).get("pp", 1))
        fullest = [(self.on(str(stage))["peak_memory"].at(**numbers), -stage) for stage in range(stages)]
        memory, stage = max(fullest)
        return -stage, memory

    def __getitem__(self, quantity: str) -> Terms:
        if quantity in OF_THE_RUN:
            return self.whole[quantity]
        if quantity in NOT_DERIVED:
            raise UsageError(
                f"{quantity}: not derived for one device of a layout. Ask for kv_cache_memory or "
                "inference_memory, or leave out the layout."
            )
        if quantity in DEVICE_QUANTITIES and quantity not in self._found:
            found = getattr(self, f"_{quantity}")()
            self._found[quantity] = found
        return self._found[quantity] if quantity in DEVICE_QUANTITIES else super().__getitem__(quantity)

    def __iter__(self) -> Iterator[str]:
        return iter([name for name in (*QUANTITIES, *DEVICE_QUANTITIES) if name not in NOT_DERIVED])

    def __len__(self) -> int:
        return len(list(iter(self)))

    @cached_property
    def whole(self) -> Costs:
        """The same model, not laid out: what all devices of a replica compute together."""
        return Costs(self.model, self.convention, self.given, self.optimizer.name, self.precision.name)

    # Parameters, gradients and states may lie differently.

    def _trained(self) -> Terms:
        return self._terms("parameters", self.derivation.learned(self._of, trained=True))

    def _lying(self, of: str, derive: Callable[[], Terms]) -> Terms:
        before, self._of = self._of, of
        try:
            return derive()
        finally:
            self._of = before

    def _gradient_memory(self) -> Terms:
        return self._lying(GRADIENTS, super()._gradient_memory)

    def _optimizer_memory(self) -> Terms:
        return self._lying(STATES, super()._optimizer_memory)

    def _optimizer_flops(self) -> Terms:
        return self._lying(STATES, super()._optimizer_flops)

    @property
    def tokens_of_step(self) -> Expr:
        """The same; every device with sequences of its own brings b of them to each micro-batch."""
        return TOKENS * self._asked(s.accumulation, Integer(1)) * self.layout.devices(self.layout.own_data)

    # What a device sends, and how long a step takes.

    def _device_terms(self, quantity: str, terms: tuple[Term, ...]) -> Terms:
        unit = DEVICE_QUANTITIES[quantity].unit
        found = Terms(quantity, unit, terms, self.model.name, self.convention.name, numbers=self.numbers,
                      ties=self.ties, scopes=self.scopes, sizes=self._sizes)  # fmt: skip
        return found.substituted(self.ties)

    def _message_bytes(self) -> Terms:
        return self._device_terms("message_bytes", self.derivation.message_bytes)

    def _message_bytes_per_token(self) -> Terms:
        tokens = TOKENS * self._asked(s.accumulation, Integer(1))
        each = self["message_bytes"].scaled(
            1 / tokens, quantity="message_bytes_per_token", unit="bytes/token"
        )
        return replace(each, outer=Integer(1))

    def _bubble(self) -> Terms:
        because = Because(self.layout.schedule.source)
        term = Term(self.derivation.bubble, Integer(1), "bubble", "step", because, "bubble")
        return self._device_terms("bubble", (term,) if self.derivation.bubble != 0 else ())

    def _memory_traffic(self) -> Terms:
        """Parameters are read on both ways of each micro-batch, activations written and read, gradients
        written and read by the update, which reads and writes the states.
        """
        many = self._asked(s.accumulation, Integer(1))
        in_flight = self.derivation.in_flight
        parts = (
            ("parameter_memory", 2 * many, "read on the way forward and on the way back"),
            ("activation_memory", 2 * many / in_flight, "written on the way forward, read on the way back"),
            ("gradient_memory", Integer(2), "written, and read by the update"),
            ("optimizer_memory", Integer(2), "read and written by the update"),
        )
        terms = [
            Term(self[name].total * factor, Integer(1), name, "step", Because(words), "memory_traffic")
            for name, factor, words in parts
        ]
        return self._device_terms("memory_traffic", tuple(term for term in terms if term.amount != 0))

    def sent_over(self) -> dict[tuple[str, ...], Terms]:
        """The bytes that one device sends in one step, by the mesh axes that they are sent along."""
        groups: dict[tuple[str, ...], list[Term]] = {}
        for message in self.derivation.messages:
            groups.setdefault(message.over, []).append(message.term(self.layout))
        return {over: self._device_terms("message_bytes", tuple(terms)) for over, terms in groups.items()}

    def step_time(self, gpu: Gpu, links: Links | None = None, **numbers: float | Fraction) -> StepTime:
        """The bounds of one step's time on a GPU.

        `links` names mesh axes whose devices are joined by something slower than the GPU's own link, in
        bytes a second in one direction; the GPU's link carries half of what vendors print in one direction.
        Raises UsageError for another axis, and for a rate that is not positive.
        """
        check_links(links or {}, self.layout.mesh)
        peak = gpu.peak_for(self.precision.matmul)
        seconds = sum(
            (
                Fraction(sent.at(**numbers)) / link_of(gpu, over, links or {})
                for over, sent in self.sent_over().items()
            ),
            Fraction(0),
        )
        known = self["step_flops"].known(numbers)
        devices = Fraction(evaluator(self.layout.devices())(known))
        replicas = Fraction(evaluator(self.layout.devices(self.layout.own_data))(known))
        many = Fraction(known["accumulation"]) if "accumulation" in self.given else Fraction(1)

        def of_one(quantity: str) -> Fraction:
            return Fraction(self.whole[quantity].at(**numbers)) * many * replicas / devices / peak

        useful = of_one("forward_flops") + of_one("backward_flops")
        bubble = self["bubble"]
        return StepTime(
            Fraction(self["step_flops"].at(**numbers)) / peak,
            Fraction(self["memory_traffic"].at(**numbers)) / gpu.bandwidth,
            seconds,
            Fraction(bubble.at(**numbers)) if bubble.terms else Fraction(0),
            useful,
            useful + of_one("recompute_flops"),
        )


def check_links(links: Links, mesh: Iterable[str]) -> None:
    """Raises UsageError where a link is none of a mesh's axes, or carries nothing."""
    axes = tuple(dict.fromkeys(mesh))
    for axis, rate in links.items():
        if axis not in axes:
            raise UsageError(
                f"links: {axis} is no axis of the mesh, which has {', '.join(axes)}. Name one of them."
            )
        if rate <= 0:
            raise UsageError(
                f"links: expected a positive number of bytes a second along {axis}, found {rate}."
            )


def link_of(gpu: Gpu, over: tuple[str, ...], links: Links) -> Fraction:
    """Bytes a second that a device can send along some mesh axes: as the slowest link among them."""
    return min(Fraction(links.get(mesh, Fraction(gpu.link, 2))) for mesh in over)
