"""Costs where no layer is known: N parameters and the tokens they see, or just the FLOPs of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from sympy import Expr, Integer

from symcost import rules
from symcost import symbols as s
from symcost.derive import Derivation
from symcost.errors import UsageError
from symcost.model import Architecture, Model
from symcost.symbols import QUANTITIES
from symcost.terms import Because, Term, Terms
from symcost.training.costs import TOKENS, Costs

BARE = Model(
    "bare",
    Architecture(),
    source="Kaplan et al. 2020, Scaling Laws for Neural Language Models, section 2.1: C = 6·N·D",
)
BUDGET = Model(
    "budget",
    Architecture(),
    source="Anthony et al. 2023, Transformer Math 101: C = τ·T",
)


class Counted(Costs):
    """Costs of a run whose layers are not known: only those quantities that do not ask for them."""

    known: tuple[str, ...]
    scopes = ()

    def __getitem__(self, quantity: str) -> Terms:
        if quantity in QUANTITIES and quantity not in self.known:
            raise UsageError(
                f"{self.model.name}: {quantity} depends on layers, and none are known. "
                f"Ask a model for it, as in derive llama {quantity}; known here are {', '.join(self.known)}."
            )
        return super().__getitem__(quantity)

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    @cached_property
    def derivation(self) -> Derivation:
        raise UsageError(
            f"{self.model.name}: there are no layers to derive from. Ask a model, as in derive llama."
        )

    def _one(self, quantity: str, amount: Expr, tensor: str, because: str) -> Terms:
        return self._terms(quantity, (Term(amount, Integer(1), tensor, "model", Because(because), quantity),))


class Bare(Counted):
    """N parameters, each met once by every token: a product and a sum forward, twice that backward.

    Attention's products of activations and the update of the parameters are left out, as by the rule
    C = 6·N·D; under `…+checkpoint` the forward pass is made twice, C = 8·N·D.
    """

    known = (
        *("parameters", "parameter_memory", "gradient_memory", "optimizer_memory", "static_memory"),
        *("forward_flops", "backward_flops", "recompute_flops", "optimizer_flops", "step_flops"),
        *("flops_per_token", "training_flops", "pflop_days", "steps", "training_time", "gpu_hours", "cost"),
        "energy",
    )
    fills = "static_memory"

    def _parameters(self) -> Terms:
        return self._one("parameters", s.N, "weights", "all parameters, however they are laid out")

    def _trained(self) -> Terms:
        return self["parameters"]

    def _products(self, quantity: str, each: int, because: str) -> Terms:
        return self._one(quantity, each * s.N * TOKENS, "weights", f"{because} for each parameter and token")

    def _forward_flops(self) -> Terms:
        return self._products("forward_flops", 2, "a product and a sum")

    def _backward_flops(self) -> Terms:
        return self._products(
            "backward_flops", 4, "the same for the gradient of the input and for that of the weight,"
        )

    def _recompute_flops(self) -> Terms:
        if rules.REPEAT in self.convention.again:
            return self._products("recompute_flops", 2, "the forward pass a second time: a product and a sum")
        return self._terms("recompute_flops", ())

    def _step(self, *passes: str) -> Terms:
        return super()._step(*passes).where(lambda term: term.quantity != "optimizer_flops")


class Budget(Counted):
    """A run of C FLOPs, whatever they are made for: C = τ·T, with τ the FLOP/s of all GPUs together."""

    known = ("training_flops", "pflop_days", "training_time", "gpu_hours", "cost", "energy")

    def _training_flops(self) -> Terms:
        return self._one("training_flops", s.C, "run", "as given")

    def _model_flops(self) -> Terms:
        return self["training_flops"]


COUNTED: Mapping[str, tuple[type[Costs], Model]] = MappingProxyType(
    {"bare": (Bare, BARE), "budget": (Budget, BUDGET)}
)
