"""Memory, step, run, time and money: closed forms made of terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from sympy import Expr, Integer, Rational, Symbol, ceiling

from symcost import symbols as s
from symcost.conventions import Convention, convention
from symcost.derive import Derivation, kv_cache
from symcost.errors import UnknownName, UsageError, nearest
from symcost.families import load
from symcost.lower import lower
from symcost.model import Model
from symcost.notation import code
from symcost.symbols import QUANTITIES, letter
from symcost.tables.optimizers import operations, optimizer
from symcost.tables.precisions import precision, states
from symcost.terms import Because, Number, Term, Terms, counted

TOKENS = s.b * s.c  # of one step
SECONDS_PER_HOUR = 3600

Given = Mapping[str, "float | Fraction | str | Expr"]


class Costs(Mapping[str, Terms]):
    """Every quantity of one model under one convention, optimizer and precision, each derived when asked for.

    >>> import symcost
    >>> symcost.derive("cs190c")["peak_memory"].latex()
    'L\\\\left(256d^2+32d+80bcd+4bhc^2\\\\right)+\\\\left(32dv+16d+8bcd+4bcv\\\\right)'
    """

    def __init__(
        self, model: Model, under: Convention, given: Given, optimizer_name: str, precision_name: str | None
    ) -> None:
        self.model, self.convention = model, under
        self.optimizer = optimizer(optimizer_name)
        self.precision = precision(precision_name or under.precision)
        self.given = dict(given)
        self.ties, self.numbers = _known(model, given)
        self._found: dict[str, Terms] = {}

    @cached_property
    def derivation(self) -> Derivation:
        """The model lowered under the convention."""
        return Derivation(lower(self.model.loss, self.convention), "fp32" if self.precision.activation == 4 else "bf16")

    def __getitem__(self, quantity: str) -> Terms:
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
            numbers=self.numbers, ties=self.ties,
        )  # fmt: skip
        return found.substituted(self.ties)

    def _sum(self, quantity: str, *parts: str) -> Terms:
        whole = self[parts[0]]
        for part in parts[1:]:
            whole = whole + self[part]
        return whole.called(quantity, QUANTITIES[quantity].unit)

    def _times(self, quantity: str, base: Terms, factor: Expr) -> Terms:
        return base.scaled(factor, quantity=quantity, unit=QUANTITIES[quantity].unit)

    # What is there before the first token.

    def _parameters(self) -> Terms:
        return self._terms("parameters", self.derivation.parameters)

    def _trained(self) -> Terms:
        trained = {id(term) for term, tensor in zip(self["parameters"], self.derivation.program.parameters, strict=True)
                   if tensor.wants}  # fmt: skip
        return self["parameters"].where(lambda term: id(term) in trained)

    def _per_parameter(self, quantity: str, base: Terms, size: int, what: str, tensor: str) -> tuple[Term, ...]:
        return tuple(
            replace(
                term,
                amount=size * term.amount,
                tensor=tensor.format(term.tensor),
                quantity=quantity,
                because=Because(f"{size} bytes for each element of {term.tensor}: {what}"),
            )
            for term in base
        )

    def _parameter_memory(self) -> Terms:
        weights, role = self.precision.parameter, "its weights"
        terms = self._per_parameter("parameter_memory", self["parameters"], weights, role, "{}")
        if self.precision.reference:
            terms += self._per_parameter(
                "parameter_memory", self["parameters"], self.precision.reference, "a frozen reference copy", "reference {}"
            )  # fmt: skip
        return self["parameters"].called("parameter_memory", "bytes").replaced(terms)

    def _gradient_memory(self) -> Terms:
        trained = self._trained()
        terms = self._per_parameter("gradient_memory", trained, self.precision.gradient, "its gradient", "∂{}")
        return trained.called("gradient_memory", "bytes").replaced(terms)

    def _optimizer_memory(self) -> Terms:
        trained = self._trained()
        terms: tuple[Term, ...] = ()
        for state in states(self.optimizer, self.precision):
            terms += self._per_parameter(
                "optimizer_memory", trained, state.bytes or 0, f"{self.optimizer.name} keeps a {state.meaning}",
                f"{state.name} of {{}}",
            )  # fmt: skip
        if self.optimizer.per_tensor_bytes:
            size = self.optimizer.per_tensor_bytes
            terms += tuple(
                replace(term, amount=Integer(size), tensor=f"step of {term.tensor}", quantity="optimizer_memory",
                        because=Because(f"{size} bytes for each parameter tensor: a step counter"))
                for term in trained
            )  # fmt: skip
        return trained.called("optimizer_memory", "bytes").replaced(terms)

    def _static_memory(self) -> Terms:
        return self._sum("static_memory", "parameter_memory", "gradient_memory", "optimizer_memory")

    # What a step keeps.

    def _saved_activations(self) -> Terms:
        return self._terms("saved_activations", self.derivation.saved_activations)

    def _activation_memory(self) -> Terms:
        return self._terms("activation_memory", self.derivation.activation_memory)

    def _memory_per_sequence(self) -> Terms:
        return replace(self._times("memory_per_sequence", self["activation_memory"], 1 / s.b), outer=Integer(1))

    def _peak_memory(self) -> Terms:
        return self._sum("peak_memory", "static_memory", "activation_memory")

    def _kv_cache_memory(self) -> Terms:
        return self._terms("kv_cache_memory", kv_cache(self.model.loss, self.precision.activation))

    # What a step computes.

    def _forward_flops(self) -> Terms:
        return self._terms("forward_flops", self.derivation.forward_flops)

    def _backward_flops(self) -> Terms:
        return self._terms("backward_flops", self.derivation.backward_flops)

    def _recompute_flops(self) -> Terms:
        return self._terms("recompute_flops", self.derivation.recompute_flops)

    def _optimizer_flops(self) -> Terms:
        trained = self._trained()
        terms = tuple(
            replace(term, amount=len(operations(step)) * term.amount, quantity="optimizer_flops",
                    because=Because(f"{len(operations(step))} FLOPs for each element of {term.tensor}: {step.text}"))
            for step in self.optimizer.steps
            for term in trained
        )  # fmt: skip
        return trained.called("optimizer_flops", "FLOPs").replaced(terms)

    def _step_flops(self) -> Terms:
        return self._sum("step_flops", "forward_flops", "backward_flops", "recompute_flops", "optimizer_flops")

    def _flops_per_token(self) -> Terms:
        both = self["forward_flops"] + self["backward_flops"]
        return replace(self._times("flops_per_token", both, 1 / TOKENS), outer=Integer(1))

    # The run: steps, time, money.

    def _steps(self) -> Terms:
        because = Because("every step sees b·c tokens; the last one may see fewer")
        amount = ceiling(s.epochs * s.D / TOKENS)
        return self._terms("steps", (Term(amount, Integer(1), "steps", "training", because, "steps"),))

    def _training_flops(self) -> Terms:
        return self._times("training_flops", self["step_flops"], s.epochs * s.D / TOKENS)

    def _training_time(self) -> Terms:
        return self._times("training_time", self["training_flops"], 1 / (s.n * s.peak * s.MFU))

    def _gpu_hours(self) -> Terms:
        return self._times("gpu_hours", self["training_time"], s.n * Rational(1, SECONDS_PER_HOUR))

    def _cost(self) -> Terms:
        return self._times("cost", self["gpu_hours"], s.price)

    def _worst_moment_memory(self) -> Terms:
        return self._terms("worst_moment_memory", ())


def derive(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    under: str | Convention = "textbook",
    given: Given | None = None,
    optimizer: str = "adamw",
    precision: str | None = None,
) -> Costs:
    """Every cost of training `model`, as closed forms with a reason for each term.

    `model` is a known name, a path to a `config.json` or a spec, or a dict of either. `given` puts in numbers and
    forms: `{"h_kv": 8, "d_ff": "4*d"}`; `{"d_ff": "d_ff"}` frees a letter. `precision` is what the convention
    supposes (fp32 for the textbook) unless given.
    Raises UnknownName, UnknownSymbol or ConfigError, each naming the mend.

    >>> derive("cs190c")["forward_flops"].latex()
    'L\\\\left(32bcd^2+4bc^2d\\\\right)+2bcdv'
    """
    return Costs(load(model), convention(under), given or {}, optimizer, precision)


def _known(model: Model, given: Given) -> tuple[dict[Symbol, Expr], dict[str, Number]]:
    """The ties and numbers in force: the model's own, and over them what is given."""
    ties, numbers = dict(model.ties), dict(model.numbers)
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
    for _ in range(len(ties) + 1):
        if not any(form.free_symbols & ties.keys() for form in ties.values()):
            return ties
        ties = {symbol: form.xreplace(ties) for symbol, form in ties.items()}
    circle = ", ".join(f"{symbol} = {code(form)}" for symbol, form in ties.items() if form.free_symbols & ties.keys())
    raise UsageError(f"given: expected forms that end in free letters, found a circle: {circle}. Free one of them.")

