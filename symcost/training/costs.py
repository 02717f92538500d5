"""Memory, step, run, time and money of a model: every quantity derived when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from sympy import Expr, Integer, Max, Rational, Symbol, ceiling

from symcost import symbols as s
from symcost.conventions import Convention
from symcost.derive import Derivation
from symcost.errors import UnknownName, UsageError, nearest
from symcost.lower import lower
from symcost.model import STORED_BYTES, Model
from symcost.notation import code, text
from symcost.symbols import DEVICE_QUANTITIES, QUANTITIES, letter
from symcost.tables.gpus import remark_on_peak
from symcost.tables.optimizers import operations, optimizer
from symcost.tables.precisions import precision, states
from symcost.terms import Because, Number, Term, Terms, counted

TOKENS = s.b * s.c  # of one forward pass
ON_REQUEST = ("accumulation", "dp", "HFU", "w")  # letters that stand in the forms only where they are given

Given = Mapping[str, "float | Fraction | str | Expr"]


class Costs(Mapping[str, Terms]):
    """Every quantity of one model under one convention, optimizer and precision, each derived when asked for.

    >>> import symcost
    >>> symcost.derive("cs190c")["peak_memory"].latex()
    'L\\\\left(256d^2+32d+80bcd+4bhc^2\\\\right)+\\\\left(32dv+16d+8bcd+4bcv\\\\right)'
    """

    fills = "peak_memory"  # what a memory limit is for, unless another quantity is named

    def __init__(
        self, model: Model, under: Convention, given: Given, optimizer_name: str, precision_name: str | None
    ) -> None:
        self.model, self.convention = model, under
        self.optimizer = optimizer(optimizer_name)
        self.precision = precision(precision_name or under.precision)
        self.given = dict(given)
        self.ties, self.numbers = _known(model, given)
        if "MFU" in given and "HFU" in given:
            raise UsageError(
                "given: expected MFU or HFU, found both. Leave out one: the time follows from either."
            )
        self._found: dict[str, Terms] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the numbers given should know: a rate that no training reaches."""
        given = self.numbers.get("peak")
        remark = remark_on_peak(given) if given is not None and "peak" in self.given else ""
        return (remark,) if remark else ()

    @cached_property
    def derivation(self) -> Derivation:
        """The model lowered under the convention."""
        return Derivation(
            lower(self.model.loss, self.convention), "fp32" if self.precision.activation == 4 else "bf16"
        )

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """Every place and tensor of the model that a quantity can be asked of."""
        return self.derivation.scopes

    def __getitem__(self, quantity: str) -> Terms:
        if quantity in DEVICE_QUANTITIES:
            raise UsageError(
                f"{quantity}: expected a layout, since it is of one device. Give one, as in megatron-tp."
            )
        if quantity not in QUANTITIES:
            raise UnknownName(f"'{quantity}' is not a quantity. {nearest(quantity, QUANTITIES)}")
        if quantity not in self._found:
            self._found[quantity] = getattr(self, f"_{quantity}")()
        return self._found[quantity]

    def __iter__(self) -> Iterator[str]:
        return iter(QUANTITIES)

    def __len__(self) -> int:
        return len(QUANTITIES)

    def why(self, scope: str) -> str:
        """Why a tensor, named as in `block.attention.S`, is kept, or why it is not."""
        return self.derivation.why(scope)

    def to_dict(self, *quantities: str) -> dict[str, Any]:
        """Plain data: the JSON of the command line."""
        return {
            "model": self.model.name,
            "convention": self.convention.name,
            "given": {name: str(value) for name, value in self.given.items()},
            "quantities": {name: self[name].to_dict() for name in quantities or QUANTITIES},
        }

    def _terms(self, quantity: str, terms: tuple[Term, ...]) -> Terms:
        found = Terms(
            quantity, QUANTITIES[quantity].unit, terms, self.model.name, self.convention.name,
            numbers=self.numbers, ties=self.ties, scopes=self.scopes,
        )  # fmt: skip
        return found.substituted(self.ties)

    def _sum(self, quantity: str, *parts: str) -> Terms:
        whole = self[parts[0]]
        for part in parts[1:]:
            whole = whole + self[part]
        return whole.called(quantity)

    def _times(self, quantity: str, base: Terms, factor: Expr) -> Terms:
        made = base.scaled(factor, quantity=quantity, unit=QUANTITIES[quantity].unit)
        return made.substituted(self.ties) if factor.free_symbols & self.ties.keys() else made

    def _asked(self, letter: Symbol, otherwise: Expr) -> Expr:
        """A letter of ON_REQUEST where it is given, as a number or as itself; else `otherwise`."""
        return letter if letter.name in self.given else otherwise

    def _bytes(self, size: int) -> Expr:
        return self._asked(s.w, Integer(size)) if size else Integer(0)

    # What is there before the first token.

    def _parameters(self) -> Terms:
        return self._terms("parameters", self.derivation.parameters)

    def _active_parameters(self) -> Terms:
        return self._terms("active_parameters", self.derivation.active_parameters)

    def _trained(self) -> Terms:
        both = zip(self["parameters"], self.derivation.program.parameters, strict=True)
        trained = {id(term) for term, tensor in both if tensor.wants}
        return self["parameters"].where(lambda term: id(term) in trained)

    def _per_parameter(
        self, quantity: str, base: Terms, size: int, what: str, tensor: str
    ) -> tuple[Term, ...]:
        each = self._bytes(size)
        return tuple(
            replace(
                term,
                amount=each * term.amount,
                tensor=tensor.format(term.tensor),
                quantity=quantity,
                because=Because(f"{each} bytes for each element of {term.tensor}: {what}"),
            )
            for term in base
            if size
        )

    def _stored(self) -> dict[int, str]:
        """The element types of parameters that are quantised, by the identity of their terms."""
        if self.model.architecture.stored is None:
            return {}
        both = zip(self["parameters"], self.derivation.program.parameters, strict=True)
        return {id(term): tensor.stored for term, tensor in both if tensor.stored is not None}

    def _parameter_memory(self) -> Terms:
        stored = self._stored()
        plain = self["parameters"].where(lambda term: id(term) not in stored)
        terms = self._per_parameter("parameter_memory", plain, self.precision.parameter, "its weights", "{}")
        terms += tuple(
            _quantised(term, stored[id(term)]) for term in self["parameters"] if id(term) in stored
        )
        if self.precision.reference:
            copy = (self.precision.reference, "a frozen reference copy", "reference {}")
            terms += self._per_parameter("parameter_memory", self["parameters"], *copy)
        return self._terms("parameter_memory", terms)

    def _gradient_memory(self) -> Terms:
        size = self.precision.gradient
        terms = self._per_parameter("gradient_memory", self._trained(), size, "its gradient", "∂{}")
        return self._terms("gradient_memory", terms)

    def _optimizer_memory(self) -> Terms:
        trained = self._trained()
        terms: tuple[Term, ...] = ()
        for state in states(self.optimizer, self.precision):
            why, name = f"{self.optimizer.name} keeps a {state.meaning}", f"{state.name} of {{}}"
            terms += self._per_parameter("optimizer_memory", trained, state.bytes or 0, why, name)
        if self.optimizer.per_tensor_bytes:
            size = self.optimizer.per_tensor_bytes
            because = Because(f"{size} bytes for each parameter tensor: a step counter")
            for term in trained:
                counter = replace(
                    term, amount=Integer(size), tensor=f"step of {term.tensor}", because=because
                )
                terms += (replace(counter, quantity="optimizer_memory"),)
        return self._terms("optimizer_memory", terms)

    def _static_memory(self) -> Terms:
        return self._sum("static_memory", "parameter_memory", "gradient_memory", "optimizer_memory")

    # What a step keeps.

    def _saved_activations(self) -> Terms:
        return self._terms("saved_activations", self.derivation.saved_activations)

    def _activation_memory(self) -> Terms:
        if "w" not in self.given:
            return self._terms("activation_memory", self.derivation.activation_memory)
        return self._terms(
            "activation_memory",
            tuple(replace(term, amount=s.w * term.amount, quantity="activation_memory")
                  for term in self.derivation.saved_activations),
        )  # fmt: skip

    def _memory_per_sequence(self) -> Terms:
        return replace(
            self._times("memory_per_sequence", self["activation_memory"], 1 / s.b), outer=Integer(1)
        )

    def _peak_memory(self) -> Terms:
        return self._sum("peak_memory", "static_memory", "activation_memory")

    def moments(self) -> dict[str, Terms]:
        """What is there at each moment of a step at which memory may be fullest, by the moment's name.

        With gradient accumulation the gradients of the micro-batches before are there at every moment.
        """
        found = {}
        for moment in self.derivation.moments():
            kept = (
                ("gradient_memory",)
                if "accumulation" in self.given and "gradient_memory" not in moment.holds
                else ()
            )
            there = self._sum("worst_moment_memory", *moment.holds, *kept)
            found[moment.name] = there + self._terms("worst_moment_memory", moment.terms)
        return found

    def _worst_moment_memory(self) -> Terms:
        moments = self.moments()
        because = Because(f"memory is fullest at one of these moments: {', '.join(moments)}")
        amount = _greatest(there.total for there in moments.values())
        return self._terms(
            "worst_moment_memory",
            (Term(amount, Integer(1), "worst moment", "step", because, "worst_moment_memory"),),
        )

    # Generating, which reads all of this once for every token.

    def _kv_cache_memory(self) -> Terms:
        return self._terms(
            "kv_cache_memory", self.derivation.kv_cache(self._bytes(self.precision.activation))
        )

    def _inference_memory(self) -> Terms:
        return self._sum("inference_memory", "parameter_memory", "kv_cache_memory")

    def _decode_time(self) -> Terms:
        return self._times("decode_time", self["inference_memory"], 1 / s.bandwidth)

    def _decode_rate(self) -> Terms:
        because = Because(
            "b sequences get one token each in the time that reading the weights and the cache takes"
        )
        amount = s.b * s.bandwidth / self["inference_memory"].total
        return self._terms(
            "decode_rate", (Term(amount, Integer(1), "tokens", "generation", because, "decode_rate"),)
        )

    # What a step computes.

    def _forward_flops(self) -> Terms:
        return self._terms("forward_flops", self.derivation.forward_flops)

    def _backward_flops(self) -> Terms:
        return self._terms("backward_flops", self.derivation.backward_flops)

    def _recompute_flops(self) -> Terms:
        return self._terms("recompute_flops", self.derivation.recompute_flops)

    def _optimizer_flops(self) -> Terms:
        trained = self._trained()
        terms: list[Term] = []
        for step in self.optimizer.steps:
            each = len(operations(step))
            for term in trained:
                because = Because(f"{each} FLOPs for each element of {term.tensor}: {step.text}")
                amount = each * term.amount
                terms.append(replace(term, amount=amount, quantity="optimizer_flops", because=because))
        return self._terms("optimizer_flops", tuple(terms))

    def _step_flops(self) -> Terms:
        return self._step("forward_flops", "backward_flops", "recompute_flops")

    def _step(self, *passes: str) -> Terms:
        """One update and the passes before it, as many as there are micro-batches."""
        of_one = self._sum("step_flops", *passes)
        micro_batches = self._asked(s.accumulation, Integer(1))
        return (
            replace(self._times("step_flops", of_one, micro_batches), outer=Integer(1))
            + self["optimizer_flops"]
        )

    def _flops_per_token(self) -> Terms:
        both = self["forward_flops"] + self["backward_flops"]
        return replace(self._times("flops_per_token", both, 1 / TOKENS), outer=Integer(1))

    # The run: steps, time, money. Every GPU of a data-parallel run makes the same update, so that the FLOPs
    # of all of them for each token do not depend on how many there are; the steps do.

    @property
    def tokens_of_step(self) -> Expr:
        """The tokens that one step of the whole run sees."""
        return TOKENS * self._asked(s.accumulation, Integer(1)) * self._asked(s.dp, Integer(1))

    def _steps(self) -> Terms:
        tokens = self.tokens_of_step
        because = Because(f"every step sees {text(tokens)} tokens; the last one may see fewer")
        amount = ceiling(s.epochs * s.D / tokens)
        return self._terms("steps", (Term(amount, Integer(1), "steps", "training", because, "steps"),))

    def _run(self, step: Terms) -> Terms:
        """A step for each of its tokens among all that are seen."""
        tokens = TOKENS * self._asked(s.accumulation, Integer(1))
        return self._times("training_flops", step, s.epochs * s.D / tokens)

    def _training_flops(self) -> Terms:
        return self._run(self["step_flops"])

    def _model_flops(self) -> Terms:
        """The training FLOPs without what is computed again: what MFU is a share for."""
        return self._run(self._step("forward_flops", "backward_flops"))

    def _pflop_days(self) -> Terms:
        return self._times("pflop_days", self["training_flops"], Integer(1))

    def _training_time(self) -> Terms:
        done, share = (self["training_flops"], s.HFU) if "HFU" in self.given else (self._model_flops(), s.MFU)
        return self._times("training_time", done, 1 / (s.n * s.peak * share))

    def _gpu_hours(self) -> Terms:
        return self._times("gpu_hours", self["training_time"], s.n)

    def _cost(self) -> Terms:
        return self._times("cost", self["gpu_hours"], s.price)

    def _energy(self) -> Terms:
        return self._times("energy", self["gpu_hours"], s.watts)


def _quantised(term: Term, element: str) -> Term:
    """The bytes of a frozen matrix in a quantised element type, with the constants of its blocks."""
    size = STORED_BYTES[element]
    because = Because(f"{element}: {size} bytes for each element of {term.tensor}, with its constants")
    amount = Rational(size.numerator, size.denominator) * term.amount
    return replace(term, amount=amount, quantity="parameter_memory", because=because)


def _greatest(forms: Iterable[Expr]) -> Expr:
    """The greatest of some forms, without those that are never greater than another: all letters are positive.

    sympy's own Max compares them by assumptions, which takes a hundred times as long.
    """
    kept: list[Expr] = []
    for form in forms:
        if not any(_never_less(other, form) for other in kept):
            kept = [other for other in kept if not _never_less(form, other)] + [form]
    return kept[0] if len(kept) == 1 else Max(*kept, evaluate=False)


def _never_less(one: Expr, other: Expr) -> bool:
    return all(number >= 0 for number in (one - other).as_coefficients_dict().values())


def _known(model: Model, given: Given) -> tuple[dict[Symbol, Expr], dict[str, Number]]:
    """The ties and numbers in force: the model's own, and over them what is given."""
    ties: dict[Symbol, Expr] = dict(model.ties)
    numbers: dict[str, Number] = dict(model.numbers)
    for name, value in given.items():
        symbol = letter(name, "given").symbol
        form = _form(name, value)
        ties.pop(symbol, None)
        numbers.pop(name, None)
        if isinstance(form, Expr) and not form.is_Rational:
            if form != symbol:
                ties[symbol] = form
        else:
            numbers[name] = counted(name, form)
    return _resolved(ties), numbers


def _form(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    from symcost.notation.reading import read_assignment

    return read_assignment(f"{name}={value}")[1]


def _resolved(ties: dict[Symbol, Expr]) -> dict[Symbol, Expr]:
    """Ties in letters that no tie replaces. Raises UsageError where they go round in a circle."""
    put_in = ties
    for _ in range(len(ties) + 1):
        if not any(form.free_symbols & ties.keys() for form in put_in.values()):
            return put_in
        put_in = {symbol: form.xreplace(ties) for symbol, form in put_in.items()}
    circle = ", ".join(
        f"{symbol} = {code(form)}" for symbol, form in ties.items() if form.free_symbols & ties.keys()
    )
    raise UsageError(
        f"given: expected forms that end in free letters, found a circle: {circle}. Free one of them."
    )
